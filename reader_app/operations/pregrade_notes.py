"""What is to be said of single joints after a pre-grade: remarks of the bundle, and why one has none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reader_app.operations.pregrading.keeping import JointFault
from reader_app.operations.study import Study
from reader_app.store import bundle_pregrades
from reader_app.store.pregrade_records import JointPlace
from reader_app.store.records import Actor

MOST_REMARKS = 500


@dataclass(frozen=True)
class JointNote:
    """A joint and a sentence on it."""

    place: JointPlace
    words: str


def fault_notes(study: Study, actor: Actor, faults: Sequence[JointFault]) -> tuple[JointNote, ...]:
    """Return the joints that could not be pre-graded, with their reasons.

    Raises
    ------
    NotAllowed
        Unless the acting account is a coordinator or auditor.
    """
    places = bundle_pregrades.joint_places(study.database, actor, [fault.joint_id for fault in faults])
    return tuple(
        JointNote(places[fault.joint_id], fault.reason) for fault in faults if fault.joint_id in places
    )


def remark_notes(study: Study, actor: Actor, bundle_sha256: str) -> tuple[JointNote, ...]:
    """Return the first joints, `MOST_REMARKS` at most, of which a bundle's pre-grades remark something.

    Raises
    ------
    NotAllowed
        Unless the acting account is a coordinator or auditor.
    """
    found = bundle_pregrades.remarks(study.database, actor, bundle_sha256, MOST_REMARKS)
    return tuple(JointNote(each.place, each.remark) for each in found)
