"""Bring a folder of radiographs into a study."""

from __future__ import annotations

import csv
import os
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from reader_app.ai.localizer import locate_joints
from reader_app.errors import ImageError, ManifestError, StudyError
from reader_app.imaging.display import gray_bone_bright
from reader_app.imaging.files import (
    IMAGE_SUFFIXES,
    file_sha256,
    looks_like_image,
    read_header,
    read_radiograph,
)
from reader_app.imaging.radiograph import Radiograph, stamp_of
from reader_app.imaging.spacing import SpacingKind
from reader_app.operations.assign import assign_all
from reader_app.operations.manifest import Manifest, ManifestRow, read_manifest
from reader_app.operations.progress import Progress, Report, never, silent
from reader_app.operations.pseudonyms import Pseudonyms, pseudonyms_of
from reader_app.operations.study import Study
from reader_app.operations.study_config import ImagePolicy
from reader_app.protocols.model import Unit
from reader_app.reading.case import STATED_AT_IMPORT, JointSide
from reader_app.store import films
from reader_app.store.records import Actor, NewFault, NewRadiograph, ReferenceGrade

CHUNK = 64
"""Films between two commits: what a kill in mid-import costs is at most these."""

BASELINE = "Baseline"


@dataclass(frozen=True)
class Fault:
    """A file that could not be imported, and why."""

    path: Path
    reason: str


@dataclass(frozen=True)
class ImportReport:
    """What an import did.

    Attributes
    ----------
    added, known
        Radiographs new to the study, and those that it held already.
    notes
        Sentences for the coordinator: what was assumed or left out.
    """

    added: int
    known: int
    faults: tuple[Fault, ...]
    notes: tuple[str, ...]


@dataclass
class _Tally:
    added: int = 0
    known: int = 0
    faults: list[Fault] = field(default_factory=list)
    notes: dict[str, int] = field(default_factory=dict)
    identities: dict[str, str] = field(default_factory=dict)

    def note(self, sentence: str) -> None:
        self.notes[sentence] = self.notes.get(sentence, 0) + 1


@dataclass(frozen=True)
class _Read:
    """What a worker thread found in one file: an entry for the study, why not, or a film that it has."""

    path: Path
    film: NewRadiograph | None = None
    identity: str = ""
    pseudonym: str = ""
    notes: tuple[str, ...] = ()
    reason: str = ""
    moved: tuple[str, str] | None = None
    """SHA-256 and new path of a film whose file was gone from where the study knew it."""


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

    A file that cannot be read is listed with its reason, and the import goes on. A file that is in
    the study already is left alone, so importing twice adds nothing; but where the study's own file of
    it is gone, the study takes note of the new place.

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
    folder = folder.expanduser().resolve()
    if not folder.is_dir():
        raise StudyError(f"The folder {folder} does not exist.", "Check the path, or connect its disk.")
    known = films.known_files(study.database, actor)
    table = read_manifest(manifest.expanduser(), folder=folder, protocol=study.protocol) if manifest else None
    tally = _Tally(notes=dict(_manifest_notes(table)))
    paths = sorted(table.rows) if table else _image_files(folder, tally)
    if not paths and not tally.faults:
        raise StudyError(
            f"{folder} holds no image file{' that the manifest names' if table else ''}.",
            "Give a folder with DICOM, PNG, JPEG, TIFF or WebP files.",
        )
    pseudonyms = pseudonyms_of(study.folder, may_make=not known)
    reader = _FilmReader(study, table, pseudonyms, known, _lost(study, actor))
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        done = 0
        for start in range(0, len(paths), CHUNK):
            chunk = paths[start : start + CHUNK]
            _store(study, actor, list(pool.map(reader.read, chunk)), tally)
            done += len(chunk)
            progress(Progress(done, len(paths), chunk[-1].name))
            if cancelled():
                tally.note(f"Stopped after {done} of {len(paths)} files; import again to go on.")
                break
    if tally.faults:
        films.record_faults(study.database, actor, [NewFault(str(f.path), f.reason) for f in tally.faults])
    if key_file is not None:
        _append_key(key_file.expanduser(), tally.identities)
    assign_all(study, actor)
    notes = tuple(f"{text} ({count} films)" if count > 1 else text for text, count in tally.notes.items())
    return ImportReport(tally.added, tally.known, tuple(tally.faults), notes)


