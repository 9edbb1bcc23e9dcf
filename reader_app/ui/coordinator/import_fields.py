"""What an import starts from: a folder, and where there are any a manifest and a key file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFileDialog, QGridLayout, QLabel, QLineEdit, QPushButton, QWidget

from reader_app.ui.theme import SPACING

_TABLES = ["Tables (*.csv)", "All files (*)"]


class ImportFields(QWidget):
    """Three paths to type or to choose.

    Signals
    -------
    entered()
        Enter was pressed in one of them, or the button beside the folder.
    """

    entered = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.folder = QLineEdit()
        self.folder.setPlaceholderText("Folder with DICOM, PNG, JPEG, TIFF or WebP files")
        self.manifest = QLineEdit()
        self.manifest.setPlaceholderText("Optional: a CSV table with one row per image")
        self.manifest.setToolTip(
            "It may have the columns image, participant, visit, side, view, spacing, sex, age, weight,\n"
            "and one column per feature with reference grades. A saved table of an import is one."
        )
        self.key_file = QLineEdit()
        self.key_file.setPlaceholderText("Optional: a CSV table that notes who has which pseudonym")
        self.key_file.setToolTip("Keep it apart from the study. Without it nobody can tell who is who.")
        self.look = QPushButton("&Look")
        self.look.setToolTip("Look at the folder; nothing is imported yet.")
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(SPACING)
        self._add(grid, ("&Folder", self.folder, self._choose_folder), row=0, column=0, span=5)
        grid.addWidget(self.look, 0, 7)
        self._add(grid, ("&Manifest", self.manifest, self._choose_manifest), row=1, column=0, span=1)
        self._add(grid, ("&Key file", self.key_file, self._choose_key_file), row=1, column=3, span=2)
        grid.setColumnStretch(1, 1)
        grid.setColumnStretch(4, 1)
        for field in (self.folder, self.manifest, self.key_file):
            field.returnPressed.connect(self.entered)
        self.look.clicked.connect(self.entered)

    def _add(
        self,
        grid: QGridLayout,
        path: tuple[str, QLineEdit, Callable[[], None]],
        *,
        row: int,
        column: int,
        span: int,
    ) -> None:
        """Put the name of a path, its field over some columns, and the button that chooses it into a row."""
        title, field, browse = path
        label = QLabel(title)
        label.setBuddy(field)
        button = QPushButton("Browse …")
        button.setAccessibleName(f"Browse for {title.removeprefix('&').lower()}")
        button.clicked.connect(browse)
        grid.addWidget(label, row, column)
        grid.addWidget(field, row, column + 1, 1, span)
        grid.addWidget(button, row, column + 1 + span)

    @property
    def paths(self) -> tuple[Path | None, Path | None, Path | None]:
        """Folder, manifest and key file, None where nothing is typed."""
        texts = (field.text().strip() for field in (self.folder, self.manifest, self.key_file))
        folder, manifest, key_file = (Path(text).expanduser() if text else None for text in texts)
        return folder, manifest, key_file

    def _choose_folder(self) -> None:
        self._choose("Radiographs", QFileDialog.FileMode.Directory, self.folder)

    def _choose_manifest(self) -> None:
        self._choose("Manifest", QFileDialog.FileMode.ExistingFile, self.manifest)

    def _choose_key_file(self) -> None:
        self._choose("Key file", QFileDialog.FileMode.AnyFile, self.key_file)

    def _choose(self, title: str, mode: QFileDialog.FileMode, field: QLineEdit) -> None:
        dialog = QFileDialog(self, title, field.text())
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(mode)
        if mode is not QFileDialog.FileMode.Directory:
            dialog.setNameFilters(_TABLES)
        if mode is QFileDialog.FileMode.AnyFile:
            # An existing one is appended to, never replaced.
            dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
            dialog.setOption(QFileDialog.Option.DontConfirmOverwrite)
            dialog.setDefaultSuffix("csv")
        dialog.fileSelected.connect(field.setText)
        dialog.open()
