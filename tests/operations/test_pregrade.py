"""Pre-grading a study with real networks: each joint once, with its heatmap, however it is asked for."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from PIL import Image

from reader_app.errors import AiUnavailable
from reader_app.operations.heatmaps import FOLDER, read_heatmap
from reader_app.operations.import_films import import_films
from reader_app.operations.pregrade import PregradeReport, WarmWorkers, pregrade
from reader_app.operations.pregrading import pending
from reader_app.operations.progress import Progress
from reader_app.operations.study import Study, open_study
from reader_app.operations.verify import verify
from reader_app.store import pregrades as stored
from reader_app.store.records import Actor
from tests.simulation.pregrade_kills import synthetic


@pytest.fixture(scope="module")
def warm() -> Iterator[WarmWorkers]:
    """Loading networks takes seconds, so the tests of this file share them."""
    with WarmWorkers() as workers:
        yield workers


@pytest.fixture
def films(tmp_path: Path) -> Path:
    """Three pictures with a joint line, on which the networks' maps are not empty."""
    folder = tmp_path / "films"
    folder.mkdir()
    for number, name in enumerate("abc"):
        Image.fromarray(synthetic(number)).save(folder / f"{name}.png")
    return folder


@pytest.fixture
def imported(study: Study, coordinator: Actor, films: Path) -> Study:
    import_films(study, coordinator, films)
    return study


def joints_of(study: Study, coordinator: Actor) -> list[int]:
    return [joint.joint_id for joint in stored.pending_joints(study.database, coordinator, "none")]


def heatmap_files(study: Study) -> list[Path]:
    return [path for path in (study.folder / FOLDER).rglob("*") if path.is_file()]


def rows(study: Study) -> list[tuple[int, str, str]]:
    with study.database.reading() as connection:
        found = connection.exec_driver_sql("SELECT joint_id, item, heatmap_file FROM pregrade ORDER BY id")
        return [(row[0], row[1], row[2]) for row in found]


def test_chosen_joints_first_and_the_rest_later_each_once(
    imported: Study, coordinator: Actor, shipped_bundle: Path, warm: WarmWorkers
) -> None:
    joints = joints_of(imported, coordinator)
    told: list[Progress] = []

    def run(chosen: list[int] | None) -> PregradeReport:
        return pregrade(
            imported,
            coordinator,
            bundle=str(shipped_bundle),
            device="cpu",
            joints=chosen,
            warm=warm,
            progress=told.append,
        )

    first = run(joints[1:2])
    assert (first.done, first.pending, first.faults) == (1, 0, ())
    assert [row[0] for row in rows(imported)] == joints[1:2]
    rest = run(None)
    assert (rest.done, rest.pending) == (2, 0)
    assert rest.joints_per_second > 0
    assert [told[-1].done, told[-1].total] == [2, 2]
    assert "joints per second" in told[-1].pace
    assert run(None).done == 0
    found = rows(imported)
    assert sorted(row[0] for row in found) == joints
    kl = imported.protocol.items[0]
    assert all(read_heatmap(imported.folder, row[2], kl) is not None for row in found)
    assert {path.relative_to(imported.folder).as_posix() for path in heatmap_files(imported)} == {
        row[2] for row in found
    }
    assert verify(imported, coordinator).ok


def test_two_runs_at_once_store_each_joint_once_and_leave_nothing_half_written(
    imported: Study, coordinator: Actor, shipped_bundle: Path, warm: WarmWorkers
) -> None:
    joints = joints_of(imported, coordinator)
    leftover = imported.folder / FOLDER / ".9-abc-12345678.part"
    leftover.parent.mkdir(exist_ok=True)
    leftover.write_bytes(b"of a killed run")
    reports: list[PregradeReport] = []
    begin = threading.Barrier(2)

    def run() -> None:
        with closing(open_study(imported.folder)) as study:
            begin.wait()
            reports.append(
                pregrade(
                    study, coordinator, bundle=str(shipped_bundle), device="cpu", joints=joints, warm=warm
                )
            )

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(report.done for report in reports) == len(joints)
    assert all((report.pending, report.faults) == (0, ()) for report in reports)
    found = rows(imported)
    assert sorted(row[0] for row in found) == joints
    files = {path.relative_to(imported.folder).as_posix() for path in heatmap_files(imported)}
    assert files == {row[2] for row in found if row[2]}
    assert verify(imported, coordinator).ok


def test_a_film_that_is_gone_is_a_fault_that_the_next_run_tries_again(
    imported: Study, coordinator: Actor, films: Path, shipped_bundle: Path, warm: WarmWorkers
) -> None:
    joints = joints_of(imported, coordinator)

    def run() -> PregradeReport:
        return pregrade(
            imported, coordinator, bundle=str(shipped_bundle), device="cpu", joints=joints, warm=warm
        )

    shutil.move(films / "b.png", films.with_name("b.png"))
    first = run()
    assert (first.done, first.pending, len(first.faults)) == (2, 0, 1)
    assert "gone" in first.faults[0].reason
    shutil.move(films.with_name("b.png"), films / "b.png")
    again = run()
    assert (again.done, again.faults) == (1, ())


def test_networks_that_cannot_be_loaded_end_the_run_once_rather_than_joint_by_joint(
    imported: Study, coordinator: Actor, shipped_bundle: Path
) -> None:
    with pytest.raises(AiUnavailable, match="cannot run here"):
        pregrade(imported, coordinator, bundle=str(shipped_bundle), device="no-such-device")
    assert rows(imported) == []


def test_pending_films_come_page_by_page_and_never_in_halves(
    imported: Study, coordinator: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = list(pending.pending_films(imported, coordinator, "none"))
    for page in (1, 2, 3, 4):
        monkeypatch.setattr(pending, "PAGE", page)
        assert list(pending.pending_films(imported, coordinator, "none")) == whole
    assert [len(task.joints) for task in whole] == [1, 1, 1]
