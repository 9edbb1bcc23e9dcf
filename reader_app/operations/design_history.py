"""Which reading designs a study has had, and since when."""

from __future__ import annotations

from dataclasses import replace

from reader_app.operations.study import Study
from reader_app.store import designs
from reader_app.store.records import Actor, DesignRecord


def history(study: Study, actor: Actor) -> tuple[DesignRecord, ...]:
    """Return every design that was in force, the newest first; empty for a study of before designs were kept.

    Raises
    ------
    NotAllowed
        Unless the actor is a coordinator or an auditor.
    StudyDamaged
        If a stored design cannot be read.
    """
    return designs.all_designs(study.database, actor)[::-1]


def as_in_force(study: Study) -> Study:
    """Return the study under the design that is in force now, which another program may have put there.

    Raises
    ------
    StudyDamaged
        If what is stored is not what was signed with its hash.
    """
    found = designs.in_force(study.database)
    return study if found is None or found == study.design else replace(study, design=found)
