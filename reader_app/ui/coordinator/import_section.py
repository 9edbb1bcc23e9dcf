"""Bringing radiographs into the study, and what could not be brought."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QFormLayout, QHBoxLayout, QLabel, QLineEdit, QPushButton, QWidget

from reader_app.errors import ReaderError
from reader_app.ui.background import Job, Operation
from reader_app.ui.coordinator.jobs_panel import JobsPanel
from reader_app.ui.coordinator.section import Section
from reader_app.ui.labels import FaultLine, counted, heading, hint
from reader_app.ui.rows_table import RowsTable
from reader_app.ui.theme import SPACING

if TYPE_CHECKING:
    from reader_app.operations.import_films import ImportReport
    from reader_app.operations.study import Study
    from reader_app.store.records import Actor, ImportFault, StudyCounts

JOB = "Import"


class ImportSection(Section):
    """Folder, optional manifest, and the result with every faulty file and its reason."""

    def __init__(self, study: Study, actor: Actor, *, jobs: JobsPanel, writes: bool) -> None:
        super().__init__(study, actor, jobs=jobs, writes=writes)
        self.folder = QLineEdit()
        self.folder.setPlaceholderText("Folder with DICOM, PNG, JPEG, TIFF or WebP files")
        self.manifest = QLineEdit()
        self.manifest.setPlaceholderText("Optional: a CSV table with one row per image")
        self.start = QPushButton("&Import")
        self.fault = FaultLine()
        self.result = hint("")
        self.faults = RowsTable(("File", "Why it was not imported"), name="Files that were not imported")
        self._imported = False
        self._faults_title = heading("Files that were not imported", factor=1.1)
        self._lay_out()
        self._show_result("", ())
        self.start.clicked.connect(self.run)
        self.folder.returnPressed.connect(self.run)
        self.manifest.returnPressed.connect(self.run)

    def first_focus(self) -> QWidget:
        """The folder."""
        return self.folder if self.writes else self.faults

    def show_counts(self, counts: StudyCounts) -> None:
        """List what earlier imports refused, for as long as there is no newer import."""
        if self._imported or not counts.faults:
            return

        def work(_job: Job) -> tuple[ImportFault, ...]:
            from reader_app.operations.status import import_faults

            return import_faults(self.study, self.actor)

        Operation(work).success(self._show_earlier).failure(self.failed.emit).run(self)

    def _show_earlier(self, faults: tuple[ImportFault, ...]) -> None:
        if not self._imported:
            words = f"Refused by earlier imports: {counted(len(faults), 'file')}."
            self._show_result(words, tuple((fault.path, fault.reason) for fault in faults))

    def run(self) -> None:
        """Import what the fields name."""
        if not self.writes or not self.start.isEnabled():
            return
        if not self.folder.text().strip():
            self.fault.say("Choose the folder with the radiographs.")
            self.folder.setFocus()
            return
        self.fault.clear()
        self.start.setEnabled(False)
        folder = Path(self.folder.text().strip())
        table = self.manifest.text().strip()
        manifest = Path(table) if table else None

        def work(job: Job) -> ImportReport:
            from reader_app.operations.import_films import import_films

            return import_films(
                self.study,
                self.actor,
                folder,
                manifest=manifest,
                progress=job.report,
                cancelled=job.cancelled,
            )

        self.jobs.start(JOB, work, success=self._tell, failure=self._fail, done=self._ended)

    def _tell(self, report: ImportReport) -> None:
        known = f", {report.known:,} were there already" if report.known else ""
        refused = f", {len(report.faults):,} could not be read" if report.faults else ""
        sentence = f"{counted(report.added, 'radiograph')} added{known}{refused}."
        self._imported = True
        self._show_result(
            "\n".join((sentence, *report.notes)),
            tuple((_shown(fault.path, self.folder.text()), fault.reason) for fault in report.faults),
        )
        self.said.emit(sentence, "See the list for what was not imported." if report.faults else "")

    def _fail(self, fault: ReaderError) -> None:
        self.fault.say(fault)
        self.failed.emit(fault)

    def _ended(self) -> None:
        self.start.setEnabled(True)
        self.changed.emit()

    def _show_result(self, text: str, faults: tuple[tuple[str, str], ...]) -> None:
        self.result.setText(text)
        self.result.setVisible(bool(text))
        self.faults.set_rows(faults)
        self.faults.setVisible(bool(faults))
        self._faults_title.setVisible(bool(faults))

    def _lay_out(self) -> None:
        form = QFormLayout()
        form.setSpacing(SPACING)
        for title, field, browse in (
            ("&Folder", self.folder, self._choose_folder),
            ("&Manifest", self.manifest, self._choose_manifest),
        ):
            button = QPushButton("Browse …")
            button.setAccessibleName(f"Browse for {title.removeprefix('&').lower()}")
            button.clicked.connect(browse)
            line = QHBoxLayout()
            line.addWidget(field)
            line.addWidget(button)
            label = QLabel(title)
            label.setBuddy(field)
            form.addRow(label, line)
        panel = QWidget()
        panel.setLayout(form)
        form.setContentsMargins(0, 0, 0, 0)
        panel.setVisible(self.writes)
        start = QHBoxLayout()
        start.addWidget(self.start)
        start.addWidget(
            hint(
                "Importing twice adds nothing. The manifest may have the columns image, participant, visit, "
                "side, spacing, sex, age, weight, and one column per feature with reference grades."
            ),
            1,
        )
        self.start.setVisible(self.writes)
        self.column.addWidget(panel)
        if self.writes:
            self.column.addLayout(start)
        self.column.addWidget(self.fault)
        self.column.addWidget(self.result)
        self.column.addSpacing(SPACING)
        self.column.addWidget(self._faults_title)
        self.column.addWidget(self.faults, 1)
        self.column.addStretch()
        self.faults.set_widths(520)

    def _choose_folder(self) -> None:
        self._choose("Radiographs", QFileDialog.FileMode.Directory, self.folder)

    def _choose_manifest(self) -> None:
        self._choose("Manifest", QFileDialog.FileMode.ExistingFile, self.manifest)

    def _choose(self, title: str, mode: QFileDialog.FileMode, field: QLineEdit) -> None:
        dialog = QFileDialog(self, title, field.text())
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(mode)
        if mode is QFileDialog.FileMode.ExistingFile:
            dialog.setNameFilters(["Tables (*.csv)", "All files (*)"])
        dialog.fileSelected.connect(field.setText)
        dialog.open()


def _shown(path: Path, folder: str) -> str:
    """Return the path below the folder that was imported, whole where it lies elsewhere."""
    try:
        return str(path.relative_to(Path(folder.strip()).expanduser().resolve()))
    except ValueError:
        return str(path)
