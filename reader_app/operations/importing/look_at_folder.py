"""The first pass of an import: look at what a folder or a table names, and plan it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from reader_app.errors import StudyError
from reader_app.interop.deidentify import DatePolicy
from reader_app.operations.importing.door import Door
from reader_app.operations.importing.find_films import count_files, folder_files
from reader_app.operations.importing.key_file import append_key
from reader_app.operations.importing.looking import Looking, Tally
from reader_app.operations.importing.manifest import Manifest, read_manifest
from reader_app.operations.importing.planning import Planner
from reader_app.operations.importing.visit_ranks import rank_visits
from reader_app.operations.progress import Report
from reader_app.operations.pseudonyms import pseudonyms_of
from reader_app.operations.study import Study
from reader_app.store import films, import_files
from reader_app.store.records import Actor


@dataclass(frozen=True)
class Looked:
    """What `look_at` found, for the import that follows at once.

    Attributes
    ----------
    folder
        Resolved.
    manifest
        As read; None without one.
    stopped
        Whether it was stopped half-way.
    """

    folder: Path
    manifest: Manifest | None
    tally: Tally
    stopped: bool

    def concerns(self, path: Path) -> bool:
        """Whether a planned file is one of those that were asked for."""
        if self.manifest is not None:
            return path in self.manifest.rows
        return path.is_relative_to(self.folder)


def look_at(
    study: Study,
    actor: Actor,
    folder: Path,
    *,
    manifest: Path | None,
    key_file: Path | None,
    progress: Report,
    cancelled: Callable[[], bool],
) -> Looked:
    """Do what `plan_import.plan_import` says; raises like it."""
    import_files.refuse_others(study.database, actor)
    folder = folder.expanduser().resolve()
    if not folder.is_dir():
        raise StudyError(f"The folder {folder} does not exist.", "Check the path, or connect its disk.")
    counts = import_files.plan_counts(study.database, actor)
    door = door_of(
        study, may_make=not counts.planned + counts.left_out and films.is_empty(study.database, actor)
    )
    table = None
    if manifest is not None:
        table = read_manifest(manifest.expanduser(), folder=folder, protocol=study.protocol, door=door)
    tally = Tally()
    for sentence in _manifest_notes(table):
        tally.note(sentence)
    total = len(table.rows) if table else count_files(folder)
    looking = Looking(
        study=study,
        actor=actor,
        planner=Planner(door, study.protocol),
        manifest=table,
        tally=tally,
        total=total,
        progress=progress,
        cancelled=cancelled,
        wants_identities=key_file is not None,
    )

    def cannot_enter(fault: OSError) -> None:
        path = Path(fault.filename)
        tally.fault(path, f"{path} cannot be opened: {fault.strerror or fault}.")

    looking.look(sorted(table.rows) if table else folder_files(folder, cannot_enter))
    if total == tally.others and not tally.faults:
        raise StudyError(
            f"{folder} holds no image file{' that the manifest names' if table else ''}.",
            "Give a folder with DICOM, PNG, JPEG, TIFF or WebP files.",
        )
    if tally.others:
        tally.note(f"Files that are no images and were left out: {tally.others}.")
    if looking.stopped:
        tally.note(f"Stopped while looking at {total} files; import again to go on.")
    elif study.config.dates is DatePolicy.DROPPED:
        for sentence in rank_visits(study, actor, door, looking.days):
            tally.note(sentence)
    if key_file is not None:
        append_key(key_file.expanduser(), tally.identities)
    return Looked(folder, table, tally, looking.stopped)


def door_of(study: Study, *, may_make: bool = False) -> Door:
    """Return what the study does with identifiers and dates; raises like `pseudonyms_of`."""
    return Door(pseudonyms_of(study.folder, may_make=may_make), study.config.privacy)


def _manifest_notes(table: Manifest | None) -> Iterator[str]:
    if table is None:
        return
    if table.ignored_columns:
        names = ", ".join(f"“{name}”" for name in table.ignored_columns)
        yield f"Columns of the manifest that mean nothing here and were not used: {names}."
    if table.elsewhere:
        yield f"Rows of the manifest about images outside this folder: {table.elsewhere}."