def _lost(study: Study, actor: Actor) -> frozenset[str]:
    """Return the films whose files are gone from where the study knows them."""
    every = films.all_radiographs(study.database, actor)
    return frozenset(film.file_sha256 for film in every if not study.image_path(film.path).exists())


def _image_files(folder: Path, tally: _Tally) -> list[Path]:
    """Return what looks like an image by its content or its name; the rest is counted, not hidden."""

    def cannot_enter(fault: OSError) -> None:
        path = Path(fault.filename)
        tally.faults.append(Fault(path, f"{path} cannot be opened: {fault.strerror or fault}."))

    found: list[Path] = []
    others = 0
    for root, _, names in os.walk(folder, onerror=cannot_enter):
        for name in names:
            path = Path(root, name)
            if name.startswith("."):
                continue
            if path.suffix.lower() in IMAGE_SUFFIXES or looks_like_image(path):
                found.append(path)
            else:
                others += 1
    if others:
        tally.notes[f"Files that are no images and were left out: {others}."] = 1
    return sorted(found)


def _manifest_notes(table: Manifest | None) -> Iterator[tuple[str, int]]:
    if table is None:
        return
    if table.ignored_columns:
        names = ", ".join(f"“{name}”" for name in table.ignored_columns)
        yield f"Columns of the manifest that mean nothing here and were not used: {names}.", 1
    if table.elsewhere:
        yield f"Rows of the manifest about images outside this folder: {table.elsewhere}.", 1


@dataclass(frozen=True)
class _FilmReader:
    """Turns one file into an entry for the study. Runs in worker threads; touches no database."""

    study: Study
    manifest: Manifest | None
    pseudonyms: Pseudonyms
    known: frozenset[str]
    lost: frozenset[str]

    def read(self, path: Path) -> _Read:
        try:
            # Hashing is cheap beside decoding, and a second import of a folder finds nothing but known films.
            stamp = stamp_of(path)
            digest = file_sha256(path)
            if digest in self.known:
                return self._known(path, digest)
            radiograph = read_radiograph(path)
            if radiograph.stamp != stamp:  # it changed while it was read
                digest = radiograph.file_sha256
            return self._described(path, radiograph, digest)
        except ImageError as fault:
            return _Read(path, reason=str(fault))

    def _known(self, path: Path, digest: str) -> _Read:
        row = self.manifest.rows[path] if self.manifest else ManifestRow(path)
        identity = row.participant or read_header(path).participant_id
        return _Read(
            path,
            identity=identity,
            pseudonym=self.pseudonyms.of(identity) if identity else "",
            moved=(digest, self._stored_path(path, digest)) if digest in self.lost else None,
        )

    def _described(self, path: Path, radiograph: Radiograph, digest: str) -> _Read:
        header = radiograph.header
        row = self.manifest.rows[path] if self.manifest else ManifestRow(path)
        notes = list(header.notes)
        identity = row.participant or header.participant_id
        if header.format == "DICOM" and self.study.config.images is ImagePolicy.COPY:
            notes.append("The copy keeps what its DICOM header says, identifiers included.")
        if not identity:
            notes.append("No participant is stated: the film counts as a participant of its own.")
        sides = row.sides or self._sides(radiograph, notes)
        visit, visit_order = _visit(row.visit, header.acquired)
        spacing = header.spacing
        pseudonym = self.pseudonyms.of(identity or radiograph.pixel_sha256)
        film = NewRadiograph(
            path=self._stored_path(path, digest),
            file_sha256=digest,
            pixel_sha256=radiograph.pixel_sha256,
            participant=pseudonym,
            visit=visit,
            visit_order=visit_order,
            rows=header.rows,
            columns=header.columns,
            laterality="B" if len(sides) > 1 else sides[0].value,
            view=header.view_position,
            format=header.format,
            spacing_row_mm=row.spacing_mm or spacing.row_mm,
            spacing_column_mm=row.spacing_mm or spacing.column_mm,
            spacing_kind=(SpacingKind.CALIBRATED if row.spacing_mm else spacing.kind).value,
            spacing_reason=STATED_AT_IMPORT if row.spacing_mm else spacing.reason,
            phantom=header.phantom,
            sex=row.sex or header.sex or None,
            age=row.age if row.age is not None else header.age,
            weight_kg=row.weight_kg,
            study_date=header.acquired or None,
            sides=self._joint_sides(sides),
            references=tuple(
                ReferenceGrade(side=r.side, item=r.item, code=r.code, source="manifest")
                for r in row.references
            ),
            notes=tuple(notes),
        )
        return _Read(path, film, identity, pseudonym, tuple(notes))

    def _sides(self, radiograph: Radiograph, notes: list[str]) -> tuple[JointSide, ...]:
        stated = radiograph.header.laterality.sides
        if stated:
            return tuple(JointSide(side.value) for side in stated)
        found = locate_joints(gray_bone_bright(radiograph))
        if len(found) == 2:
            notes.append("The side is not stated: taken as both joints, from the picture.")
            return (JointSide.RIGHT, JointSide.LEFT)
        notes.append("The side is not stated: the joint is graded as “side not stated”.")
        return (JointSide.UNSTATED,)

    def _joint_sides(self, sides: tuple[JointSide, ...]) -> tuple[JointSide, ...]:
        units = {feature.unit for feature in self.study.protocol.features}
        joints = sides if Unit.JOINT in units else ()
        return (*joints, JointSide.WHOLE) if Unit.PARTICIPANT in units else joints

    def _stored_path(self, path: Path, digest: str) -> str:
        if self.study.config.images is ImagePolicy.REFERENCE:
            return str(path)
        relative = Path("images", digest[:2], f"{digest}{path.suffix.lower()}")
        target = self.study.folder / relative
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            partial = target.with_suffix(f"{target.suffix}.part")
            shutil.copyfile(path, partial)
            partial.replace(target)
        except OSError as fault:
            raise ImageError(
                f"{path} cannot be copied into the study: {fault.strerror or fault}.", "Free some space."
            ) from fault
        return relative.as_posix()


