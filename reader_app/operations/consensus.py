"""The final grade of every joint, with how it came about: for reports and exports."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from reader_app.operations.study import Study
from reader_app.protocols.model import Item
from reader_app.reading.adjudication import ExclusionState, Method, Outcome, Verdict
from reader_app.reading.consensus import Finals, JointVisit, judge_joint, reader_finals, visit_neighbours
from reader_app.store import cases, exclusion_checks, results
from reader_app.store.adjudication_records import Settled
from reader_app.store.exclusion_records import CheckRecord
from reader_app.store.records import Actor, JointPlace, ReadingExclusion, ReadingGrade

CALIBRATION = "read for calibration, no part of the results"
NO_CASE = "in no case yet"
NO_READER = "no reader is named yet"
EXCLUDED = "excluded"
CHECKING = "an exclusion waits for a second reader"
UNGRADED = "ungraded"
SIDE_BY_SIDE = "readers differ, the rules leave both"


@dataclass(frozen=True)
class FinalGrade:
    """One item of one joint: what the readers gave and what became of it.

    Attributes
    ----------
    codes
        By reader's account, of the readers who graded it and did not exclude the joint.
    code
        The final grade, None where there is none (yet).
    status
        How it came about, or why there is none, in words.
    outcome
        What the rules say; None where not all readers of the case are through, or nobody reads it.
    settled
        What the adjudicator decided, where one did.
    disagreed
        Whether the readers' grades differ, or the rules call an adjudicator.
    """

    joint: JointPlace
    item: Item
    codes: Mapping[int, int]
    code: int | None
    status: str
    outcome: Outcome | None = None
    settled: Settled | None = None
    disagreed: bool = False


@dataclass(frozen=True)
class CaseReaders:
    """Who reads a case, as far as it counts, and who is through with it."""

    assigned: tuple[int, ...] = ()
    locked: frozenset[int] = frozenset()

    @property
    def through(self) -> bool:
        """Whether all who read it have locked it."""
        return bool(self.assigned) and len(self.locked) == len(self.assigned)

    @property
    def waiting(self) -> str:
        """What it waits for, in words; empty where all are through."""
        if not self.assigned:
            return NO_READER
        return "" if self.through else f"{len(self.locked)} of {len(self.assigned)} readings locked"


@dataclass(frozen=True)
class LockedResults:
    """All locked readings that count, fetched once.

    Attributes
    ----------
    readers
        Account ids with their names, in the order in which they joined.
    grades, exclusions
        Of readings that are signed for good, one for each case and reader, amendments applied. Of a case that
        is read unaided and then aided it is the aided reading, of a crossover the unaided one.
    by_case
        Who reads a case.
    states
        Where each exclusion stands, by reading and joint.
    """

    readers: Mapping[int, str]
    joints: tuple[JointPlace, ...]
    grades: tuple[ReadingGrade, ...]
    exclusions: tuple[ReadingExclusion, ...]
    settled: tuple[Settled, ...]
    by_case: Mapping[int, CaseReaders] = field(default_factory=dict)
    states: Mapping[tuple[int, int], ExclusionState] = field(default_factory=dict)
    checks: tuple[CheckRecord, ...] = ()

    def readers_of(self, joint: JointPlace) -> CaseReaders:
        """Return who reads a joint."""
        return self.by_case.get(joint.case_id, CaseReaders()) if joint.case_id is not None else CaseReaders()


def locked_results(study: Study, actor: Actor) -> LockedResults:
    """Fetch what is locked and counts.

    Raises
    ------
    NotAllowed
        If the acting account is neither the auditor nor, once the study is frozen, the coordinator.
    """
    database = study.database
    assigned: dict[int, list[int]] = defaultdict(list)
    locked: dict[int, set[int]] = defaultdict(set)
    counting: set[int] = set()
    for reading in results.counted_readings(database, actor):
        assigned[reading.case_id].append(reading.account_id)
        if reading.locked and reading.reading_id is not None:
            locked[reading.case_id].add(reading.account_id)
            counting.add(reading.reading_id)
    reads = {account for accounts in assigned.values() for account in accounts}
    return LockedResults(
        readers={
            r.account_id: r.name for r in cases.counts(database, actor).readers if r.account_id in reads
        },
        joints=results.joint_places(database, actor),
        grades=tuple(g for g in results.locked_grades(database, actor) if g.reading_id in counting),
        exclusions=tuple(e for e in results.exclusions(database, actor) if e.reading_id in counting),
        settled=results.all_settled(database, actor),
        by_case={
            case_id: CaseReaders(tuple(accounts), frozenset(locked[case_id]))
            for case_id, accounts in assigned.items()
        },
        states=exclusion_checks.exclusion_states(database, actor, study.protocol),
        checks=exclusion_checks.all_checks(database, actor),
    )


def final_grades(study: Study, found: LockedResults) -> tuple[FinalGrade, ...]:
    """Apply the rules of the study, and what the adjudicators settled, to every joint.

    A case counts once all its own readers have locked it; until then its joints have no final grade. What an
    adjudicator settled stands, also where a reader amends a grade afterwards, but not where the joint is
    excluded.
    """
    finals = _finals_by_joint(study, found)
    excluded = _excluded(found)
    settled = {(one.joint_id, one.item): one for one in found.settled}
    lines: list[FinalGrade] = []
    for joint, earlier, later in _with_neighbours(found.joints):
        here = excluded.get(joint.joint_id, {})
        verdicts = judge_joint(
            study.protocol,
            study.design,
            joint.side,
            _counting(finals, excluded, joint.joint_id) or {},
            previous=_counting(finals, excluded, earlier),
            following=_counting(finals, excluded, later),
            excluded=here,
        )
        given = finals.get(joint.joint_id, {})
        why_not = _why_not(joint, found)
        for item, verdict in verdicts.items():
            codes = {
                reader: grades[item]
                for reader, grades in given.items()
                if item in grades and str(reader) not in here
            }
            decision = settled.get((joint.joint_id, item))
            lines.append(_line(joint, item, codes, verdict, decision, why_not=why_not))
    return tuple(lines)


def _finals_by_joint(study: Study, found: LockedResults) -> dict[int, dict[int, dict[Item, int]]]:
    raw: dict[int, dict[int, dict[Item, int]]] = defaultdict(lambda: defaultdict(dict))
    for grade in found.grades:
        if grade.code is not None:
            raw[grade.joint_id][grade.account_id][grade.item] = grade.code
    sides = {joint.joint_id: joint.side for joint in found.joints}
    return {
        joint_id: {
            reader: reader_finals(study.protocol, sides[joint_id], grades)
            for reader, grades in readers.items()
        }
        for joint_id, readers in raw.items()
    }


def _excluded(found: LockedResults) -> dict[int, dict[str, ExclusionState]]:
    """Return of each joint the readers who exclude it, and where that stands."""
    states: dict[int, dict[str, ExclusionState]] = defaultdict(dict)
    for one in found.exclusions:
        # Unknown only where it was amended while this was being fetched.
        state = found.states.get((one.reading_id, one.joint_id), ExclusionState.WAITING)
        states[one.joint_id][str(one.account_id)] = state
    return dict(states)


def _counting(
    finals: Mapping[int, Mapping[int, Finals]],
    excluded: Mapping[int, Mapping[str, ExclusionState]],
    joint_id: int | None,
) -> dict[str, Finals] | None:
    """Return the grades of a joint by reader; what stands beside an exclusion is no grade."""
    if joint_id is None:
        return None
    out = excluded.get(joint_id, {})
    return {
        str(reader): given for reader, given in finals.get(joint_id, {}).items() if str(reader) not in out
    }


def _with_neighbours(joints: Iterable[JointPlace]) -> Iterator[tuple[JointPlace, int | None, int | None]]:
    """Give each joint with the same side's joints at the visits before and after in the same case."""
    by_case: dict[int, list[JointVisit]] = defaultdict(list)
    ordered = sorted(joints, key=lambda j: (j.participant, j.visit_order, j.radiograph_id, j.joint_id))
    for joint in ordered:
        if joint.case_id is not None:
            by_case[joint.case_id].append(JointVisit(joint.joint_id, joint.side, joint.visit_order))
    around: dict[int, tuple[int | None, int | None]] = {}
    for of_case in by_case.values():
        around |= visit_neighbours(of_case)
    for joint in ordered:
        yield (joint, *around.get(joint.joint_id, (None, None)))


