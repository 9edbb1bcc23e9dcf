"""Radiographs, their participants and joints. For the coordinator."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

from sqlalchemy import Connection, func, insert, select, update

from reader_app.errors import StudyError
from reader_app.reading.case import JointSide
from reader_app.reading.ordering import FilmPlace
from reader_app.store.access import require
from reader_app.store.canonical import canonical
from reader_app.store.database import Database
from reader_app.store.facts import FILM_FACTS, film_facts_sha256
from reader_app.store.journal import append
from reader_app.store.records import (
    Actor,
    AddedCount,
    KnownFilm,
    NewRadiograph,
    ParticipantRecord,
    RadiographRecord,
    Role,
)
from reader_app.store.rows import AnyRow
from reader_app.store.tables import joint, participant, reference_grade
from reader_app.store.tables import radiograph as film_table

T = TypeVar("T")

# One transaction each: small enough that a reader's keystroke never waits long for an import.
BATCH = 250


def add_radiographs(database: Database, actor: Actor, films: Sequence[NewRadiograph]) -> AddedCount:
    """Add radiographs with their joints and reference grades; one that is there already is left as it is.

    A radiograph is known by the SHA-256 of the file that it came from. It goes batch by batch: what was
    added before a fault stays, and the same call again completes it.

    Raises
    ------
    NotAllowed
        Unless the actor is a coordinator.
    """
    added = 0
    for batch in batches(films, BATCH):
        with database.writing() as connection:
            require(connection, actor, Role.COORDINATOR)
            added += _add_batch(connection, actor, batch, at=database.now())
    return AddedCount(added=added, known=len(films) - added)


def move_radiographs(database: Database, actor: Actor, places: Mapping[str, str]) -> int:
    """Take note that films lie elsewhere now; the films are the same, by the SHA-256 of their files.

    Parameters
    ----------
    places
        The new path by the file's SHA-256.

    Returns
    -------
    int
        How many films the study holds of them.

    Raises
    ------
    NotAllowed
        Unless the actor is a coordinator.
    """
    moved: dict[str, str] = {}
    with database.writing() as connection:
        require(connection, actor, Role.COORDINATOR)
        for sha256, path in places.items():
            done = connection.execute(
                update(film_table).where(film_table.c.file_sha256 == sha256).values(path=path)
            )
            if done.rowcount:
                moved[sha256] = path
        if moved:
            payload = {"radiographs": sorted(moved)}
            append(connection, actor, "import.moved", payload=payload, at=database.now())
    return len(moved)


def by_source(database: Database, actor: Actor, hashes: Sequence[str]) -> dict[str, KnownFilm]:
    """Return the films that came from files with these SHA-256, by that."""
    found: dict[str, KnownFilm] = {}
    with database.reading() as connection:
        require(connection, actor, Role.COORDINATOR, Role.AUDITOR)
        for some in batches(hashes, BATCH):
            query = select(
                film_table.c.id, film_table.c.path, film_table.c.file_sha256, film_table.c.source_sha256
            )
            for row in connection.execute(query.where(film_table.c.source_sha256.in_(some))):
                found[row.source_sha256] = KnownFilm(row.id, row.path, row.file_sha256)
    return found


def restore_copy(
    database: Database, actor: Actor, radiograph_id: int, *, path: str, file_sha256: str, replaces: str
) -> bool:
    """Take note that the study's copy of a film was made anew from its source; the pixels are the same.

    Parameters
    ----------
    file_sha256, replaces
        Of the new copy and of the one that is gone.

    Returns
    -------
    bool
        Whether the film still had the copy that is gone.
    """
    with database.writing() as connection:
        require(connection, actor, Role.COORDINATOR)
        done = connection.execute(
            update(film_table)
            .where(film_table.c.id == radiograph_id, film_table.c.file_sha256 == replaces)
            .values(path=path, file_sha256=file_sha256)
        ).rowcount
        if done:
            payload = {"radiograph": radiograph_id, "file": {"before": replaces, "after": file_sha256}}
            append(connection, actor, "import.restored", payload=payload, at=database.now())
    return bool(done)


def is_empty(database: Database, actor: Actor) -> bool:
    """Whether the study has no radiograph yet."""
    with database.reading() as connection:
        require(connection, actor, Role.COORDINATOR, Role.AUDITOR)
        return connection.execute(select(film_table.c.id).limit(1)).first() is None


def film_places(database: Database, actor: Actor) -> tuple[FilmPlace, ...]:
    """Return where every radiograph stands: what building cases needs."""
    with database.reading() as connection:
        require(connection, actor, Role.COORDINATOR, Role.AUDITOR)
        rows = connection.execute(
            select(film_table.c.id, film_table.c.participant_id, film_table.c.visit_order).order_by(
                film_table.c.id
            )
        ).all()
    return tuple(FilmPlace(*row) for row in rows)


def radiograph_record(row: AnyRow) -> RadiographRecord:
    """Return a record from a row that has the record's names."""
    return RadiographRecord(**{name: getattr(row, name) for name in RadiographRecord.__dataclass_fields__})


