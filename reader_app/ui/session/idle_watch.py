"""How long nobody has touched keyboard or mouse, whatever else the program does meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QPointF, QTimer, Signal
from PySide6.QtGui import QGuiApplication, QMouseEvent, QWindow

_PRESSES = frozenset(
    (
        QEvent.Type.KeyPress,
        QEvent.Type.MouseButtonPress,
        QEvent.Type.MouseButtonDblClick,
        QEvent.Type.Wheel,
        QEvent.Type.TouchBegin,
        QEvent.Type.TouchUpdate,
        QEvent.Type.TabletPress,
        QEvent.Type.TabletMove,
    )
)


def seconds_awake_or_asleep() -> float:
    """Return the seconds of a clock that never runs backwards and, where it can, counts while asleep."""
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boot is None else time.clock_gettime(boot)


class IdleWatch(QObject):
    """Says when nobody has been at the screen for a while.

    It listens to the windows of the program rather than to its widgets: what arrives there comes from the
    hands of somebody, never from a job, a timer or a page that shows something new.

    Parameters
    ----------
    now
        Seconds of a clock that never runs backwards.

    Signals
    -------
    idle()
        Nobody has touched anything for as long as `start` was told.
    """

    idle = Signal()

    def __init__(
        self, now: Callable[[], float] = seconds_awake_or_asleep, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._now = now
        self._limit = 0.0
        self._last = 0.0
        self._pointer: QPointF | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.check)
        application = QGuiApplication.instance()
        if isinstance(application, QGuiApplication):
            application.focusWindowChanged.connect(self._listen_to)

    @property
    def running(self) -> bool:
        """Whether it counts."""
        return self._limit > 0

    def start(self, seconds: float) -> None:
        """Count from now on; 0 seconds is for never."""
        self._limit = seconds
        self._last = self._now()
        self._arm()

    def stop(self) -> None:
        """Count no more."""
        self._limit = 0.0
        self._timer.stop()

    def touch(self) -> None:
        """Note that somebody is there; too late if they have been away for too long."""
        if self.running and not self.check():
            self._last = self._now()

    def check(self) -> bool:
        """Say whether nobody was there for too long, and send `idle` if so."""
        if not self.running:
            return False
        if self._now() - self._last >= self._limit:
            self.stop()
            self.idle.emit()
            return True
        self._arm()
        return False

    def listen_to(self, window: QWindow) -> None:
        """Listen to one window; those that get the keyboard are found without."""
        # Twice is once: Qt moves a filter that is there already to the front.
        window.installEventFilter(self)

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        """Qt: a sign of life; the key that comes too late is not for the page any more."""
        if not self.running:
            return False
        kind = event.type()
        if kind in _PRESSES or (kind == QEvent.Type.MouseMove and self._moved(event)):
            if self.check():
                return True
            self._last = self._now()
        return False

    def _moved(self, event: QEvent) -> bool:
        # A window that comes up under a resting pointer gets a move that nobody made.
        if not isinstance(event, QMouseEvent):
            return False
        before, self._pointer = self._pointer, event.globalPosition()
        return before is not None and before != self._pointer

    def _listen_to(self, window: QWindow | None) -> None:
        if window is not None:
            self.listen_to(window)

    def _arm(self) -> None:
        if self._limit <= 0:
            self._timer.stop()
            return
        left = self._limit - (self._now() - self._last)
        # Looked at in between, as a timer stands still while the computer sleeps.
        self._timer.start(int(1000 * min(max(left, 0.05), 30.0)))
