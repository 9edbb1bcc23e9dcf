"""The job as a play in scenes: a study is made, imported, pre-graded, read twice, adjudicated, reported."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from reader_app.imaging.radiograph import file_sha256
from reader_app.operations.importing.manifest import read_manifest
from reader_app.reading.case import GradeKey
from reader_app.reading.consensus import reader_finals
from reader_app.store.records import Role
from reader_app.ui.coordinator.freeze_dialog import FreezeDialog
from reader_app.ui.demo.player import KeyPlayer, StuckError
from reader_app.ui.demo.simulated_readers import SimulatedReader, TruthKey
from reader_app.ui.main_window import MainWindow
from reader_app.ui.new_study_dialog import NewStudyDialog
from reader_app.ui.role_pages import AdjudicatorRolePage, ReaderRolePage, StudyRolePage

if TYPE_CHECKING:
    from reader_app.operations.study import Study
    from reader_app.protocols.model import Protocol
    from reader_app.ui.adjudication.page import AdjudicationPage
    from reader_app.ui.coordinator.page import CoordinatorPage
    from reader_app.ui.reading.page import ReadingPage

P = TypeVar("P", ReaderRolePage, AdjudicatorRolePage, StudyRolePage)

COORDINATOR = "carol"
ADJUDICATOR = "eva"


@dataclass(frozen=True)
class Script:
    """What is played.

    Attributes
    ----------
    films, manifest
        The folder to import and its table, which also holds the reference grades.
    study
        The folder that the study is to be made in.
    readers
        Who reads; each grades every case.
    password
        Of every account of the play.
    pregrade
        Whether the study is pre-graded before it is read.
    """

    films: Path
    manifest: Path
    study: Path
    protocol: str
    title: str
    readers: Sequence[SimulatedReader]
    password: str
    pregrade: bool = True


@dataclass
class Play:
    """Plays a script in a window.

    Parameters
    ----------
    tell
        Told each scene in words.
    """

    script: Script
    window: MainWindow
    player: KeyPlayer
    tell: Callable[[str], None] = lambda _sentence: None
    truth: dict[TruthKey, int] = field(default_factory=dict)

    def whole_job(self) -> Path:
        """Play everything; return the report's HTML file."""
        self.make_study()
        self.coordinate()
        for reader in self.script.readers:
            self.read(reader)
        self.adjudicate()
        return self.report()

    # The coordinator ------------------------------------------------------------------------------

    def make_study(self) -> None:
        """Make a study in the dialog."""
        self.tell("A coordinator makes the study.")
        self.player.wait(self.window.isVisible, what="the window")
        self.player.shot("start")
        self.player.press("Ctrl+N")
        dialog = self._dialog()
        self.player.fill(dialog.title, self.script.title)
        self.player.fill(dialog.folder, str(self.script.study))
        self._choose_protocol(dialog)
        self.player.fill(dialog.coordinator, COORDINATOR)
        self.player.fill(dialog.password, self.script.password)
        self.player.fill(dialog.again, self.script.password)
        self.player.shot("new-study")
        self.player.press("Return")
        self.player.wait(lambda: self.window.study is not None, what="the new study")
        self.player.wait(lambda: self.window.login.isVisible(), what="the log-in page")

    def coordinate(self) -> None:
        """Import, pre-grade, and name readers and adjudicator."""
        self._log_in(COORDINATOR)
        page = self._page(StudyRolePage).study_page
        self._import(page)
        if self.script.pregrade:
            self._pregrade(page)
        self._add_people(page)
        self._log_out()
        self.truth = planted_truth(self.script, self._study().protocol)

    def open_study(self) -> None:
        """Open a study that is made already, in place of `make_study` and `coordinate`."""
        self.window.open_study(self.script.study)
        self.player.wait(lambda: self.window.study is not None, what="the study")
        self.truth = planted_truth(self.script, self._study().protocol)

    def report(self) -> Path:
        """Freeze the study and make the report as the coordinator; return its HTML file."""
        self._log_in(COORDINATOR)
        page = self._page(StudyRolePage).study_page
        page.tabs.setCurrentWidget(page.progress)
        self.player.settle(300)
        self.player.shot("progress")
        self._freeze(page)
        self.tell("The coordinator makes the report.")
        self.player.press("Ctrl+E")
        self.player.go_to(page.report.make)
        self.player.press("Space")
        self.player.wait(
            lambda: not self.window.jobs.titles and page.report.show_html.isEnabled(), what="the report"
        )
        self.player.shot("report")
        html = page.report.folder / "report.html"
        self._log_out()
        return html

    def _freeze(self, page: CoordinatorPage) -> None:
        self.tell("The coordinator freezes the study: its grades are final, and its results may be seen.")
        self.player.go_to(page.progress.freezing.button)
        self.player.press("Space")
        self.player.wait(
            lambda: any(d.isVisible() for d in page.findChildren(FreezeDialog)), what="the question"
        )
        dialog = next(d for d in page.findChildren(FreezeDialog) if d.isVisible())
        if dialog.all_the_same.isVisible():
            raise StuckError("Something of the play is unfinished: " + dialog.unfinished.text())
        self.player.fill(dialog.reason, "All readings are locked and settled.")
        self.player.fill(dialog.password, self.script.password)
        self.player.shot("freeze")
        self.player.press("Return")
        self.player.wait(lambda: page.progress.freezing.frozen, what="the frozen study")
        self.player.shot("frozen")

    def _import(self, page: CoordinatorPage) -> None:
        self.tell("The radiographs are imported.")
        self.player.press("Ctrl+I")
        self.player.fill(page.importing.folder, str(self.script.films))
        self.player.fill(page.importing.manifest, str(self.script.manifest))
        self.player.press("Return")
        importing = page.importing
        self.player.wait(
            lambda: importing.planning and not self.window.jobs.titles, what="the look at the folder"
        )
        self.player.wait(lambda: importing.preview.film_in_sight, what="the first film")
        self.player.shot("import-preview")
        self.player.press("Return")
        self.player.wait(lambda: not importing.planning and not self.window.jobs.titles, what="the import")
        self.player.shot("import")

    def _pregrade(self, page: CoordinatorPage) -> None:
        self.tell("The networks pre-grade every joint.")
        self.player.press("Ctrl+G")
        self.player.wait(page.pregrading.start.isEnabled, what="the bundle")
        self.player.go_to(page.pregrading.start)
        self.player.press("Space")
        self.player.wait(lambda: bool(page.pregrading.result.text()), what="the pre-grades", seconds=900)
        self.player.wait(lambda: not self.window.jobs.titles, what="the end of the pre-grading")
        self.player.shot("pre-grade")

    def _add_people(self, page: CoordinatorPage) -> None:
        self.tell("Two readers and an adjudicator get their accounts.")
        self.player.press("Ctrl+U")
        people = [(reader.name, Role.READER) for reader in self.script.readers]
        for number, (name, role) in enumerate([*people, (ADJUDICATOR, Role.ADJUDICATOR)], start=2):
            self.player.fill(page.accounts.name, name)
            self.player.choose(page.accounts.role, role.value)
            self.player.fill(page.accounts.password, self.script.password)
            self.player.fill(page.accounts.again, self.script.password)
            self.player.press("Return")
            self.player.wait(
                lambda number=number: page.accounts.table.rows.rowCount() >= number,  # type: ignore[misc]
                what=f"the account of {name}",
            )
        self.player.shot("accounts")

    # The readers ----------------------------------------------------------------------------------

    def read(self, reader: SimulatedReader) -> None:
        """Log in as a reader, grade and lock every case, log out."""
        self.tell(f"{reader.name} reads.")
        self._log_in(reader.name)
        page = self._page(ReaderRolePage)
        self.player.wait(lambda: page.worklist.table.model().rowCount() > 0, what="the worklist")
        self.player.shot(f"{reader.name}-worklist")
        self.player.press("Ctrl+Return")
        self.player.wait(lambda: page.reading is not None, what="the reading screen")
        reading = page.reading
        assert reading is not None
        first = True
        while page.inside.currentWidget() is reading:
            self._wait_for_case(page, reading)
            if page.inside.currentWidget() is not reading:
                break
            if first:
                self._look_around(reader, reading)
                first = False
            self._grade_case(reader, reading)
            self._lock(page, reading)
        self.player.wait(lambda: page.inside.currentWidget() is page.worklist, what="the worklist")
        self.player.settle(200)
        self.player.shot(f"{reader.name}-done")
        self._log_out()

    def _wait_for_case(self, page: ReaderRolePage, reading: ReadingPage) -> None:
        self.player.wait(
            lambda: reading.ready or page.inside.currentWidget() is not reading, what="the next case"
        )

    def _look_around(self, reader: SimulatedReader, reading: ReadingPage) -> None:
        """Use everything that the screen offers once, and take pictures of it."""
        self.player.shot(f"{reader.name}-case")
        for keys, name in (
            (("H",), "heatmap"),
            (("J",), "joint"),
            (("H", "I"), "inverted"),
            (("R", "W"), "window"),
        ):
            self.player.press(*keys)
            self.player.settle(60)
            self.player.shot(f"{reader.name}-{name}")
        self.player.press("R", "?")
        self.player.settle(60)
        self.player.shot("keys")
        self.player.press("Esc")
        reading.setFocus()

    def _grade_case(self, reader: SimulatedReader, reading: ReadingPage) -> None:
        """Give every open item its grade by key; the first one is also taken back and done again."""
        undone = False
        while (key := self._open_key(reading)) is not None:
            scale = self._study().protocol.item_scale(key.item)
            code = reader.grade(self._truth_key(reading, key), self.truth, scale.codes)
            self.player.press(scale.level(code).key)
            if not undone:
                self.player.press("Ctrl+Z", "Ctrl+Shift+Z")
                undone = True
            case = reading.open_case
            if case is None or case.session.grade(key) != code:
                raise StuckError(f"The key for grade {code} was not taken.")

    def _lock(self, page: ReaderRolePage, reading: ReadingPage) -> None:
        here = reading.open_case
        self.player.press("Return")
        self.player.wait(
            lambda: reading.open_case is not here or page.inside.currentWidget() is not reading,
            what="the next case",
        )

    def _open_key(self, reading: ReadingPage) -> GradeKey | None:
        case = reading.open_case
        if case is None or not case.session.open_keys():
            return None
        for _ in case.session.keys:
            key = reading.current_key
            if key is not None and case.session.grade(key) is None:
                return key
            # After an undo the cursor stands where something was taken back.
            self.player.press("Down")
        raise StuckError("The cursor does not come to the next open item.")

    def _truth_key(self, reading: ReadingPage, key: GradeKey) -> TruthKey:
        case = reading.open_case
        assert case is not None
        film = case.case.film_of(key.joint_id)
        return film.file_sha256, case.case.joint(key.joint_id).side, key.item

    # The adjudicator ------------------------------------------------------------------------------

    def adjudicate(self) -> None:
        """Settle every disagreement by the planted grade."""
        self.tell("The adjudicator settles what the readers disagree on.")
        self._log_in(ADJUDICATOR)
        page = self._page(AdjudicatorRolePage).queue_page
        self.player.settle(500)
        self.player.shot("adjudication")
        while (current := page.current) is not None and current.open:
            self.player.wait(lambda: page.ready, what="the film of the disagreement")
            current = page.current
            if current is None or not current.open:
                break
            code = self._true_code(page)
            before = current
            self.player.press(self._study().protocol.item_scale(current.item).level(code).key)
            self.player.wait(
                lambda before=before: page.current is not before and not page.storing,  # type: ignore[misc]
                what="the next disagreement",
            )
        self.player.settle(300)
        self.player.shot("adjudicated")
        self._log_out()

    def _true_code(self, page: AdjudicationPage) -> int:
        current, case = page.current, page.case
        assert current is not None
        assert case is not None
        film = case.film_of(current.joint_id)
        given = {
            item: code
            for (sha256, side, item), code in self.truth.items()
            if sha256 == film.file_sha256 and side is current.side
        }
        return reader_finals(self._study().protocol, current.side, given)[current.item]

    # Coming and going -----------------------------------------------------------------------------

    def _log_in(self, name: str) -> None:
        login = self.window.login
        self.player.wait(login.isVisible, what="the log-in page")
        if login.name.text() != name:
            self.player.fill(login.name, name)
        self.player.fill(login.password, self.script.password)
        self.player.shot(f"log-in-{name}")
        self.player.press("Return")
        self.player.wait(lambda: self.window.page is not None, what=f"the page of {name}")

    def _log_out(self) -> None:
        self.player.press("Ctrl+L")
        self.player.wait(self.window.login.isVisible, what="the log-in page")

    def _page(self, kind: type[P]) -> P:
        page = self.window.page
        if not isinstance(page, kind):
            raise StuckError(f"{kind.__name__} is not in front.")
        return page

    def _study(self) -> Study:
        study = self.window.study
        if study is None:
            raise StuckError("No study is open.")
        return study

    def _dialog(self) -> NewStudyDialog:
        self.player.wait(
            lambda: any(d.isVisible() for d in self.window.findChildren(NewStudyDialog)), what="the dialog"
        )
        return next(d for d in self.window.findChildren(NewStudyDialog) if d.isVisible())

    def _choose_protocol(self, dialog: NewStudyDialog) -> None:
        paths = [Path(str(dialog.protocol.itemData(place))) for place in range(dialog.protocol.count())]
        wanted = next(path for path in paths if path.stem == self.script.protocol)
        self.player.choose(dialog.protocol, dialog.protocol.itemData(paths.index(wanted)))


def planted_truth(script: Script, protocol: Protocol) -> dict[TruthKey, int]:
    """Read the reference grades of the manifest: what the simulated readers see."""
    table = read_manifest(script.manifest, folder=script.films, protocol=protocol)
    truth: dict[TruthKey, int] = {}
    for path, row in table.rows.items():
        digest = file_sha256(path)
        for reference in row.references:
            truth[(digest, reference.side, reference.item)] = reference.code
    return truth
