"""The same run on a Ray cluster of two workers on this machine, one of which is killed in the middle."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from reader_app.operations.heatmaps import FOLDER
from reader_app.operations.import_films import import_films
from reader_app.operations.pregrade import pregrade
from reader_app.operations.pregrading import ray_engine
from reader_app.operations.progress import Progress
from reader_app.operations.study import Study
from reader_app.operations.verify import verify
from reader_app.store.records import Actor
from tests.simulation.pregrade_kills import children, holds_networks, write_films

FILMS = 12

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="finds the cluster's workers by /proc"),
    # Ray's own: sockets and logs that its background threads close when the interpreter ends.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:ray.*"),
    pytest.mark.filterwarnings("ignore::FutureWarning:ray.*"),
]


def test_a_cluster_that_loses_a_worker_pre_grades_each_joint_once(
    study: Study, coordinator: Actor, tmp_path: Path, shipped_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("ray", reason="the extra “cluster” is not installed")
    monkeypatch.delenv(ray_engine.ADDRESS, raising=False)
    monkeypatch.setattr(ray_engine, "usable_cores", lambda: 2)
    write_films(tmp_path / "films", FILMS)
    import_films(study, coordinator, tmp_path / "films", manifest=tmp_path / "films" / "manifest.csv")
    killed: list[int] = []

    def kill_one(progress: Progress) -> None:
        if progress.done >= 3 and not killed:
            killed.append(next(each for each in children(os.getpid()) if holds_networks(each)))
            os.kill(killed[0], signal.SIGKILL)

    report = pregrade(
        study,
        coordinator,
        bundle=str(shipped_bundle),
        device="cpu",
        engine="ray",
        workers=2,
        progress=kill_one,
    )
    assert len(killed) == 1
    assert (report.done, report.pending, report.faults) == (FILMS, 0, ())
    with study.database.reading() as connection:
        found = connection.exec_driver_sql("SELECT joint_id, heatmap_file FROM pregrade").all()
    assert len({row[0] for row in found}) == len(found) == FILMS
    files = {path.relative_to(study.folder).as_posix() for path in (study.folder / FOLDER).rglob("*.*")}
    assert files == {row[1] for row in found if row[1] is not None}
    assert verify(study, coordinator).ok
    assert os.environ["RAY_USAGE_STATS_ENABLED"] == "0"
