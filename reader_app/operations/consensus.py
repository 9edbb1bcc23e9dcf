"""The final grade of every joint, with how it came about: for reports and exports."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from reader_app.operations.study import Study
from reader_app.protocols.model import Item
from reader_app.reading.adjudication import Method, Outcome, Verdict
from reader_app.reading.consensus import JointVisit, judge_joint, reader_finals, visit_neighbours
from reader_app.store import cases, results
from reader_app.store.records import Actor, JointPlace, ReadingExclusion, ReadingGrade, Settled


@dataclass(frozen=True)
class FinalGrade:
    """One item of one joint: what the readers gave and what became of it.

    Attributes
    ----------
    codes
        By reader's account, of the readers who graded it.
    code
        The final grade, None where there is none (yet).
    status
        How it came about, or why there is none, in words.
    """

    joint: JointPlace
    item: Item
    codes: Mapping[int, int]
    code: int | None
    status: str
    settled: Settled | None = None
    disagreed: bool = False


@dataclass(frozen=True)
class LockedResults:
    """All locked readings of a study, fetched once.

    Attributes
    ----------
    readers
        Account ids with their names, in the order in which they joined.
    readings
        How many locked readings each case has.
    """

    readers: Mapping[int, str]
    joints: tuple[JointPlace, ...]
    grades: tuple[ReadingGrade, ...]
    exclusions: tuple[ReadingExclusion, ...]
    settled: tuple[Settled, ...]
    readings: Mapping[int, int]


def locked_results(study: Study, actor: Actor) -> LockedResults:
    """Fetch what is locked.

    Raises
    ------
    NotAllowed
        If the acting account is neither coordinator nor auditor.
    """
    database = study.database
    readings: dict[int, int] = defaultdict(int)
    for reading in results.timings(database, actor):
        readings[reading.case_id] += 1
    return LockedResults(
        readers={r.account_id: r.name for r in cases.counts(database, actor).readers if r.total},
        joints=results.joint_places(database, actor),
        grades=results.locked_grades(database, actor),
        exclusions=results.exclusions(database, actor),
        settled=results.all_settled(database, actor),
        readings=readings,
    )


def final_grades(study: Study, found: LockedResults) -> tuple[FinalGrade, ...]:
    """Apply the protocol's rules, and what the adjudicators settled, to every joint of the study.

    A case counts once all its readers have locked it; until then its joints have no final grade.
    """
    finals = _finals_by_joint(study, found)
    settled = {(one.joint_id, one.item): one for one in found.settled}
    excluded = {(one.joint_id, one.account_id) for one in found.exclusions}
    lines: list[FinalGrade] = []
    for joint, (earlier, later) in _with_neighbours(found.joints):
        given = {r: finals[joint.joint_id].get(r, {}) for r in found.readers}
        verdicts = judge_joint(
            study.protocol,
            study.design,
            joint.side,
            {str(reader): grades for reader, grades in given.items() if grades},
            previous={str(r): finals[earlier].get(r, {}) for r in given} if earlier is not None else None,
            following={str(r): finals[later].get(r, {}) for r in given} if later is not None else None,
        )
        left_out = sum((joint.joint_id, reader) in excluded for reader in found.readers)
        locked = found.readings.get(joint.case_id, 0) if joint.case_id is not None else 0
        waiting = _waiting(locked, len(found.readers))
        for item, verdict in verdicts.items():
            codes = {reader: grades[item] for reader, grades in given.items() if item in grades}
            decision = settled.get((joint.joint_id, item))
            lines.append(_line(joint, item, codes, verdict, decision, waiting=waiting, left_out=left_out))
    return tuple(lines)


def _finals_by_joint(study: Study, found: LockedResults) -> dict[int, dict[int, dict[Item, int]]]:
    raw: dict[int, dict[int, dict[Item, int]]] = defaultdict(lambda: defaultdict(dict))
    for grade in found.grades:
        if grade.code is not None:
            raw[grade.joint_id][grade.account_id][grade.item] = grade.code
    for one in found.exclusions:
        raw[one.joint_id].pop(one.account_id, None)
    finals: dict[int, dict[int, dict[Item, int]]] = defaultdict(dict)
    sides = {joint.joint_id: joint.side for joint in found.joints}
    for joint_id, readers in raw.items():
        finals[joint_id] = {
            reader: reader_finals(study.protocol, sides[joint_id], grades)
            for reader, grades in readers.items()
        }
    return finals


def _with_neighbours(
    joints: tuple[JointPlace, ...],
) -> list[tuple[JointPlace, tuple[int | None, int | None]]]:
    """Pair each joint with the same side's joints at the visit before and after in the same case."""
    by_case: dict[int, list[JointVisit]] = defaultdict(list)
    for joint in joints:
        if joint.case_id is not None:
            by_case[joint.case_id].append(JointVisit(joint.joint_id, joint.side, joint.visit_order))
    around: dict[int, tuple[int | None, int | None]] = {}
    for of_case in by_case.values():
        around.update(visit_neighbours(of_case))
    ordered = sorted(joints, key=lambda j: (j.participant, j.visit_order, j.radiograph_id, j.joint_id))
    return [(joint, around.get(joint.joint_id, (None, None))) for joint in ordered]


def _waiting(locked: int, readers: int) -> str:
    if readers == 0:
        return "no reader is named yet"
    return f"{locked} of {readers} readings locked" if locked < readers else ""


def _line(
    joint: JointPlace,
    item: Item,
    codes: Mapping[int, int],
    verdict: Verdict,
    settled: Settled | None,
    *,
    waiting: str,
    left_out: int,
) -> FinalGrade:
    disagreed = verdict.gravity > 0 or verdict.outcome is Outcome.NEEDS_ADJUDICATOR
    code, status = verdict.code, verdict.method.value if verdict.method else ""
    if waiting:
        code, status, disagreed = None, waiting, False
    elif verdict.outcome is Outcome.UNGRADED:
        status = "excluded by every reader" if left_out else "ungraded"
    elif settled is not None and settled.code is not None and settled.method is not None:
        code, status = settled.code, settled.method.value
    elif verdict.outcome is Outcome.NEEDS_ADJUDICATOR:
        needs = Outcome.NEEDS_CONSENSUS if settled is not None else Outcome.NEEDS_ADJUDICATOR
        code, status = None, needs.value
    elif verdict.outcome is Outcome.SIDE_BY_SIDE:
        status = "readers differ, the protocol has no rule"
    elif verdict.method is Method.SINGLE_READER and left_out:
        status = f"{Method.SINGLE_READER.value}, excluded by another"
    return FinalGrade(joint, item, codes, code, status, settled, disagreed)
