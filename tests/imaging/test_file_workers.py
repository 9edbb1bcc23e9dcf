"""Files are read in processes of their own: a crash, a hang or a flood costs one file."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reader_app.errors import MissingPart
from reader_app.imaging.workers import FileResult, FileWorkers
from tests.imaging import file_tasks

StartParent = Callable[[str], tuple[subprocess.Popen[bytes], int]]
ROOT = Path(__file__).resolve().parents[2]
posix = pytest.mark.skipif(os.name == "nt", reason="signals and limits of POSIX")
linux = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux: /proc, pidfd, address space limits")


def named(*names: str) -> list[Path]:
    return [Path(name) for name in names]


def faults(results: list[FileResult[object]]) -> dict[str, str]:
    return {str(result.path): result.fault for result in results if result.fault}


def test_results_come_in_order_each_with_its_path(tmp_path: Path) -> None:
    paths = [tmp_path / f"{number}" for number in range(300)]
    for number, path in enumerate(paths):
        path.write_bytes(b"x" * number)
    with FileWorkers(file_tasks.size, workers=2) as workers:
        results = list(workers.map(paths))
        assert [(result.path, result.value) for result in results] == list(
            zip(paths, range(300), strict=True)
        )
        assert not any(result.fault for result in results)
        first = workers.process_ids
        assert [result.value for result in workers.map(paths[7:9])] == [7, 8]
        assert workers.process_ids == first
    assert workers.process_ids == ()


def test_no_process_is_started_without_work() -> None:
    with FileWorkers(file_tasks.name, workers=2) as workers:
        assert list(workers.map([])) == []
        assert workers.process_ids == ()
        list(workers.map(named("one")))
        assert len(workers.process_ids) == 1


@posix
@pytest.mark.parametrize(("culprit", "words"), [("abort", "SIGABRT"), ("segfault", "SIGSEGV"), ("exit", "3")])
@pytest.mark.parametrize("place", [0, 1, 130, 200])
def test_a_crash_costs_one_file(culprit: str, words: str, place: int) -> None:
    paths = named(*(f"good{number}" for number in range(200)))
    paths.insert(place, Path(culprit))
    with FileWorkers(file_tasks.as_named, workers=2) as workers:
        results = list(workers.map(paths))
    assert [result.path for result in results] == paths
    assert list(faults(results)) == [culprit]
    fault = results[place]
    assert words in fault.fault
    assert fault.fault.startswith(culprit)
    assert fault.fault.endswith(".")
    assert fault.next_step
    assert all(result.value == result.path.name for result in results if not result.fault)


@posix
def test_many_crashes_in_a_row_cost_only_themselves() -> None:
    paths = named("abort1", "abort2", "good1", "segfault3", "abort4", "good2", "exit5")
    with FileWorkers(file_tasks.as_named, workers=2) as workers:
        results = list(workers.map(paths))
    assert list(faults(results)) == ["abort1", "abort2", "segfault3", "abort4", "exit5"]


@posix
def test_a_file_is_not_blamed_for_what_another_left_behind() -> None:
    paths = named("first", "second", "victim", "last")
    with FileWorkers(file_tasks.CrashesOnce(), workers=1) as workers:
        results = list(workers.map(paths))
    assert not faults(results)  # type: ignore[arg-type]
    assert results[0].value == results[1].value != results[2].value == results[3].value


@posix
@pytest.mark.parametrize("task", [file_tasks.as_named, file_tasks.hang_in_python])
def test_a_hang_costs_one_file(task: object) -> None:
    paths = named("good1", "hang", "good2", "good3")
    if task is file_tasks.hang_in_python:
        paths = paths[1:2]
    with FileWorkers(task, workers=1, seconds=0.5) as workers:  # type: ignore[arg-type, var-annotated]
        results = list(workers.map(paths))
    assert faults(results) == {"hang": "hang takes longer than 0.5 s to read."}


@linux
@pytest.mark.parametrize("culprit", ["greedy", "wrapped"])
@pytest.mark.parametrize("before", [0, 2])
def test_a_flood_costs_one_file(culprit: str, before: int) -> None:
    paths = named(*(f"good{number}" for number in range(before)), culprit, "last")
    with FileWorkers(file_tasks.as_named, workers=1, memory_bytes=200 << 20) as workers:
        results = list(workers.map(paths))
    assert faults(results) == {culprit: f"{culprit} needs more than 200 MB of memory to read."}


def test_a_fault_of_the_file_keeps_its_words() -> None:
    with FileWorkers(file_tasks.as_named, workers=1) as workers:
        (result,) = workers.map(named("damaged"))
    assert result == FileResult(Path("damaged"), None, "damaged is damaged.", "Export it again.")


def test_other_faults_are_raised_as_they_are() -> None:
    with FileWorkers(file_tasks.as_named, workers=1) as workers:
        with pytest.raises(MissingPart, match="The disk is full") as caught:
            list(workers.map(named("good", "disk")))
        assert caught.value.next_step == "Make room."
        assert [result.value for result in workers.map(named("good"))] == ["good"]


@pytest.mark.parametrize(("culprit", "words"), [("bug", "a bug of ours"), ("unpicklable", "pickle")])
def test_faults_of_ours_are_raised_with_their_trace(culprit: str, words: str) -> None:
    with FileWorkers(file_tasks.as_named, workers=1) as workers:
        results = workers.map(named("good", culprit, "good"))
        assert next(results).value == "good"
        with pytest.raises(RuntimeError, match=words) as caught:
            list(results)
        assert "Traceback" in str(caught.value)
        assert [result.value for result in workers.map(named("after"))] == ["after"]


def test_a_task_that_cannot_travel_is_refused_at_once() -> None:
    with pytest.raises((AttributeError, TypeError), match=r"pickle|lambda"):
        FileWorkers(lambda path: path)


def test_no_more_paths_are_taken_than_results_are_fetched() -> None:
    taken: list[int] = []

    def endless() -> Iterator[Path]:
        while True:
            taken.append(1)
            yield Path("x")

    with FileWorkers(file_tasks.name, workers=2) as workers:
        results = workers.map(endless())
        for _ in range(2000):
            next(results)
        assert len(taken) <= 2000 + 2 * 128
        results.close()  # type: ignore[attr-defined]
        assert [result.value for result in workers.map(named("next"))] == ["next"]


@linux
def test_large_results_are_not_piled_up() -> None:
    import resource

    with FileWorkers(file_tasks.Large(20 << 20), workers=2) as workers:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        assert all(result.value and not any(result.value[:1]) for result in workers.map(named("x") * 30))
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000


def test_one_map_at_a_time_and_none_after_the_end() -> None:
    with FileWorkers(file_tasks.name, workers=1) as workers:
        first = workers.map(named("a", "b"))
        next(first)
        with pytest.raises(RuntimeError, match="busy"):
            next(workers.map(named("c")))
        assert [result.value for result in first] == ["b"]
    with pytest.raises(RuntimeError, match="closed"):
        next(workers.map(named("c")))


@posix
def test_the_process_is_quiet_and_light(capfd: pytest.CaptureFixture[str]) -> None:
    with FileWorkers(file_tasks.surroundings, workers=1) as workers:
        (result,) = workers.map(named("x"))
    found = result.value
    assert found is not None
    assert found["threads"] == "1"
    assert found["core"] == 0
    assert found["interrupt"] is True
    assert not {"torch", "PySide6", "scipy", "sqlalchemy", "pydicom"} & set(found["modules"])  # type: ignore[call-overload]
    assert capfd.readouterr() == ("", "")


def test_names_that_are_no_text_arrive(tmp_path: Path) -> None:
    odd = [tmp_path / "two\nlines", tmp_path / "\u202eoffe", tmp_path / "ünï", Path(os.fsdecode(b"\xff\xfe"))]
    with FileWorkers(file_tasks.name, workers=1) as workers:
        assert [result.value for result in workers.map(odd)] == [path.name for path in odd]


_PARENT = """
import sys
from pathlib import Path
from tests.imaging import file_tasks
from reader_app.imaging.workers import FileWorkers

