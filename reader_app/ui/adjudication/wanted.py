"""Which disagreements of the queue are wanted: state, feature, distance and case, each by a key."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QIntValidator, QKeyEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QComboBox,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from reader_app.protocols.model import Protocol
from reader_app.ui.actions import spec, tool_tip
from reader_app.ui.labels import light_up_when_checked
from reader_app.ui.theme import SPACING

if TYPE_CHECKING:
    from reader_app.store.records import Disagreement

_LARGEST_CASE = 9_999_999
_ENDS = (Qt.Key.Key_Escape, Qt.Key.Key_Return, Qt.Key.Key_Enter)


class QueueFilter(Enum):
    """Which states the queue shows; the value is what the button says."""

    OPEN = "Open"
    CONSENSUS = "Consensus"
    SETTLED = "Settled"
    MINE = "Mine"
    ALL = "All"

    def admits(self, disagreement: Disagreement) -> bool:
        """Say whether this one is shown."""
        match self:
            case QueueFilter.OPEN:
                return disagreement.open
            case QueueFilter.CONSENSUS:
                return disagreement.needs_consensus
            case QueueFilter.SETTLED:
                return not disagreement.open
            case QueueFilter.MINE:
                return disagreement.settled is not None and bool(disagreement.settled.adjudicator)
            case QueueFilter.ALL:
                return True


STATE_KEYS = {
    QueueFilter.OPEN: "queue-open",
    QueueFilter.CONSENSUS: "queue-consensus",
    QueueFilter.SETTLED: "queue-settled",
    QueueFilter.MINE: "queue-mine",
    QueueFilter.ALL: "queue-all",
}
"""The action of each state."""


@dataclass(frozen=True)
class Wanted:
    """What is shown of the queue.

    Attributes
    ----------
    feature_id
        Empty for all features.
    gravity
        Apart by so many grades at least.
    place
        Of one case; None for all.
    """

    state: QueueFilter = QueueFilter.OPEN
    feature_id: str = ""
    gravity: int = 0
    place: int | None = None

    def admits(self, disagreement: Disagreement) -> bool:
        """Say whether this one is shown."""
        return (
            self.state.admits(disagreement)
            and self.feature_id in ("", disagreement.item.feature_id)
            and disagreement.gravity >= self.gravity
            and self.place in (None, disagreement.place)
        )


class CaseField(QLineEdit):
    """The number of a case; Enter goes back to the queue, Escape forgets the number and goes back."""

    left = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setPlaceholderText("Case")
        self.setAccessibleName("Case number")
        self.setValidator(QIntValidator(1, _LARGEST_CASE, self))

    def event(self, event: QEvent) -> bool:
        """Qt: keep the keys that end the typing from the actions of the page."""
        typed = isinstance(event, QKeyEvent) and event.type() == QEvent.Type.ShortcutOverride
        if typed and isinstance(event, QKeyEvent) and event.key() in _ENDS:
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Qt: the keys that end the typing."""
        if event.key() == Qt.Key.Key_Escape:
            self.clear()
        if event.key() in _ENDS:
            self.left.emit()
        else:
            super().keyPressEvent(event)


class WantedBar(QWidget):
    """The buttons and fields that choose what the queue shows.

    Parameters
    ----------
    blind
        The readers' grades come after the adjudicator's: how far apart they are is not offered.

    Attributes
    ----------
    changed
        The `Wanted` of now.
    left
        The keyboard should go back to the queue.
    """

    changed = Signal(object)
    left = Signal()

    def __init__(self, protocol: Protocol, *, blind: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.wanted = Wanted()
        self._states = QButtonGroup(self)
        self._features = QComboBox()
        self._gravity = QComboBox()
        self.case = CaseField()
        self._fill(protocol)
        self._lay_out(blind=blind)
        self._states.idClicked.connect(lambda number: self.set_state(list(QueueFilter)[number]))
        self._features.currentIndexChanged.connect(
            lambda _row: self._set(replace(self.wanted, feature_id=self._features.currentData()))
        )
        self._gravity.currentIndexChanged.connect(
            lambda _row: self._set(replace(self.wanted, gravity=self._gravity.currentData()))
        )
        self.case.textChanged.connect(
            lambda text: self._set(replace(self.wanted, place=int(text) if text else None))
        )
        self.case.left.connect(self.left)

    def set_state(self, state: QueueFilter) -> None:
        """Show only this state."""
        self._states.button(list(QueueFilter).index(state)).setChecked(True)
        self._set(replace(self.wanted, state=state))

    def next_feature(self) -> None:
        """Go to the next feature; after the last one, all of them."""
        self._features.setCurrentIndex((self._features.currentIndex() + 1) % self._features.count())

    def next_gravity(self) -> None:
        """Ask for a larger distance; after the largest, any."""
        if not self._gravity.isHidden():
            self._gravity.setCurrentIndex((self._gravity.currentIndex() + 1) % self._gravity.count())

    def to_case(self) -> None:
        """Put the keyboard into the field of the case."""
        self.case.setFocus()
        self.case.selectAll()

    def _set(self, wanted: Wanted) -> None:
        if wanted != self.wanted:
            self.wanted = wanted
            self.changed.emit(wanted)

    def _fill(self, protocol: Protocol) -> None:
        self._features.addItem("All features", "")
        for feature in protocol.features:
            self._features.addItem(feature.short_title, feature.id)
        self._features.setAccessibleName("Feature")
        self._features.setToolTip(tool_tip(spec("queue-feature")))
        widest = max(max(f.scale.codes) - min(f.scale.codes) for f in protocol.features)
        self._gravity.addItem("Any distance", 0)
        for apart in range(1, widest + 1):
            self._gravity.addItem(f"{apart} or more" if apart < widest else f"{apart}", apart)
        self._gravity.setAccessibleName("Grades apart")
        self._gravity.setToolTip(tool_tip(spec("queue-gravity")))
        self.case.setToolTip(tool_tip(spec("queue-case")))

    def _lay_out(self, *, blind: bool) -> None:
        states = QHBoxLayout()
        states.setSpacing(SPACING // 2)
        for number, state in enumerate(QueueFilter):
            button = QPushButton(state.value)
            button.setCheckable(True)
            button.setChecked(state is self.wanted.state)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.setToolTip(tool_tip(spec(STATE_KEYS[state])))
            button.setStyleSheet("padding: 4px 6px;")
            light_up_when_checked(button)
            self._states.addButton(button, number)
            states.addWidget(button)
        parts = QHBoxLayout()
        parts.setSpacing(SPACING // 2)
        parts.addWidget(self._features, 3)
        parts.addWidget(self._gravity, 3)
        parts.addWidget(self.case, 2)
        self._gravity.setVisible(not blind)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACING // 2)
        layout.addLayout(states)
        layout.addLayout(parts)