def all_radiographs(database: Database, actor: Actor) -> tuple[RadiographRecord, ...]:
    """Return every radiograph, in the order of import."""
    with database.reading() as connection:
        require(connection, actor, Role.COORDINATOR, Role.AUDITOR)
        rows = connection.execute(_RECORDS.order_by(film_table.c.id)).all()
    return tuple(radiograph_record(row) for row in rows)


def radiograph(database: Database, actor: Actor, radiograph_id: int) -> RadiographRecord:
    """Return one radiograph.

    Raises
    ------
    StudyError
        If the study has no such radiograph.
    """
    with database.reading() as connection:
        require(connection, actor, Role.COORDINATOR, Role.AUDITOR)
        row = connection.execute(_RECORDS.where(film_table.c.id == radiograph_id)).one_or_none()
    if row is None:
        raise StudyError(
            f"The study has no radiograph {radiograph_id}.", "Look it up in the list of radiographs."
        )
    return radiograph_record(row)


def participant_table(database: Database, actor: Actor) -> tuple[ParticipantRecord, ...]:
    """Return the participants by pseudonym, with their visits in order."""
    query = (
        select(
            participant.c.pseudonym,
            film_table.c.id,
            film_table.c.visit,
            func.count(joint.c.id).label("joints"),
        )
        .join_from(participant, film_table)
        .outerjoin(joint)
        .group_by(participant.c.pseudonym, film_table.c.id, film_table.c.visit, film_table.c.visit_order)
        .order_by(participant.c.pseudonym, film_table.c.visit_order, film_table.c.id)
    )
    found: dict[str, tuple[dict[str, None], list[int]]] = {}
    with database.reading() as connection:
        require(connection, actor, Role.COORDINATOR, Role.AUDITOR)
        for row in connection.execute(query):
            visits, joints = found.setdefault(row.pseudonym, ({}, []))
            visits[row.visit] = None
            joints.append(row.joints)
    return tuple(
        ParticipantRecord(pseudonym, tuple(visits), radiographs=len(joints), joints=sum(joints))
        for pseudonym, (visits, joints) in found.items()
    )


