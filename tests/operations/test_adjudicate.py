"""Settling on a real study: small differences in a batch, and what a coordinator sends back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from reader_app.errors import GradeError, NotAllowed
from reader_app.operations import adjudicate, reopen
from reader_app.operations.adjudicate_batch import Proposal, proposals, settle_batch
from reader_app.operations.design import set_design
from reader_app.protocols.model import Item
from reader_app.reading.adjudication import Method
from reader_app.reading.case import JointSide
from reader_app.store.records import Actor, Role
from tests.operations.conftest import MakeStudy
from tests.operations.consensus_study import KL, ConsensusStudy, consensus_study

GRAVE, CROSSING, SMALL = 1, 2, 3
"""What Cleo gives where Ben gives 0, 1 and 3: three, one across what counts as present, one beyond it."""
BEN = {GRAVE: 0, CROSSING: 1, SMALL: 3}
CLEO = {GRAVE: 3, CROSSING: 2, SMALL: 4}


@pytest.fixture
def made(make_study: MakeStudy, tmp_path: Path) -> tuple[ConsensusStudy, Actor]:
    """Three films on which the readers differ in KL on the right hip, and an adjudicator."""
    made = consensus_study(make_study(protocol="hip-oarsi"))
    made.import_both_sides(tmp_path / "films", 3)
    for name, given in (("Ben", BEN), ("Cleo", CLEO)):

        def grades(film: int, side: str, given: Mapping[int, int] = given) -> Mapping[Item, int]:
            return {KL: given[film]} if side == "R" else {}

        made.read_all(made.person(name, Role.READER), grades)
    return made, made.person("Adam", Role.ADJUDICATOR)


def test_only_small_differences_are_proposed_and_each_is_stored_by_itself(
    made: tuple[ConsensusStudy, Actor],
) -> None:
    study, adam = made[0].study, made[1]
    queue = adjudicate.queue(study, adam)
    assert [one.gravity for one in queue] == [3, 1, 1]
    (small,) = proposals(study, queue)
    assert (small.code, sorted(code for _, code in small.disagreement.grades)) == (4, [3, 4])
    done: list[int] = []
    (after,) = settle_batch(study, adam, [small], progress=done.append)
    assert done == [1]
    assert after.settled is not None
    assert (after.settled.code, after.settled.method) == (4, Method.THIRD_READER)
    assert "in a batch of 1" in after.settled.rationale
    with pytest.raises(NotAllowed, match="Only open differences"):
        settle_batch(study, adam, [Proposal(after, 4)])


def test_what_is_not_small_is_not_slipped_into_a_batch(made: tuple[ConsensusStudy, Actor]) -> None:
    study, adam = made[0].study, made[1]
    gravest = adjudicate.queue(study, adam)[0]
    with pytest.raises(NotAllowed, match="cross no cut"):
        settle_batch(study, adam, [Proposal(gravest, 3)])
    assert all(one.settled is None for one in adjudicate.queue(study, adam))


def test_no_batch_where_the_third_grade_comes_first(made: tuple[ConsensusStudy, Actor]) -> None:
    study, adam = made[0].study, made[1]
    blind = replace(study.design, adjudication=replace(study.design.adjudication, third_blind=True))
    study = set_design(study, made[0].coordinator, blind, reason="the third reader is to be blind")
    queue = adjudicate.queue(study, adam)
    assert {(one.hidden, one.grades, one.gravity) for one in queue} == {(True, (), 0)}
    with pytest.raises(NotAllowed, match="before seeing"):
        proposals(study, queue)
    after = adjudicate.settle_item(study, adam, queue[0], code=2)
    assert len(after.grades) == 2, "revealed once the third grade is stored"


def test_a_settled_grade_is_found_by_case_side_and_item_and_sent_back(
    made: tuple[ConsensusStudy, Actor],
) -> None:
    study, adam, coordinator = made[0].study, made[1], made[0].coordinator
    gravest = adjudicate.queue(study, adam)[0]
    adjudicate.settle_disagreement(study, adam, gravest, code=3)
    where = {"case": gravest.place, "side": JointSide.RIGHT, "item": KL}
    place = reopen.find_settled(study, coordinator, **where)  # type: ignore[arg-type]
    reopen.reopen(study, coordinator, place, reason="the wrong hip was in front")
    assert adjudicate.queue(study, adam)[0].settled is None
    with pytest.raises(GradeError, match="Nothing is settled on case"):
        reopen.find_settled(study, coordinator, **where)  # type: ignore[arg-type]
    with pytest.raises(GradeError, match="does not grade"):
        reopen.find_settled(study, coordinator, case=1, side=JointSide.RIGHT, item=Item("KL", "medial"))
    with pytest.raises(NotAllowed):
        reopen.settled_places(study, adam)
