"""What a coordinator corrects on films as a whole: millimetres by a marker, polarity, box-outs, text checked.

The tables hold what holds now, the journal how it came about; `film_replay` proves that they agree.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, delete, exists, func, insert, select, update

from reader_app.errors import StudyError
from reader_app.imaging.geometry import Box
from reader_app.store.access import require
from reader_app.store.boxes import box_values
from reader_app.store.database import Database
from reader_app.store.film_records import BlankedCopy, CorrectionEffect, MarkerCalibration
from reader_app.store.film_sources import film_sources
from reader_app.store.films import batches
from reader_app.store.journal import FILM, append
from reader_app.store.records import Actor, FilmSource, Role
from reader_app.store.rows import AnyRow
from reader_app.store.tables import (
    assignment,
    box_out,
    case_film,
    film_correction,
    radiograph,
    reading,
)
from reader_app.store.withdrawing import withdraw_pregrades

CALIBRATE, POLARITY, BOX_OUT = f"{FILM}calibrate", f"{FILM}polarity", f"{FILM}box_out"
TEXT_CHECKED, COPY_REMOVED = f"{FILM}text_checked", f"{FILM}copy_removed"

CHECKED_AT_ONCE = 1000
"""Films in one journal entry of a bulk check."""

CALIBRATION = ("row_mm", "column_mm", "marker_mm", "marker_px")
"""The columns that keep a calibration, as the journal tells them."""


def film_source(database: Database, actor: Actor, radiograph_id: int) -> FilmSource:
    """Return where a film's file lies and what is corrected on it.

    Raises
    ------
    StudyError
        If the study has no such film.
    """
    with database.reading() as connection:
        require(connection, actor, Role.COORDINATOR, Role.AUDITOR)
        return _source(connection, radiograph_id)


def save_calibration(
    database: Database, actor: Actor, radiograph_id: int, calibration: MarkerCalibration | None
) -> CorrectionEffect:
    """Store millimetres by a marker; None gives the film its own back.

    Raises
    ------
    NotAllowed
        Unless the actor is a coordinator.
    StudyError
        If the study has no such film.
    """
    after = None if calibration is None else [getattr(calibration, name) for name in CALIBRATION]
    with database.writing() as connection:
        require(connection, actor, Role.COORDINATOR)
        row = _correction(connection, radiograph_id)
        before = None if row.row_mm is None else [getattr(row, name) for name in CALIBRATION]
        if before == after:
            return CorrectionEffect(changed=False)
        values = dict(zip(CALIBRATION, after or [None] * len(CALIBRATION), strict=True))
        _store(connection, radiograph_id, values)
        payload = {"radiograph": radiograph_id, "before": before, "after": after}
        append(connection, actor, CALIBRATE, payload=payload, at=database.now())
        return CorrectionEffect(changed=True, locked_readings=_locked_readings(connection, radiograph_id))


def save_polarity(
    database: Database, actor: Actor, radiograph_id: int, inverse: bool | None
) -> CorrectionEffect:
    """Store a polarity in place of the file's; None gives the film its own back.

    Pre-grades of the film are withdrawn: the networks saw it the other way round.

    Raises
    ------
    NotAllowed
        Unless the actor is a coordinator.
    StudyError
        If the study has no such film.
    """
    with database.writing() as connection:
        require(connection, actor, Role.COORDINATOR)
        before = _correction(connection, radiograph_id).inverse_polarity
        if before is inverse:
            return CorrectionEffect(changed=False)
        _store(connection, radiograph_id, {"inverse_polarity": inverse})
        at = database.now()
        payload = {"radiograph": radiograph_id, "before": before, "after": inverse}
        append(connection, actor, POLARITY, payload=payload, at=at)
        return _effect(connection, actor, radiograph_id, at=at)


def save_box_outs(
    database: Database,
    actor: Actor,
    radiograph_id: int,
    boxes: Sequence[Box],
    copy: BlankedCopy | None = None,
) -> CorrectionEffect:
    """Store which parts of a film are blacked out, instead of those before.

    Pre-grades of the film are withdrawn: they were made on other pixels.

    Parameters
    ----------
    copy
        The study's own copy in which they are blanked already. The film's file becomes that one in the
        same transaction; the one before it is remembered until `copy_removed` tells that it is gone.

    Raises
    ------
    NotAllowed
        Unless the actor is a coordinator.
    StudyError
        If the study has no such film, or its file was replaced meanwhile.
    """
    with database.writing() as connection:
        require(connection, actor, Role.COORDINATOR)
        source = _source(connection, radiograph_id)
        before, after = box_numbers(source.correction.box_outs), box_numbers(boxes)
        if before == after and copy is None:
            return CorrectionEffect(changed=False)
        connection.execute(delete(box_out).where(box_out.c.radiograph_id == radiograph_id))
        if boxes:
            rows = [{"radiograph_id": radiograph_id, **box_values(box)} for box in boxes]
            connection.execute(insert(box_out), rows)
        payload: dict[str, object] = {"radiograph": radiograph_id, "before": before, "after": after}
        if copy is not None:
            payload["file"] = _take_over(connection, radiograph_id, source, copy)
        at = database.now()
        append(connection, actor, BOX_OUT, payload=payload, at=at)
        return _effect(connection, actor, radiograph_id, at=at)


def save_text_checked(
    database: Database, actor: Actor, radiograph_ids: Sequence[int], *, checked: bool
) -> int:
    """Store that a human has looked at films, or that nobody has after all.

    Returns
    -------
    int
        For how many films that is new.

    Raises
    ------
    NotAllowed
        Unless the actor is a coordinator.
    StudyError
        If the study lacks one of the films; then nothing is stored. A fault on the way leaves the films
        before it noted; the same call again goes on.
    """
    wanted = sorted(set(radiograph_ids))
    with database.reading() as connection:
        require(connection, actor, Role.COORDINATOR)
        for some in batches(wanted, CHECKED_AT_ONCE):
            missing = set(some) - set(_checked(connection, some))
            if missing:
                raise _no_such_film(min(missing))
    fresh = 0
    # One transaction each, so that a reader's keystroke never waits for the whole of a large check.
    for some in batches(wanted, CHECKED_AT_ONCE):
        with database.writing() as connection:
            require(connection, actor, Role.COORDINATOR)
            fresh += _check(connection, actor, some, checked=checked, at=database.now())
    return fresh


def superseded_copies(database: Database, actor: Actor) -> dict[int, str]:
    """Return copies from before a box-out that are still to be removed: path by radiograph id.

    None of them is the file of any film: that holds whatever somebody wrote into the table.
    """
    in_use = exists().where(radiograph.c.path == film_correction.c.superseded_path)
    with database.reading() as connection:
        require(connection, actor, Role.COORDINATOR, Role.AUDITOR)
        rows = connection.execute(
            select(film_correction.c.radiograph_id, film_correction.c.superseded_path).where(
                film_correction.c.superseded_path.is_not(None), ~in_use
            )
        ).all()
    return {row.radiograph_id: row.superseded_path for row in rows}


def copy_removed(database: Database, actor: Actor, radiograph_id: int) -> None:
    """Take note that the copy from before a box-out is gone from the disk.

    Raises
    ------
    NotAllowed
        Unless the actor is a coordinator.
    """
    with database.writing() as connection:
        require(connection, actor, Role.COORDINATOR)
        done = connection.execute(
            update(film_correction)
            .where(
                film_correction.c.radiograph_id == radiograph_id,
                film_correction.c.superseded_path.is_not(None),
            )
            .values(superseded_path=None)
        )
        if done.rowcount:
            append(connection, actor, COPY_REMOVED, payload={"radiograph": radiograph_id}, at=database.now())


def box_numbers(boxes: Sequence[Box]) -> list[list[float]]:
    """Return boxes as the journal tells them: x, y, width, height."""
    # As the table gives them back: a box of whole numbers is the same before and after.
    return [[*map(float, (box.x, box.y, box.width, box.height))] for box in boxes]


def _no_such_film(radiograph_id: int) -> StudyError:
    return StudyError(f"The study has no film {radiograph_id}.", "Look it up in the list of films.")


def _source(connection: Connection, radiograph_id: int) -> FilmSource:
    source = film_sources(connection, [radiograph_id]).get(radiograph_id)
    if source is None:
        raise _no_such_film(radiograph_id)
    return source


def _correction(connection: Connection, radiograph_id: int) -> AnyRow:
    """Return a film's row of corrections, all None where it has none."""
    row = connection.execute(
        select(film_correction)
        .select_from(radiograph)
        .outerjoin(film_correction, film_correction.c.radiograph_id == radiograph.c.id)
        .where(radiograph.c.id == radiograph_id)
    ).one_or_none()
    if row is None:
        raise _no_such_film(radiograph_id)
    return row


