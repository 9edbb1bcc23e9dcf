"""Bring a folder of radiographs into a study."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from reader_app.errors import ImageError
from reader_app.imaging.files import file_sha256
from reader_app.imaging.radiograph import stamp_of
from reader_app.imaging.spacing import SpacingKind
from reader_app.imaging.workers import FileResult, FileWorkers
from reader_app.operations.assign import assign_all
from reader_app.operations.importing.door import Door
from reader_app.operations.importing.film_plan import PARTICIPANT, UNRANKED, FilmPlan, plan_of
from reader_app.operations.importing.key_file import append_key
from reader_app.operations.importing.look_at_folder import door_of, look_at
from reader_app.operations.importing.looking import Fault, Tally, refused
from reader_app.operations.importing.lost_films import bring_back
from reader_app.operations.importing.read_film import FilmOrder, FilmRead, ReadFilm
from reader_app.operations.progress import Progress, Report, never, silent
from reader_app.operations.study import Study
from reader_app.operations.study_config import ImagePolicy
from reader_app.protocols.model import Unit
from reader_app.reading.case import STATED_AT_IMPORT, JointSide
from reader_app.store import films, import_commits, import_files
from reader_app.store.films import batches
from reader_app.store.import_records import FileOutcome, FileState, KnownFile, ReadFile
from reader_app.store.records import Actor, KnownFilm, NewRadiograph

CHUNK = 64
"""Films between two commits: what a kill in mid-import costs is at most the reading of these."""

WINDOW = 2048
"""Films that are known in detail at a time, however many there are."""

READING = "Reading pixels"
SECONDS_FOR_A_FILM = 60.0
UNNUMBERED = (
    "Their folder was not looked at to its end, so that the order of their visits is not known and they were "
    "not imported: look at it again."
)
BLANK = "All pixels of the film have the same value: there is nothing to grade."
BURNED_IN = "The file says that text is burned into the picture: check it under Films."
OVERLAYS = "The film has overlays, which can carry names: readers see them once it is checked under Films."
DUPLICATE = "Files with the same pixels as another were not counted a second time."
REFERENCES_OF_DUPLICATES = "Reference grades of a duplicate were not taken."
KEPT_BY_NOBODY = "Named by a manifest that is not at hand now, and so not in the key file."


@dataclass(frozen=True)
class ImportReport:
    """What an import did.

    Attributes
    ----------
    added, known
        Radiographs new to the study, and files that it knew already.
    duplicates
        Files with the same pixels as a radiograph of the study, which were not counted a second time.
    notes
        Sentences for the coordinator: what was assumed or left out.
    """

    added: int
    known: int
    duplicates: int
    faults: tuple[Fault, ...]
    notes: tuple[str, ...]


def import_films(
    study: Study,
    actor: Actor,
    folder: Path,
    *,
    manifest: Path | None = None,
    key_file: Path | None = None,
    progress: Report = silent,
    cancelled: Callable[[], bool] = never,
) -> ImportReport:
    """Import every radiograph below a folder, or those that a manifest names.

    First the headers are looked at, then the pixels are read. A file that cannot be read is listed with its
    reason, and the import goes on. A file that is in the study already is left alone, so importing twice adds
    nothing; but where the study's own file of it is gone, the study takes note of the new place.

    Parameters
    ----------
    key_file
        Where to append which participant got which pseudonym; without it nobody keeps that.
    cancelled
        Asked between chunks; what is imported by then stays, and importing again goes on.

    Raises
    ------
    ManifestError
        If the manifest is wrong; nothing is imported then.
    StudyError
        If the folder does not exist or holds no image.
    """
    looked = look_at(
        study,
        actor,
        folder,
        manifest=manifest,
        key_file=key_file,
        progress=progress,
        cancelled=cancelled,
    )
    if not looked.stopped:
        importing = _Importing(study, actor, door_of(study), looked.tally, progress, cancelled)
        importing.run(looked.concerns)
    assign_all(study, actor)
    return _report(looked.tally)


def import_planned(
    study: Study,
    actor: Actor,
    *,
    key_file: Path | None = None,
    progress: Report = silent,
    cancelled: Callable[[], bool] = never,
) -> ImportReport:
    """Import every film that is planned; one that is left out is passed by from now on.

    What is read is kept chunk by chunk: after a kill or a stop the same call goes on where it was.

    Parameters
    ----------
    key_file
        As for `import_films`; participants whom only a manifest named are not in it, since nobody keeps
        that: give the key file when the folder is looked at.

    Raises
    ------
    ManifestError
        If the key file cannot be written; the films are imported then.
    StudyError
        If the study has no room for copies.
    """
    import_files.refuse_others(study.database, actor)
    tally = Tally()
    nothing = not import_files.plan_counts(study.database, actor).planned
    door = door_of(study, may_make=nothing)
    _Importing(study, actor, door, tally, progress, cancelled, identify=key_file is not None).run(
        lambda _: True
    )
    if key_file is not None:
        append_key(key_file.expanduser(), tally.identities)
    assign_all(study, actor)
    return _report(tally)


def _report(tally: Tally) -> ImportReport:
    return ImportReport(tally.added, tally.known, tally.duplicates, tuple(tally.faults), tally.sentences)


@dataclass
class _Importing:
    """The second pass: planned films become films of the study."""

    study: Study
    actor: Actor
    door: Door
    tally: Tally
    progress: Report
    cancelled: Callable[[], bool]
    identify: bool = False
    total: int = 0
    done: int = 0

    def run(self, concerns: Callable[[Path], bool]) -> None:
        """Import the planned films that are asked for."""
        self.total = import_files.plan_counts(self.study.database, self.actor).planned
        after = 0
        while files := import_files.next_planned(self.study.database, self.actor, after=after, limit=WINDOW):
            after = files[-1].id
            wanted = [(file, plan_of(file.plan, file.path)) for file in files if concerns(Path(file.path))]
            ranked = [(file, plan) for file, plan in wanted if plan.visit_order != UNRANKED]
            if len(ranked) < len(wanted):
                self.tally.note(UNNUMBERED, len(wanted) - len(ranked))
            self.total -= len(files) - len(ranked)
            if not self._window(ranked):
                self.tally.note(f"Stopped after {self.done} of {self.total} films; import again to go on.")
                return
        self._settle_left_out(concerns)

    def _window(self, planned: Sequence[tuple[KnownFile, FilmPlan]]) -> bool:
        """Import some films; return False if that was cancelled."""
        known = self._known_by_content([file for file, _ in planned])
        for settled in batches(list(known.items()), CHUNK):
            self._take_known(settled)
            if self.cancelled():
                return False
        unknown = [(file, plan) for file, plan in planned if file not in known]
        orders = {
            file.path: FilmOrder(file.stamp, plan.participant, locate=not plan.side) for file, plan in unknown
        }
        task = ReadFilm(orders, self.door, self._copies, self.identify)
        if not unknown:
            return True
        with FileWorkers(task, seconds=SECONDS_FOR_A_FILM) as workers:
            results = workers.map(Path(file.path) for file, _ in unknown)
            for chunk in batches(unknown, CHUNK):
                self._commit([(plan, next(results), file) for file, plan in chunk])
                if self.cancelled():
                    return self.done == self.total
        return True

    def _known_by_content(self, files: Sequence[KnownFile]) -> dict[KnownFile, KnownFilm]:
        """Find the files that the study knows under another name, without decoding any."""
        database = self.study.database
        sizes = import_commits.same_size_known(database, self.actor, [file.stamp.size for file in files])
        alike = [file for file in files if file.stamp.size in sizes]
        with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
            digests = dict(zip(alike, pool.map(_digest, alike), strict=True))
        films_known = films.by_source(database, self.actor, [digest for digest in digests.values() if digest])
        return {file: films_known[digest] for file, digest in digests.items() if digest in films_known}

    def _take_known(self, chunk: Sequence[tuple[KnownFile, KnownFilm]]) -> None:
        read = [
            ReadFile(
                file.id, file.stamp, known_as=film.id, remembered=_remembered(plan_of(file.plan, file.path))
            )
            for file, film in chunk
        ]
        for file, film in chunk:
            note = bring_back(self.study, self.actor, self.door, film, Path(file.path))
            if note:
                self.tally.note(note)
        import_commits.commit_files(self.study.database, self.actor, read)
        self.tally.known += len(chunk)
        self._tell(len(chunk))

    def _commit(self, results: Sequence[tuple[FilmPlan, FileResult[FilmRead], KnownFile]]) -> None:
        """Bring what was read into the study, in one transaction."""
        read = [self._read(*each) for each in results]
        outcomes = import_commits.commit_files(self.study.database, self.actor, read)
        for (plan, result, file), one, outcome in zip(results, read, outcomes, strict=True):
            self._count(file, one, outcome)
            if result.value is not None and self.identify:
                self._identify(plan, result.value.identity)
            if result.value is not None and result.value.copy and not outcome.added:
                (self.study.folder / result.value.copy).unlink(missing_ok=True)
        self._tell(len(results))

    def _read(self, plan: FilmPlan, result: FileResult[FilmRead], file: KnownFile) -> ReadFile:
        """Return what the store is to know of a file."""
        if result.value is None:
            reason = f"{result.fault} {result.next_step}".strip()
            seen = refused(Path(file.path), file.stamp, reason)
            return ReadFile(file.id, seen.stamp, reason=reason, remembered=seen.plan)
        film = self._film(plan, result.value, file)
        return ReadFile(file.id, file.stamp, film, blank=result.value.blank, remembered=_remembered(plan))

    def _film(self, plan: FilmPlan, read: FilmRead, file: KnownFile) -> NewRadiograph:
        header, spacing = read.header, read.header.spacing
        sides, notes = plan.sides, [*plan.notes, *read.notes]
        if not sides:
            sides, said = _located(read.joints)
            notes.append(said)
        if read.blank:
            notes.append(BLANK)
        if plan.burned_in:
            notes.append(BURNED_IN)
        if read.overlays:
            notes.append(OVERLAYS)
        stated = plan.spacing_mm
        return NewRadiograph(
            path=read.copy or file.path,
            file_sha256=read.file_sha256,
            pixel_sha256=read.pixel_sha256,
            participant=plan.participant,
            visit=plan.visit,
            visit_order=plan.visit_order,
            rows=header.rows,
            columns=header.columns,
            laterality="B" if len(sides) > 1 else sides[0].value,
            view=plan.view,
            format=header.format,
            spacing_row_mm=stated or spacing.row_mm,
            spacing_column_mm=stated or spacing.column_mm,
            spacing_kind=(SpacingKind.CALIBRATED if stated else spacing.kind).value,
            spacing_reason=STATED_AT_IMPORT if stated else spacing.reason,
            phantom=plan.phantom,
            sex=plan.sex or None,
            age=plan.age,
            weight_kg=plan.weight_kg,
            study_date=plan.study_date or None,
            sides=self._joint_sides(sides),
            references=plan.reference_grades(),
            notes=tuple(dict.fromkeys(notes)),
            source_sha256=read.source_sha256,
            body_part=plan.body_part,
            # Overlays are no burned-in text, but they have to be looked at likewise.
            burned_in=None if read.overlays and plan.burned_in is False else plan.burned_in,
        )

    def _joint_sides(self, sides: tuple[JointSide, ...]) -> tuple[JointSide, ...]:
        units = {feature.unit for feature in self.study.protocol.features}
        joints = sides if Unit.JOINT in units else ()
        return (*joints, JointSide.WHOLE) if Unit.PARTICIPANT in units else joints

    def _count(self, file: KnownFile, read: ReadFile, outcome: FileOutcome) -> None:
        if outcome.state is FileState.REFUSED:
            self.tally.fault(Path(file.path), outcome.reason)
        elif outcome.state is FileState.DUPLICATE:
            self.tally.duplicates += 1
            # Two participants who share one film are a mistake somewhere: each of these is named.
            self.tally.note(f"{file.path}: {outcome.reason}" if outcome.shared else DUPLICATE)
            if read.film is not None and read.film.references:
                self.tally.note(REFERENCES_OF_DUPLICATES)
        elif not outcome.added:
            self.tally.known += 1
        else:
            self.tally.added += 1
            for sentence in read.film.notes if read.film is not None else ():
                self.tally.note(sentence)

    def _identify(self, plan: FilmPlan, identity: str) -> None:
        if identity and self.door.participant(identity) == plan.participant:
            self.tally.identities[identity] = plan.participant
        elif PARTICIPANT not in plan.missing:
            self.tally.note(KEPT_BY_NOBODY)

    def _settle_left_out(self, concerns: Callable[[Path], bool]) -> None:
        """Pass by in later imports, too, what is left out of this one."""
        left_out: list[int] = []
        offset = 0
        while files := import_files.waiting_files(self.study.database, self.actor, offset=offset):
            offset += len(files)
            left_out += [
                file.id for file in files if file.state is FileState.LEFT_OUT and concerns(Path(file.path))
            ]
        if left_out:
            import_files.settle_left_out(self.study.database, self.actor, left_out)
            self.tally.note("Left out by the coordinator.", len(left_out))

    def _tell(self, done: int) -> None:
        self.done += done
        self.progress(Progress(self.done, max(self.total, self.done), READING))

    @property
    def _copies(self) -> Path | None:
        return self.study.folder if self.study.config.images is ImagePolicy.COPY else None


def _located(joints: int) -> tuple[tuple[JointSide, ...], str]:
    if joints == 2:
        said = "The side is not stated: taken as both joints, from the picture."
        return (JointSide.RIGHT, JointSide.LEFT), said
    return (JointSide.UNSTATED,), "The side is not stated: the joint is graded as “side not stated”."


def _remembered(plan: FilmPlan) -> dict[str, object] | None:
    """What a later import needs in order to know the same day again, where dates are dropped."""
    return {"day": plan.day} if plan.day else None


def _digest(file: KnownFile) -> str:
    """SHA-256 of a file that is still what was looked at; empty otherwise."""
    path = Path(file.path)
    try:
        return file_sha256(path) if stamp_of(path) == file.stamp else ""
    except ImageError:
        return ""  # reading it will say why
