"""After the lock of a calibration case: what the reader is shown, and whether live cases open."""

from __future__ import annotations

from dataclasses import dataclass

from reader_app.operations.calibration_gate import GateOutcome, judging, outcome_of
from reader_app.operations.study import Study
from reader_app.protocols.model import Combine, Feature, Level, Protocol, Unit
from reader_app.reading.case import JointSide
from reader_app.store import calibration_readings, qualifications
from reader_app.store.qualification_records import CalibrationJoint
from reader_app.store.records import Actor


@dataclass(frozen=True)
class FeedbackRow:
    """One item of one joint: what the reader gave and what the reference says.

    Attributes
    ----------
    title
        Of the feature, in short, and its site up to its first comma where it has one.
    given, reference
        The levels of the scale; `given` is None where the reader excluded the joint.
    steps
        How many steps of the scale the reader is above the reference, below 0 for under it; None where there
        is nothing to compare.
    """

    joint_id: int
    side: JointSide
    title: str
    given: Level | None
    reference: Level
    steps: int | None


@dataclass(frozen=True)
class Feedback:
    """A locked calibration case beside the reference, in reading order.

    Attributes
    ----------
    locked, total
        How many calibration cases of the attempt are locked, this one included, and how many there are.
    """

    reading_id: int
    rows: tuple[FeedbackRow, ...]
    locked: int
    total: int


@dataclass(frozen=True)
class CalibrationOutcome:
    """What follows the lock of a calibration case.

    Attributes
    ----------
    feedback
        None where the design gives none.
    gate
        The result of the whole set after its last case, None before. A design without a gate always passes.
    """

    feedback: Feedback | None
    gate: GateOutcome | None


def after_lock(study: Study, actor: Actor, reading_id: int) -> CalibrationOutcome | None:
    """Return what the reader is shown after locking a reading.

    Returns
    -------
    CalibrationOutcome or None
        None where nothing is: always for live cases, re-reads and controls.
    """
    if not study.design.calibration.cases:
        return None
    shown = feedback(study, actor, reading_id)
    gate = judge_if_due(study, actor)
    return CalibrationOutcome(shown, gate) if shown is not None or gate is not None else None


def feedback(study: Study, actor: Actor, reading_id: int) -> Feedback | None:
    """Return the reader's own locked calibration case beside the reference; None where none may be shown."""
    joints = calibration_readings.own_feedback(study.database, actor, reading_id)
    if joints is None:
        return None
    state = qualifications.own_qualification(study.database, actor)
    rows = tuple(row for joint in joints for row in _rows(study.protocol, joint))
    return Feedback(reading_id, rows, state.locked, state.total)


def judge_if_due(study: Study, actor: Actor) -> GateOutcome | None:
    """Judge the reader's calibration set if all of it is locked and nobody has; None otherwise.

    It is due after the lock of the last case. Should the software have been stopped between the lock and the
    judgement, the next live case that is opened calls it again.
    """
    if not study.design.calibration.cases:
        return None
    stored = qualifications.judge(study.database, actor, judging(study.protocol, study.design.calibration))
    return None if stored is None else outcome_of(stored)


def _rows(protocol: Protocol, joint: CalibrationJoint) -> list[FeedbackRow]:
    unit = Unit.PARTICIPANT if joint.side is JointSide.WHOLE else Unit.JOINT
    rows: list[FeedbackRow] = []
    for feature in protocol.features:
        if feature.unit is not unit:
            continue
        for item in feature.items:
            if item in joint.reference:
                given = None if joint.given is None else joint.given.get(item)
                site = feature.site(item.site_id).title.partition(",")[0] if item.site_id is not None else ""
                title = f"{feature.short_title} {site.lower()}" if site else feature.short_title
                rows.append(_row(joint, feature, title, given=given, reference=joint.reference[item]))
        # A reference that knows the feature as a whole only, where the reader grades its sites.
        whole = joint.reference.get(feature.final_items[0])
        if feature.sites and feature.combine is Combine.MAX and whole is not None:
            given = None if joint.given is None else protocol.combined(feature.id, joint.given)
            rows.append(_row(joint, feature, f"{feature.short_title} worst", given=given, reference=whole))
    return rows


def _row(
    joint: CalibrationJoint, feature: Feature, title: str, *, given: int | None, reference: int
) -> FeedbackRow:
    scale = feature.scale
    return FeedbackRow(
        joint_id=joint.joint_id,
        side=joint.side,
        title=title,
        given=None if given is None else scale.level(given),
        reference=scale.level(reference),
        steps=None if given is None else scale.codes.index(given) - scale.codes.index(reference),
    )
