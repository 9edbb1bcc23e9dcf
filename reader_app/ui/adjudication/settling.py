"""Stores what is settled: one grade, the grade of a consensus session, or a batch of small ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from reader_app.errors import ReaderError
from reader_app.operations.consensus_session import ConsensusSession
from reader_app.operations.progress import Progress
from reader_app.ui.adjudication.batch_dialog import BatchDialog
from reader_app.ui.adjudication.session_dialog import SessionDialog
from reader_app.ui.background import Job, Operation
from reader_app.ui.labels import counted

if TYPE_CHECKING:
    from reader_app.operations.adjudicate_batch import Proposal
    from reader_app.operations.study import Study
    from reader_app.store.records import Actor, Disagreement

_NOTHING_SMALL = "Nothing small is open."
_SMALL_MEANS = "Small is one grade apart on the same side of every cut."


class Settler(QObject):
    """The one way in which the page writes; while it stores, nothing else is stored.

    Parameters
    ----------
    owner
        The page: dialogs open upon it.

    Attributes
    ----------
    stored
        The disagreements that changed, as they stand now.
    refused
        A `ReaderError` that kept a grade from being stored.
    said
        What was done and what can follow.
    moved
        How far a batch is, in words.
    session_changed
        Somebody sat down, or the session ended.
    finished
        A dialog closed: the keyboard goes back to the queue.
    """

    stored = Signal(object)
    refused = Signal(object)
    said = Signal(str, str)
    moved = Signal(str)
    session_changed = Signal()
    finished = Signal()

    def __init__(self, study: Study, actor: Actor, owner: QWidget) -> None:
        super().__init__(owner)
        self._study = study
        self._actor = actor
        self._owner = owner
        self._storing = False
        self.session = ConsensusSession()

    @property
    def storing(self) -> bool:
        """Whether something is being stored."""
        return self._storing

    def takes(self, disagreement: Disagreement) -> bool:
        """Say whether an open disagreement can be settled now: by a grade, or by those in the session."""
        if not disagreement.open:
            return False
        return not disagreement.together or disagreement.case_id in self.session.cases

    def store(self, disagreement: Disagreement, code: int, rationale: str) -> None:
        """Store a grade."""
        # For a case that others read, those in the session have no say.
        session = self.session if disagreement.case_id in self.session.cases else None

        def work(_job: Job) -> tuple[Disagreement, ...]:
            from reader_app.operations.adjudicate import settle_item

            after = settle_item(
                self._study, self._actor, disagreement, code=code, rationale=rationale, session=session
            )
            return (after,)

        self._run(work, self.stored.emit)

    # Together -----------------------------------------------------------------------------------

    def open_session(self, queue: Sequence[Disagreement]) -> SessionDialog:
        """Let readers in, or end the session."""
        dialog = SessionDialog(self._study, self._actor, self.session, queue, self._owner)

        def take() -> None:
            # Who sat down stays, however the dialog was left.
            if dialog.session != self.session:
                self.session = dialog.session
                self.session_changed.emit()
            dialog.deleteLater()
            self.finished.emit()

        dialog.finished.connect(take)
        dialog.open()
        return dialog

    def end_session(self) -> None:
        """Send the readers away."""
        self.session = ConsensusSession()

    # Small ones ---------------------------------------------------------------------------------

    def open_batch(self, queue: Sequence[Disagreement]) -> BatchDialog | None:
        """List the small differences; those that are confirmed are stored. None where there are none."""
        from reader_app.operations import adjudicate_batch

        try:
            proposals = adjudicate_batch.proposals(self._study, queue)
        except ReaderError as fault:
            self.said.emit(fault.what, fault.next_step)
            return None
        if not proposals:
            self.said.emit(_NOTHING_SMALL, _SMALL_MEANS)
            return None
        dialog = BatchDialog(self._study.protocol, proposals, self._owner)

        def close() -> None:
            if dialog.result() == BatchDialog.DialogCode.Accepted:
                self._confirm(dialog.chosen)
            dialog.deleteLater()
            self.finished.emit()

        dialog.finished.connect(close)
        dialog.open()
        return dialog

    def _confirm(self, chosen: Sequence[Proposal]) -> None:
        def work(job: Job) -> tuple[Disagreement, ...]:
            from reader_app.operations.adjudicate_batch import settle_batch

            def report(done: int) -> None:
                job.report(Progress(done, len(chosen), "small differences"))

            return settle_batch(self._study, self._actor, chosen, progress=report)

        def take(after: tuple[Disagreement, ...]) -> None:
            self.stored.emit(after)
            self.said.emit(
                f"{counted(len(after), 'small difference')} settled together.",
                "Each stands by itself under “Mine” and can be changed there.",
            )

        self._run(work, take)

    def _run(
        self,
        work: Callable[[Job], tuple[Disagreement, ...]],
        take: Callable[[tuple[Disagreement, ...]], object],
    ) -> None:
        if self._storing:
            return
        self._storing = True
        Operation(work).progress(self._move).success(take).failure(self.refused.emit).done(self._done).run(
            self._owner
        )

    def _move(self, progress: Progress) -> None:
        self.moved.emit(f"Stored {progress.done:,} of {progress.total:,} {progress.what} …")

    def _done(self) -> None:
        self._storing = False
