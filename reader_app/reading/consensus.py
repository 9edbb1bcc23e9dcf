"""From the readers' grades of one joint to what the protocol's rules make of them."""

from __future__ import annotations

from collections.abc import Mapping

from reader_app.protocols.model import Item, Protocol, Unit
from reader_app.reading.adjudication import Verdict, judge
from reader_app.reading.case import Case, JointSide

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
    side: JointSide,
    finals: Mapping[str, Finals],
    *,
    previous: Mapping[str, Finals] | None = None,
) -> dict[Item, Verdict]:
    """Apply the protocol's rules to all items of one joint.

    Parameters
    ----------
    finals
        By reader, whatever the reader is called here. A reader who excluded the joint is left out.
    previous
        The same readers' finals of the same joint at the visit before, where there is one.
    """
    verdicts: dict[Item, Verdict] = {}
    for item in final_items(protocol, side):
        readers = [reader for reader, given in finals.items() if item in given]
        before = None
        if previous is not None and all(item in previous.get(reader, {}) for reader in readers):
            before = [previous[reader][item] for reader in readers]
        verdicts[item] = judge(
            protocol.rule_for(item.feature_id),
            [finals[reader][item] for reader in readers],
            previous=before,
        )
    return verdicts


def earlier_joint(case: Case, joint_id: int) -> int | None:
    """Return the same side's joint on the film before in a paired case, None where there is none."""
    side = case.joint(joint_id).side
    earlier: int | None = None
    for film in case.films:
        for joint in film.joints:
            if joint.id == joint_id:
                return earlier
            if joint.side is side:
                earlier = joint.id
    return None
