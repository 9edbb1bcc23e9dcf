"""Before the first film: the test pattern of the screen, as often as the design asks for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QStackedWidget

from reader_app.operations.check_display import display_check_due, save_display_check
from reader_app.operations.study import Study
from reader_app.store.records import Actor
from reader_app.ui.display.display_check import DisplayCheck
from reader_app.ui.display.screen_facts import screen_facts


class DisplayGate(QObject):
    """Shows the pattern in a stack of pages where it is due, and then lets go on.

    Parameters
    ----------
    stack
        Where the pattern takes the place of the page in front until it is answered.

    Signals
    -------
    failed(ReaderError)
        The answer could not be stored.
    told(str)
        What becomes of a screen that does not show all.
    """

    failed = Signal(object)
    told = Signal(str)

    def __init__(self, study: Study, actor: Actor, stack: QStackedWidget) -> None:
        super().__init__(stack)
        self._study = study
        self._actor = actor
        self._stack = stack
        self._checked: set[str] = set()
        self.page: DisplayCheck | None = None

    def holds_back(self, go_on: Callable[[], None]) -> bool:
        """Say whether the pattern comes first; once it is answered, it goes on.

        Raises
        ------
        ReaderError
            If the study cannot be read.
        """
        if self.page is not None:
            return True
        name = str(screen_facts(self._stack).get("name", ""))
        seen = name in self._checked
        if not display_check_due(self._study, self._actor, checked_in_session=seen, screen=name):
            return False
        self._show(go_on)
        return True

    def _show(self, go_on: Callable[[], None]) -> None:
        page = DisplayCheck(self._save)
        before = self._stack.currentIndex()

        def answered(seen: bool) -> None:
            self._checked.add(page.screen_name)
            self._stack.setCurrentIndex(before)
            self._stack.removeWidget(page)
            page.deleteLater()
            self.page = None
            go_on()
            if not seen:
                self.told.emit("That the screen does not show all is noted with what you sign.")

        page.answered.connect(answered)
        page.failed.connect(self.failed)
        self.page = page
        self._stack.addWidget(page)
        self._stack.setCurrentWidget(page)
        page.setFocus()

    def _save(self, seen: bool, screen: Mapping[str, object]) -> None:
        save_display_check(self._study, self._actor, passed=seen, screen=screen)
