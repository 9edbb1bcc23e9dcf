"""Run the benchmarks of the checkout: each measures our way and a named peer's in the same run."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from reader_app.errors import MissingPart

PATTERN = "bench_*.py"


@dataclass(frozen=True)
class Measurement:
    """One line of a benchmark.

    Parameters
    ----------
    what
        What was measured.
    ours, theirs
        Our figure and the peer's, in `unit`; `theirs` is None where there is no peer.
    unit
        For example "ms" or "films/s".
    peer
        Who the peer is, in words.
    higher_is_better
        For rates; times are better when lower.
    goal_ratio
        How many times better than the peer we want to be.
    goal
        What we want our figure to be, at most for times and at least for rates.
    """

    what: str
    ours: float
    unit: str
    peer: str = ""
    theirs: float | None = None
    higher_is_better: bool = False
    goal_ratio: float | None = None
    goal: float | None = None

    @property
    def ratio(self) -> float | None:
        """How many times better than the peer; None without one."""
        if self.theirs is None or not self.ours or not self.theirs:
            return None
        return self.ours / self.theirs if self.higher_is_better else self.theirs / self.ours

    @property
    def met(self) -> bool | None:
        """Whether all goals are met; None where there is none."""
        verdicts = []
        if self.goal_ratio is not None and self.ratio is not None:
            verdicts.append(self.ratio >= self.goal_ratio)
        if self.goal is not None:
            verdicts.append(self.ours >= self.goal if self.higher_is_better else self.ours <= self.goal)
        return all(verdicts) if verdicts else None


def benchmarks(*names: str) -> tuple[Path, ...]:
    """Return the benchmark files, or those that are named (``import`` for ``bench_import.py``).

    Raises
    ------
    MissingPart
        If this installation has none, or none of that name.
    """
    folder = Path(__file__).resolve().parents[2] / "tests" / "benchmarks"
    known = {path.stem.removeprefix("bench_"): path for path in sorted(folder.glob(PATTERN))}
    if not known:
        raise MissingPart(
            "This installation has no benchmarks.", "Run this in a copy of the source, which has them."
        )
    unknown = [name for name in names if name.removeprefix("bench_") not in known]
    if unknown:
        raise MissingPart(f"There is no benchmark “{unknown[0]}”.", f"There are: {', '.join(known)}.")
    return tuple(known[name.removeprefix("bench_")] for name in names) or tuple(known.values())


def run_benchmark(path: Path) -> tuple[Measurement, ...]:
    """Run one benchmark: the function ``run()`` of its file, which returns measurements."""
    run: Callable[[], Iterable[Measurement]] = _loaded(path).run
    return tuple(run())


def _loaded(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise MissingPart(f"{path} is no Python file.", "Get a complete copy of the source.")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
