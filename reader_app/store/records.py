"""What goes into the store and what comes out: plain frozen values, no SQLAlchemy."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from reader_app.imaging.correction import FilmCorrection
from reader_app.imaging.geometry import Box
from reader_app.protocols.model import Arm, Item
from reader_app.reading.case import Case, JointSide
from reader_app.reading.design import ReadingDesign
from reader_app.reading.session import ReadingContent
from reader_app.store.adjudication_records import Disagreement as Disagreement
from reader_app.store.adjudication_records import ItemPlace as ItemPlace
from reader_app.store.adjudication_records import ReaderMarks as ReaderMarks
from reader_app.store.adjudication_records import Rules as Rules
from reader_app.store.adjudication_records import Settled as Settled
from reader_app.store.adjudication_records import SettledPlace as SettledPlace
from reader_app.store.journal_records import ChainReport as ChainReport
from reader_app.store.journal_records import JournalEntry as JournalEntry
from reader_app.store.journal_records import ReplayReport as ReplayReport
from reader_app.store.result_records import JointPlace as JointPlace
from reader_app.store.result_records import ReadingExclusion as ReadingExclusion
from reader_app.store.result_records import ReadingGrade as ReadingGrade
from reader_app.store.result_records import ReadingTime as ReadingTime
from reader_app.store.result_records import ReferenceRecord as ReferenceRecord

# Accounts ---------------------------------------------------------------------------------------


class Role(StrEnum):
    """What an account may do."""

    COORDINATOR = "coordinator"
    READER = "reader"
    ADJUDICATOR = "adjudicator"
    AUDITOR = "auditor"
    """Sees everything, changes nothing."""


@dataclass(frozen=True)
class Actor:
    """Who is acting: what `accounts.log_in` hands out and every other function asks for."""

    account_id: int
    name: str
    role: Role


@dataclass(frozen=True)
class Account:
    """One account, without its password hash.

    Attributes
    ----------
    locked_until
        UTC, ISO 8601; None if the account is not locked.
    """

    id: int
    name: str
    role: Role
    active: bool
    locked_until: str | None


# Radiographs ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ReferenceGrade:
    """A grade that came with the radiograph, such as a published reading."""

    side: JointSide
    item: Item
    code: int
    source: str


@dataclass(frozen=True)
class NewRadiograph:
    """A radiograph as the import found it.

    Attributes
    ----------
    participant
        The pseudonym in this study, not the identifier of the source.
    visit, visit_order
        What the visit is called and where it stands in time, 0 for the first.
    sides
        The joints that can be graded on it.
    study_date
        ISO 8601 date; None where it is unknown or dropped.
    source_sha256
        Of the file as it came to the door; empty where that is the file itself.
    burned_in
        Whether the file says that text is burned in; None where it does not say.
    """

    path: str
    file_sha256: str
    pixel_sha256: str
    participant: str
    visit: str
    visit_order: int
    rows: int
    columns: int
    laterality: str
    view: str
    format: str
    spacing_row_mm: float | None
    spacing_column_mm: float | None
    spacing_kind: str
    spacing_reason: str
    phantom: bool
    sex: str | None = None
    age: float | None = None
    weight_kg: float | None = None
    study_date: str | None = None
    sides: tuple[JointSide, ...] = ()
    references: tuple[ReferenceGrade, ...] = ()
    notes: tuple[str, ...] = ()
    source_sha256: str = ""
    body_part: str = ""
    burned_in: bool | None = None


@dataclass(frozen=True)
class FilmSource:
    """Where the file of a film lies, its SHA-256, and what the study corrects on it."""

    path: str
    file_sha256: str
    correction: FilmCorrection


@dataclass(frozen=True)
class AddedCount:
    """How many radiographs were new and how many the study had already."""

    added: int
    known: int


@dataclass(frozen=True)
class RadiographRecord:
    """A radiograph as the coordinator knows it."""

    id: int
    path: str
    file_sha256: str
    pixel_sha256: str
    participant: str
    visit: str
    rows: int
    columns: int
    spacing_row_mm: float | None
    spacing_column_mm: float | None
    spacing_kind: str
    phantom: bool


@dataclass(frozen=True)
class ParticipantRecord:
    """One participant under their pseudonym, and what the study has of them."""

    pseudonym: str
    visits: tuple[str, ...]
    radiographs: int
    joints: int


@dataclass(frozen=True)
class KnownFilm:
    """Where the study has a film, and the SHA-256 of its file there."""

    id: int
    path: str
    file_sha256: str


@dataclass(frozen=True)
class DesignRecord:
    """A reading design that was in force from a time on, why it was chosen, and who chose it."""

    sha256: str
    design: ReadingDesign
    reason: str
    at: str
    who: str


@dataclass(frozen=True)
class ImportFault:
    """A file that could not be imported, why and when."""

    path: str
    reason: str
    at: str


# Reading ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class OpenReading:
    """One reading as its reader opens it.

    Attributes
    ----------
    case
        Films without participant or file name; visits only where the presentation tells them, boxes
        that the AI found only where the arm shows the AI.
    arm
        What of the AI this reading shows, `Arm.UNAIDED` or `Arm.AIDED`; a case that is read unaided
        and then aided is two readings.
    place
        Of the case on this reader's worklist, 1 for the first.
    mirrored
        Whether the films are shown mirrored. The case itself is as stored; `reading.mirror` turns it.
    block, blocks
        Which block of the design the case belongs to, and of how many; 0 where there are none.
    second_period
        Whether it is read in the second half of a crossover.
    first
        What the locked reading without AI holds, where this is the one that follows it with AI.
    ai_follows
        Whether the same case is read again with AI once this reading is locked.
    in_sight_seconds
        How long a pre-grade has been in sight in this reading so far.
    """

    reading_id: int
    assignment_id: int
    case: Case
    content: ReadingContent
    arm: Arm
    place: int
    title: str
    mirrored: bool = False
    block: int = 0
    blocks: int = 0
    second_period: bool = False
    first: ReadingContent | None = None
    ai_follows: bool = False
    in_sight_seconds: float = 0.0


@dataclass(frozen=True)
class ReaderProgress:
    """How far a reader is, as the coordinator sees it."""

    account_id: int
    name: str
    locked: int
    open: int
    total: int


@dataclass(frozen=True)
class BundleUse:
    """A bundle that pre-graded in this study, and how many joints it has done."""

    bundle_id: str
    bundle_version: str
    bundle_sha256: str
    joints: int


@dataclass(frozen=True)
class StudyCounts:
    """How far a study is."""

    participants: int
    radiographs: int
    joints: int
    faults: int
    cases: int
    readers: tuple[ReaderProgress, ...]
    pregraded: tuple[BundleUse, ...]
    adjudicated: int


# Pre-grades -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class PendingJoint:
    """A joint that a bundle has not pre-graded yet; `pixel_sha256` as `Provenance` means it."""

    joint_id: int
    radiograph_id: int
    source: FilmSource
    pixel_sha256: str
    side: JointSide
    box: Box | None
    laterality: str
    view: str = ""
