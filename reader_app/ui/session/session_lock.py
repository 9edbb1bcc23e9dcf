"""Covers the window while nobody is at the screen, and lets the same person back to where they stopped."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QApplication, QDialog, QStackedWidget, QWidget

from reader_app.errors import ReaderError
from reader_app.ui.background import Job, Operation
from reader_app.ui.session.idle_watch import IdleWatch, seconds_awake_or_asleep
from reader_app.ui.session.lock_cover import LockCover

if TYPE_CHECKING:
    from reader_app.operations.study import Study
    from reader_app.store.pins import SessionPin
    from reader_app.store.records import Actor


class SessionLock(QStackedWidget):
    """Everything the window shows, and the cover before it.

    Covered, the pages are hidden but whole: case, zoom and cursor are as they were. Jobs go on.

    Parameters
    ----------
    content
        Everything that the cover hides.
    now
        The clock of the `IdleWatch`.

    Signals
    -------
    locked(), unlocked()
        The cover came or went.
    log_out_requested()
        Somebody else wants to log in.
    """

    locked = Signal()
    unlocked = Signal()
    log_out_requested = Signal()

    def __init__(self, content: QWidget, *, now: Callable[[], float] = seconds_awake_or_asleep) -> None:
        super().__init__()
        self.cover = LockCover()
        self.addWidget(content)
        self.addWidget(self.cover)
        self._content = content
        self.watch = IdleWatch(now, self)
        self.watch.idle.connect(self.lock)
        self.cover.unlock_requested.connect(self._unlock)
        self.cover.log_out_requested.connect(self.log_out_requested)
        self._study: Study | None = None
        self._actor: Actor | None = None
        self._minutes = 0.0
        self._pin: SessionPin | None = None
        self._hidden: list[QDialog] = []
        self._focus: QWidget | None = None

    @property
    def is_locked(self) -> bool:
        """Whether the cover stands before everything."""
        return self.currentWidget() is self.cover

    @property
    def has_pin(self) -> bool:
        """Whether the person has chosen a PIN that still opens."""
        return self._pin is not None and not self._pin.used_up

    def begin(self, study: Study, actor: Actor) -> None:
        """Watch over the session of who has just logged in."""
        self._study, self._actor, self._pin = study, actor, None
        self._minutes = study.design.session_minutes
        self._listen()
        self.watch.start(60.0 * self._minutes)

    def end(self) -> None:
        """Nobody is logged in any more: forget the PIN and take the cover away."""
        self.watch.stop()
        self._study = self._actor = self._pin = None
        for dialog in self._hidden:
            dialog.close()
        self._hidden = []
        self._focus = None
        self.setCurrentWidget(self._content)

    def set_pin(self, pin: SessionPin) -> None:
        """Let a PIN open the cover in place of the password, for this session."""
        self._pin = pin

    def lock(self) -> None:
        """Cover everything, at once."""
        if self._actor is None or self.is_locked:
            return
        self.watch.stop()
        self._focus = self._content.window().focusWidget()
        popup = QApplication.activePopupWidget()
        if popup is not None:
            popup.close()
        # A dialog would stand before the cover, with what it asks about.
        self._hidden = [
            each for each in self.window().findChildren(QDialog) if each.isVisible() and each.window() is each
        ]
        for dialog in self._hidden:
            dialog.hide()
        self.cover.prepare(self._actor.name, pin=self.has_pin)
        self.setCurrentWidget(self.cover)
        self.cover.secret.setFocus()
        self.locked.emit()

    def _unlock(self, secret: str) -> None:
        study, actor, pin = self._study, self._actor, self._pin if self.has_pin else None
        if study is None or actor is None:
            return

        def work(_job: Job) -> None:
            from reader_app.operations.unlock import unlock

            unlock(study, actor, secret, pin=pin)

        Operation(work).success(lambda _none: self._uncover(actor)).failure(self._stay).run(self)

    def _stay(self, fault: ReaderError) -> None:
        self.cover.ask_for(pin=self.has_pin)
        self.cover.show_fault(fault)

    def _uncover(self, actor: Actor) -> None:
        # Somebody may have logged out while the password was checked.
        if self._actor is not actor:
            return
        self.setCurrentWidget(self._content)
        for dialog in self._hidden:
            dialog.show()
        hidden, self._hidden = self._hidden, []
        if self._focus is not None and not hidden:
            self._focus.setFocus()
        self._focus = None
        self.unlocked.emit()
        self.watch.start(60.0 * self._minutes)

    def _listen(self) -> None:
        handle = self.window().windowHandle()
        if handle is not None:
            self.watch.listen_to(handle)
