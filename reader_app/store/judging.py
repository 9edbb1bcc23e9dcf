"""What the rules of a study make of the readings of its cases, worked out inside the store.

Here the readers' grades are looked at whether or not somebody may see them: what leaves, `seen_by` decides.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, Subquery, func, select, union

from reader_app.protocols.model import Item, Resolution, TriggerKind
from reader_app.reading.adjudication import ExclusionState, Method, Outcome
from reader_app.reading.case import JointSide
from reader_app.reading.consensus import Finals, JointVisit, judge_joint, reader_finals, visit_neighbours
from reader_app.reading.design_rules import rule_for
from reader_app.reading.ordering import blinded_letters
from reader_app.store.adjudication_records import Disagreement, Rules, Settled
from reader_app.store.counting import readings_of_cases_through
from reader_app.store.effective import grade_sources
from reader_app.store.exclusion_checks import states as exclusion_states
from reader_app.store.records import Actor
from reader_app.store.rows import AnyRow
from reader_app.store.tables import (
    account,
    amendment,
    case_film,
    exclusion,
    grade,
    joint,
    radiograph,
    settlement,
    study_case,
)
from reader_app.store.visit_names import visit_names

_VIEWER = "adjudicator"
"""Letters are the same for every adjudicator, so that a second one can speak about a case with the first."""


@dataclass(frozen=True)
class _Place:
    """Where a joint stands in its case."""

    joint_id: int
    side: JointSide
    visit: str
    visit_order: int


@dataclass(frozen=True)
class _CaseContent:
    """All that the readers of one case gave, under letters."""

    case_id: int
    joints: tuple[_Place, ...]
    finals: Mapping[int, Mapping[str, Finals]]
    excluded: Mapping[int, Mapping[str, ExclusionState]]


def disagreements(
    connection: Connection, actor: Actor, rules: Rules, *, case_id: int | None = None
) -> list[Disagreement]:
    """Return what is or was called for in all cases that are through, or in one, with the grades in it.

    In the order of case, joint and protocol; a few queries, however many cases there are.
    """
    in_force = readings_of_cases_through(case_id)
    letters = _letters(connection, in_force, rules)
    settled = _settled(connection, actor, case_id)
    numbers = _case_numbers(connection)
    found: list[Disagreement] = []
    for content in _contents(connection, in_force, letters, rules, case_id):
        found += _of_case(content, numbers[content.case_id], rules, settled)
    return found


def seen_by_adjudicator(found: Disagreement, rules: Rules) -> Disagreement:
    """Return a disagreement as it may leave the store: without grades where the third comes first."""
    if not rules.design.adjudication.third_blind or found.settled is not None:
        return found
    return Disagreement(
        case_id=found.case_id,
        place=found.place,
        joint_id=found.joint_id,
        side=found.side,
        visit=found.visit,
        item=found.item,
        hidden=True,
        grades=(),
        rejected=(),
        gravity=0,
        settled=None,
        together=found.together,
    )


def letters_of_case(connection: Connection, case_id: int, rules: Rules) -> dict[int, str]:
    """Return the letter of each reader of a case that is through, by account; empty where it is not."""
    return _letters(connection, readings_of_cases_through(case_id), rules).get(case_id, {})


def settled_record(row: AnyRow, *, name: str, participants: bool = True) -> Settled:
    """Return the record of one row of `SETTLED`, with or without who sat in a consensus session."""
    return Settled(
        case_id=row.case_id,
        joint_id=row.joint_id,
        item=Item.parse(row.item),
        code=row.code,
        third_code=row.third_code,
        method=Method(row.method) if row.method else None,
        adjudicator=name,
        rationale=row.rationale,
        at=row.at,
        participants=tuple(json.loads(row.participants_json)) if participants else (),
    )


SETTLED = (
    select(settlement, account.c.name)
    .join_from(settlement, account)
    .order_by(settlement.c.case_id, settlement.c.joint_id, settlement.c.item)
)
"""All settlements, each with the name of its adjudicator."""


# One case ---------------------------------------------------------------------------------------


def _of_case(
    content: _CaseContent, place: int, rules: Rules, settled: Mapping[tuple[int, Item], Settled]
) -> list[Disagreement]:
    around = visit_neighbours(JointVisit(one.joint_id, one.side, one.visit_order) for one in content.joints)
    found: list[Disagreement] = []
    for one in content.joints:
        finals = content.finals.get(one.joint_id, {})
        excluded = content.excluded.get(one.joint_id, {})
        earlier, later = around[one.joint_id]
        verdicts = judge_joint(
            rules.protocol,
            rules.design,
            one.side,
            finals,
            previous=_counting(content, earlier),
            following=_counting(content, later),
            excluded=excluded,
        )
        for item, verdict in verdicts.items():
            decision = settled.get((one.joint_id, item))
            called = verdict.outcome is Outcome.NEEDS_ADJUDICATOR
            if verdict.outcome is Outcome.EXCLUDED or not (called or decision is not None):
                continue
            found.append(
                Disagreement(
                    case_id=content.case_id,
                    place=place,
                    joint_id=one.joint_id,
                    side=one.side,
                    visit=one.visit,
                    item=item,
                    hidden=False,
                    grades=tuple(
                        (letter, given[item])
                        for letter, given in sorted(finals.items())
                        if item in given and letter not in excluded
                    ),
                    rejected=tuple(
                        letter
                        for letter, state in sorted(excluded.items())
                        if state is ExclusionState.REJECTED
                    ),
                    gravity=verdict.gravity,
                    settled=decision,
                    together=_together(rules, item, decision),
                )
            )
    return found


def _counting(content: _CaseContent, joint_id: int | None) -> Mapping[str, Finals] | None:
    """Return the grades at another visit; what stands beside an exclusion is no grade."""
    if joint_id is None:
        return None
    excluded = content.excluded.get(joint_id, {})
    return {who: given for who, given in content.finals.get(joint_id, {}).items() if who not in excluded}


def _together(rules: Rules, item: Item, settled: Settled | None) -> bool:
    rule = rule_for(rules.design, rules.protocol, item.feature_id)
    if rule is not None and rule.resolution is Resolution.LIVE_CONSENSUS:
        return True
    return settled is not None and (settled.code is None or settled.method is Method.CONSENSUS_SESSION)


# What the tables hold ---------------------------------------------------------------------------


def _letters(connection: Connection, in_force: Subquery, rules: Rules) -> dict[int, dict[int, str]]:
    readers: dict[int, list[int]] = defaultdict(list)
    for case_id, account_id in connection.execute(select(in_force.c.case_id, in_force.c.account_id)):
        readers[case_id].append(account_id)
    seed = rules.design.seed
    return {
        case_id: blinded_letters(sorted(accounts), seed=seed, case_id=case_id, viewer=_VIEWER)
        for case_id, accounts in readers.items()
    }


def _settled(connection: Connection, actor: Actor, case_id: int | None) -> dict[tuple[int, Item], Settled]:
    query = SETTLED if case_id is None else SETTLED.where(settlement.c.case_id == case_id)
    return {
        (row.joint_id, Item.parse(row.item)): settled_record(
            row, name=row.name if row.account_id == actor.account_id else "", participants=False
        )
        for row in connection.execute(query)
    }


def _case_numbers(connection: Connection) -> dict[int, int]:
    ids = connection.execute(select(study_case.c.id).order_by(study_case.c.id)).scalars()
    return {case_id: place for place, case_id in enumerate(ids, start=1)}


def _contents(
    connection: Connection,
    in_force: Subquery,
    letters: Mapping[int, Mapping[int, str]],
    rules: Rules,
    case_id: int | None,
) -> list[_CaseContent]:
    wanted = _joints_to_judge(in_force, rules)
    joints = _places(connection, wanted, case_id)
    raw: dict[int, dict[str, dict[Item, int]]] = defaultdict(lambda: defaultdict(dict))
    items: dict[str, Item] = {}
    for given in grade_sources():
        rows = connection.execute(
            select(in_force.c.case_id, in_force.c.account_id, given.c.joint_id, given.c.item, given.c.code)
            .join_from(in_force, given, given.c.reading_id == in_force.c.reading_id)
            .join(wanted, wanted.c.joint_id == given.c.joint_id)
        )
        for of_case, account_id, joint_id, key, code in rows:
            item = items.get(key) or items.setdefault(key, Item.parse(key))
            raw[joint_id][letters[of_case][account_id]][item] = code
    excluded = _exclusions(connection, in_force, letters, rules)
    contents: list[_CaseContent] = []
    for of_case, places in sorted(joints.items()):
        finals = {
            place.joint_id: {
                letter: reader_finals(rules.protocol, place.side, given)
                for letter, given in raw[place.joint_id].items()
            }
            for place in places
        }
        of_joints = {
            place.joint_id: excluded[place.joint_id] for place in places if place.joint_id in excluded
        }
        contents.append(_CaseContent(of_case, tuple(places), finals, of_joints))
    return contents


def _joints_to_judge(in_force: Subquery, rules: Rules) -> Subquery:
    """Select the joints on which anybody may be called: spares fetching those on which all agree.

    Where a rule looks at the direction of change, the other joints of the case come along.
    """
    given = in_force.join(grade, grade.c.reading_id == in_force.c.reading_id)
    differing = (
        select(grade.c.joint_id)
        .select_from(given)
        .group_by(grade.c.joint_id, grade.c.item)
        .having(func.min(grade.c.code) != func.max(grade.c.code))
    )
    of_readings = [
        select(table.c.joint_id).join_from(in_force, table, table.c.reading_id == in_force.c.reading_id)
        for table in (exclusion, amendment)
    ]
    decided = select(settlement.c.joint_id).where(settlement.c.case_id.in_(select(in_force.c.case_id)))
    touched = union(differing, *of_readings, decided).subquery("touched")
    if not _looks_at_direction(rules):
        return touched
    shown, beside = case_film.alias("shown"), case_film.alias("beside")
    other = joint.alias("other_joint")
    return (
        select(other.c.id.label("joint_id"))
        .distinct()
        .join_from(touched, joint, joint.c.id == touched.c.joint_id)
        .join(shown, shown.c.radiograph_id == joint.c.radiograph_id)
        .join(beside, beside.c.case_id == shown.c.case_id)
        .join(other, other.c.radiograph_id == beside.c.radiograph_id)
        .subquery("wanted")
    )


def _looks_at_direction(rules: Rules) -> bool:
    found = (rule_for(rules.design, rules.protocol, feature.id) for feature in rules.protocol.features)
    return any(
        trigger.kind is TriggerKind.DIRECTION_OF_CHANGE
        for rule in found
        if rule is not None
        for trigger in rule.triggers
    )


def _places(connection: Connection, wanted: Subquery, case_id: int | None) -> dict[int, list[_Place]]:
    """Return the joints by case, as their films hang; a visit has its name where readers were told it."""
    names = visit_names(connection, case_id)
    rows = connection.execute(
        select(case_film.c.case_id, joint.c.id, joint.c.side, joint.c.radiograph_id, radiograph.c.visit_order)
        .join_from(wanted, joint, joint.c.id == wanted.c.joint_id)
        .join(radiograph, radiograph.c.id == joint.c.radiograph_id)
        .join(case_film, case_film.c.radiograph_id == radiograph.c.id)
        .order_by(case_film.c.case_id, case_film.c.place, joint.c.id)
    )
    found: dict[int, list[_Place]] = defaultdict(list)
    for of_case, joint_id, side, film_id, visit_order in rows:
        visit = names.get(film_id, "")
        found[of_case].append(_Place(joint_id, JointSide(side), visit, visit_order))
    return found


def _exclusions(
    connection: Connection, in_force: Subquery, letters: Mapping[int, Mapping[int, str]], rules: Rules
) -> dict[int, dict[str, ExclusionState]]:
    """Return of each joint the letters that exclude it, and where that stands."""
    found = exclusion_states(connection, rules.protocol)
    if not found:
        return {}
    who = {
        row.reading_id: letters[row.case_id][row.account_id] for row in connection.execute(select(in_force))
    }
    by_joint: dict[int, dict[str, ExclusionState]] = defaultdict(dict)
    for (reading_id, joint_id), state in found.items():
        if reading_id in who:
            by_joint[joint_id][who[reading_id]] = state
    return dict(by_joint)
