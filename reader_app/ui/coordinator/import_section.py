"""Bringing radiographs into the study: looked at first, corrected where need be, then imported.

Enter in the folder looks at it, Enter again imports what is complete.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QPushButton, QSizePolicy, QStackedWidget, QWidget

from reader_app.errors import ReaderError
from reader_app.ui.background import Job, Operation
from reader_app.ui.coordinator.import_fields import ImportFields
from reader_app.ui.coordinator.import_preview import ImportPreview
from reader_app.ui.coordinator.jobs_panel import JobsPanel
from reader_app.ui.coordinator.section import Section
from reader_app.ui.labels import FaultLine, counted, hint, light_up_when_checked
from reader_app.ui.rows_table import RowsTable
from reader_app.ui.theme import SPACING

if TYPE_CHECKING:
    from reader_app.operations.import_films import ImportReport
    from reader_app.operations.plan_import import ImportPlan
    from reader_app.operations.study import Study
    from reader_app.store.import_records import PlanCounts
    from reader_app.store.records import Actor, ImportFault, StudyCounts

LOOK, IMPORT = "Look at the folder", "Import"
_HOW = (
    "Looking changes nothing yet: a table shows what would be imported, and what is not known of it. "
    "Importing twice adds nothing. The manifest may have the columns image, participant, visit, side, view, "
    "spacing, sex, age, weight, and one column per feature with reference grades."
)


@dataclass(frozen=True)
class Standing:
    """What waits to be imported, and what was refused so far."""

    counts: PlanCounts
    faults: tuple[ImportFault, ...]


class ImportSection(Section):
    """Folder and manifest, the films that would be imported, and every refused file with its reason."""

    def __init__(self, study: Study, actor: Actor, *, jobs: JobsPanel, writes: bool) -> None:
        super().__init__(study, actor, jobs=jobs, writes=writes)
        self.fields = ImportFields()
        self.folder, self.manifest = self.fields.folder, self.fields.manifest
        self.start = self.fields.look
        self.how = hint(_HOW)
        self.fault = FaultLine()
        self.result = hint("")
        self.preview = ImportPreview(study, actor, writes=writes)
        self.faults = RowsTable(("File", "Why it is not imported"), name="Files that are not imported")
        self._films_tab, self._faults_tab = QPushButton(), QPushButton()
        self._tabs = QWidget()
        self._stack = QStackedWidget()
        self._folder = Path()
        self._busy = False
        self._lay_out()
        self._show_nothing()
        self.fields.entered.connect(self.run)
        self.preview.import_wanted.connect(self.import_films)
        self.preview.forget_wanted.connect(self.forget)
        self.preview.said.connect(lambda what: self.said.emit(what, ""))
        self.preview.failed.connect(self.failed)

    @property
    def planning(self) -> bool:
        """Whether films wait to be imported and are in sight."""
        return self.preview.counts is not None

    def first_focus(self) -> QWidget:
        """The films that wait, else the folder."""
        if self.planning and self._stack.currentWidget() is self.preview:
            return self.preview.take if self.preview.take.isVisibleTo(self) else self.preview.table
        return self.folder if self.writes else self.faults

    def leave(self) -> None:
        """Let go of the films; to be called before the page is thrown away."""
        self.preview.leave()

    def show_counts(self, counts: StudyCounts) -> None:
        """Offer what an earlier session looked at, and list what earlier imports refused."""
        del counts
        if self._busy or self.planning or self.result.text():
            return

        def tell(standing: Standing) -> None:
            if not self._busy and not self.planning and not self.result.text():
                self._show_earlier(standing)

        Operation(lambda _job: self._standing()).success(tell).failure(self.failed.emit).run(self)

    # Looking --------------------------------------------------------------------------------------

    def run(self) -> None:
        """Look at what the fields name."""
        if not self.writes or self._busy:
            return
        folder, manifest, key_file = self.fields.paths
        if folder is None:
            self.fault.say("Choose the folder with the radiographs.")
            self.folder.setFocus()
            return
        self._folder = folder.resolve()
        self._begin()

        def work(job: Job) -> tuple[ImportPlan, Standing]:
            from reader_app.operations.plan_import import plan_import

            plan = plan_import(
                self.study,
                self.actor,
                folder,
                manifest=manifest,
                key_file=key_file,
                progress=job.report,
                cancelled=job.cancelled,
            )
            return plan, self._standing()

        self.jobs.start(LOOK, work, success=self._show_plan, failure=self._fail, done=self._end)

    def _show_plan(self, looked: tuple[ImportPlan, Standing]) -> None:
        plan, standing = looked
        parts = [f"{counted(plan.known, 'file')} of this folder dealt with before." if plan.known else ""]
        parts.append(f"{counted(plan.refused, 'file')} cannot be imported." if plan.refused else "")
        said = " ".join(part for part in parts if part)
        if not standing.counts.planned + standing.counts.left_out:
            said = f"Nothing new to import. {said}".strip()
        self._show("\n".join(part for part in (said, *plan.notes) if part), standing)

    def _show_earlier(self, standing: Standing) -> None:
        waiting = standing.counts.planned + standing.counts.left_out
        if waiting:
            self._show("", standing, note="Looked at earlier and not imported yet:")
        elif standing.faults:
            words = f"Refused by earlier imports: {counted(len(standing.faults), 'file')}."
            self._show(words, standing)

    # Importing ------------------------------------------------------------------------------------

    def import_films(self) -> None:
        """Import the films that wait."""
        if not self.writes or self._busy or not self.planning:
            return
        key_file = self.fields.paths[2]
        self._begin()

        def work(job: Job) -> tuple[ImportReport, Standing]:
            from reader_app.operations.import_films import import_planned

            report = import_planned(
                self.study, self.actor, key_file=key_file, progress=job.report, cancelled=job.cancelled
            )
            return report, self._standing()

        self.jobs.start(IMPORT, work, success=self._tell, failure=self._fail, done=self._end)

    def _tell(self, imported: tuple[ImportReport, Standing]) -> None:
        report, standing = imported
        parts = [f"{counted(report.added, 'radiograph')} added"]
        if report.known:
            parts.append(f"{report.known:,} were there already")
        if report.duplicates:
            parts.append(f"{report.duplicates:,} have the pixels of another film")
        if report.faults:
            parts.append(f"{len(report.faults):,} could not be read")
        sentence = f"{', '.join(parts)}."
        self._show("\n".join((sentence, *report.notes)), standing)
        self.said.emit(sentence, "See the list for what was not imported." if report.faults else "")

    def forget(self) -> None:
        """Forget the films that wait; their files are left alone."""
        if not self.writes or self._busy:
            return
        self._begin()

        def work(_job: Job) -> tuple[int, Standing]:
            from reader_app.operations.plan_import import forget_plan

            return forget_plan(self.study, self.actor), self._standing()

        def tell(forgotten: tuple[int, Standing]) -> None:
            count, standing = forgotten
            self._show(f"{counted(count, 'film')} forgotten; the files are as they were.", standing)
            self.folder.setFocus()

        Operation(work).success(tell).failure(self._fail).done(self._end).run(self)

    # What is in sight -----------------------------------------------------------------------------

    def _standing(self) -> Standing:
        from reader_app.operations.plan_import import planned_counts
        from reader_app.operations.status import import_faults

        return Standing(planned_counts(self.study, self.actor), tuple(import_faults(self.study, self.actor)))

    def _begin(self) -> None:
        self.fault.clear()
        self._busy = True
        self.start.setEnabled(False)
        self.preview.set_busy(True)

    def _end(self) -> None:
        self._busy = False
        self.start.setEnabled(True)
        self.preview.set_busy(False)
        self.changed.emit()
        if self.isVisible() and self.planning and self._stack.currentWidget() is self.preview:
            self.preview.focus_usual()

    def _fail(self, fault: ReaderError) -> None:
        self.fault.say(fault)
        self.failed.emit(fault)

    def _show(self, text: str, standing: Standing, *, note: str = "") -> None:
        counts, faults = standing.counts, standing.faults
        waiting = counts.planned + counts.left_out
        self.result.setText(text)
        self.result.setVisible(bool(text))
        self.faults.set_rows([(self._shown(Path(fault.path)), _reason(fault)) for fault in faults])
        if waiting:
            self.preview.show_plan(counts, folder=self._folder, note=note)
        else:
            self.preview.clear()
        self._films_tab.setText(f"To be imported ({waiting:,})")
        self._faults_tab.setText(f"Not imported ({len(faults):,})")
        self._films_tab.setVisible(bool(waiting and faults))
        self._faults_tab.setVisible(bool(waiting and faults))
        self._tabs.setVisible(bool(waiting))
        self._stack.setVisible(bool(waiting or faults))
        self._turn_to(self.preview if waiting else self.faults)
        self.how.setVisible(self.writes and not waiting)

    def _show_nothing(self) -> None:
        for widget in (self.result, self._tabs, self._stack):
            widget.hide()

    def _turn_to(self, widget: QWidget) -> None:
        self._stack.setCurrentWidget(widget)
        films = widget is self.preview
        (self._films_tab if films else self._faults_tab).setChecked(True)
        self.preview.words.setVisible(films)
        self.preview.incomplete.setVisible(films)

    def _shown(self, path: Path) -> str:
        """Return the path below the folder that was looked at, whole where it lies elsewhere."""
        try:
            return str(path.relative_to(self._folder))
        except ValueError:
            return str(path)

    def _lay_out(self) -> None:
        tabs = QHBoxLayout(self._tabs)
        tabs.setContentsMargins(0, 0, 0, 0)
        tabs.setSpacing(SPACING // 2)
        group = QButtonGroup(self)
        for button, widget in ((self._films_tab, self.preview), (self._faults_tab, self.faults)):
            button.setCheckable(True)
            button.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
            light_up_when_checked(button)
            group.addButton(button)
            button.clicked.connect(lambda _checked=False, widget=widget: self._turn_to(widget))
            tabs.addWidget(button)
            self._stack.addWidget(widget)
        tabs.addSpacing(SPACING)
        tabs.addWidget(self.preview.words, 1)
        tabs.addStretch()
        tabs.addWidget(self.preview.incomplete)
        self.column.addWidget(self.fields)
        self.column.addWidget(self.how)
        self.fields.setVisible(self.writes)
        self.how.setVisible(self.writes)
        self.column.addWidget(self.fault)
        self.column.addWidget(self.result)
        self.column.addWidget(self._tabs)
        self.column.addWidget(self._stack, 1)
        self.column.addStretch()
        self.faults.set_widths(520)


def _reason(fault: ImportFault) -> str:
    """Return the reason without the path, which stands beside it."""
    reason = fault.reason.removeprefix(f"{fault.path} ")
    return reason[:1].upper() + reason[1:]
