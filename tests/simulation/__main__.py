"""``python -m tests.simulation``: the hip study at full size, and whether it ended as it must."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.simulation.checks import faults, told
from tests.simulation.population import FILMS, JOINTS
from tests.simulation.study import Simulation


def main() -> int:
    """Run, say what came out, and return 1 where anything is not as it must be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--films", type=int, default=FILMS)
    parser.add_argument("--joints", type=int, default=0, help="by default as many a film as published")
    parser.add_argument("--folder", type=Path, help="to keep the study; by default it is thrown away")
    chosen = parser.parse_args()
    joints = chosen.joints or round(chosen.films * JOINTS / FILMS)
    begun = time.monotonic()

    def tell(sentence: str) -> None:
        print(f"{time.monotonic() - begun:6.0f} s  {sentence}", flush=True)

    with tempfile.TemporaryDirectory(prefix="simulation-") as temporary:
        folder = chosen.folder or Path(temporary)
        outcome = Simulation(folder, films=chosen.films, joints=joints, tell=tell).run()
    for sentence in told(outcome):
        print(sentence)
    wrong = tuple(faults(outcome))
    for sentence in wrong:
        print(f"FAULT: {sentence}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
