from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from reader_app.ai.bundle import Bundle
from reader_app.ai.film_image import prepare_film
from reader_app.ai.pipeline import JointImage, Pipeline, prepare
from reader_app.ai.worker import Priority, Worker, WorkerEvent
from reader_app.ai.worker_queue import Kind
from reader_app.errors import AiLost, AiUnavailable, BundleError, PreGradeError
from reader_app.imaging.geometry import Box
from tests.ai.conftest import make_bundle

WAIT = 240.0
needs_signals = pytest.mark.skipif(
    sys.platform == "win32", reason="stops and kills processes by POSIX signals"
)


def joint(seed: int = 0) -> JointImage:
    pixels = np.random.default_rng(seed).normal(1000, 200, (90, 120)).astype(np.float32)
    return JointImage(pixels, Box(10, 5, 80, 80), "R", f"{seed:064d}")


class Watcher:
    """Listens to a worker, and may act in the middle of a request."""

    def __init__(self) -> None:
        self.events: list[WorkerEvent] = []
        self.act_on_grading = 0
        self.act: Callable[[], None] = lambda: None

    def __call__(self, event: WorkerEvent) -> None:
        self.events.append(event)
        if event is WorkerEvent.GRADING and self.act_on_grading > 0:
            self.act_on_grading -= 1
            self.act()


@pytest.fixture(scope="module")
def watcher() -> Watcher:
    return Watcher()


@pytest.fixture(scope="module")
def shared_worker(bundle: Bundle, watcher: Watcher) -> Iterator[Worker]:
    """Starting a process costs seconds, so the tests that leave it usable share one."""
    with Worker(bundle.folder, device="cpu", threads=1, listener=watcher) as worker:
        yield worker


@pytest.fixture
def worker(shared_worker: Worker, watcher: Watcher) -> Worker:
    """The shared worker, warm, its watcher's memory empty."""
    shared_worker.submit(joint()).result(WAIT)
    watcher.events.clear()
    watcher.act_on_grading = 0
    return shared_worker


def test_the_worker_gives_what_the_pipeline_gives_and_leaves_nothing_behind(bundle: Bundle) -> None:
    before = set(multiprocessing.active_children())
    with Worker(bundle.folder, device="cpu", threads=1) as worker:
        futures = [worker.submit(joint(seed)) for seed in range(3)]
        results = [future.result(WAIT) for future in futures]
        process_id = worker.process_id
    own = Pipeline(bundle, device="cpu", threads=1).pregrade_many([joint(seed) for seed in range(3)])
    for ours, theirs in zip(own, results, strict=True):
        assert ours.pixel_sha256 == theirs.pixel_sha256
        for item, prediction in ours.predictions.items():
            assert prediction.expected == pytest.approx(theirs.predictions[item].expected, abs=1e-4)
    assert process_id is not None
    assert set(multiprocessing.active_children()) == before
    with pytest.raises(ProcessLookupError):  # gone and reaped, no zombie
        os.kill(process_id, 0)
    with pytest.raises(PreGradeError, match="closed"):
        worker.submit(joint())


@needs_signals
def test_kill_9_ends_one_pregrade_and_the_next_go_on(worker: Worker, watcher: Watcher) -> None:
    first = worker.process_id
    assert first is not None
    # Stopped first, so that it cannot answer before it is killed, in the middle of the request.
    os.kill(first, signal.SIGSTOP)
    watcher.act, watcher.act_on_grading = (lambda: os.kill(first, signal.SIGKILL)), 1
    lost = worker.submit(joint(1))
    with pytest.raises(AiLost, match="ended while it graded"):
        lost.result(WAIT)
    assert worker.submit(joint(2)).result(WAIT).pixel_sha256 == f"{2:064d}"
    assert worker.process_id != first
    assert watcher.events.count(WorkerEvent.LOST) == 1
    assert watcher.events.count(WorkerEvent.READY) == 1


