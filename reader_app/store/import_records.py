"""What an import tells the store about files on disk, and what the store knows of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from reader_app.imaging.radiograph import FileStamp
from reader_app.store.records import NewRadiograph

UNSTAMPED = FileStamp(0, 0)
"""Of a file that the next import is to look at again, whatever it finds."""


class FileState(StrEnum):
    """What became of a file."""

    PLANNED = "planned"
    LEFT_OUT = "left out"
    IMPORTED = "imported"
    DUPLICATE = "duplicate"
    REFUSED = "refused"


@dataclass(frozen=True)
class LookedAt:
    """What looking at a file brought.

    Attributes
    ----------
    stamp
        Its size and time; a file that still has them need not be opened again.
    reason
        Why it was refused or left out; empty otherwise.
    plan
        What its header said and what was corrected, without identifiers; None where nothing waits.
    radiograph_id
        The radiograph that it holds, where that is known.
    """

    path: str
    stamp: FileStamp
    state: FileState
    reason: str = ""
    plan: Mapping[str, object] | None = field(default=None, hash=False)
    radiograph_id: int | None = None


@dataclass(frozen=True)
class KnownFile:
    """A file as the store knows it.

    Attributes
    ----------
    film_path
        Where the study has the radiograph that came from it; empty where none did.
    """

    id: int
    path: str
    stamp: FileStamp
    state: FileState
    reason: str
    plan: Mapping[str, object] | None = field(hash=False)
    radiograph_id: int | None
    film_path: str


@dataclass(frozen=True)
class ReadFile:
    """A planned file whose pixels were read, or why they could not be.

    Attributes
    ----------
    film
        The radiograph that it holds; None where `reason` says why there is none.
    blank
        All its pixels have one value, so that another file with the same pixels proves nothing.
    known_as
        The radiograph whose very file this is.
    remembered
        What is kept of the plan once the film is in the study.
    """

    file_id: int
    stamp: FileStamp
    film: NewRadiograph | None = None
    reason: str = ""
    blank: bool = False
    known_as: int | None = None
    remembered: Mapping[str, object] | None = field(default=None, hash=False)


@dataclass(frozen=True)
class FileOutcome:
    """What became of a file whose pixels were read.

    Attributes
    ----------
    added
        Whether the radiograph is new to the study.
    shared
        Whether it is a duplicate of a film of another participant.
    """

    file_id: int
    state: FileState
    reason: str
    radiograph_id: int | None
    added: bool = False
    shared: bool = False


@dataclass(frozen=True)
class PlanCounts:
    """How many films wait to be imported, how many of them lack something, how many are left out."""

    planned: int
    incomplete: int
    left_out: int


@dataclass(frozen=True)
class VisitPlace:
    """A visit of a participant of the study, and what is remembered of the plan of one of its films."""

    participant: str
    visit: str
    visit_order: int
    remembered: Mapping[str, object] | None = field(hash=False)
