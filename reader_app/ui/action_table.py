"""What can be done, by which key, and where: the rows of the one table of actions."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Place(StrEnum):
    """Where an action is valid."""

    EVERYWHERE = "everywhere"
    START = "start"
    WORKLIST = "worklist"
    READING = "reading"
    DISPLAY = "display"
    """The test pattern of the screen, before reading."""
    ADJUDICATION = "adjudication"
    COORDINATOR = "coordinator"
    FILMS = "films"
    """The list of films upon the coordinator's page: what is valid there is valid here too."""
    IMPORT = "import"
    """The films that are about to be imported, upon the same page."""


class Group(StrEnum):
    """How the sheet and the menus are ordered."""

    GRADES = "Grades"
    CASE = "Case"
    AI = "AI"
    IMAGE = "Image"
    FILM = "Films of the study"
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
_VIEWS = (Place.READING, Place.ADJUDICATION, Place.FILMS)
_LISTED = (Place.FILMS,)
_PLANNED = (Place.IMPORT,)
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
    ActionSpec(
        "amend",
        "Amend after the lock …",
        ("Ctrl+M",),
        Group.CASE,
        _READ,
        tip="Changes a grade of a locked case, with a reason; what was signed is kept.",
        writes=True,
    ),
    ActionSpec("settle", "Settle and next", ("Enter", "Return"), Group.CASE, _SETTLE, "lock", writes=True),
    ActionSpec("rationale", "Write the rationale", ("Ctrl+R",), Group.CASE, _SETTLE),
    ActionSpec(
        "consensus-session",
        "Consensus session …",
        ("Ctrl+K",),
        Group.CASE,
        _SETTLE,
        tip="The readers of a case log in beside you; what needs them is then settled together.",
    ),
    ActionSpec(
        "settle-small",
        "Confirm small differences …",
        ("Ctrl+B",),
        Group.CASE,
        _SETTLE,
        tip="Lists what is one grade apart on the same side of every cut, to be confirmed together.",
    ),
    ActionSpec("queue-open", "Queue: open", ("Ctrl+1",), Group.CASE, _SETTLE),
    ActionSpec("queue-consensus", "Queue: needs a consensus", ("Ctrl+2",), Group.CASE, _SETTLE),
    ActionSpec("queue-settled", "Queue: settled", ("Ctrl+3",), Group.CASE, _SETTLE),
    ActionSpec("queue-mine", "Queue: settled by me", ("Ctrl+4",), Group.CASE, _SETTLE),
    ActionSpec("queue-all", "Queue: all", ("Ctrl+5",), Group.CASE, _SETTLE),
    ActionSpec("queue-feature", "Queue: next feature", ("Ctrl+T",), Group.CASE, _SETTLE),
    ActionSpec("queue-gravity", "Queue: next distance", ("Ctrl+G",), Group.CASE, _SETTLE),
    ActionSpec("queue-case", "Queue: find a case", ("Ctrl+F",), Group.CASE, _SETTLE),
    ActionSpec("marks-show", "Show the readers' boxes", ("K",), Group.CASE, _SETTLE, checkable=True),
    ActionSpec("lengths-show", "Show the readers' lengths", ("L",), Group.CASE, _SETTLE, checkable=True),
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
    ActionSpec("pregrade-show", "Show pre-grade", ("G",), Group.AI, _FILMS, "pregrade", checkable=True),
    ActionSpec("heatmap-show", "Show heatmap", ("H",), Group.AI, _FILMS, "heatmap", checkable=True),
    ActionSpec("heatmap-weaker", "Heatmap weaker", ("[", ","), Group.AI, _FILMS),
    ActionSpec("heatmap-stronger", "Heatmap stronger", ("]", "."), Group.AI, _FILMS),
    ActionSpec("box-show", "Show boxes", ("B",), Group.AI, _FILMS, "box", checkable=True),
    # Image
    ActionSpec("fit-film", "Fit the whole film", ("F",), Group.IMAGE, _VIEWS, "fit-film"),
    ActionSpec("fit-joint", "Fit the current joint", ("J",), Group.IMAGE, _FILMS, "fit-joint"),
    ActionSpec("zoom-in", "Zoom in", ("+", "="), Group.IMAGE, _VIEWS, "zoom-in"),
    ActionSpec("zoom-out", "Zoom out", ("-",), Group.IMAGE, _VIEWS, "zoom-out"),
    ActionSpec(
        "window-next",
        "Next window",
        ("W",),
        Group.IMAGE,
        _VIEWS,
        "window",
        "Goes round the windows of the file and the automatic one.",
    ),
    ActionSpec("window-automatic", "Automatic window", ("Shift+W",), Group.IMAGE, _VIEWS),
    ActionSpec(
        "window-choose",
        "Choose a window …",
        ("V",),
        Group.IMAGE,
        _VIEWS,
        "window-choose",
        "Lists the windows and tables of the file by name.",
    ),
    ActionSpec("invert", "Invert black and white", ("I",), Group.IMAGE, _VIEWS, "invert", checkable=True),
    ActionSpec(
        "overlay-show",
        "Show the file's overlay",
        ("O",),
        Group.IMAGE,
        _VIEWS,
        "overlay",
        "What the file itself wants drawn upon the film.",
        checkable=True,
    ),
    ActionSpec(
        "measure",
        "Measure",
        ("M",),
        Group.IMAGE,
        _VIEWS,
        "measure",
        "Draw a line by a drag or by two clicks; the key again or Esc puts the ruler away.",
        checkable=True,
    ),
    ActionSpec(
        "measure-keep",
        "Keep the length",
        ("K",),
        Group.IMAGE,
        _READ,
        tip="Stores the ruler's line with the reading; several can lie upon a film.",
        writes=True,
    ),
    ActionSpec(
        "measure-remove",
        "Take a kept length away",
        ("Shift+K",),
        Group.IMAGE,
        _READ,
        tip="The one under the mouse, or else the one kept last on this film.",
        writes=True,
    ),
    ActionSpec(
        "reset",
        "Reset the view",
        ("R",),
        Group.IMAGE,
        _VIEWS,
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
    # The coordinator's list of films
    ActionSpec("film-next", "Next film", ("N", "Down"), Group.FILM, _LISTED, "next"),
    ActionSpec("film-previous", "Previous film", ("P", "Up"), Group.FILM, _LISTED, "previous"),
    ActionSpec(
        "film-checked",
        "Checked",
        ("C",),
        Group.FILM,
        _LISTED,
        "checked",
        "You have looked: no burned-in text is left in sight. Goes to the next film.",
        writes=True,
    ),
    ActionSpec("film-unchecked", "Take “checked” back", ("Shift+C",), Group.FILM, _LISTED, writes=True),
    ActionSpec(
        "box-out",
        "Box out",
        ("B",),
        Group.FILM,
        _LISTED,
        "box-out",
        "Draw rectangles over burned-in text; Enter blacks them out for everybody.",
        checkable=True,
    ),
    ActionSpec("part-remove", "Remove the marked part", ("Delete", "Backspace"), Group.FILM, _LISTED),
    ActionSpec(
        "calibrate",
        "Calibrate",
        ("K",),
        Group.FILM,
        _LISTED,
        "calibrate",
        "Draw a line across a marker of known size; Enter gives the film its millimetres.",
        checkable=True,
    ),
    ActionSpec(
        "calibration-forget", "Take the calibration back", ("Shift+K",), Group.FILM, _LISTED, writes=True
    ),
    ActionSpec(
        "polarity",
        "Polarity …",
        ("Y",),
        Group.FILM,
        _LISTED,
        "polarity",
        "Decides for everybody what is black and what is white, where the file says it wrongly.",
    ),
    ActionSpec("film-apply", "Apply", ("Enter", "Return"), Group.FILM, _LISTED, "accept", writes=True),
    ActionSpec("tool-end", "Put the tool away", ("Esc",), Group.FILM, _LISTED),
    ActionSpec(
        "films-to-check", "Only films to check", ("T",), Group.FILM, _LISTED, "worklist", checkable=True
    ),
    # Import
    ActionSpec("plan-right", "Right", ("R",), Group.FILM, _PLANNED, tip="Of the marked films.", writes=True),
    ActionSpec("plan-left", "Left", ("L",), Group.FILM, _PLANNED, tip="Of the marked films.", writes=True),
    ActionSpec("plan-both", "Both", ("B",), Group.FILM, _PLANNED, tip="Of the marked films.", writes=True),
    ActionSpec(
        "plan-unstated",
        "Not stated",
        ("U",),
        Group.FILM,
        _PLANNED,
        tip="Nobody can tell the side of the marked films.",
        writes=True,
    ),
    ActionSpec("plan-view", "View of the marked films …", ("V",), Group.FILM, _PLANNED),
    ActionSpec("plan-visit", "Visit of the marked films …", ("T",), Group.FILM, _PLANNED),
    ActionSpec(
        "plan-leave-out",
        "Leave out",
        ("X",),
        Group.FILM,
        _PLANNED,
        "exclude",
        "The marked films are not imported; again takes them in after all.",
        writes=True,
    ),
    ActionSpec(
        "plan-incomplete",
        "Only incomplete",
        ("O",),
        Group.FILM,
        _PLANNED,
        "worklist",
        "Films of which side, view or participant is not known.",
        checkable=True,
    ),
    ActionSpec(
        "plan-import",
        "Import the films",
        ("Ctrl+Return", "Ctrl+Enter"),
        Group.STUDY,
        _PLANNED,
        "import",
        writes=True,
    ),
    ActionSpec("plan-save", "Save table …", ("Ctrl+S",), Group.STUDY, _PLANNED, "export"),
    ActionSpec(
        "plan-forget", "Forget these films", ("Shift+Delete",), Group.STUDY, _PLANNED, "clear", writes=True
    ),
    # Study
    ActionSpec("study-new", "New study …", ("Ctrl+N",), Group.STUDY, (Place.START,), "new"),
    ActionSpec("study-open", "Open study …", ("Ctrl+O",), Group.STUDY, (Place.START,), "folder"),
    ActionSpec("case-open", "Open case", ("Enter", "Return"), Group.STUDY, (Place.WORKLIST,), "read"),
    ActionSpec(
        "display-seen", "I see all of it", ("Y",), Group.CASE, (Place.DISPLAY,), "locked", writes=True
    ),
    ActionSpec(
        "display-unseen", "I do not see all", ("N",), Group.CASE, (Place.DISPLAY,), "warning", writes=True
    ),
    ActionSpec("case-continue", "Continue reading", ("Ctrl+Return",), Group.STUDY, (Place.WORKLIST,), "next"),
    ActionSpec("import", "Import films …", ("Ctrl+I",), Group.STUDY, (Place.COORDINATOR,), "import"),
    ActionSpec("films", "Films …", ("Ctrl+F",), Group.STUDY, (Place.COORDINATOR,), "read"),
    ActionSpec("pregrade", "Pre-grade …", ("Ctrl+G",), Group.STUDY, (Place.COORDINATOR,), "pregrade"),
    ActionSpec("account-add", "Add account …", ("Ctrl+U",), Group.STUDY, (Place.COORDINATOR,), "account"),
    ActionSpec("design", "Reading design …", ("Ctrl+D",), Group.STUDY, (Place.COORDINATOR,), "design"),
    ActionSpec(
        "reopen",
        "Open a settled grade again …",
        ("Ctrl+R",),
        Group.STUDY,
        (Place.COORDINATOR,),
        tip="Lists what adjudicators settled, without grades; the marked one goes back to the queue.",
        writes=True,
    ),
    ActionSpec("quality", "Quality of the readers", ("Ctrl+Y",), Group.STUDY, (Place.COORDINATOR,), "chart"),
    ActionSpec("report", "Make report …", ("Ctrl+E",), Group.STUDY, (Place.COORDINATOR,), "chart"),
    ActionSpec(
        "refresh", "Refresh", ("F5",), Group.STUDY, (Place.WORKLIST, Place.ADJUDICATION, Place.COORDINATOR)
    ),
    ActionSpec(
        "session-lock", "Lock the window", ("Ctrl+Shift+L",), Group.STUDY, _ALL, "lock", "You stay logged in."
    ),
    ActionSpec("session-pin", "PIN for this session …", ("Ctrl+Shift+P",), Group.STUDY, _ALL),
    ActionSpec("log-out", "Log out", ("Ctrl+L",), Group.STUDY, _ALL, "log-out"),
    ActionSpec("study-close", "Close study", ("Ctrl+W",), Group.STUDY, _ALL, "close"),
    # App
    ActionSpec("keys", "Show all keys", ("?", "F1"), Group.APP, _ALL, "keys"),
    ActionSpec("full-screen", "Full screen", ("F11",), Group.APP, _ALL, checkable=True),
    ActionSpec("quit", "Quit", ("Ctrl+Q",), Group.APP, _ALL),
)