@needs_signals
def test_a_batch_that_crashes_is_taken_apart_for_the_innocent(worker: Worker, watcher: Watcher) -> None:
    first = worker.process_id
    assert first is not None
    os.kill(first, signal.SIGSTOP)
    held = worker.submit(joint(), priority=Priority.ON_SCREEN)
    futures = [worker.submit(joint(seed)) for seed in range(4)]
    os.kill(first, signal.SIGCONT)
    held.result(WAIT)

    def kill_the_batch() -> None:
        os.kill(first, signal.SIGSTOP)
        os.kill(first, signal.SIGKILL)

    watcher.act, watcher.act_on_grading = kill_the_batch, 1
    more = [worker.submit(joint(seed)) for seed in range(4, 8)]
    outcomes = [future.exception(WAIT) for future in [*futures, *more]]
    # Whichever batch was killed, its joints were graded again one by one; at most a batch of one may be lost.
    assert sum(outcome is not None for outcome in outcomes) <= 1
    again = [each for each in (*futures, *more) if each.exception(0) is None]
    told = [each.result(0).details["retried"] for each in again if "retried" in each.result(0).details]
    assert all("exit code -9" in note for note in told)
    assert len(told) + sum(outcome is not None for outcome in outcomes) >= 1, "somebody was in that batch"
    assert "The AI process ended (exit code -9) and was started again." in worker.notes()


@needs_signals
def test_silence_is_timed_out(worker: Worker, watcher: Watcher, monkeypatch: pytest.MonkeyPatch) -> None:
    assert worker.process_id is not None
    os.kill(worker.process_id, signal.SIGSTOP)
    monkeypatch.setattr(worker, "_grade_seconds", 0.2)
    with pytest.raises(PreGradeError, match="did not answer"):
        worker.submit(joint(1)).result(WAIT)
    assert WorkerEvent.TIMED_OUT in watcher.events


@needs_signals
def test_urgent_requests_go_first_and_waiting_ones_can_be_cancelled(worker: Worker) -> None:
    order: list[str] = []
    assert worker.process_id is not None
    os.kill(worker.process_id, signal.SIGSTOP)  # holds the first, so that the others queue up
    held = worker.submit(joint(1), priority=Priority.ON_SCREEN)
    later = worker.submit(joint(2), priority=Priority.BATCH)
    unwanted = worker.submit(joint(3), priority=Priority.BATCH)
    soon = worker.submit(joint(4), priority=Priority.NEIGHBOUR)
    for name, future in (("later", later), ("soon", soon)):
        future.add_done_callback(lambda _, name=name: order.append(name))  # type: ignore[misc]
    assert unwanted.cancel()
    os.kill(worker.process_id, signal.SIGCONT)
    held.result(WAIT)
    later.result(WAIT)
    assert order == ["soon", "later"]
    assert unwanted.cancelled()


@needs_signals
def test_closing_does_not_wait_for_a_busy_process(bundle: Bundle) -> None:
    watcher = Watcher()
    grading = threading.Event()
    worker = Worker(bundle.folder, device="cpu", threads=1, listener=watcher)
    worker.submit(joint()).result(WAIT)
    assert worker.process_id is not None
    os.kill(worker.process_id, signal.SIGSTOP)
    watcher.act, watcher.act_on_grading = grading.set, 1
    running = worker.submit(joint(1), priority=Priority.ON_SCREEN)
    assert grading.wait(WAIT)
    waiting = worker.submit(joint(2))
    worker.close()
    worker.close()
    assert isinstance(running.exception(0), PreGradeError)
    assert waiting.cancelled()
    assert worker.process_id is None


def test_joints_are_found_on_films_by_the_same_process(worker: Worker, bundle: Bundle) -> None:
    legs = np.random.default_rng(0).normal(200, 30, (300, 600))
    legs[:, 250:350] = 5.0
    film = prepare_film(legs, laterality="B", joint="knee")
    located = worker.locate(film).result(WAIT)
    assert [joint.side for joint in located.joints] == ["R", "L"]
    assert located == Pipeline(bundle, device="cpu", threads=1).locate([film])[0]


def test_a_joint_that_is_cut_out_already_is_graded_as_it_is(worker: Worker, bundle: Bundle) -> None:
    ready = worker.submit(prepare(joint(3), bundle)).result(WAIT)
    cut_there = worker.submit(joint(3)).result(WAIT)
    for item, prediction in ready.predictions.items():
        assert prediction.expected == pytest.approx(cut_there.predictions[item].expected, abs=1e-4)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux keeps a limit on address space")
