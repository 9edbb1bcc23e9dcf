"""Look at a folder of radiographs before anything is imported: what they say, and what they leave open."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from reader_app.errors import StudyError
from reader_app.interop.deidentify import DatePolicy
from reader_app.operations.importing.door import is_day, looks_like_a_date, no_date, order_of
from reader_app.operations.importing.film_plan import SIDE, SIDE_CODES, VIEW, FilmPlan, plan_of
from reader_app.operations.importing.look_at_folder import look_at
from reader_app.operations.importing.planning import VISIT
from reader_app.operations.importing.preview_table import write_preview_table
from reader_app.operations.progress import Report, never, silent
from reader_app.operations.study import Study
from reader_app.store import import_files
from reader_app.store.import_records import FileState, KnownFile, PlanCounts
from reader_app.store.records import Actor

_PAGE = 500
_LONGEST_WORD = 64


@dataclass(frozen=True)
class ImportPlan:
    """What there is to be imported.

    Attributes
    ----------
    planned
        Films that wait to be imported, those of earlier looks included.
    known
        Files of this folder that were settled already.
    refused
        Files of this folder that cannot be imported; `operations.status.import_faults` has the reasons.
    incomplete
        Of those planned, how many leave something open.
    notes
        Sentences for the coordinator.
    """

    planned: int
    known: int
    refused: int
    incomplete: int
    notes: tuple[str, ...]


@dataclass(frozen=True)
class PlannedFilm:
    """One film that waits to be imported, as the coordinator sees it.

    Attributes
    ----------
    participant
        The pseudonym.
    visit
        In the study's words: a shifted date, the number of the visit, or its name; empty where its place is
        not known until the whole folder was looked at.
    side
        "R", "L", "B", or empty where nobody says.
    missing
        What is left open: "participant", "side", "view".
    left_out
        Whether the coordinator leaves it out.
    """

    id: int
    path: Path
    participant: str
    visit: str
    view: str
    body_part: str
    side: str
    rows: int
    columns: int
    missing: tuple[str, ...]
    left_out: bool
    notes: tuple[str, ...]


def plan_import(
    study: Study,
    actor: Actor,
    folder: Path,
    *,
    manifest: Path | None = None,
    key_file: Path | None = None,
    progress: Report = silent,
    cancelled: Callable[[], bool] = never,
) -> ImportPlan:
    """Look at the headers of a folder, or of the images that a manifest names, and plan their import.

    What was found is kept chunk by chunk: after a kill or a stop the same call goes on where it was. A file
    that has not changed since it was last looked at is not opened again.

    Parameters
    ----------
    key_file
        Where to append which participant got which pseudonym; without it nobody keeps that.
    cancelled
        Asked between chunks.

    Raises
    ------
    ManifestError
        If the manifest is wrong; nothing is planned then.
    StudyError
        If the folder does not exist or holds no image.
    """
    tally = look_at(
        study,
        actor,
        folder,
        manifest=manifest,
        key_file=key_file,
        progress=progress,
        cancelled=cancelled,
    ).tally
    counts = import_files.plan_counts(study.database, actor)
    return ImportPlan(
        planned=counts.planned,
        known=tally.known,
        refused=len(tally.faults),
        incomplete=counts.incomplete,
        notes=tally.sentences,
    )


def planned_films(
    study: Study, actor: Actor, *, offset: int = 0, limit: int = _PAGE, incomplete_only: bool = False
) -> tuple[PlannedFilm, ...]:
    """Return films that wait to be imported or are left out of it, in the order in which they were seen.

    Raises
    ------
    NotAllowed
        If the acting account is neither coordinator nor auditor.
    """
    waiting = import_files.waiting_files(
        study.database, actor, offset=offset, limit=limit, incomplete_only=incomplete_only
    )
    return tuple(_planned(file, plan_of(file.plan, file.path)) for file in waiting)


def planned_by_id(study: Study, actor: Actor, ids: Sequence[int]) -> tuple[PlannedFilm, ...]:
    """Return those of some films that still wait to be imported or are left out of it; raises like above."""
    waiting = import_files.waiting_by_id(study.database, actor, ids)
    return tuple(_planned(file, plan_of(file.plan, file.path)) for file in waiting)


def planned_counts(study: Study, actor: Actor) -> PlanCounts:
    """Count the films that wait to be imported, those of earlier sessions included; raises like above."""
    return import_files.plan_counts(study.database, actor)


def correct_planned(
    study: Study,
    actor: Actor,
    ids: Sequence[int],
    *,
    side: str | None = None,
    view: str | None = None,
    visit: str | None = None,
    left_out: bool | None = None,
) -> None:
    """Correct films that wait to be imported; None leaves a thing as it is, and so is what waits no longer.

    Parameters
    ----------
    side
        "R", "L", "B", or empty where nobody can tell.
    visit
        A name, or where the study holds dates of its own a visit that the participant has.

    Raises
    ------
    StudyError
        If a value cannot be, or a visit is a date that the study may not hold.
    NotAllowed
        If the acting account is no coordinator.
    """
    given = {SIDE: side, VIEW: view, VISIT: visit}
    changed = {name: " ".join(value.split()) for name, value in given.items() if value is not None}
    if changed.get(SIDE, "") not in ("", *SIDE_CODES):
        raise StudyError(f"The side “{side}” is none of R, L, B.", "Choose one of them, or none.")
    for name, value in changed.items():
        if len(value) > _LONGEST_WORD:
            raise StudyError(f"The {name} has more than {_LONGEST_WORD} characters.", "Shorten it.")
    if changed.get(VISIT) == "":
        raise StudyError("A visit needs a name.", "Give it one.")
    waiting = import_files.waiting_by_id(study.database, actor, ids)
    plans = {file.id: plan_of(file.plan, file.path) for file in waiting}
    if VISIT in changed:
        _check_visit(study, actor, changed[VISIT], plans.values())
    state = None if left_out is None else (FileState.LEFT_OUT if left_out else FileState.PLANNED)
    import_files.change_plans(
        study.database,
        actor,
        {file_id: _corrected(plan, changed).to_json() for file_id, plan in plans.items()},
        what={**changed, **({} if left_out is None else {"left_out": left_out})},
        state=state,
    )


def forget_plan(study: Study, actor: Actor) -> int:
    """Drop what is planned and not imported; return how many films that were.

    Raises
    ------
    NotAllowed
        If the acting account is no coordinator.
    """
    return import_files.forget_waiting(study.database, actor)


def write_preview(study: Study, actor: Actor, path: Path) -> int:
    """Write all films that wait to be imported into a CSV table that can be corrected and given as manifest.

    Returns
    -------
    int
        How many films there were.

    Raises
    ------
    ManifestError
        If the table cannot be written.
    NotAllowed
        If the acting account is neither coordinator nor auditor.
    """
    return write_preview_table(study, actor, path.expanduser())


def _planned(file: KnownFile, plan: FilmPlan) -> PlannedFilm:
    return PlannedFilm(
        id=file.id,
        path=Path(file.path),
        participant=plan.participant,
        visit=plan.visit,
        view=plan.view,
        body_part=plan.body_part,
        side=plan.side,
        rows=plan.rows,
        columns=plan.columns,
        missing=plan.missing,
        left_out=file.state is FileState.LEFT_OUT,
        notes=plan.notes,
    )


def _corrected(plan: FilmPlan, changed: dict[str, str]) -> FilmPlan:
    values: dict[str, str] = {name: value for name, value in changed.items() if name != VISIT}
    by_hand = tuple(dict.fromkeys((*plan.by_hand, *changed)))
    corrected = replace(plan, **values, by_hand=by_hand)  # type: ignore[arg-type]
    if VISIT in changed:
        visit = changed[VISIT]
        corrected = replace(corrected, visit=visit, visit_order=order_of(visit))
    return corrected.with_what_is_missing()


def _check_visit(study: Study, actor: Actor, visit: str, plans: Iterable[FilmPlan]) -> None:
    """Refuse a date that is not one of the study's own for each participant concerned."""
    if study.config.dates is DatePolicy.KEPT or not looks_like_a_date(visit):
        return
    people = {plan.participant for plan in plans}
    has = {
        plan.participant
        for file in import_files.waiting_of(study.database, actor, tuple(people))
        if (plan := plan_of(file.plan, file.path)).visit == visit
    }
    has |= {
        place.participant
        for place in import_files.visits_of(study.database, actor, tuple(people))
        if place.visit == visit
    }
    if not is_day(visit) or study.config.dates is DatePolicy.DROPPED or people - has:
        raise no_date(visit)
