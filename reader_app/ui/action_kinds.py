"""What a row of the table of actions says: an id, keys, and where they are valid."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Place(StrEnum):
    """Where an action is valid."""

    EVERYWHERE = "everywhere"
    START = "start"
    WORKLIST = "worklist"
    READING = "reading"
    QUALITY = "quality"
    """Films that another reader could not grade."""
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
