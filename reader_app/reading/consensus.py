"""From the readers' grades of one joint to what the rules of the study make of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from reader_app.protocols.model import Item, Protocol, Resolution, TriggerKind, Unit
from reader_app.reading.adjudication import ExclusionState, Outcome, Verdict, judge
from reader_app.reading.case import JointSide
from reader_app.reading.design import ReadingDesign
from reader_app.reading.design_rules import rule_for

Finals = Mapping[Item, int]
"""One reader's final grades of one joint: the worst site where the sites of a feature combine."""


def final_items(protocol: Protocol, side: JointSide) -> tuple[Item, ...]:
    """Return what gets a final grade on a joint, or on a whole film, in reading order."""
    unit = Unit.PARTICIPANT if side is JointSide.WHOLE else Unit.JOINT
    return tuple(
        item for feature in protocol.features if feature.unit is unit for item in feature.final_items
    )


def reader_finals(protocol: Protocol, side: JointSide, grades: Mapping[Item, int]) -> dict[Item, int]:
    """Return one reader's final grades of one joint; what is not graded whole is left out."""
    finals: dict[Item, int] = {}
    for item in final_items(protocol, side):
        code = grades.get(item)
        if code is None and item.site_id is None:
            code = protocol.combined(item.feature_id, grades)
        if code is not None:
            finals[item] = code
    return finals


def judge_joint(
    protocol: Protocol,
    design: ReadingDesign,
    side: JointSide,
    finals: Mapping[str, Finals],
    *,
    previous: Mapping[str, Finals] | None = None,
    following: Mapping[str, Finals] | None = None,
    excluded: Mapping[str, ExclusionState] | None = None,
) -> dict[Item, Verdict]:
    """Apply the rules of the study to all items of one joint.

    Parameters
    ----------
    finals
        By reader, whatever the reader is called here. What a reader who excluded the joint had graded before
        does not count.
    previous, following
        The same readers' finals of the same joint at the visit before and after, where there is one.
    excluded
        By reader, where the exclusion of the joint stands. While one waits for its check nothing is decided;
        one that is confirmed takes the joint out.
    """
    excluded = excluded or {}
    states = set(excluded.values())
    items = final_items(protocol, side)
    if ExclusionState.CONFIRMED in states:
        return dict.fromkeys(items, Verdict(Outcome.EXCLUDED))
    if ExclusionState.WAITING in states:
        return dict.fromkeys(items, Verdict(Outcome.WAITING))
    # Where nobody is left who graded the joint, the adjudicator is the first to.
    nobody = all(reader in excluded for reader in finals)
    verdicts: dict[Item, Verdict] = {}
    for item in items:
        readers = [reader for reader, given in finals.items() if item in given and reader not in excluded]
        neighbours = [
            [visit[reader][item] for reader in readers]
            for visit in (previous, following)
            if visit is not None and all(item in visit.get(reader, {}) for reader in readers)
        ]
        verdicts[item] = judge(
            rule_for(design, protocol, item.feature_id),
            [finals[reader][item] for reader in readers],
            neighbours=neighbours,
            within=design.adjudication.within,
            rejected=bool(excluded) and (bool(readers) or nobody),
        )
    return verdicts


@dataclass(frozen=True)
class JointVisit:
    """A joint of a case and the visit at which its film was taken, 0 for the first."""

    joint_id: int
    side: JointSide
    visit_order: int


def visit_neighbours(joints: Iterable[JointVisit]) -> dict[int, tuple[int | None, int | None]]:
    """Return of each joint of one case the same side's joint at the visit before and at the visit after.

    None where there is no such visit in the case. In whatever order the films hang, time decides.
    """
    chains: dict[JointSide, list[JointVisit]] = {}
    for joint in sorted(joints, key=lambda each: (each.visit_order, each.joint_id)):
        chains.setdefault(joint.side, []).append(joint)
    found: dict[int, tuple[int | None, int | None]] = {}
    for chain in chains.values():
        for joint in chain:
            before = [one.joint_id for one in chain if one.visit_order < joint.visit_order]
            after = [one.joint_id for one in chain if one.visit_order > joint.visit_order]
            found[joint.joint_id] = (before[-1] if before else None, after[0] if after else None)
    return found


def trivial_proposal(
    protocol: Protocol, design: ReadingDesign, item: Item, codes: Sequence[int]
) -> int | None:
    """Return the grade that settles a small difference, None where it takes a look of its own.

    Small is one grade apart, on the same side of what counts as present and of every cut of the rule. The
    worse of the two is proposed, as where sites combine. A rule that wants the readers together proposes
    nothing, and neither does one that was called for the direction of change.
    """
    if len(codes) < 2 or max(codes) - min(codes) != 1:
        return None
    rule = rule_for(design, protocol, item.feature_id)
    if rule is None or rule.resolution is Resolution.LIVE_CONSENSUS:
        return None
    present_from = protocol.feature(item.feature_id).present_from
    cuts = [present_from - 1] if present_from is not None else []
    for trigger in rule.triggers:
        if trigger.kind is TriggerKind.DIRECTION_OF_CHANGE:
            return None
        if trigger.cut is not None:
            cuts.append(trigger.cut)
    if any(min(codes) <= cut < max(codes) for cut in cuts):
        return None
    return max(codes)
