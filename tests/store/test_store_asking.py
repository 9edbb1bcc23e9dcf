"""A reader asks for the pre-grade of the own case: who may, of what, and that a refusal tells nothing."""

from __future__ import annotations

import pytest

from reader_app.errors import NotAllowed
from reader_app.imaging.geometry import Box
from reader_app.protocols.model import Arm
from reader_app.store import asking, journal, pregrades
from reader_app.store.records import Actor, PendingJoint, Role
from tests.store.conftest import BUNDLE, KL, Study, film, pregrade, set_grade

BOX = Box(1.0, 2.0, 3.0, 4.0)


@pytest.fixture
def two_cases(study: Study) -> Study:
    study.add_cases(film("P0001"), film("P0002"))
    return study


def pending(study: Study, actor: Actor, reading_id: int | None) -> tuple[PendingJoint, ...]:
    return pregrades.pending_joints(study.db, actor, BUNDLE, reading_id=reading_id)


def save(study: Study, actor: Actor, joint: PendingJoint, reading_id: int | None) -> int:
    said = [pregrade(joint.joint_id, KL, pixels=joint.pixel_sha256)]
    return pregrades.save_pregrades(
        study.db, actor, said, heatmap_file=None, located_box=BOX, reading_id=reading_id
    )


def test_an_aided_reader_has_the_own_case_pregraded_and_the_journal_tells_who_asked(two_cases: Study) -> None:
    rolf = two_cases.person("Rolf", Role.READER)
    two_cases.assign(rolf, Arm.AIDED)
    opened = two_cases.open(rolf)
    joints = [joint.id for joint in opened.case.joints]
    assert (
        list(asking.ask_for_pregrade(two_cases.db, rolf, opened.reading_id, bundle_sha256=BUNDLE)) == joints
    )
    waiting = pending(two_cases, rolf, opened.reading_id)
    assert [joint.joint_id for joint in waiting] == joints
    assert pregrades.pending_count(two_cases.db, rolf, BUNDLE, reading_id=opened.reading_id) == len(joints)
    assert len(pending(two_cases, two_cases.coordinator, None)) == 2 * len(joints), "the other case waits too"
    for joint in waiting:
        assert save(two_cases, rolf, joint, opened.reading_id) == 1
    shown = pregrades.pregrades_for_reading(two_cases.db, rolf, opened.reading_id, BUNDLE)
    assert {each.key.joint_id for each in shown} == set(joints)
    told = [
        (entry.verb, entry.account_id)
        for entry in journal.entries(two_cases.db, two_cases.coordinator)
        if entry.verb.startswith("pregrade.")
    ]
    assert set(told) == {("pregrade.ask", rolf.account_id), ("pregrade.save", rolf.account_id)}


def test_a_joint_of_another_case_is_refused(two_cases: Study) -> None:
    rolf = two_cases.person("Rolf", Role.READER)
    two_cases.assign(rolf, Arm.AIDED)
    opened = two_cases.open(rolf)
    own = {joint.id for joint in opened.case.joints}
    other = next(
        joint for joint in pending(two_cases, two_cases.coordinator, None) if joint.joint_id not in own
    )
    before = journal.verify_chain(two_cases.db)
    with pytest.raises(NotAllowed, match="not of your case"):
        save(two_cases, rolf, other, opened.reading_id)
    assert journal.verify_chain(two_cases.db) == before


def test_a_reader_without_ai_is_refused_in_the_same_words_whether_a_pregrade_exists_or_not(
    two_cases: Study,
) -> None:
    rita = two_cases.person("Rita", Role.READER)
    two_cases.assign(rita, Arm.UNAIDED)
    opened = two_cases.open(rita)
    joint = pending(two_cases, two_cases.coordinator, None)[0]

    def refusals() -> list[str]:
        said = []
        for ask in (
            lambda: asking.ask_for_pregrade(two_cases.db, rita, opened.reading_id, bundle_sha256=BUNDLE),
            lambda: pending(two_cases, rita, opened.reading_id),
            lambda: pregrades.pending_count(two_cases.db, rita, BUNDLE, reading_id=opened.reading_id),
            lambda: save(two_cases, rita, joint, opened.reading_id),
        ):
            with pytest.raises(NotAllowed) as fault:
                ask()
            said.append(str(fault.value))
        return said

    none_there = refusals()
    two_cases.pregrade_all()
    assert refusals() == none_there
    assert set(none_there) == {
        "This reading shows nothing of the AI, so no pre-grade is made for it. Go on with your own grades."
    }


def test_before_the_first_reading_is_locked_nothing_can_be_asked_for(two_cases: Study) -> None:
    rita = two_cases.person("Rita", Role.READER)
    two_cases.assign(rita, Arm.UNAIDED_THEN_AIDED)
    first = two_cases.open(rita)
    with pytest.raises(NotAllowed, match="shows nothing of the AI"):
        asking.ask_for_pregrade(two_cases.db, rita, first.reading_id, bundle_sha256=BUNDLE)
    for joint in first.case.joints:
        two_cases.commit(rita, first, set_grade(joint.id, KL, 1))
    two_cases.lock(rita, first)
    second = two_cases.open(rita)
    assert second.reading_id != first.reading_id
    assert asking.ask_for_pregrade(two_cases.db, rita, second.reading_id, bundle_sha256=BUNDLE)


def test_anothers_reading_is_refused_like_one_without_ai(two_cases: Study) -> None:
    rolf, rita = two_cases.person("Rolf", Role.READER), two_cases.person("Rita", Role.READER)
    two_cases.assign(rolf, Arm.AIDED)
    two_cases.assign(rita, Arm.AIDED)
    his = two_cases.open(rolf)
    with pytest.raises(NotAllowed, match="shows nothing of the AI"):
        pending(two_cases, rita, his.reading_id)
    with pytest.raises(NotAllowed, match="may not do this"):
        pending(two_cases, two_cases.coordinator, his.reading_id)
