"""How far a study is."""

from __future__ import annotations

from reader_app.operations.study import Study
from reader_app.store import cases, import_files
from reader_app.store.records import Actor, ImportFault, StudyCounts


def status(study: Study, actor: Actor) -> StudyCounts:
    """Count films, joints, cases, readings and pre-grades: progress, never grades.

    Raises
    ------
    NotAllowed
        If the acting account is neither coordinator nor auditor.
    """
    return cases.counts(study.database, actor)


def import_faults(study: Study, actor: Actor) -> tuple[ImportFault, ...]:
    """Return the files that could not be imported; raises like `status`."""
    return import_files.refused_files(study.database, actor)


def import_duplicates(study: Study, actor: Actor) -> tuple[ImportFault, ...]:
    """Return the files with the same pixels as a radiograph of the study; raises like `status`."""
    return import_files.duplicate_files(study.database, actor)
