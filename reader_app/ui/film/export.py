"""Writes what is seen of a film into a picture file that tells nothing of who was imaged or when."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QFileDialog

from reader_app.ui.background import Job, Operation
from reader_app.ui.film.row import FilmRow
from reader_app.ui.film.view import FilmView

PNG, DICOM = "Picture (*.png)", "DICOM secondary capture (*.dcm)"
_SUFFIXES = {PNG: "png", DICOM: "dcm"}


@dataclass(frozen=True, eq=False)
class ViewPicture:
    """What is seen of a film, without a name, a date or a file's own words.

    Attributes
    ----------
    pixels
        RGB, uint8, shape (rows, columns, 3), at the resolution of the screen.
    mm_per_pixel
        Down and across, in the kind of millimetres that the film has; None where nothing may be measured.
    phantom
        Whether no person was imaged.
    notes
        What whoever passes the picture on should know.
    """

    pixels: NDArray[np.uint8]
    mm_per_pixel: tuple[float, float] | None
    phantom: bool
    notes: tuple[str, ...]


def picture_of(view: FilmView) -> ViewPicture | None:
    """Draw a film's view once more for others; None while it shows no film."""
    film = view.radiograph
    if film is None:
        return None
    ratio = view.devicePixelRatioF()
    image = QImage(round(view.width() * ratio), round(view.height() * ratio), QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(ratio)
    painter = QPainter(image)
    painter.setFont(view.font())
    view.paint_for_others(painter)
    painter.end()
    image = image.convertToFormat(QImage.Format.Format_RGB888)
    rows, columns = image.height(), image.width()
    # Lines of a QImage are padded to whole words of four bytes.
    padded = np.frombuffer(image.constBits(), dtype=np.uint8).reshape(rows, image.bytesPerLine())
    pixels = padded[:, : columns * 3].reshape(rows, columns, 3).copy()
    row_mm, column_mm = film.header.spacing.row_mm, film.header.spacing.column_mm
    scale = view.viewport.scale * ratio
    size = (row_mm / scale, column_mm / scale) if row_mm is not None and column_mm is not None else None
    notes = []
    if view.overlay_shown:
        notes.append("The file's overlay is not in it: overlays can carry names.")
    if film.header.burned_in:
        notes.append("The file says that text is burned into the film: look before you pass it on.")
    return ViewPicture(pixels, size, view.labels.phantom or film.header.phantom, tuple(notes))


class ViewExport(QObject):
    """Asks where to, and writes the current film's view there.

    Parameters
    ----------
    films
        The row; the view of its current film is written.
    file_name
        Proposes a name without a suffix; what is not a letter, a digit or a dash is left out.

    Signals
    -------
    said(str)
        Where the picture was written, and what to know about it.
    failed(ReaderError)
        Why it was not.
    """

    said = Signal(str)
    failed = Signal(object)

    def __init__(self, films: FilmRow, file_name: Callable[[], str]) -> None:
        super().__init__(films)
        self._films = films
        self._file_name = file_name
        self._folder = ""

    def ask(self) -> None:
        """Take the picture as it is now, then ask where it should go."""
        view = self._films.current()
        picture = picture_of(view) if view is not None else None
        if picture is None:
            self.said.emit("There is no film in sight to export.")
            return
        dialog = QFileDialog(self._films, "Export the view", self._folder)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setFileMode(QFileDialog.FileMode.AnyFile)
        dialog.setNameFilters([PNG, DICOM])
        dialog.setDefaultSuffix(_SUFFIXES[PNG])
        # A picture that is there already is refused, not written over: see `export_view`.
        dialog.setOption(QFileDialog.Option.DontConfirmOverwrite)
        dialog.selectFile(free_name(Path(dialog.directory().absolutePath()), safe_name(self._file_name())))
        dialog.filterSelected.connect(lambda chosen: _use_suffix(dialog, chosen))
        dialog.fileSelected.connect(lambda path: self.write(picture, Path(path)))
        dialog.open()

    def write(self, picture: ViewPicture, target: Path) -> None:
        """Write a picture in the background and tell where it is."""
        self._folder = str(target.parent)

        def work(_job: Job) -> Path:
            from reader_app.operations.export_view import export_view

            return export_view(
                picture.pixels, target, phantom=picture.phantom, mm_per_pixel=picture.mm_per_pixel
            )

        def tell(path: Path) -> None:
            self.said.emit(" ".join((f"The view is written to {path}.", *picture.notes)))

        Operation(work).success(tell).failure(self.failed.emit).run(self._films)


def safe_name(proposed: str) -> str:
    """Return a name for a file: lower-case letters, digits and dashes."""
    return re.sub(r"[^a-z0-9]+", "-", proposed.lower()).strip("-") or "view"


def free_name(folder: Path, stem: str) -> str:
    """Return the stem as the name of a picture, with a number behind it where the folder has it already."""
    taken = {path.stem for path in folder.glob(f"{stem}*")}
    number = 1
    while (name := stem if number == 1 else f"{stem}-{number}") in taken:
        number += 1
    return f"{name}.png"


def _use_suffix(dialog: QFileDialog, chosen: str) -> None:
    suffix = _SUFFIXES[chosen]
    dialog.setDefaultSuffix(suffix)
    named = dialog.selectedFiles()
    if named:
        dialog.selectFile(Path(named[0]).with_suffix(f".{suffix}").name)