if __name__ == "__main__":
    workers = FileWorkers(getattr(file_tasks, sys.argv[1]), workers=1, seconds=1)
    list(workers.map([Path(sys.argv[2])]))
    sys.stdin.read()
"""


@pytest.fixture
def start_parent(tmp_path: Path) -> Iterator[StartParent]:
    """Start a parent whose child carries a task out; return it and a handle on the child, which is busy."""
    started: list[subprocess.Popen[bytes]] = []
    handles: list[int] = []

    def start(task: str) -> tuple[subprocess.Popen[bytes], int]:
        script, told = tmp_path / "parent.py", tmp_path / "told"
        script.write_text(_PARENT)
        os.mkfifo(told)
        command: list[str | Path] = [sys.executable, script, task, told]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        started.append(subprocess.Popen(command, stdin=subprocess.PIPE, env=environment))
        handles.append(os.pidfd_open(int(told.read_text())))
        return started[-1], handles[-1]

    yield start
    for parent in started:
        parent.kill()
        parent.communicate()
    for handle in handles:
        os.close(handle)


@linux
@pytest.mark.parametrize("task", ["tell_and_hang_in_python", "tell_and_return"])
def test_nobody_outlives_a_killed_parent(start_parent: StartParent, task: str) -> None:
    parent, child = start_parent(task)
    parent.kill()
    assert select.select([child], [], [], 60)[0], "a process goes on without its parent"


@linux
def test_a_stuck_process_ends_even_if_its_parent_is_stuck_too(start_parent: StartParent) -> None:
    parent, child = start_parent("tell_and_hang")
    parent.send_signal(signal.SIGSTOP)
    assert select.select([child], [], [], 60)[0], "a process is stuck for ever"