def _store(connection: Connection, radiograph_id: int, values: dict[str, object]) -> None:
    done = connection.execute(
        update(film_correction).where(film_correction.c.radiograph_id == radiograph_id).values(values)
    )
    if not done.rowcount:
        row = {"text_checked": False, **values, "radiograph_id": radiograph_id}
        connection.execute(insert(film_correction).values(row))


def _check(
    connection: Connection, actor: Actor, radiograph_ids: Sequence[int], *, checked: bool, at: str
) -> int:
    known = _checked(connection, radiograph_ids)
    fresh = [id_ for id_ in radiograph_ids if known[id_] is not checked]
    if not fresh:
        return 0
    has_row = set(
        connection.execute(
            select(film_correction.c.radiograph_id).where(film_correction.c.radiograph_id.in_(fresh))
        ).scalars()
    )
    connection.execute(
        update(film_correction)
        .where(film_correction.c.radiograph_id.in_(has_row))
        .values(text_checked=checked)
    )
    new = [{"radiograph_id": id_, "text_checked": checked} for id_ in fresh if id_ not in has_row]
    if new:
        connection.execute(insert(film_correction), new)
    append(connection, actor, TEXT_CHECKED, payload={"radiographs": fresh, "after": checked}, at=at)
    return len(fresh)


