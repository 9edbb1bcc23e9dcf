"""What reading files brought becomes part of the study: films and what is known of their files, together.

A film that the study has is never added a second time: neither the same file, nor another file with the
same pixels, such as one that was exported again or compressed otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, exists, select, update

from reader_app.store.access import require
from reader_app.store.canonical import canonical
from reader_app.store.database import Database
from reader_app.store.films import batches, insert_films, source_of
from reader_app.store.import_records import FileOutcome, FileState, ReadFile
from reader_app.store.journal import append
from reader_app.store.records import Actor, NewRadiograph, Role
from reader_app.store.tables import import_file, participant, radiograph

_AT_ONCE = 500

Pixels = tuple[str, int, int]
"""SHA-256 of the pixels, rows, columns: equal pixels in another shape are another film."""


@dataclass(frozen=True)
class _Twin:
    """The film that another file holds too; it has no number while it is new itself."""

    number: int | None
    participant: str
    source: str


@dataclass
class _Study:
    """The films that new ones are held against; those of the same transaction join them as they come."""

    by_source: dict[str, _Twin] = field(default_factory=dict)
    by_pixels: dict[Pixels, _Twin] = field(default_factory=dict)
    by_file: dict[str, _Twin] = field(default_factory=dict)

    def twin(self, film: NewRadiograph, *, blank: bool) -> _Twin | None:
        """Return the film that has the same pixels already.

        Of a film without a picture, equal pixels prove nothing; only where the stored copies would be the
        very same file there can be but one.
        """
        twin = None if blank else self.by_pixels.get(_pixels(film))
        return twin or self.by_file.get(film.file_sha256)

    def take(self, film: NewRadiograph, *, blank: bool) -> None:
        """Let a new film join the others."""
        own = _Twin(None, film.participant, source_of(film))
        self.by_source[own.source] = self.by_file[film.file_sha256] = own
        if not blank:
            self.by_pixels[_pixels(film)] = own


@dataclass(frozen=True)
class _Judged:
    """A file, what becomes of it, and the film that it holds where the study has that."""

    read: ReadFile
    state: FileState
    twin: _Twin | None = None

    def outcome(self, ids: dict[str, int]) -> FileOutcome:
        """Return what became of it, when new films have their numbers, by their sources."""
        film, twin = self.read.film, self.twin
        if self.state is FileState.REFUSED or (film is None and twin is None):
            return FileOutcome(self.read.file_id, FileState.REFUSED, self.read.reason, None)
        if twin is None:
            assert film is not None
            return FileOutcome(self.read.file_id, self.state, "", ids[source_of(film)], added=True)
        number = twin.number if twin.number is not None else ids[twin.source]
        if self.state is FileState.IMPORTED or film is None:
            return FileOutcome(self.read.file_id, self.state, "", number)
        shared = twin.participant != film.participant
        words = _duplicate_words(number, twin.participant, shared)
        return FileOutcome(self.read.file_id, self.state, words, number, shared=shared)


def same_size_known(database: Database, actor: Actor, sizes: Sequence[int]) -> frozenset[int]:
    """Return which sizes files of the study have; all of them where the sizes of some films are not known.

    A file of another size cannot be one that the study knows, so that it need not be compared with any.
    """
    with database.reading() as connection:
        require(connection, actor, Role.COORDINATOR, Role.AUDITOR)
        described = exists().where(import_file.c.radiograph_id == radiograph.c.id)
        if connection.execute(select(radiograph.c.id).where(~described).limit(1)).first() is not None:
            return frozenset(sizes)
        found: set[int] = set()
        for some in batches(tuple(set(sizes)), _AT_ONCE):
            query = select(import_file.c.size).where(
                import_file.c.size.in_(some), import_file.c.radiograph_id.is_not(None)
            )
            found.update(connection.execute(query).scalars())
    return frozenset(found)


def commit_files(database: Database, actor: Actor, read: Sequence[ReadFile]) -> tuple[FileOutcome, ...]:
    """Add what was read to the study, and take note of what became of each file, in one transaction.

    Returns
    -------
    tuple of FileOutcome
        One for each file, in their order.
    """
    if not read:
        return ()
    with database.writing() as connection:
        require(connection, actor, Role.COORDINATOR)
        at = database.now()
        study = _study_of(connection, [each.film for each in read if each.film is not None])
        fresh: list[NewRadiograph] = []
        judged = [_judge(study, each, fresh) for each in read]
        ids = insert_films(connection, actor, fresh, at=at)
        outcomes = tuple(each.outcome(ids) for each in judged)
        for each, outcome in zip(read, outcomes, strict=True):
            _note(connection, each, outcome, at)
        _tell(connection, actor, outcomes, at)
    return outcomes


def _judge(study: _Study, read: ReadFile, fresh: list[NewRadiograph]) -> _Judged:
    """Decide what becomes of a file; a film that is new joins `fresh`."""
    film = read.film
    if read.known_as is not None:
        return _Judged(read, FileState.IMPORTED, _Twin(read.known_as, "", ""))
    if film is None:
        return _Judged(read, FileState.REFUSED)
    if (known := study.by_source.get(source_of(film))) is not None:
        return _Judged(read, FileState.IMPORTED, known)
    if (twin := study.twin(film, blank=read.blank)) is not None:
        return _Judged(read, FileState.DUPLICATE, twin)
    study.take(film, blank=read.blank)
    fresh.append(film)
    return _Judged(read, FileState.IMPORTED)


def _duplicate_words(number: int | None, pseudonym: str, shared: bool) -> str:
    words = f"The same pixels as radiograph {number} of {pseudonym}: not counted a second time."
    return f"{words} It is said to show another participant: one of the two is wrong." if shared else words


def _study_of(connection: Connection, films: Sequence[NewRadiograph]) -> _Study:
    study = _Study()
    known = select(
        radiograph.c.id,
        radiograph.c.source_sha256,
        radiograph.c.file_sha256,
        radiograph.c.pixel_sha256,
        radiograph.c.rows,
        radiograph.c.columns,
        participant.c.pseudonym,
    ).join_from(radiograph, participant)
    for some in batches(films, _AT_ONCE):
        for column, values in (
            (radiograph.c.source_sha256, [source_of(film) for film in some]),
            (radiograph.c.file_sha256, [film.file_sha256 for film in some]),
            (radiograph.c.pixel_sha256, [film.pixel_sha256 for film in some]),
        ):
            for row in connection.execute(known.where(column.in_(values)).order_by(radiograph.c.id)):
                own = _Twin(row.id, row.pseudonym, row.source_sha256)
                study.by_source[row.source_sha256] = own
                study.by_file[row.file_sha256] = own
                study.by_pixels.setdefault((row.pixel_sha256, row.rows, row.columns), own)
    return study


def _note(connection: Connection, read: ReadFile, outcome: FileOutcome, at: str) -> None:
    keeps = read.remembered is not None and outcome.state is not FileState.DUPLICATE
    remembered = canonical(dict(read.remembered or {})) if keeps else None
    connection.execute(
        update(import_file)
        .where(import_file.c.id == read.file_id)
        .values(
            size=read.stamp.size,
            modified_ns=read.stamp.modified_ns,
            state=outcome.state.value,
            reason=outcome.reason,
            radiograph_id=outcome.radiograph_id,
            plan_json=remembered,
            at=at,
        )
    )


def _tell(connection: Connection, actor: Actor, outcomes: Sequence[FileOutcome], at: str) -> None:
    """Write into the journal what became of files that added nothing; added films are in it by then."""
    duplicates = {
        str(each.file_id): each.radiograph_id for each in outcomes if each.state is FileState.DUPLICATE
    }
    refused = sum(each.state is FileState.REFUSED for each in outcomes)
    known = sum(each.state is FileState.IMPORTED and not each.added for each in outcomes)
    if duplicates or refused or known:
        payload = {"duplicates": duplicates, "refused": refused, "known": known}
        append(connection, actor, "import.files", payload=payload, at=at)


def _pixels(film: NewRadiograph) -> Pixels:
    return film.pixel_sha256, film.rows, film.columns
