"""The flow of a study from its files to its final grades, in numbers that add up, and as a drawing."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from reader_app.operations.consensus import (
    FinalGrade,
    LockedResults,
    final_grades,
    locked_results,
)
from reader_app.operations.exporting import write_export
from reader_app.operations.study import Study
from reader_app.reading.adjudication import ExclusionState, Method, Outcome
from reader_app.report.flow import SEVERAL, FlowNumbers, FlowStage, JointFlow, flow_of
from reader_app.report.flowchart import flowchart
from reader_app.store import cases
from reader_app.store.records import Actor, JointPlace, StudyCounts

_SETTLED_BY_PEOPLE = (Method.CONSENSUS_SESSION, Method.THIRD_READER)
_SETTLED_BY_RULE = (Method.MAJORITY, Method.MEDIAN, Method.WORST, Method.WITHIN_RULE)
_TO_SETTLE = (Outcome.NEEDS_ADJUDICATOR, Outcome.NEEDS_CONSENSUS)
_WAITS = {
    Outcome.NEEDS_ADJUDICATOR: "waiting for the adjudicator",
    Outcome.NEEDS_CONSENSUS: "waiting for a consensus session",
}


def flow_numbers(study: Study, actor: Actor) -> FlowNumbers:
    """Count how far the joints and radiographs of a study are.

    Raises
    ------
    NotAllowed
        If the acting account is neither the auditor nor, once the study is frozen, the coordinator.
    """
    found = locked_results(study, actor)
    counts = cases.counts(study.database, actor)
    return numbers_of(study, counts, found, final_grades(study, found))


def export_flow(study: Study, actor: Actor, path: Path) -> FlowNumbers:
    """Draw the flow as an SVG file, and say so in the journal; raises like `flow_numbers`.

    Raises
    ------
    StudyError
        If the file cannot be written.
    """
    numbers = flow_numbers(study, actor)
    write_export(study, actor, path, drawn_flow(study, numbers), verb="export.report")
    return numbers


def drawn_flow(study: Study, numbers: FlowNumbers) -> str:
    """Return the drawing as the text of an SVG file."""
    return str(flowchart(numbers, title=f"Flow of the study {study.config.title}")) + "\n"


def numbers_of(
    study: Study, counts: StudyCounts, found: LockedResults, finals: tuple[FinalGrade, ...]
) -> FlowNumbers:
    """Count what was fetched."""
    by_joint: dict[int, list[FinalGrade]] = defaultdict(list)
    for final in finals:
        by_joint[final.joint.joint_id].append(final)
    reasons = _reasons(study, found)
    rejected = {
        one.joint_id
        for one in found.exclusions
        if found.states.get((one.reading_id, one.joint_id)) is ExclusionState.REJECTED
    }
    joints = [
        _joint_flow(joint, by_joint[joint.joint_id], found, reasons, rejected=joint.joint_id in rejected)
        for joint in found.joints
    ]
    films = {joint.radiograph_id for joint in found.joints}
    return flow_of(
        joints,
        participants=counts.participants,
        refused=counts.faults,
        bare=counts.radiographs - len(films),
    )


def _joint_flow(
    joint: JointPlace,
    finals: list[FinalGrade],
    found: LockedResults,
    reasons: dict[int, str],
    *,
    rejected: bool,
) -> JointFlow:
    readers = found.readers_of(joint)
    stage, detail = _stage(joint, finals, found, reasons)
    return JointFlow(joint.radiograph_id, stage, detail, len(readers.locked), rejected)


def _stage(
    joint: JointPlace, finals: list[FinalGrade], found: LockedResults, reasons: dict[int, str]
) -> tuple[FlowStage, str]:
    """Return how far a joint is: as far as the least finished of its features."""
    readers = found.readers_of(joint)
    if joint.case_id is None:
        return FlowStage.NO_CASE, ""
    if joint.calibration:
        return FlowStage.CALIBRATION, ""
    if not readers.through:
        return FlowStage.UNREAD, readers.waiting
    outcomes = {final.outcome for final in finals}
    methods = {final.status for final in finals}
    if Outcome.EXCLUDED in outcomes:
        return FlowStage.EXCLUDED, reasons.get(joint.joint_id, "")
    if Outcome.WAITING in outcomes:
        return FlowStage.CHECKING, ""
    for waiting in _TO_SETTLE:
        if waiting in outcomes:
            return FlowStage.WAITING, _WAITS[waiting]
    if Outcome.UNGRADED in outcomes or not finals:
        return FlowStage.UNGRADED, ""
    if Outcome.SIDE_BY_SIDE in outcomes:
        return FlowStage.OPEN, ""
    for method in (*_SETTLED_BY_PEOPLE, *_SETTLED_BY_RULE):
        if method.value in methods:
            by_people = method in _SETTLED_BY_PEOPLE
            return FlowStage.ADJUDICATED if by_people else FlowStage.BY_RULE, method.value
    single = Method.SINGLE_READER.value in methods
    return FlowStage.SINGLE if single else FlowStage.AGREED, ""


def _reasons(study: Study, found: LockedResults) -> dict[int, str]:
    """Return why each joint is excluded, in the words of the protocol."""
    titles = {reason.id: reason.title for reason in study.protocol.exclusion_reasons}
    given: dict[int, set[str]] = defaultdict(set)
    for one in found.exclusions:
        if found.states.get((one.reading_id, one.joint_id)) is ExclusionState.CONFIRMED:
            given[one.joint_id].add(titles.get(one.reason_id, one.reason_id))
    return {joint: next(iter(each)) if len(each) == 1 else SEVERAL for joint, each in given.items()}
