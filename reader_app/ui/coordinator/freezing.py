"""The line of a study's page that tells whether it is frozen and what else to know, and its button."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from reader_app.ui.background import Job, Operation
from reader_app.ui.coordinator.freeze_dialog import FREEZE, UNFREEZE, FreezeDialog
from reader_app.ui.icons import icon
from reader_app.ui.labels import hint
from reader_app.ui.theme import SPACING, Colour, colour_text

if TYPE_CHECKING:
    from reader_app.operations.study import Study
    from reader_app.store.records import Actor


@dataclass(frozen=True)
class FreezeState:
    """Since when a study is frozen, and what else is to be told."""

    since: datetime | None
    notices: tuple[str, ...]


class FreezeLine(QWidget):
    """State and notices, and for the coordinator the button that freezes or unfreezes.

    Parameters
    ----------
    study
        Gives the study as it is now: its design may change.
    writes
        False for an auditor, who is told the same and has no button.

    Signals
    -------
    failed(ReaderError), said(str, str)
        To be shown above the page.
    changed()
        The study was frozen or unfrozen.
    shown(datetime or None)
        Since when it is frozen, whenever that was read.
    """

    failed = Signal(object)
    said = Signal(str, str)
    changed = Signal()
    shown = Signal(object)

    def __init__(self, study: Callable[[], Study], actor: Actor, *, writes: bool) -> None:
        super().__init__()
        self._study = study
        self._actor = actor
        self._since: datetime | None = None
        self.words = hint()
        self.button = QPushButton(icon("lock"), "")
        self.button.setVisible(writes)
        self.button.clicked.connect(self.ask)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2 * SPACING)
        row.addWidget(self.words, 1)
        row.addWidget(self.button)
        self._show(FreezeState(None, ()))

    @property
    def frozen(self) -> bool:
        """Whether the study was frozen when its state was read last."""
        return self._since is not None

    def refresh(self) -> None:
        """Read the state again."""
        study = self._study()

        def work(_job: Job) -> FreezeState:
            from reader_app.operations.freeze import freeze_state
            from reader_app.operations.status import status_notices

            return FreezeState(freeze_state(study, self._actor), status_notices(study, self._actor))

        Operation(work).success(self._show).failure(self.failed.emit).run(self)

    def ask(self) -> None:
        """Ask for what freezing, or unfreezing, needs."""
        if self._since is not None:
            self._open_dialog(())
            return
        self.button.setEnabled(False)
        study = self._study()

        def work(_job: Job) -> tuple[str, ...]:
            from reader_app.operations.freeze import unfinished

            return unfinished(study, self._actor).sentences

        Operation(work).success(self._open_dialog).failure(self.failed.emit).done(
            partial(self.button.setEnabled, True)
        ).run(self)

    def _open_dialog(self, unfinished: tuple[str, ...]) -> None:
        frozen = self._since is not None
        dialog = FreezeDialog(
            UNFREEZE if frozen else FREEZE, unfinished, self._unfreeze if frozen else self._freeze, self
        )
        dialog.done_for_good.connect(partial(self._tell, frozen=frozen))
        dialog.open()

    def _freeze(self, password: str, reason: str) -> None:
        from reader_app.operations.freeze import freeze

        # What is unfinished was shown, and it was said that this does not matter.
        freeze(self._study(), self._actor, password=password, reason=reason, although_unfinished=True)

    def _unfreeze(self, password: str, reason: str) -> None:
        from reader_app.operations.freeze import unfreeze

        unfreeze(self._study(), self._actor, password=password, reason=reason)

    def _tell(self, *, frozen: bool) -> None:
        if frozen:
            self.said.emit("The study can be read and adjudicated again.", "")
        else:
            self.said.emit("The study is frozen.", "Its report can be made now.")
        self.refresh()
        self.changed.emit()

    def _show(self, state: FreezeState) -> None:
        self._since = state.since
        frozen = state.since is not None
        self.words.setText("  ".join(state.notices))
        colour_text(self.words, Colour.WARNING if state.notices else Colour.MUTED)
        self.button.setText("Un&freeze …" if frozen else "&Freeze the study …")
        self.shown.emit(state.since)
