"""How fast a film is read and shown, beside bare pydicom and a plain pyqtgraph ImageView in the same process.

`python tests/benchmarks/bench_display.py` prints the table; `run()` returns it.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
import pydicom
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ComputedRadiographyImageStorage, ExplicitVRLittleEndian, generate_uid

from reader_app.imaging.dicom.dataset import HEADER_KEYWORDS
from reader_app.imaging.files import read_header, read_radiograph
from reader_app.imaging.geometry import Box
from reader_app.imaging.prefetch import Prefetcher
from reader_app.imaging.pyramid import Pyramid, display_tile
from reader_app.imaging.voi import VoiFunction, Window

ROWS, COLUMNS = 3000, 2500
SCREEN = (1000, 1600)
REAL = Path(__file__).resolve().parents[3] / "shared" / "data" / "dicom" / "radiographs"
REAL_NAMES = ("RG2_J2KR", "RG2_JLSL", "RG2_JPLL", "RG2_RLE")

Measurement = dict[str, Any]


def run(*, repeats: int = 60) -> list[Measurement]:
    """Measure everything.

    Returns
    -------
    list of dict
        what, median_ms, p95_ms, goal_ms (or None), peer, peer_median_ms, peer_p95_ms, ratio (peer's median
        over ours: above 1 is faster than the peer), n.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "film.dcm"
        write_film(path)
        found = list(_reading(path, repeats=max(repeats // 6, 3)))
        found += _showing(path, repeats=repeats)
    return found


def write_film(path: Path) -> None:
    """Write an uncompressed 16-bit film of 3000 x 2500: noise over slow shades."""
    rng = np.random.default_rng(7)
    rows, columns = np.mgrid[0:ROWS, 0:COLUMNS]
    shade = (np.sin(columns / 300) + np.cos(rows / 400) + 2) * 12000 + rng.normal(0, 150, (ROWS, COLUMNS))
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = ComputedRadiographyImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid()
    dataset = pydicom.Dataset()
    dataset.file_meta = meta
    dataset.SOPClassUID = meta.MediaStorageSOPClassUID
    dataset.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    dataset.Modality = "CR"
    dataset.PatientID = "BENCH"
    dataset.Rows, dataset.Columns, dataset.SamplesPerPixel = ROWS, COLUMNS, 1
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 16, 15, 0
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.WindowCenter, dataset.WindowWidth = 24000, 40000
    dataset.PixelData = np.clip(shade, 0, 65535).astype("<u2").tobytes()
    dataset.save_as(path, enforce_file_format=True)


def _reading(path: Path, *, repeats: int) -> Iterator[Measurement]:
    def bare_header(file: Path) -> object:
        dataset = pydicom.dcmread(file, stop_before_pixels=True)
        return [dataset.get(keyword) for keyword in HEADER_KEYWORDS]

    def bare(file: Path) -> object:
        return pydicom.dcmread(file).pixel_array

    real = REAL / "RG2_RLE.dcm"
    header_file = real if real.is_file() else path
    yield _beside(
        f"header of {header_file.stem}",
        lambda: read_header(header_file),
        "pydicom, same values",
        lambda: bare_header(header_file),
        repeats=repeats * 10,
    )
    films = [(f"decode {ROWS} x {COLUMNS}, uncompressed", path)]
    films += [(f"decode {name}", REAL / f"{name}.dcm") for name in REAL_NAMES]
    for what, file in films:
        if file.is_file():
            yield _beside(
                what,
                lambda file=file: read_radiograph(file),  # type: ignore[misc]
                "pydicom pixel_array",
                lambda file=file: bare(file),  # type: ignore[misc]
                repeats=repeats,
            )


def _showing(path: Path, *, repeats: int) -> Iterator[Measurement]:
    """Window drag and case switch, each to a painted widget of 1600 x 1000."""
    import pyqtgraph
    from PySide6.QtGui import QImage, QPainter, QPaintEvent
    from PySide6.QtWidgets import QApplication, QWidget

    application = QApplication.instance() or QApplication([])

    class Screen(QWidget):
        """The least that shows an image."""

        shown: QImage | None = None

        def show_frame(self, frame: np.ndarray[Any, Any]) -> None:
            self.frame = frame  # QImage does not own its memory
            self.shown = QImage(frame.data, frame.shape[1], frame.shape[0], QImage.Format.Format_Grayscale8)
            self.repaint()

        def paintEvent(self, _: QPaintEvent) -> None:
            if self.shown is not None:
                painter = QPainter(self)
                painter.drawImage(0, 0, self.shown)
                painter.end()

    screen = Screen()
    screen.resize(SCREEN[1], SCREEN[0])
    screen.show()
    pyramid = Pyramid(read_radiograph(path))
    view = Box(-(ROWS * 1.6 - COLUMNS) / 2, 0, ROWS * 1.6, ROWS)
    steps = iter(range(1_000_000))

    def drag() -> None:
        window = Window(20000 + 7 * next(steps), 30000, VoiFunction.LINEAR)
        screen.show_frame(display_tile(pyramid, view, SCREEN, window=window))

    peer = pyqtgraph.ImageView()
    peer.resize(SCREEN[1], SCREEN[0])
    peer.show()
    peer.setImage(pyramid.radiograph.pixels.T, autoLevels=False, levels=(4000, 44000))
    application.processEvents()

    def peer_drag() -> None:
        low = 5000 + 7 * next(steps)
        peer.setLevels(low, low + 30000)
        peer.ui.graphicsView.viewport().repaint()

    yield _beside(
        "window drag, whole film", drag, "pyqtgraph ImageView", peer_drag, repeats=repeats, goal_ms=8.0
    )

    def switch() -> None:
        with_tile = keeper.get(next(order))
        screen.show_frame(display_tile(with_tile, view.moved(next(steps) * 1e-3, 0), SCREEN))

    with Prefetcher[int, Pyramid](lambda _: Pyramid(read_radiograph(path)), budget_bytes=1 << 30) as keeper:
        keeper.prefetch(range(4))
        for key in range(4):
            keeper.get(key)
        order = iter(key % 4 for key in range(1_000_000))
        yield _alone("next case, prefetched", switch, repeats=repeats, goal_ms=33.0)
    screen.close()
    peer.close()
    screen.deleteLater()
    peer.deleteLater()
    application.processEvents()


def _times(work: Callable[[], object], repeats: int) -> list[float]:
    work()
    found = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        found.append((time.perf_counter() - start) * 1000)
    return found


def _p95(times: list[float]) -> float:
    return float(np.percentile(times, 95))


def _alone(
    what: str, ours: Callable[[], object], *, repeats: int, goal_ms: float | None = None
) -> Measurement:
    times = _times(ours, repeats)
    return {
        "what": what,
        "median_ms": statistics.median(times),
        "p95_ms": _p95(times),
        "goal_ms": goal_ms,
        "peer": "",
        "peer_median_ms": None,
        "peer_p95_ms": None,
        "ratio": None,
        "n": repeats,
    }


def _beside(
    what: str,
    ours: Callable[[], object],
    peer: str,
    theirs: Callable[[], object],
    *,
    repeats: int,
    goal_ms: float | None = None,
) -> Measurement:
    """Measure in turns of blocks, so that a busy neighbour on the machine hits both."""
    own: list[float] = []
    other: list[float] = []
    block = max(repeats // 3, 1)
    for _ in range(3):
        own += _times(ours, block)
        other += _times(theirs, block)
    found = _alone(what, lambda: None, repeats=1, goal_ms=goal_ms)
    found.update(
        median_ms=statistics.median(own),
        p95_ms=_p95(own),
        peer=peer,
        peer_median_ms=statistics.median(other),
        peer_p95_ms=_p95(other),
        ratio=statistics.median(other) / statistics.median(own),
        n=len(own),
    )
    return found


def _print(found: list[Measurement]) -> None:
    print(
        f"{'what':42} {'median':>8} {'p95':>8} {'goal':>6}  {'peer':22} {'median':>8} {'p95':>8} {'ratio':>6}"
    )
    for row in found:
        goal = f"{row['goal_ms']:.0f}" if row["goal_ms"] else ""
        line = f"{row['what']:42} {row['median_ms']:8.2f} {row['p95_ms']:8.2f} {goal:>6}  {row['peer']:22}"
        if row["ratio"] is not None:
            line += f" {row['peer_median_ms']:8.2f} {row['peer_p95_ms']:8.2f} {row['ratio']:6.2f}"
        print(line)


if __name__ == "__main__":
    _print(run())
