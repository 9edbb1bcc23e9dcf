"""The one table of actions. Shortcuts, menus, buttons, tool tips and the sheet behind ``?`` all come from it.

The grade keys come from the protocol's scales; `collisions` finds an action that would take one away.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu, QToolButton, QWidget

from reader_app.protocols.model import Protocol
from reader_app.ui.icons import icon


class Place(StrEnum):
    """Where an action is valid."""

    EVERYWHERE = "everywhere"
    START = "start"
    WORKLIST = "worklist"
    READING = "reading"
    ADJUDICATION = "adjudication"
    COORDINATOR = "coordinator"


class Group(StrEnum):
    """How the sheet and the menus are ordered."""

    GRADES = "Grades"
    CASE = "Case"
    AI = "AI"
    IMAGE = "Image"
    STUDY = "Study"
    APP = "Window"


@dataclass(frozen=True)
class ActionSpec:
    """One thing that can be done by key, menu or button.

    Attributes
    ----------
    keys
        Default shortcuts in Qt's portable text; the first is the one that is shown.
    tip
        What it does, where the title alone does not say.
    checkable
        Whether it is a switch that is on or off.
    writes
        Whether it changes what is stored: a held key must then not repeat it.
    """

    id: str
    title: str
    keys: tuple[str, ...]
    group: Group
    places: tuple[Place, ...]
    icon: str = ""
    tip: str = ""
    checkable: bool = False
    writes: bool = False


_READ = (Place.READING,)
_SETTLE = (Place.ADJUDICATION,)
_FILMS = (Place.READING, Place.ADJUDICATION)
_ALL = (Place.EVERYWHERE,)

ACTIONS: tuple[ActionSpec, ...] = (
    # Grades
    ActionSpec("item-next", "Next item", ("Down",), Group.GRADES, _FILMS),
    ActionSpec("item-previous", "Previous item", ("Up",), Group.GRADES, _FILMS),
    ActionSpec("across-right", "Same item, joint to the right", ("Right",), Group.GRADES, _READ),
    ActionSpec("across-left", "Same item, joint to the left", ("Left",), Group.GRADES, _READ),
    ActionSpec("joint-next", "Next joint", ("Tab",), Group.GRADES, _READ),
    ActionSpec("joint-previous", "Previous joint", ("Shift+Tab",), Group.GRADES, _READ),
    ActionSpec("grade-clear", "Clear this grade", ("Delete",), Group.GRADES, _READ, "clear", writes=True),
    ActionSpec(
        "grade-back",
        "Clear this grade, or else the one before it",
        ("Backspace",),
        Group.GRADES,
        _READ,
        writes=True,
    ),
    ActionSpec("undo", "Undo", ("Ctrl+Z",), Group.GRADES, _READ, "undo", writes=True),
    ActionSpec("redo", "Redo", ("Ctrl+Shift+Z", "Ctrl+Y"), Group.GRADES, _READ, "redo", writes=True),
    # Case
    ActionSpec(
        "lock-next",
        "Lock and next",
        ("Enter", "Return"),
        Group.CASE,
        _READ,
        "lock",
        "Sign the reading and open the next case. A locked reading can only be amended.",
        writes=True,
    ),
    ActionSpec("settle", "Settle and next", ("Enter", "Return"), Group.CASE, _SETTLE, "lock", writes=True),
    ActionSpec("rationale", "Write the rationale", ("Ctrl+R",), Group.CASE, _SETTLE),
    ActionSpec(
        "exclude",
        "Exclude joint …",
        ("X",),
        Group.CASE,
        _READ,
        "exclude",
        "Say why the joint cannot be graded; on an excluded joint, take the exclusion back.",
        writes=True,
    ),
    ActionSpec("case-next", "Next case without locking", ("PgDown",), Group.CASE, _FILMS, "next"),
    ActionSpec("case-previous", "Previous case", ("PgUp",), Group.CASE, _FILMS, "previous"),
    ActionSpec("leave", "Back to the list", ("Esc",), Group.CASE, _FILMS, "back"),
    # AI
    ActionSpec(
        "pregrade-accept",
        "Take the pre-grades of this joint over",
        ("Q",),
        Group.AI,
        _READ,
        "accept",
        "Fills what is still ungraded on this joint with the AI's grades.",
        writes=True,
    ),
    ActionSpec("pregrade-show", "Show pre-grade", ("G",), Group.AI, _READ, "pregrade", checkable=True),
    ActionSpec("heatmap-show", "Show heatmap", ("H",), Group.AI, _READ, "heatmap", checkable=True),
    ActionSpec("heatmap-weaker", "Heatmap weaker", ("[", ","), Group.AI, _READ),
    ActionSpec("heatmap-stronger", "Heatmap stronger", ("]", "."), Group.AI, _READ),
    ActionSpec("box-show", "Show boxes", ("B",), Group.AI, _FILMS, "box", checkable=True),
    # Image
    ActionSpec("fit-film", "Fit the whole film", ("F",), Group.IMAGE, _FILMS, "fit-film"),
    ActionSpec("fit-joint", "Fit the current joint", ("J",), Group.IMAGE, _FILMS, "fit-joint"),
    ActionSpec("zoom-in", "Zoom in", ("+", "="), Group.IMAGE, _FILMS, "zoom-in"),
    ActionSpec("zoom-out", "Zoom out", ("-",), Group.IMAGE, _FILMS, "zoom-out"),
    ActionSpec(
        "window-next",
        "Next window",
        ("W",),
        Group.IMAGE,
        _FILMS,
        "window",
        "Goes round the windows of the file and the automatic one.",
    ),
    ActionSpec("window-automatic", "Automatic window", ("Shift+W",), Group.IMAGE, _FILMS),
    ActionSpec(
        "window-choose",
        "Choose a window …",
        ("V",),
        Group.IMAGE,
        _FILMS,
        "window-choose",
        "Lists the windows and tables of the file by name.",
    ),
    ActionSpec("invert", "Invert black and white", ("I",), Group.IMAGE, _FILMS, "invert", checkable=True),
    ActionSpec(
        "overlay-show",
        "Show the file's overlay",
        ("O",),
        Group.IMAGE,
        _FILMS,
        "overlay",
        "What the file itself wants drawn upon the film.",
        checkable=True,
    ),
    ActionSpec(
        "measure",
        "Measure",
        ("M",),
        Group.IMAGE,
        _FILMS,
        "measure",
        "Draw a line by a drag or by two clicks; the key again or Esc puts the ruler away.",
        checkable=True,
    ),
    ActionSpec(
        "reset",
        "Reset the view",
        ("R",),
        Group.IMAGE,
        _FILMS,
        "reset",
        "Window, polarity, zoom and place; takes overlay and ruler away.",
    ),
    ActionSpec(
        "export-view",
        "Export the view …",
        ("Ctrl+E",),
        Group.IMAGE,
        _FILMS,
        "export",
        "Writes what is seen of the current film as a picture, without names and dates.",
    ),
    # Study
    ActionSpec("study-new", "New study …", ("Ctrl+N",), Group.STUDY, (Place.START,), "new"),
    ActionSpec("study-open", "Open study …", ("Ctrl+O",), Group.STUDY, (Place.START,), "folder"),
    ActionSpec("case-open", "Open case", ("Enter", "Return"), Group.STUDY, (Place.WORKLIST,), "read"),
    ActionSpec("case-continue", "Continue reading", ("Ctrl+Return",), Group.STUDY, (Place.WORKLIST,), "next"),
    ActionSpec("import", "Import films …", ("Ctrl+I",), Group.STUDY, (Place.COORDINATOR,), "import"),
    ActionSpec("pregrade", "Pre-grade …", ("Ctrl+G",), Group.STUDY, (Place.COORDINATOR,), "pregrade"),
    ActionSpec("account-add", "Add account …", ("Ctrl+U",), Group.STUDY, (Place.COORDINATOR,), "account"),
    ActionSpec("report", "Make report …", ("Ctrl+E",), Group.STUDY, (Place.COORDINATOR,), "chart"),
    ActionSpec(
        "refresh", "Refresh", ("F5",), Group.STUDY, (Place.WORKLIST, Place.ADJUDICATION, Place.COORDINATOR)
    ),
    ActionSpec("log-out", "Log out", ("Ctrl+L",), Group.STUDY, _ALL, "log-out"),
    ActionSpec("study-close", "Close study", ("Ctrl+W",), Group.STUDY, _ALL, "close"),
    # App
    ActionSpec("keys", "Show all keys", ("?", "F1"), Group.APP, _ALL, "keys"),
    ActionSpec("full-screen", "Full screen", ("F11",), Group.APP, _ALL, checkable=True),
    ActionSpec("quit", "Quit", ("Ctrl+Q",), Group.APP, _ALL),
)


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


def valid_at(place: Place) -> tuple[ActionSpec, ...]:
    """Return the actions of a place in the table's order, those of everywhere included."""
    return tuple(row for row in ACTIONS if place in row.places or Place.EVERYWHERE in row.places)


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
