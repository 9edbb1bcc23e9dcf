"""What the rules of a study make of the readings of its cases, worked out inside the store.

Here the readers' grades are looked at whether or not somebody may see them: what leaves the store,
`seen_by_adjudicator` decides.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

from sqlalchemy import Connection

from reader_app.protocols.model import Item, Resolution, TriggerKind
from reader_app.reading.adjudication import ExclusionState, Method, Outcome
from reader_app.reading.consensus import Finals, JointVisit, judge_joint, visit_neighbours
from reader_app.reading.design_rules import rule_for
from reader_app.store.adjudication_records import Disagreement, Rules, Settled
from reader_app.store.designs import design_now
from reader_app.store.judging_rows import SETTLED as SETTLED
from reader_app.store.judging_rows import (
    CaseContent,
    Scope,
    case_numbers,
    contents,
    letters_by_case,
    settlements,
)
from reader_app.store.records import Actor
from reader_app.store.rows import AnyRow


def rules_now(connection: Connection, rules: Rules) -> Rules:
    """Return the rules under the design that is in force by now, whatever the caller knows of it.

    What the design keeps from the adjudicator is kept also where a window is older than the design.
    """
    design = design_now(connection)
    return rules if design is None else replace(rules, design=design)


def disagreements(
    connection: Connection, actor: Actor, rules: Rules, *, case_id: int | None = None
) -> list[Disagreement]:
    """Return what is or was called for in all cases that are through, or in one, with the grades in it.

    In the order of case, joint and protocol; a few queries, however many cases there are.
    """
    scope = Scope(case_id, direction=_looks_at_direction(rules))
    letters = letters_by_case(connection, scope, seed=rules.design.seed)
    settled = {
        (row.joint_id, Item.parse(row.item)): settled_record(
            row, name=row.name if row.account_id == actor.account_id else "", participants=False
        )
        for row in settlements(connection, scope)
    }
    numbers = case_numbers(connection, scope)
    found: list[Disagreement] = []
    for content in contents(connection, scope, letters, rules):
        found += _of_case(content, numbers[content.case_id], rules, settled)
    return found


def seen_by_adjudicator(found: Disagreement, rules: Rules) -> Disagreement:
    """Return a disagreement as it may leave the store: without grades where the third comes first."""
    if not rules.design.adjudication.third_blind or found.settled is not None:
        return found
    return replace(found, hidden=True, grades=(), rejected=(), gravity=0)


def letters_of_case(connection: Connection, case_id: int, rules: Rules) -> dict[int, str]:
    """Return the letter of each reader of a case that is through, by account; empty where it is not."""
    return letters_by_case(connection, Scope(case_id), seed=rules.design.seed).get(case_id, {})


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


def after_settling(before: Disagreement, rules: Rules, settled: Settled) -> Disagreement:
    """Return a disagreement as it stands once a decision on it is stored."""
    return replace(before, settled=settled, together=_together(rules, before.item, settled), hidden=False)


# One case ---------------------------------------------------------------------------------------


def _of_case(
    content: CaseContent, place: int, rules: Rules, settled: Mapping[tuple[int, Item], Settled]
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


def _counting(content: CaseContent, joint_id: int | None) -> Mapping[str, Finals] | None:
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


def _looks_at_direction(rules: Rules) -> bool:
    found = (rule_for(rules.design, rules.protocol, feature.id) for feature in rules.protocol.features)
    return any(
        trigger.kind is TriggerKind.DIRECTION_OF_CHANGE
        for rule in found
        if rule is not None
        for trigger in rule.triggers
    )
