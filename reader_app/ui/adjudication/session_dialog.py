"""The door of a consensus session: readers type name and password beside the adjudicator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QFormLayout, QHBoxLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from reader_app.errors import ReaderError
from reader_app.ui.background import Job, Operation
from reader_app.ui.fields import secret_field
from reader_app.ui.labels import FaultLine, counted, heading, hint
from reader_app.ui.theme import SPACING

if TYPE_CHECKING:
    from reader_app.operations.consensus_session import ConsensusSession
    from reader_app.operations.study import Study
    from reader_app.store.records import Actor, Disagreement

_SIZE = (480, 400)
_ABOUT = (
    "Every reader of a case logs in here; what needs a consensus is then settled together, with a word on "
    "how. Which letter is whose is not told."
)


class SessionDialog(QDialog):
    """Lets readers in one after the other; Enter on empty fields settles, Escape goes back unchanged.

    Parameters
    ----------
    session
        Who sits there already.
    queue
        From which it counts what those in the session can settle.

    Attributes
    ----------
    session
        Who sits in it now.
    """

    def __init__(
        self,
        study: Study,
        actor: Actor,
        session: ConsensusSession,
        queue: Sequence[Disagreement],
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self.session = session
        self._study = study
        self._actor = actor
        self._queue = queue
        self._joining = False
        self.setWindowTitle("Consensus session")
        # Room for a fault of two lines, so that nothing moves or is cut when one is said.
        self.setFixedSize(*_SIZE)
        self._seats = hint()
        self.name = QLineEdit()
        self.name.setAccessibleName("Name of the reader")
        self.password = secret_field("Password of the reader")
        self.fault = FaultLine()
        self.begin = QPushButton("&Settle together")
        self.end = QPushButton("&End the session")
        self.back = QPushButton("&Back")
        self._lay_out()
        for button in (self.begin, self.end, self.back):
            button.setAutoDefault(False)
        self.name.returnPressed.connect(self._after_name)
        self.password.returnPressed.connect(self._join)
        self.begin.clicked.connect(self.accept)
        self.end.clicked.connect(self._end)
        self.back.clicked.connect(self.reject)
        self._show_seats()
        self.name.setFocus()

    @property
    def joining(self) -> bool:
        """Whether a name and password are being checked."""
        return self._joining

    @property
    def waiting(self) -> int:
        """How many open grades those in the session can settle together."""
        return sum(one.needs_consensus and one.case_id in self.session.cases for one in self._queue)

    def _after_name(self) -> None:
        if self.name.text().strip():
            self.password.setFocus()
        elif self.begin.isEnabled():
            self.accept()

    def _join(self) -> None:
        if self._joining:
            return
        name, password = self.name.text(), self.password.text()
        if not name.strip() or not password:
            self.fault.say("A reader needs name and password.")
            return
        self._joining = True
        self.fault.clear()
        before = self.session

        def work(_job: Job) -> ConsensusSession:
            from reader_app.operations import consensus_session

            return consensus_session.join(self._study, self._actor, before, name=name, password=password)

        Operation(work).success(self._joined).failure(self._refused).done(self._done).run(self)

    def _joined(self, session: ConsensusSession) -> None:
        self.session = session
        self.name.clear()
        self._show_seats()
        self.name.setFocus()

    def _refused(self, fault: ReaderError) -> None:
        self.fault.say(fault)
        self.password.setFocus()

    def _done(self) -> None:
        self.password.clear()
        self._joining = False

    def _end(self) -> None:
        from reader_app.operations.consensus_session import ConsensusSession

        self.session = ConsensusSession()
        self.accept()

    def _show_seats(self) -> None:
        names = self.session.names
        if not names:
            words = "Nobody sits in the session yet."
        elif not self.waiting:
            words = (
                f"In the session: {', '.join(names)}. Nothing that waits for a consensus was read by exactly "
                "these readers."
            )
        else:
            words = (
                f"In the session: {', '.join(names)}. {counted(self.waiting, 'grade')} to settle together."
            )
        self._seats.setText(words)
        self.begin.setEnabled(bool(self.waiting))
        self.end.setEnabled(bool(names))

    def _lay_out(self) -> None:
        form = QFormLayout()
        form.addRow("Name", self.name)
        form.addRow("Password", self.password)
        buttons = QHBoxLayout()
        buttons.addWidget(self.back)
        buttons.addWidget(self.end)
        buttons.addStretch()
        buttons.addWidget(self.begin)
        column = QVBoxLayout(self)
        column.setContentsMargins(3 * SPACING, 3 * SPACING, 3 * SPACING, 3 * SPACING)
        column.setSpacing(SPACING)
        column.addWidget(heading("Consensus session", factor=1.4))
        column.addWidget(hint(_ABOUT))
        column.addSpacing(SPACING)
        column.addWidget(self._seats)
        column.addLayout(form)
        column.addWidget(self.fault)
        column.addStretch()
        column.addLayout(buttons)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, on=False)
