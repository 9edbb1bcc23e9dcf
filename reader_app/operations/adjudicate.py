"""Adjudication: what the readers disagree on, and how it is settled."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from reader_app.errors import GradeError
from reader_app.imaging.pyramid import Pyramid
from reader_app.operations.film import load_pyramid
from reader_app.operations.study import Study
from reader_app.protocols.model import Item
from reader_app.reading.adjudication import Method, Outcome, Verdict, settle
from reader_app.reading.case import Case, JointSide
from reader_app.reading.consensus import JointVisit, judge_joint, reader_finals, visit_neighbours
from reader_app.store import adjudications
from reader_app.store.records import Actor, CaseGrades, Settled


@dataclass(frozen=True)
class Disagreement:
    """One item of one joint on which the rule calls the adjudicator.

    Attributes
    ----------
    grades
        (letter, code) of each reader, letters drawn anew for each case.
    settled
        What was decided so far, None if nothing.
    needs_consensus
        The third grade matches neither reader and the protocol asks for a consensus session.
    """

    case_id: int
    place: int
    title: str
    joint_id: int
    side: JointSide
    item: Item
    grades: tuple[tuple[str, int], ...]
    gravity: int
    settled: Settled | None = None

    @property
    def needs_consensus(self) -> bool:
        """Whether the readers have to be heard together."""
        return self.settled is not None and self.settled.code is None

    @property
    def open(self) -> bool:
        """Whether it still lacks a final grade."""
        return self.settled is None or self.settled.code is None


def queue(study: Study, actor: Actor) -> tuple[Disagreement, ...]:
    """Return the disagreements, the gravest first, settled ones included.

    Raises
    ------
    NotAllowed
        If the acting account is no adjudicator.
    """
    settled = {(s.joint_id, s.item): s for s in adjudications.settled(study.database, actor)}
    found = [
        disagreement
        for case_grades in adjudications.cases_ready(study.database, actor, seed=study.design.seed)
        for disagreement in _of_case(study, actor, case_grades, settled)
    ]
    return tuple(sorted(found, key=lambda d: (-d.gravity, d.place, d.joint_id)))


def case(study: Study, actor: Actor, case_id: int) -> Case:
    """Return films and joints of a case in the queue."""
    return adjudications.case(study.database, actor, case_id)


def pyramid(study: Study, actor: Actor, radiograph_id: int) -> Pyramid:
    """Return a film of a case in the queue, ready for the screen; may be called from any thread.

    Raises
    ------
    ImageError
        If it vanished, cannot be read or has changed since the import.
    """
    return load_pyramid(study, adjudications.film_source(study.database, actor, radiograph_id))


def settle_disagreement(
    study: Study,
    actor: Actor,
    disagreement: Disagreement,
    *,
    code: int,
    rationale: str = "",
) -> Verdict:
    """Give the third grade, or the grade of the consensus session where one was called.

    Returns
    -------
    Verdict
        Final, or "needs consensus session" where the protocol wants the third grade to match.

    Raises
    ------
    GradeError
        If the grade is not on the scale, or a consensus is given without a rationale.
    """
    study.protocol.item_scale(disagreement.item).level(code)
    rule = study.protocol.rule_for(disagreement.item.feature_id)
    codes = [given for _, given in disagreement.grades]
    if disagreement.needs_consensus:
        if not rationale.strip():
            raise GradeError(
                "The grade of a consensus session needs a word on how it came about.",
                "Write who took part and why, then grade.",
            )
        verdict = Verdict(Outcome.FINAL, code, Method.CONSENSUS_SESSION, disagreement.gravity)
    else:
        verdict = settle(rule, codes, code)
    adjudications.save_settled(
        study.database,
        actor,
        disagreement.case_id,
        disagreement.joint_id,
        disagreement.item,
        code=verdict.code,
        third_code=code,
        method=verdict.method,
        rationale=rationale.strip(),
    )
    return verdict


def _of_case(
    study: Study,
    actor: Actor,
    case_grades: CaseGrades,
    settled: Mapping[tuple[int, Item], Settled],
) -> list[Disagreement]:
    if not _may_differ(case_grades):
        return []
    case = adjudications.case(study.database, actor, case_grades.case_id)
    by_joint: dict[int, dict[str, dict[Item, int]]] = defaultdict(lambda: defaultdict(dict))
    for grade in case_grades.grades:
        by_joint[grade.joint_id][grade.letter][grade.item] = grade.code
    excluded = {(exclusion.joint_id, exclusion.letter) for exclusion in case_grades.exclusions}
    finals = {
        joint.id: {
            letter: reader_finals(study.protocol, joint.side, grades)
            for letter, grades in sorted(by_joint[joint.id].items())
            if (joint.id, letter) not in excluded
        }
        for joint in case.joints
    }
    found: list[Disagreement] = []
    around = visit_neighbours(
        JointVisit(joint.id, joint.side, place)
        for place, film in enumerate(case.films)
        for joint in film.joints
    )
    for joint in case.joints:
        earlier, later = around[joint.id]
        verdicts = judge_joint(
            study.protocol,
            study.design,
            joint.side,
            finals[joint.id],
            previous=finals[earlier] if earlier is not None else None,
            following=finals[later] if later is not None else None,
        )
        for item, verdict in verdicts.items():
            if verdict.outcome is not Outcome.NEEDS_ADJUDICATOR:
                continue
            found.append(
                Disagreement(
                    case_id=case_grades.case_id,
                    place=case_grades.place,
                    title=case_grades.title,
                    joint_id=joint.id,
                    side=joint.side,
                    item=item,
                    grades=tuple(
                        (letter, given[item]) for letter, given in finals[joint.id].items() if item in given
                    ),
                    gravity=verdict.gravity,
                    settled=settled.get((joint.id, item)),
                )
            )
    return found


def _may_differ(case_grades: CaseGrades) -> bool:
    """Whether any two readers gave any item different grades: spares opening the cases that agree."""
    seen: dict[tuple[int, Item], int] = {}
    return any(seen.setdefault((g.joint_id, g.item), g.code) != g.code for g in case_grades.grades)
