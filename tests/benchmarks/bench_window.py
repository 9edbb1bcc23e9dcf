"""Whether the window feels the AI: frames and a case on screen, alone and while a study is pre-graded.

`reader-app bench window` prints the table; `run()` returns it. The film view is the real one, and so is the
run of the networks: as the window starts it, in a thread, with its processes beside.
"""

from __future__ import annotations

import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # it is loaded by its path

import numpy as np
from PySide6.QtWidgets import QApplication

from reader_app.ai.bundle import Bundle, load_bundle
from reader_app.ai.pipeline import JointImage
from reader_app.ai.worker import Priority
from reader_app.imaging.files import read_radiograph
from reader_app.imaging.geometry import Box
from reader_app.imaging.pyramid import Pyramid
from reader_app.operations.import_films import import_films
from reader_app.operations.log_in import log_in
from reader_app.operations.pregrade import PregradeReport, WarmWorkers, pregrade
from reader_app.operations.pregrading.engine import EngineChoices
from reader_app.operations.progress import Progress
from reader_app.operations.study import NewStudy, create_study, open_study
from tests.benchmarks.bench_display import Drag, film_view, write_film
from tests.benchmarks.measuring import Row, row_of, times, yes
from tests.simulation.pregrade_kills import BUNDLE, synthetic, write_films

COORDINATOR, PASSWORD = "Ada", "a long sentence"
FRAMES = 120
ASKED = 12
FILMS = 400
"""Enough that the run is still at it when the last frame is measured; it is stopped then."""


def run(*, films: int = FILMS) -> list[Row]:
    """Measure everything.

    Returns
    -------
    list of dict
        name, value (median), p95, unit, peer, peer_value, peer_p95, ratio (alone over under the AI: 1 is as
        if there were none), goal, met ("yes", "no" or empty).
    """
    application = QApplication.instance() or QApplication([])
    bundle = load_bundle(BUNDLE)
    with tempfile.TemporaryDirectory() as name, WarmWorkers() as warm:
        folder = Path(name)
        _make_study(folder, films)
        write_film(folder / "film.dcm")
        with film_view() as view:
            view.show_film(Pyramid(read_radiograph(folder / "film.dcm")))
            QApplication.processEvents()
            drag = Drag(view)
            asked = _asking(bundle, warm)
            times(drag.frame, 10)
            frames_alone, asked_alone = times(drag.frame, FRAMES), times(asked, ASKED)
            with _pregrading(folder / "study", bundle, warm) as goes_on:
                frames_under = times(drag.frame, FRAMES)
                asked_under = times(asked, ASKED)
                if not goes_on():
                    raise RuntimeError("the run was over before the last frame: take more films")
            # Before and after, so that another program on the machine hits both alike.
            frames_alone += times(drag.frame, FRAMES)
            asked_alone += times(asked, ASKED)
            drag.end()
        application.processEvents()
    return [
        _row("window drag, one frame, while pre-grading", frames_under, frames_alone, most=8.0),
        _row("a joint on screen, asked and answered, while pre-grading", asked_under, asked_alone),
        row_of("the longest such wait", [max(asked_under)]),
    ]


def _row(name: str, under: list[float], alone: list[float], *, most: float | None = None) -> Row:
    ours, peer = row_of(name, under), row_of("", alone)
    return ours | {
        "peer": "the same, nothing else running",
        "peer_value": peer["value"],
        "peer_p95": peer["p95"],
        "ratio": peer["value"] / ours["value"],
        "goal": "" if most is None else f"p95 <= {most:g} ms",
        "met": "" if most is None else yes(ours["p95"] <= most),
    }


def _make_study(folder: Path, films: int) -> None:
    write_films(folder / "films", films)
    made = NewStudy(protocol="knee-kl", title="Window", coordinator=COORDINATOR, password=PASSWORD, seed=1)
    with closing(create_study(folder / "study", made)) as study:
        ada = log_in(study, COORDINATOR, PASSWORD)
        import_films(study, ada, folder / "films", manifest=folder / "films" / "manifest.csv")


def _asking(bundle: Bundle, warm: WarmWorkers) -> Callable[[], object]:
    """What happens when a case comes on screen that has no pre-grade: the networks are asked first of all."""
    (worker,) = warm.workers(bundle, EngineChoices(device="cpu"))
    pixels = synthetic(1)
    edge = float(len(pixels))
    image = JointImage(np.asarray(pixels), Box(0, 0, edge, edge), "R", "0" * 64)
    return lambda: worker.submit(image, priority=Priority.ON_SCREEN).result()


@contextmanager
def _pregrading(folder: Path, bundle: Bundle, warm: WarmWorkers) -> Iterator[Callable[[], bool]]:
    """Pre-grade a study beside the block, from when the first joint is stored; gives whether it goes on."""
    begun, enough = threading.Event(), threading.Event()
    reports: list[PregradeReport] = []

    def tell(progress: Progress) -> None:
        if progress.done:
            begun.set()

    def work() -> None:
        try:
            with closing(open_study(folder)) as study:
                ada = log_in(study, COORDINATOR, PASSWORD)
                reports.append(
                    pregrade(
                        study,
                        ada,
                        bundle=str(bundle.folder),
                        device="cpu",
                        warm=warm,
                        progress=tell,
                        cancelled=enough.is_set,
                    )
                )
        finally:
            begun.set()

    thread = threading.Thread(target=work, name="pre-grade")
    thread.start()
    begun.wait()
    try:
        yield lambda: thread.is_alive() and not reports
    finally:
        enough.set()
        started = time.monotonic()
        thread.join()
    (report,) = reports
    seconds = time.monotonic() - started
    print(f"pre-graded meanwhile: {report.done} joints; stopped within {seconds:.1f} s", file=sys.stderr)


if __name__ == "__main__":
    for row in run():
        print(row)