def batches(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Cut a sequence into pieces of at most `size`."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


_RECORDS = select(
    film_table.c.id,
    film_table.c.path,
    film_table.c.file_sha256,
    film_table.c.pixel_sha256,
    participant.c.pseudonym.label("participant"),
    film_table.c.visit,
    film_table.c.rows,
    film_table.c.columns,
    film_table.c.spacing_row_mm,
    film_table.c.spacing_column_mm,
    film_table.c.spacing_kind,
    film_table.c.phantom,
).join_from(film_table, participant)


def source_of(film: NewRadiograph) -> str:
    """Return the SHA-256 of the file that a radiograph came from."""
    return film.source_sha256 or film.file_sha256


def insert_films(
    connection: Connection, actor: Actor, films: Sequence[NewRadiograph], *, at: str
) -> dict[str, int]:
    """Insert radiographs that are new to the study; return their numbers by the SHA-256 of their sources.

    Who may do so, the caller decides.
    """
    if not films:
        return {}
    participants = _participant_ids(connection, sorted({film.participant for film in films}))
    film_ids = connection.execute(
        insert(film_table).returning(film_table.c.id, sort_by_parameter_order=True),
        [_film_row(film, participant_id=participants[film.participant], at=at) for film in films],
    ).scalars()
    ids = dict(zip((source_of(film) for film in films), film_ids, strict=True))
    _add_joints(connection, films, ids)
    stored = {film.file_sha256: ids[source_of(film)] for film in films}
    payload = {
        "radiographs": stored,
        "pixels": {str(ids[source_of(film)]): film.pixel_sha256 for film in films},
        "facts": {str(ids[source_of(film)]): _facts(film) for film in films},
    }
    append(connection, actor, "import.radiographs", payload=payload, at=at)
    return ids


def _add_batch(connection: Connection, actor: Actor, batch: Sequence[NewRadiograph], *, at: str) -> int:
    hashes = [source_of(film) for film in batch]
    known = set(
        connection.execute(
            select(film_table.c.source_sha256).where(film_table.c.source_sha256.in_(hashes))
        ).scalars()
    )
    # Of the same file twice in one batch, the first counts.
    fresh = {source_of(film): film for film in reversed(batch) if source_of(film) not in known}
    insert_films(connection, actor, list(reversed(fresh.values())), at=at)
    return len(fresh)


def _participant_ids(connection: Connection, pseudonyms: Sequence[str]) -> dict[str, int]:
    query = select(participant.c.pseudonym, participant.c.id).where(participant.c.pseudonym.in_(pseudonyms))
    ids = {row.pseudonym: row.id for row in connection.execute(query)}
    missing = [name for name in pseudonyms if name not in ids]
    if missing:
        connection.execute(insert(participant), [{"pseudonym": name} for name in missing])
        ids = {row.pseudonym: row.id for row in connection.execute(query)}
    return ids


def _sides(film: NewRadiograph) -> tuple[JointSide, ...]:
    # A reference grade speaks of a joint, even where the import did not name its side.
    return tuple(dict.fromkeys((*film.sides, *(reference.side for reference in film.references))))


def _facts(film: NewRadiograph) -> str:
    # As the table keeps them: the last of two references to the same grade counts.
    references = {
        (reference.side.value, reference.item.key, reference.source): reference.code
        for reference in film.references
    }
    return film_facts_sha256(
        {name: getattr(film, name) for name in FILM_FACTS},
        film.participant,
        sides=(side.value for side in _sides(film)),
        references=((*key, code) for key, code in references.items()),
    )


def _film_row(film: NewRadiograph, *, participant_id: int, at: str) -> dict[str, object]:
    left_out = {"participant", "sides", "references", "notes"}
    row = {name: getattr(film, name) for name in NewRadiograph.__dataclass_fields__ if name not in left_out}
    return {
        **row,
        "source_sha256": source_of(film),
        "participant_id": participant_id,
        "notes_json": canonical(list(film.notes)),
        "added_at": at,
    }


def _add_joints(connection: Connection, films: Sequence[NewRadiograph], ids: dict[str, int]) -> None:
    wanted = [(ids[source_of(film)], side) for film in films for side in _sides(film)]
    if not wanted:
        return
    joint_ids = connection.execute(
        insert(joint).returning(joint.c.id, sort_by_parameter_order=True),
        [{"radiograph_id": film_id, "side": side.value} for film_id, side in wanted],
    ).scalars()
    joints = dict(zip(wanted, joint_ids, strict=True))
    references = {
        (joints[ids[source_of(film)], reference.side], reference.item.key, reference.source): reference.code
        for film in films
        for reference in film.references
    }
    if references:
        connection.execute(
            insert(reference_grade),
            [
                {"joint_id": joint_id, "item": item, "source": source, "code": code}
                for (joint_id, item, source), code in references.items()
            ],
        )