def _checked(connection: Connection, radiograph_ids: Sequence[int]) -> dict[int, bool]:
    rows = connection.execute(
        select(radiograph.c.id, func.coalesce(film_correction.c.text_checked, False))
        .select_from(radiograph)
        .outerjoin(film_correction, film_correction.c.radiograph_id == radiograph.c.id)
        .where(radiograph.c.id.in_(radiograph_ids))
    )
    return {id_: bool(checked) for id_, checked in rows}


def _take_over(
    connection: Connection, radiograph_id: int, source: FilmSource, copy: BlankedCopy
) -> dict[str, str]:
    """Make a blanked copy the film's file; return both hashes for the journal."""
    if source.file_sha256 != copy.replaces_sha256:
        raise StudyError(
            "The film was changed elsewhere while it was boxed out; nothing was stored.",
            "Look at the film again, then box it out.",
        )
    taken = connection.execute(
        select(radiograph.c.id).where(
            radiograph.c.file_sha256 == copy.file_sha256, radiograph.c.id != radiograph_id
        )
    ).scalar_one_or_none()
    if taken is not None:
        raise StudyError(
            f"With these parts boxed out the film would be the same as film {taken}; nothing was stored.",
            "Leave something of the film in sight.",
        )
    connection.execute(
        update(radiograph)
        .where(radiograph.c.id == radiograph_id)
        .values(path=copy.path, file_sha256=copy.file_sha256, pixel_sha256=copy.pixel_sha256)
    )
    if copy.path != source.path:
        _store(connection, radiograph_id, {"superseded_path": source.path})
    return {"before": source.file_sha256, "after": copy.file_sha256}


def _effect(connection: Connection, actor: Actor, radiograph_id: int, *, at: str) -> CorrectionEffect:
    """Withdraw what the AI said of the film as it was, and count what readers signed on it."""
    withdrawn = withdraw_pregrades(connection, actor, radiograph_id, at=at)
    return CorrectionEffect(
        changed=True,
        locked_readings=_locked_readings(connection, radiograph_id),
        withdrawn_joints=withdrawn,
    )


def _locked_readings(connection: Connection, radiograph_id: int) -> int:
    return int(
        connection.execute(
            select(func.count())
            .select_from(reading)
            .join(assignment, assignment.c.id == reading.c.assignment_id)
            .join(case_film, case_film.c.case_id == assignment.c.case_id)
            .where(case_film.c.radiograph_id == radiograph_id, reading.c.locked_at.is_not(None))
        ).scalar_one()
    )
