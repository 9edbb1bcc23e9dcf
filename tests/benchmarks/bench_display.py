"""How fast a film is read and shown, beside bare pydicom and other programs' image layers in the same run.

`reader-app bench display` prints the table; `run()` returns it. The film view, the shelf of films and the
reading page are the real ones; each figure ends with the pixels in the window's memory.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # it is loaded by its path

import numpy as np
import pydicom
from pydicom.dataset import FileMetaDataset
from pydicom.uid import (
    ComputedRadiographyImageStorage,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
    generate_uid,
)
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from reader_app.imaging.correction import FilmCorrection
from reader_app.imaging.dicom.dataset import HEADER_KEYWORDS
from reader_app.imaging.files import file_sha256, read_header, read_radiograph
from reader_app.imaging.prefetch import Prefetcher
from reader_app.imaging.pyramid import Pyramid
from reader_app.operations.accounts import add_account
from reader_app.operations.film import load_pyramid
from reader_app.operations.import_films import import_films
from reader_app.operations.log_in import log_in
from reader_app.operations.read import worklist
from reader_app.operations.study import NewStudy, Study, create_study
from reader_app.settings import HOME_VARIABLE
from reader_app.store.records import FilmSource, Role
from reader_app.ui.film.view import FilmView
from reader_app.ui.reading.desk import StudyDesk
from reader_app.ui.reading.page import ReadingPage
from tests.benchmarks.image_layers import PEERS, Layer, PaintCounter
from tests.benchmarks.measuring import Row, alone, beside, row_of, yes

ROWS, COLUMNS = 3000, 2500
SCREEN = (1000, 1600)
REAL = Path(__file__).resolve().parents[3] / "shared" / "data" / "dicom" / "radiographs"
REAL_FORMS = {
    "JPEG 2000": "RG2_J2KR",
    "JPEG-LS": "RG2_JLSL",
    "JPEG lossless": "RG2_JPLL",
    "RLE": "RG2_RLE",
}
ENCODERS = {"JPEG 2000": JPEG2000Lossless, "JPEG-LS": JPEGLSLossless, "RLE": RLELossless}
SLACK = 1 / 1.3
"""Of a film that is not prefetched: all that we do may take 1.3 times what pydicom's decode takes alone."""
CASES = 12
WALK = 100
WALK_BUDGET = 128 << 20
PASSWORD = "a long sentence"