def _visit(stated: str, acquired: str) -> tuple[str, int]:
    """Return label and order of a visit: as the manifest says, else the date, else the one there is."""
    if stated:
        number = re.search(r"\d+", stated)
        return stated, int(number.group()) if number and len(number.group()) < 9 else 0
    if acquired:
        return acquired, date.fromisoformat(acquired).toordinal()
    return BASELINE, 0


def _store(study: Study, actor: Actor, read: Sequence[_Read], tally: _Tally) -> None:
    good: list[NewRadiograph] = []
    for result in read:
        if result.reason:
            tally.faults.append(Fault(result.path, result.reason))
            continue
        if result.identity:
            tally.identities[result.identity] = result.pseudonym
        if result.film is None:
            tally.known += 1
            continue
        good.append(result.film)
        for sentence in result.notes:
            tally.note(sentence)
    moved = dict(result.moved for result in read if result.moved is not None)
    if moved:
        films.move_radiographs(study.database, actor, moved)
        for _ in moved:
            tally.note("The file was gone from its old place; the study now reads it from here.")
    count = films.add_radiographs(study.database, actor, good)
    tally.added += count.added
    tally.known += count.known


def _append_key(path: Path, identities: dict[str, str]) -> None:
    try:
        known = set()
        if path.exists():
            with path.open(encoding="utf-8", newline="") as stream:
                known = {tuple(row) for row in csv.reader(stream)}
        with path.open("a", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream)
            rows = [("participant", "pseudonym"), *sorted(identities.items())]
            writer.writerows(row for row in rows if row not in known)
    except (OSError, UnicodeDecodeError) as fault:
        raise ManifestError(
            f"The key file {path} cannot be written: {fault}.",
            "The films are imported; import again with another key file to get the list.",
        ) from fault
