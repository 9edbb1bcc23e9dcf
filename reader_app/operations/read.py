"""Reading: the worklist, one open case, each keystroke durable before it is shown."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from reader_app.errors import NotQualified
from reader_app.imaging.pyramid import Pyramid
from reader_app.imaging.radiograph import Radiograph
from reader_app.operations.calibration import CalibrationOutcome, after_lock, judge_if_due
from reader_app.operations.case_pregrades import CasePregrades, pregrades_of_case
from reader_app.operations.film import load_film, load_pyramid
from reader_app.operations.heatmaps import read_heatmap
from reader_app.operations.sign import signing_details
from reader_app.operations.study import Study
from reader_app.reading.case import Case, GradeKey
from reader_app.reading.change import Change
from reader_app.reading.commands import Command
from reader_app.reading.mirror import CaseMirror, mirrored_radiograph, snapped_command
from reader_app.reading.pregrade import Heatmap, PreGrade
from reader_app.reading.session import ReadingSession
from reader_app.reading.worklist import (
    WORKLIST_PAGE,
    Progress,
    ReadingState,
    Upcoming,
    WorklistEntry,
    WorklistView,
)
from reader_app.settings import software_version
from reader_app.store import ahead, pregrades, readings, worklists
from reader_app.store.ahead import FilmAhead
from reader_app.store.records import Actor, OpenReading
from reader_app.store.signatures import SigningDetails

NOTHING = Change("nothing")
"""What `commit` returns when the command changes nothing."""


@dataclass(frozen=True)
class OpenCase:
    """A case on a reader's screen, as it is shown: of a mirrored one, sides and places are those in sight.

    Attributes
    ----------
    pregrades
        By what they grade; empty where nothing of the AI may be or can be shown.
    pregrade_note
        Why there is no pre-grade, in words; empty where there is one for every joint.
    mirror
        Turns what the reader does into what is stored, and back; None where the films hang as they are.
    silent
        Why there is no pre-grade, by what it would grade.
    askable
        Whether some joint has no pre-grade yet and the reader may have it made now.
    """

    reading: OpenReading
    session: ReadingSession
    pregrades: Mapping[GradeKey, PreGrade]
    pregrade_note: str
    mirror: CaseMirror | None = None
    silent: Mapping[GradeKey, str] = field(default_factory=dict)
    askable: bool = False

    @property
    def case(self) -> Case:
        """The films and joints."""
        return self.reading.case

    @property
    def locked(self) -> bool:
        """Whether it can only be looked at."""
        return self.session.locked


@dataclass(frozen=True)
class Locked:
    """What follows the lock of a reading.

    Attributes
    ----------
    revealed
        Whether the same case is now to be read again, with the AI in sight.
    calibration
        What the reader is shown of a calibration case; None of any other.
    """

    revealed: bool
    calibration: CalibrationOutcome | None = None


def worklist(study: Study, actor: Actor) -> tuple[WorklistEntry, ...]:
    """Return the acting reader's cases in their order."""
    return readings.worklist(study.database, actor)


def progress(study: Study, actor: Actor) -> Progress:
    """Return how much of the acting reader's worklist is done."""
    return readings.worklist_progress(study.database, actor)


def entry_at(study: Study, actor: Actor, place: int) -> WorklistEntry | None:
    """Return what stands at a place of the acting reader's worklist now, None beyond its ends."""
    return worklists.entry_at(study.database, actor, place)


def next_case(study: Study, actor: Actor, *, after_place: int = 0) -> Upcoming:
    """Return where the acting reader goes on: the next case that is not locked and can be opened."""
    return worklists.next_case(study.database, actor, after_place=after_place)


def next_cases(study: Study, actor: Actor, *, after_place: int, limit: int) -> tuple[WorklistEntry, ...]:
    """Return the next cases that are not locked and can be opened, going round once."""
    return worklists.next_cases(study.database, actor, after_place=after_place, limit=limit)


