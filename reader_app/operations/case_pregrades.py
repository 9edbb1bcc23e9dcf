"""What the AI says of a case on a reader's screen, or in words why it says nothing.

A case that is read without AI is told so in one sentence, the same whether a pre-grade exists or not: the
bundle and the tables are not even looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from reader_app.ai.bundle import Bundle
from reader_app.errors import BundleError, BundleMissing
from reader_app.operations.bundle_list import covered
from reader_app.operations.bundles import bundle_of
from reader_app.operations.study import Study
from reader_app.protocols.model import Arm, Protocol
from reader_app.reading.case import GradeKey, JointSide, grade_keys
from reader_app.reading.pregrade import PreGrade, speaking_for
from reader_app.store import pregrades
from reader_app.store.records import Actor, OpenReading

FIRST_READING = "This reading is without AI: it appears once you have locked your own grades."
UNAIDED = "This case is read without AI: nothing of it is shown."
NOT_YET = "This joint has no pre-grade yet."


@dataclass(frozen=True)
class CasePregrades:
    """What the AI says of a case.

    Attributes
    ----------
    found
        By what they grade; empty where nothing of the AI may be or can be shown.
    note
        Why there is none for the case or for some of its joints; empty where there is one for every joint.
    silent
        Why there is none, by what it would grade; empty where nothing of the AI may be shown.
    askable
        Whether some joint has none yet and the reader may have it made now.
    """

    found: Mapping[GradeKey, PreGrade] = field(default_factory=dict)
    note: str = ""
    silent: Mapping[GradeKey, str] = field(default_factory=dict)
    askable: bool = False


def pregrades_of_case(study: Study, actor: Actor, reading: OpenReading) -> CasePregrades:
    """Return what a reading may show of the AI, and why there is no more.

    Raises
    ------
    NotAllowed
        If the acting account is no reader.
    """
    if reading.ai_follows:
        return CasePregrades(note=FIRST_READING)
    if reading.arm is not Arm.AIDED:
        return CasePregrades(note=UNAIDED)
    try:
        bundle = bundle_of(study)
    except BundleMissing:
        # Without the folders that the error names: a reader can do nothing with them.
        return CasePregrades(
            note=f"No pre-grade: the bundle “{study.config.bundle}” is not installed. Reading works "
            "without; the coordinator's page “Pre-grades” says how to add it."
        )
    except BundleError as fault:
        return CasePregrades(note=f"No pre-grade: {fault.what} {fault.next_step}".strip())
    rows = pregrades.pregrades_for_reading(
        study.database, actor, reading.reading_id, bundle_sha256=bundle.sha256
    )
    found = {pregrade.key: pregrade for pregrade in rows}
    keys = grade_keys(study.protocol, reading.case)
    silent = _silent(study.protocol, bundle, keys, found)
    graded = {key.joint_id for key in found}
    missing = [
        joint
        for joint in reading.case.joints
        if joint.id not in graded
        and joint.side is not JointSide.WHOLE
        and any(k.joint_id == joint.id for k in keys)
    ]
    if not missing:
        return CasePregrades(found, "", silent)
    which = "this case" if not found else "some joints of this case"
    return CasePregrades(found, f"No pre-grade for {which} yet.", silent, askable=True)


def _silent(
    protocol: Protocol, bundle: Bundle, keys: Iterable[GradeKey], found: Mapping[GradeKey, PreGrade]
) -> dict[GradeKey, str]:
    graded = frozenset(covered(protocol, bundle.items)[0])
    other = f"The bundle {bundle.id} {bundle.version} does not grade this item."
    return {key: NOT_YET if key.item in graded else other for key in keys if speaking_for(found, key) is None}
