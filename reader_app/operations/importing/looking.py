"""Looking at the headers of a folder, in worker processes, and keeping what they say chunk by chunk."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import islice
from pathlib import Path

from reader_app import __version__
from reader_app.errors import ImageError
from reader_app.imaging.files import read_header
from reader_app.imaging.radiograph import FileStamp, RadiographHeader, stamp_of
from reader_app.imaging.workers import FileResult, FileWorkers
from reader_app.interop.deidentify import DatePolicy
from reader_app.operations.importing.film_plan import FilmPlan, plan_of
from reader_app.operations.importing.find_films import is_readable, may_be_image
from reader_app.operations.importing.manifest import Manifest, ManifestRow
from reader_app.operations.importing.planning import Planner
from reader_app.operations.progress import Progress, Report
from reader_app.operations.study import Study
from reader_app.store import import_files
from reader_app.store.import_records import UNSTAMPED, FileState, KnownFile, LookedAt
from reader_app.store.records import Actor

CHUNK = 500
"""Headers between two commits: what a kill costs is at most the looking at these."""

HEADER_SECONDS = 10.0
LOOKING = "Looking at headers"
LEFT_OUT = "Left out by the coordinator."
TRIED_WITH = "tried_with"
SHARED_IDS = (
    "Participants whose identifier occurs under several issuers, or with and without one, and who count as "
    "different people: {count}. Name participants in a manifest where they are the same."
)


@dataclass(frozen=True)
class Fault:
    """A file that could not be imported, and why."""

    path: Path
    reason: str


@dataclass
class Tally:
    """What looking and reading have brought so far."""

    added: int = 0
    known: int = 0
    duplicates: int = 0
    others: int = 0
    faults: list[Fault] = field(default_factory=list)
    notes: dict[str, int] = field(default_factory=dict)
    identities: dict[str, str] = field(default_factory=dict)

    def note(self, sentence: str, count: int = 1) -> None:
        """Count a sentence for the coordinator."""
        self.notes[sentence] = self.notes.get(sentence, 0) + count

    def fault(self, path: Path, reason: str) -> None:
        """List a file with the reason why it is not imported."""
        self.faults.append(Fault(path, reason))

    @property
    def sentences(self) -> tuple[str, ...]:
        """The notes, with how many films they are about."""
        return tuple(f"{text} ({count} films)" if count > 1 else text for text, count in self.notes.items())


@dataclass(frozen=True)
class _Look:
    """A file that is to be opened."""

    path: Path
    stamp: FileStamp
    row: ManifestRow | None
    known: KnownFile | None
    identity_only: bool = False


@dataclass
class Looking:
    """One pass over the headers of a folder.

    Attributes
    ----------
    wants_identities
        Whether a list of who got which pseudonym is asked for: then known files are opened too.
    days
        Participant and day of all films whose dates are dropped: the order of visits follows from them, and
        nothing else of them is kept. Some 250 bytes for each.
    """

    study: Study
    actor: Actor
    planner: Planner
    manifest: Manifest | None
    tally: Tally
    total: int
    progress: Report
    cancelled: Callable[[], bool]
    wants_identities: bool = False
    days: set[tuple[str, str]] = field(default_factory=set)
    stopped: bool = False
    _done: int = 0
    _waiting: deque[_Look] = field(default_factory=deque)
    _people: set[int] = field(default_factory=set)
    _identifiers: set[int] = field(default_factory=set)

    def look(self, paths: Iterable[Path]) -> None:
        """Look at files and keep what they say; may be stopped between chunks."""
        with FileWorkers(read_header, seconds=HEADER_SECONDS) as workers:
            found: list[LookedAt] = []
            for result in workers.map(self._unknown(paths)):
                found.extend(self._looked_at(self._waiting.popleft(), result))
                if len(found) >= CHUNK:
                    import_files.keep_files(self.study.database, self.actor, found)
                    found.clear()
            import_files.keep_files(self.study.database, self.actor, found)
        self.progress(Progress(self._done, max(self.total, self._done), LOOKING))
        shared = len(self._people) - len(self._identifiers)
        if shared > 0:
            self.tally.note(SHARED_IDS.format(count=shared))

    def _unknown(self, paths: Iterable[Path]) -> Iterator[Path]:
        """Yield the files that are to be opened; the others are told apart without opening them."""
        remaining = iter(paths)
        while chunk := list(islice(remaining, CHUNK)):
            known = import_files.known_files(self.study.database, self.actor, _storable(chunk))
            for path in chunk:
                look = self._wanted(path, known.get(str(path)))
                if look is not None:
                    self._waiting.append(look)
                    yield path
            self._done += len(chunk)
            self.progress(Progress(self._done, max(self.total, self._done), LOOKING))
            if self.cancelled():
                self.stopped = True
                return

    def _wanted(self, path: Path, known: KnownFile | None) -> _Look | None:
        """Return what to open; None for what is settled, no image, or gone."""
        row = self.manifest.rows[path] if self.manifest else None
        if not _storable([path]):
            self.tally.fault(path, f"The name of {_printable(path)} cannot be written down: rename the file.")
            return None
        try:
            stamp = stamp_of(path)
        except ImageError as fault:
            self.tally.fault(path, str(fault))
            return None
        if known is None or known.stamp != stamp:
            if known is None and row is None and not may_be_image(path):
                self.tally.others += 1
                return None
            return _Look(path, stamp, row, known)
        return self._known(_Look(path, stamp, row, known), known)

    def _known(self, look: _Look, known: KnownFile) -> _Look | None:
        """Decide on a file that is as it was when it was last looked at."""
        if known.state is FileState.REFUSED:
            if (known.plan or {}).get(TRIED_WITH) != tried_with():
                return look
            self.tally.fault(look.path, known.reason)
            return None
        if known.plan is not None and known.state in (FileState.PLANNED, FileState.LEFT_OUT):
            same_row = look.row is None or known.plan.get("row") == self.planner.row_key(look.row)
            # The order of visits without dates follows from all films of a participant together.
            drops = self.study.config.dates is DatePolicy.DROPPED
            return None if same_row and not drops and not self._names(look) else look
        if known.state is FileState.LEFT_OUT and look.row is not None and look.row.left_out is False:
            return look
        if known.state is FileState.IMPORTED and self._lost(look.path, known):
            return look
        if known.state is FileState.LEFT_OUT:
            self.tally.note("Left out by the coordinator before.")
        else:
            self.tally.known += 1
        return self._named(look)

    def _names(self, look: _Look) -> bool:
        """Whether a file must be opened for the list of pseudonyms alone."""
        return self.wants_identities and not (look.row and look.row.participant)

    def _named(self, look: _Look) -> _Look | None:
        if not self.wants_identities:
            return None
        if look.row is not None and look.row.participant:
            self._identify(look.row.participant)
            return None
        return _Look(look.path, look.stamp, look.row, look.known, identity_only=True)

    def _lost(self, path: Path, known: KnownFile) -> bool:
        """Whether the study cannot reach the film that came from this file."""
        if not known.film_path or known.film_path == str(path):
            return False
        return not self.study.image_path(known.film_path).exists()

    def _looked_at(self, look: _Look, result: FileResult[RadiographHeader]) -> Iterator[LookedAt]:
        header = result.value
        if look.identity_only:
            if header is not None:
                self._identify(self.planner.identity(header, look.row))
            return
        if header is None:
            yield self._refused(look, f"{result.fault} {result.next_step}".strip())
            return
        if self.wants_identities:
            self._identify(self.planner.identity(header, look.row))
        self._count_issuers(header, look.row)
        before = self._before(look)
        plan = self.planner.plan(look.path, header, row=look.row, stamp=look.stamp, before=before)
        if plan.day:
            self.days.add((plan.participant, self.planner.acquired(header, look.row)))
        left_out = look.row.left_out if look.row else None
        if left_out is None:
            left_out = (
                before is not None and look.known is not None and look.known.state is FileState.LEFT_OUT
            )
        yield LookedAt(
            path=str(look.path),
            stamp=look.stamp,
            state=FileState.LEFT_OUT if left_out else FileState.PLANNED,
            reason=LEFT_OUT if left_out else "",
            plan=plan.to_json(),
        )

    def _before(self, look: _Look) -> FilmPlan | None:
        known = look.known
        if known is None or known.plan is None or known.state not in (FileState.PLANNED, FileState.LEFT_OUT):
            return None
        return plan_of(known.plan, look.path)

    def _refused(self, look: _Look, reason: str) -> LookedAt:
        self.tally.fault(look.path, reason)
        return refused(look.path, look.stamp, reason)

    def _identify(self, identity: str) -> None:
        if identity:
            self.tally.identities[identity] = self.planner.door.participant(identity)

    def _count_issuers(self, header: RadiographHeader, row: ManifestRow | None) -> None:
        if header.participant_id and not (row and row.participant):
            self._identifiers.add(hash(header.participant_id))
            self._people.add(hash(self.planner.identity(header, row)))


def refused(path: Path, stamp: FileStamp, reason: str) -> LookedAt:
    """Return a file that cannot be imported; one that cannot even be read now will be tried again."""
    readable = is_readable(path)
    return LookedAt(
        path=str(path),
        stamp=stamp if readable else UNSTAMPED,
        state=FileState.REFUSED,
        reason=reason,
        plan={TRIED_WITH: tried_with()},
    )


@cache
def tried_with() -> str:
    """Return what a file was refused with: another version or a new decoder may read it."""
    from reader_app.imaging.dicom.codecs import codecs

    available = ",".join(sorted(codec.syntax for codec in codecs() if codec.available))
    return f"{__version__} {available}"


def _storable(paths: Iterable[Path]) -> list[str]:
    """The names that can be written down: file systems allow some that are no text."""
    return [text for path in paths if (text := str(path)).isascii() or _is_text(text)]


def _is_text(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _printable(path: Path) -> str:
    return str(path).encode("utf-8", "replace").decode("utf-8")
