"""A pre-grade that is killed, at a small size; ``python -m tests.simulation.pregrade_kills`` is the large."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.simulation.pregrade_kills import PregradeKills, faults, told

SOME_FILMS = 40


@pytest.mark.timeout(1800)
@pytest.mark.skipif(sys.platform != "linux", reason="finds the processes of a run by /proc")
def test_a_run_that_is_killed_twice_neither_misses_nor_doubles_a_joint(
    tmp_path: Path, shipped_bundle: Path
) -> None:
    assert shipped_bundle.is_dir()
    said: list[str] = []
    outcome = PregradeKills(tmp_path, films=SOME_FILMS, tell=said.append).run()
    assert list(faults(outcome)) == []
    assert all(0 < at < SOME_FILMS for at in outcome.killed_at), "killed in the middle, both times"
    assert any("0 leftovers" in sentence for sentence in told(outcome))
    # The checks can fail: each of these is a fault.
    for wrong in (
        replace(outcome, pregraded=SOME_FILMS - 1),
        replace(outcome, rows=outcome.rows + 1),
        replace(outcome, unreadable=1),
        replace(outcome, leftovers=("a.part",)),
        replace(outcome, orphans=1),
        replace(outcome, verify_faults=("a joint",)),
        replace(outcome, report={"pending": 1}),
    ):
        assert list(faults(wrong))