def worklist_view(
    study: Study, actor: Actor, *, states: Collection[ReadingState], last_place: int
) -> WorklistView:
    """Return what a screen needs to show the acting reader's worklist, without fetching all of it.

    Parameters
    ----------
    states
        Only cases in these states are listed.
    last_place
        The place that was read last, 0 for none; the mark goes on from there.
    """
    done = progress(study, actor)
    upcoming = next_case(study, actor, after_place=last_place)
    marked = upcoming.entry.place if upcoming.entry is not None else max(last_place, 1)
    row = worklists.rows_before(study.database, actor, marked, states=states)
    first = max(row - WORKLIST_PAGE // 2, 0) // WORKLIST_PAGE * WORKLIST_PAGE
    rows = worklists.page(study.database, actor, states=states, first=first, limit=2 * WORKLIST_PAGE)
    counts = {
        ReadingState.LOCKED: done.locked,
        ReadingState.OPEN: done.open,
        ReadingState.WAITING: done.waiting,
    }
    listed = sum(counts[state] for state in states)
    return WorklistView(done, upcoming, listed, min(row, max(listed - 1, 0)), first, rows)


def worklist_page(
    study: Study, actor: Actor, *, states: Collection[ReadingState], first: int
) -> tuple[WorklistEntry, ...]:
    """Return the `WORKLIST_PAGE` rows of the acting reader's worklist from a row on, 0 for the first."""
    return worklists.page(study.database, actor, states=states, first=first, limit=WORKLIST_PAGE)


def open_case(study: Study, actor: Actor, assignment_id: int) -> OpenCase:
    """Open a case of the acting reader; the first time begins the reading.

    Raises
    ------
    NotAllowed
        If the case is not on this reader's worklist.
    NotYet
        If it opens later.
    NotQualified
        If the calibration set stands before it.
    """
    try:
        reading = _open_reading(study, actor, assignment_id)
    except NotQualified as fault:
        # The program may have ended between the lock of the last calibration case and its judgement.
        if not fault.judgement_due or judge_if_due(study, actor) is None:
            raise
        reading = _open_reading(study, actor, assignment_id)
    mirror = CaseMirror(reading.case) if reading.mirrored else None
    said = pregrades_of_case(study, actor, reading)
    if mirror is not None:
        reading = replace(
            reading,
            case=mirror.case(reading.case),
            content=mirror.content(reading.content),
            first=mirror.content(reading.first) if reading.first is not None else None,
        )
    session = ReadingSession(study.protocol, reading.case, reading.content)
    return _with(OpenCase(reading, session, {}, "", mirror), said)


def pregrades_again(study: Study, actor: Actor, open_case: OpenCase) -> OpenCase:
    """Return an open case with the pre-grades as they are now; what the reader did stays."""
    return _with(open_case, pregrades_of_case(study, actor, open_case.reading))


def commit(
    study: Study,
    actor: Actor,
    open_case: OpenCase,
    wanted: Command | Literal["undo", "redo"],
    *,
    pregrade_in_sight: bool,
    in_sight_seconds: float = 0.0,
) -> Change:
    """Carry out a command: planned by the rules, durable in the store, then taken over.

    Parameters
    ----------
    pregrade_in_sight
        Whether the reader could see a pre-grade of the joint.
    in_sight_seconds
        For how long a pre-grade had been in sight in this reading.

    Returns
    -------
    Change
        What changed; the empty `NOTHING` where the command changes nothing.

    Raises
    ------
    GradeError
        If the protocol or the reading's state does not admit it.
    StudyError
        If it could not be stored; then the session is as it was.
    """
    session, mirror = open_case.session, open_case.mirror
    if wanted == "undo":
        change = session.plan_undo()
    elif wanted == "redo":
        change = session.plan_redo()
    else:
        change = session.plan(snapped_command(wanted) if mirror is not None else wanted)
    if change is None or change.empty:
        return NOTHING
    readings.commit_change(
        study.database,
        actor,
        open_case.reading.reading_id,
        mirror.change(change) if mirror is not None else change,
        pregrade_in_sight=pregrade_in_sight,
        in_sight_seconds=in_sight_seconds,
    )
    session.apply(change)
    return change


def lock(
    study: Study,
    actor: Actor,
    open_case: OpenCase,
    *,
    active_seconds: float,
    in_sight_seconds: float = 0.0,
    signing: SigningDetails | None = None,
) -> Locked:
    """Sign a reading, after which it cannot change.

    Parameters
    ----------
    active_seconds, in_sight_seconds
        Reading time, and time with a pre-grade in sight, since `add_active_time` was told last.
    signing
        From `sign.signing_details`; None states the design's meaning, without a password.

    Raises
    ------
    GradeError
        If something is neither graded nor excluded.
    PasswordNeeded
        If the design asks for the password and it was not typed.
    """
    open_case.session.check_lockable()
    readings.lock_reading(
        study.database,
        actor,
        open_case.reading.reading_id,
        active_seconds=active_seconds,
        in_sight_seconds=in_sight_seconds,
        signing=signing or signing_details(study),
    )
    open_case.session.mark_locked()
    return Locked(
        revealed=open_case.reading.ai_follows,
        calibration=after_lock(study, actor, open_case.reading.reading_id),
    )


def add_active_time(
    study: Study, actor: Actor, open_case: OpenCase, seconds: float, *, in_sight_seconds: float = 0.0
) -> None:
    """Record active reading time of a case that is left unlocked, and how long a pre-grade was in sight."""
    if seconds > 0 and not open_case.locked:
        readings.add_active_time(
            study.database,
            actor,
            open_case.reading.reading_id,
            seconds,
            in_sight_seconds=in_sight_seconds,
        )


def films_ahead(study: Study, actor: Actor, assignment_ids: Sequence[int]) -> tuple[FilmAhead, ...]:
    """Return the films that the reader's own cases will show, without beginning a reading."""
    return ahead.films_ahead(study.database, actor, assignment_ids)


def film(study: Study, actor: Actor, radiograph_id: int, *, mirrored: bool = False) -> Radiograph:
    """Return the pixels of a film on the acting reader's worklist; may be called from any thread.

    Raises
    ------
    ImageError
        If it vanished, cannot be read or has changed since the import.
    """
    found = load_film(study, readings.film_source(study.database, actor, radiograph_id))
    return mirrored_radiograph(found) if mirrored else found


def pyramid(study: Study, actor: Actor, radiograph_id: int, *, mirrored: bool = False) -> Pyramid:
    """Return the same film, ready for the screen; raises like `film`."""
    source = readings.film_source(study.database, actor, radiograph_id)
    if mirrored:
        return Pyramid(mirrored_radiograph(load_film(study, source)))
    return load_pyramid(study, source)


def heatmap(study: Study, actor: Actor, open_case: OpenCase, key: GradeKey) -> Heatmap | None:
    """Return where the networks looked for one grade; None where there is no map or no right to it."""
    pregrade = open_case.pregrades.get(key)
    if pregrade is None:
        return None
    relative = pregrades.heatmap_file(
        study.database,
        actor,
        open_case.reading.reading_id,
        key.joint_id,
        pregrade.provenance.bundle_sha256,
    )
    found = read_heatmap(study.folder, relative, key.item) if relative else None
    if found is None or open_case.mirror is None:
        return found
    return open_case.mirror.heatmap(key.joint_id, found)


def _open_reading(study: Study, actor: Actor, assignment_id: int) -> OpenReading:
    return readings.open_reading(
        study.database,
        actor,
        assignment_id,
        protocol_sha256=study.protocol.sha256,
        design_sha256=study.design.sha256,
        software=software_version(),
    )


def _with(open_case: OpenCase, said: CasePregrades) -> OpenCase:
    mirror = open_case.mirror
    found = dict(said.found)
    if mirror is not None:
        found = {key: mirror.pregrade(pregrade) for key, pregrade in found.items()}
    return replace(
        open_case, pregrades=found, pregrade_note=said.note, silent=said.silent, askable=said.askable
    )