def _why_not(joint: JointPlace, found: LockedResults) -> str:
    """Say why nothing is judged yet; empty where all readers are through."""
    if joint.case_id is None:
        return NO_CASE
    if joint.calibration:
        return CALIBRATION
    return found.readers_of(joint).waiting


def _line(
    joint: JointPlace,
    item: Item,
    codes: Mapping[int, int],
    verdict: Verdict,
    settled: Settled | None,
    *,
    why_not: str,
) -> FinalGrade:
    if why_not:
        return FinalGrade(joint, item, codes, None, why_not, None, settled)
    code, status, outcome = verdict.code, _words(verdict), verdict.outcome
    if outcome in (Outcome.EXCLUDED, Outcome.WAITING):
        pass  # a joint that is out has no grade, whatever was settled before
    elif settled is not None and settled.code is not None and settled.method is not None:
        code, status, outcome = settled.code, settled.method.value, Outcome.FINAL
    elif settled is not None and outcome is Outcome.NEEDS_ADJUDICATOR:
        status, outcome = Outcome.NEEDS_CONSENSUS.value, Outcome.NEEDS_CONSENSUS
    disagreed = len(set(codes.values())) > 1 or verdict.outcome is Outcome.NEEDS_ADJUDICATOR
    return FinalGrade(joint, item, codes, code, status, outcome, settled, disagreed)


def _words(verdict: Verdict) -> str:
    match verdict.outcome:
        case Outcome.FINAL:
            return (verdict.method or Method.AGREED).value
        case Outcome.EXCLUDED:
            return EXCLUDED
        case Outcome.WAITING:
            return CHECKING
        case Outcome.UNGRADED:
            return UNGRADED
        case Outcome.SIDE_BY_SIDE:
            return SIDE_BY_SIDE
        case _:
            return verdict.outcome.value
