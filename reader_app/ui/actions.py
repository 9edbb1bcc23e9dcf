"""The one table of actions. Shortcuts, menus, buttons, tool tips and the sheet behind ``?`` all come from it.

The rows stand in `action_table`. The grade keys come from the protocol's scales; `collisions` finds an action
that would take one away.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu, QToolButton, QWidget

from reader_app.protocols.model import Protocol
from reader_app.ui.action_kinds import ActionSpec, Group, Place
from reader_app.ui.action_table import ACTIONS
from reader_app.ui.icons import icon

__all__ = [
    "ACTIONS",
    "ActionSet",
    "ActionSpec",
    "Collision",
    "Group",
    "Place",
    "collisions",
    "grade_keys_of",
    "key_text",
    "make_action",
    "spec",
    "tool_tip",
    "valid_at",
]


def spec(action_id: str) -> ActionSpec:
    """Return a row of the table.

    Raises
    ------
    KeyError
        If there is no such action; a bug of the caller.
    """
    for row in ACTIONS:
        if row.id == action_id:
            return row
    raise KeyError(action_id)


_AROUND = {Place.FILMS: Place.COORDINATOR, Place.IMPORT: Place.COORDINATOR}


def valid_at(place: Place) -> tuple[ActionSpec, ...]:
    """Return the actions of a place in the table's order, those of what is around it included."""
    here = {place, _AROUND.get(place, place), Place.EVERYWHERE}
    return tuple(row for row in ACTIONS if here & set(row.places))


def key_text(row: ActionSpec, *, every: bool = False) -> str:
    """Return the keys of an action as this system writes them; only the first unless `every`."""
    keys = row.keys if every else row.keys[:1]
    return " or ".join(QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText) for key in keys)


def tool_tip(row: ActionSpec) -> str:
    """Return title, key and explanation as a tool tip shows them."""
    head = f"{row.title.removesuffix(' …')} ({key_text(row)})" if row.keys else row.title
    return f"{head}\n{row.tip}" if row.tip else head


def grade_keys_of(protocol: Protocol) -> frozenset[str]:
    """Return every keyboard character that grades something in this protocol."""
    return frozenset(level.key for feature in protocol.features for level in feature.scale.levels)


@dataclass(frozen=True)
class Collision:
    """One key that would do two things at one place."""

    place: Place
    key: str
    first: str
    second: str


def collisions(place: Place, protocol: Protocol | None = None) -> tuple[Collision, ...]:
    """Return the keys that mean two things at a place: two actions, or an action and a grade."""
    taken: dict[QKeySequence, str] = {}
    found: list[Collision] = []
    grades = sorted(grade_keys_of(protocol)) if protocol else []
    claims = [(key, f"grade {key}") for key in grades]
    claims += [(key, row.id) for row in valid_at(place) for key in row.keys]
    for key, owner in claims:
        sequence = QKeySequence(key)
        if sequence in taken:
            found.append(Collision(place, key, taken[sequence], owner))
        else:
            taken[sequence] = owner
    return tuple(found)


class ActionSet:
    """The QActions of one place, on one widget; they work while that widget is in front.

    Parameters
    ----------
    owner
        The page; the main window for what is valid everywhere.
    place
        Which rows of the table to make. `Place.EVERYWHERE` makes those of everywhere alone, every other
        place its own alone.
    handlers
        What each action does, by id. Rows without a handler are left out: a button that does nothing
        must not be there. A switch's handler gets its new state.
    """

    def __init__(self, owner: QWidget, place: Place, handlers: Mapping[str, Callable[..., object]]) -> None:
        rows = [row for row in ACTIONS if place in row.places]
        unknown = set(handlers) - {row.id for row in rows}
        if unknown:
            raise KeyError(f"no actions of {place}: {', '.join(sorted(unknown))}")
        self._rows = {row.id: row for row in rows if row.id in handlers}
        self._actions: dict[str, QAction] = {}
        for row in self._rows.values():
            action = make_action(owner, row, handlers[row.id])
            # Of the window, not of the page: the focus may stand on a message or a job beside the page.
            # Qt leaves out the shortcuts of pages that are not in front.
            action.setShortcutContext(Qt.ShortcutContext.WindowShortcut)
            owner.addAction(action)
            self._actions[row.id] = action

    def __getitem__(self, action_id: str) -> QAction:
        return self._actions[action_id]

    def __contains__(self, action_id: str) -> bool:
        return action_id in self._actions

    def __iter__(self) -> Iterator[QAction]:
        return iter(self._actions.values())

    def fill_menu(self, menu: QMenu, groups: Iterable[Group] | None = None) -> None:
        """Add the actions to a menu, group by group with a line between."""
        wanted = tuple(groups) if groups is not None else tuple(Group)
        for group in wanted:
            members = [self._actions[row.id] for row in self._rows.values() if row.group is group]
            if members and not menu.isEmpty():
                menu.addSeparator()
            menu.addActions(members)

    def button(self, action_id: str, parent: QWidget, *, text: bool = False) -> QToolButton:
        """Return a flat button for an action; it never takes the focus from what is being graded."""
        button = QToolButton(parent)
        button.setDefaultAction(self._actions[action_id])
        button.setAutoRaise(True)
        button.setIconSize(QSize(18, 18))
        button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        if text:
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        return button

    def enable(self, action_ids: Iterable[str], enabled: bool) -> None:
        """Switch several actions on or off."""
        for action_id in action_ids:
            self._actions[action_id].setEnabled(enabled)


def make_action(owner: QWidget, row: ActionSpec, handler: Callable[..., object]) -> QAction:
    """Return one QAction as the table describes it."""
    action = QAction(row.title, owner)
    action.setObjectName(row.id)
    action.setShortcuts([QKeySequence(key) for key in row.keys])
    action.setAutoRepeat(not row.writes and not row.checkable)
    action.setToolTip(tool_tip(row))
    action.setCheckable(row.checkable)
    if row.icon:
        action.setIcon(icon(row.icon))
    if row.checkable:
        action.toggled.connect(handler)
    else:
        # Without the argument that Qt sends along, which would land in a handler's first default.
        action.triggered.connect(lambda _checked=False: handler())
    return action