def test_a_batch_that_does_not_fit_into_the_memory_is_made_smaller_and_told(tmp_path: Path) -> None:
    """A real limit of the system: four joints of that size need 700 MB, one 180."""
    room = 450 << 20
    wide = make_bundle(tmp_path / "wide", size=448)
    watcher = Watcher()
    with Worker(
        wide.folder, device="cpu", threads=1, memory_bytes=room, listener=watcher, backend="eager"
    ) as worker:
        worker.submit(joint()).result(WAIT)
        worker._queue.took(Kind.GRADE, 1000, 0.001)  # as on a fast machine: many go at once
        results = [each.result(WAIT) for each in [worker.submit(joint(seed)) for seed in range(5)]]
        notes = worker.notes()
    assert {each.pixel_sha256 for each in results} == {f"{seed:064d}" for seed in range(5)}
    assert any("fallback" in each.details or "retried" in each.details for each in results)
    assert "The AI ran out of memory and went on with smaller batches." in notes
    assert WorkerEvent.NOTED in watcher.events


def test_an_idle_process_ends_and_another_comes_when_it_is_asked(bundle: Bundle) -> None:
    watcher = Watcher()
    with Worker(bundle.folder, device="cpu", threads=1, idle_seconds=0.0, listener=watcher) as worker:
        results = [worker.submit(joint()).result(WAIT) for _ in range(2)]
    assert watcher.events.count(WorkerEvent.STARTED) == 2
    assert all(each.predictions for each in results)


def test_nothing_to_grade_fails_that_joint_only(worker: Worker) -> None:
    flat = JointImage(np.zeros((50, 50), dtype=np.uint8), Box(0, 0, 50, 50), "R", "")
    bad, good = worker.submit(flat), worker.submit(joint())
    with pytest.raises(PreGradeError, match="flat grey"):
        bad.result(WAIT)
    assert good.result(WAIT).predictions


def test_a_device_that_is_not_there_is_told(bundle: Bundle) -> None:
    with (
        Worker(bundle.folder, device="no-such-device") as worker,
        pytest.raises(AiUnavailable, match="cannot run"),
    ):
        worker.submit(joint()).result(WAIT)


def test_a_bundle_that_is_not_there_or_was_altered_is_told_at_once(bundle: Bundle, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="no bundle"):
        Worker(tmp_path)
    copy = Path(shutil.copytree(bundle.folder, tmp_path / "copy"))
    with Worker(copy, device="cpu") as worker:
        (copy / "model.safetensors").write_bytes(b"altered meanwhile")
        with pytest.raises(PreGradeError):
            worker.submit(joint()).result(WAIT)


def test_a_parent_that_exits_without_closing_leaves_no_process(bundle: Bundle, tmp_path: Path) -> None:
    script = tmp_path / "careless.py"
    script.write_text(
        "import sys\n"
        "from pathlib import Path\n"
        "from reader_app.ai.worker import Worker\n"
        "from tests_joint import joint\n"
        "if __name__ == '__main__':\n"
        "    worker = Worker(Path(sys.argv[1]), device='cpu', threads=1)\n"
        "    worker.submit(joint()).result(240)\n"
        "    print(worker.process_id, flush=True)\n"
    )
    (tmp_path / "tests_joint.py").write_text(
        "import numpy as np\n"
        "from reader_app.ai.pipeline import JointImage\n"
        "from reader_app.imaging.geometry import Box\n"
        "def joint():\n"
        "    y, x = np.mgrid[:90, :120]\n"
        "    return JointImage((x * y % 97).astype('float32'), Box(10, 5, 80, 80), 'R', '')\n"
    )
    root = str(Path(__file__).resolve().parents[2])
    done = subprocess.run(
        [sys.executable, str(script), str(bundle.folder)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([root, str(tmp_path)])},
    )
    with pytest.raises(ProcessLookupError):
        os.kill(int(done.stdout), 0)