def run(*, repeats: int = 60) -> list[Row]:
    """Measure everything.

    Returns
    -------
    list of dict
        name, value (median), p95, unit, peer, peer_value, peer_p95, ratio (the peer's over ours: above 1 is
        better than the peer), goal, met ("yes", "no" or empty).
    """
    application = QApplication.instance() or QApplication([])
    with tempfile.TemporaryDirectory() as name, _own_home(Path(name) / "home"):
        folder = Path(name)
        forms = _forms(folder)
        uncompressed = forms["uncompressed"]
        found = [_header_row(forms.get("RLE", uncompressed), repeats * 10)]
        found += [_decode_row(form, path, max(repeats // 6, 3)) for form, path in forms.items()]
        found += _layers(uncompressed, repeats)
        with create_study(folder / "study", NewStudy("knee-kl", "Speed", "Ada", PASSWORD)) as study:
            for form, path in forms.items():
                found += _not_prefetched(form, path, study, max(repeats // 3, 5))
            found.append(_next_case(study, folder / "cases", repeats))
        found.append(_walk(uncompressed))
        application.processEvents()
    return found


# Films --------------------------------------------------------------------------------------------------


def _forms(folder: Path) -> dict[str, Path]:
    """One film of 3000 x 2500, and compressed ones: real where they are at hand, else the same film."""
    found = {"uncompressed": folder / "film.dcm"}
    write_film(found["uncompressed"])
    for form, name in REAL_FORMS.items():
        real = REAL / f"{name}.dcm"
        if real.is_file():
            found[form] = real
        elif form in ENCODERS:
            dataset = pydicom.dcmread(found["uncompressed"])
            dataset.compress(ENCODERS[form], generate_instance_uid=False)
            found[form] = folder / f"{name}.dcm"
            dataset.save_as(found[form], enforce_file_format=True)
    return found


def write_film(path: Path, *, seed: int = 7) -> None:
    """Write an uncompressed 16-bit film of 3000 x 2500: noise over slow shades."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[0:ROWS, 0:COLUMNS]
    shade = (np.sin(columns / 300) + np.cos(rows / 400) + 2) * 12000
    shade += rng.normal(0, 150, (ROWS, COLUMNS))
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = ComputedRadiographyImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid()
    dataset = pydicom.Dataset()
    dataset.file_meta = meta
    dataset.SOPClassUID = meta.MediaStorageSOPClassUID
    dataset.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    dataset.Modality, dataset.PatientID, dataset.Laterality = "CR", f"BENCH{seed}", "R"
    dataset.Rows, dataset.Columns, dataset.SamplesPerPixel = ROWS, COLUMNS, 1
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 16, 15, 0
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.WindowCenter, dataset.WindowWidth = 24000, 40000
    dataset.PixelData = np.clip(shade, 0, 65535).astype("<u2").tobytes()
    dataset.save_as(path, enforce_file_format=True)


def _bare(path: Path) -> object:
    return pydicom.dcmread(path).pixel_array


# Reading ------------------------------------------------------------------------------------------------


def _header_row(path: Path, repeats: int) -> Row:
    def bare_header() -> object:
        dataset = pydicom.dcmread(path, stop_before_pixels=True)
        return [dataset.get(keyword) for keyword in HEADER_KEYWORDS]

    name = f"header of {path.stem}"
    return beside(name, lambda: read_header(path), "pydicom, same values", bare_header, repeats=repeats)


def _decode_row(form: str, path: Path, repeats: int) -> Row:
    header = read_header(path)
    name = f"decode {header.rows} x {header.columns}, {form}"
    peer = "pydicom pixel_array"
    return beside(name, lambda: read_radiograph(path), peer, lambda: _bare(path), repeats=repeats)


# Showing ------------------------------------------------------------------------------------------------


@contextmanager
def film_view() -> Iterator[FilmView]:
    view = FilmView()
    view.resize(SCREEN[1], SCREEN[0])
    view.show()
    QApplication.processEvents()  # before it is exposed, a widget is not painted
    yield view
    view.close()
    view.deleteLater()


def _layers(path: Path, repeats: int) -> Iterator[Row]:
    """Window drag by the mouse and first paint, beside other programs' image layers."""
    radiograph = read_radiograph(path)
    pyramid = Pyramid(radiograph)
    with ExitStack() as stack:
        view = stack.enter_context(film_view())
        view.show_film(pyramid)
        layers = [stack.enter_context(peer(radiograph.pixels, SCREEN)) for peer in PEERS]
        QApplication.processEvents()
        drag = Drag(view)
        _insist_on_painting(view, drag)
        for layer in layers:
            what = "window drag, one frame, whole film"
            goal = "p95 <= 8 ms, ratio >= 3" if layer.name.startswith("pyqtgraph") else ""
            yield _frame_row(what, drag.frame, layer, goal=goal, repeats=repeats)
        drag.end()

        def first_paint() -> None:
            pyramid.forget_tile()
            view.show_film(pyramid)
            view.repaint()

        for layer in layers:
            if layer.show is not None:
                what = f"first paint of a decoded film, {ROWS} x {COLUMNS} x 16 bit"
                yield beside(what, first_paint, layer.name, layer.show, repeats=max(repeats // 2, 3))


def _insist_on_painting(view: FilmView, drag: Drag) -> None:
    """A frame that is not painted would be the fastest of all."""
    painted = PaintCounter()
    view.installEventFilter(painted)
    for _ in range(3):
        drag.frame()
    view.removeEventFilter(painted)
    if painted.count != 3:
        raise RuntimeError(f"of 3 frames {painted.count} were painted")


class Drag:
    """The right mouse button held down on a film view and moved a little for every frame."""

    def __init__(self, view: FilmView) -> None:
        self._view = view
        self._step = 0
        self._send(QEvent.Type.MouseButtonPress, Qt.MouseButton.RightButton)

    def frame(self) -> None:
        self._step += 1
        self._send(QEvent.Type.MouseMove, Qt.MouseButton.NoButton)
        self._view.repaint()

    def end(self) -> None:
        self._send(QEvent.Type.MouseButtonRelease, Qt.MouseButton.RightButton)

    def _send(self, kind: QEvent.Type, button: Qt.MouseButton) -> None:
        at = QPointF(800 + 40 * np.sin(self._step / 9), 500 + 40 * np.cos(self._step / 7))
        held = (
            Qt.MouseButton.NoButton if kind is QEvent.Type.MouseButtonRelease else Qt.MouseButton.RightButton
        )
        event = QMouseEvent(
            kind, at, self._view.mapToGlobal(at), button, held, Qt.KeyboardModifier.NoModifier
        )
        QApplication.sendEvent(self._view, event)


def _frame_row(what: str, ours: Callable[[], object], layer: Layer, *, goal: str, repeats: int) -> Row:
    frame = layer.frame
    if frame is None:
        row = alone(what, ours, repeats=repeats)
        return row | {"peer": f"{layer.name}: {layer.reason}"}
    steps = iter(range(1_000_000))

    def theirs() -> None:
        low = 5000 + 7 * next(steps)
        frame(low, low + 30000)

    return beside(
        what,
        ours,
        layer.name,
        theirs,
        goal=goal,
        least=3.0 if goal else None,
        most=8.0 if goal else None,
        repeats=repeats,
    )


def _not_prefetched(form: str, path: Path, study: Study, repeats: int) -> Iterator[Row]:
    """From the file on disk to the film on screen: hash, decode, levels, grays, paint."""
    source = FilmSource(str(path), file_sha256(path), FilmCorrection())
    with film_view() as view:

        def switch() -> None:
            view.show_film(load_pyramid(study, source))
            view.repaint()

        for peer, theirs in (
            ("pydicom pixel_array", lambda: _bare(path)),
            ("pydicom pixel_array and SHA-256", lambda: (file_sha256(path), _bare(path))),
        ):
            yield beside(
                f"next case, not prefetched, {form}",
                switch,
                peer,
                theirs,
                goal="ratio >= 0.77",
                least=SLACK,
                repeats=repeats,
            )


def _next_case(study: Study, folder: Path, repeats: int) -> Row:
    """From the key to the painted reading page, on a real study whose next film lies on the shelf."""
    folder.mkdir()
    for number in range(CASES):
        write_film(folder / f"{number}.dcm", seed=100 + number)
    ada = log_in(study, "Ada", PASSWORD)
    add_account(study, ada, name="Rita", password=PASSWORD, role=Role.READER)
    import_films(study, ada, folder)
    rita = log_in(study, "Rita", PASSWORD)
    page = ReadingPage(StudyDesk(study, rita))
    page.resize(SCREEN[1], SCREEN[0])
    page.show()
    QApplication.processEvents()
    page.start(worklist(study, rita)[0].assignment_id)
    forth = [Qt.Key.Key_PageDown] * (CASES - 1) + [Qt.Key.Key_PageUp] * (CASES - 1)
    times = []
    for number in range(repeats):
        while not page.ready:
            QApplication.processEvents()
        page._loader._shelf.settle()  # nobody reads a case in less
        start = time.perf_counter()
        QTest.keyClick(page, forth[number % len(forth)])
        QApplication.processEvents()
        times.append((time.perf_counter() - start) * 1000)
        view = page.films.current()
        if view is None or view.radiograph is None:
            raise RuntimeError("the next film was not on the shelf")
    page.release()
    page.close()
    page.deleteLater()
    row = row_of("next case, prefetched: key to painted page", times)
    return row | {"goal": "p95 <= 33 ms", "met": yes(row["p95"] <= 33.0)}


def _walk(path: Path) -> Row:
    """The most memory that the shelf held while a reader went through a hundred films."""
    most = 0
    with Prefetcher[int, Pyramid](
        lambda _: Pyramid(read_radiograph(path)), budget_bytes=WALK_BUDGET
    ) as shelf:
        for here in range(WALK):
            shelf.get(here)
            shelf.prefetch((here, here + 1, here - 1, here + 2, here + 3, here + 4, here + 5, here + 6))
            most = max(most, shelf.kept_bytes)
            if here % 10 == 0:
                shelf.settle()
                most = max(most, shelf.kept_bytes)
    return {
        "name": f"memory kept while going through {WALK} films",
        "value": most / 1e6,
        "p95": None,
        "unit": "MB",
        "peer": "the budget",
        "peer_value": WALK_BUDGET / 1e6,
        "peer_p95": None,
        "ratio": WALK_BUDGET / most,
        "goal": "ratio >= 1",
        "met": yes(most <= WALK_BUDGET),
    }


@contextmanager
def _own_home(folder: Path) -> Iterator[None]:
    """Leave the settings of whoever measures as they are."""
    before = os.environ.get(HOME_VARIABLE)
    os.environ[HOME_VARIABLE] = str(folder)
    yield
    if before is None:
        del os.environ[HOME_VARIABLE]
    else:
        os.environ[HOME_VARIABLE] = before


if __name__ == "__main__":
    for measured in run():
        print(
            "  ".join(
                f"{value:.2f}" if isinstance(value, float) else str(value) for value in measured.values()
            )
        )
