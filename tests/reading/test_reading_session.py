"""The algebra of a reading: plan, apply, undo, redo, and what is left to grade."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from reader_app.errors import GradeError
from reader_app.imaging.geometry import Box
from reader_app.protocols.loader import find_protocol
from reader_app.protocols.model import ExclusionScope, Item, Protocol
from reader_app.reading.case import Case, CaseFilm, GradeKey, Joint, JointSide, grade_keys
from reader_app.reading.change import Change, Exclusion
from reader_app.reading.commands import (
    AcceptPreGrade,
    ClearGrade,
    Command,
    ExcludeJoint,
    GradeRest,
    IncludeJoint,
    MoveBox,
    SetGrade,
)
from reader_app.reading.session import ReadingContent, ReadingSession

PROTOCOL = find_protocol("hip-oarsi")
CASE = Case(
    1,
    tuple(
        CaseFilm(
            film, "", (Joint(2 * film, film, JointSide.RIGHT), Joint(2 * film + 1, film, JointSide.LEFT)), ""
        )
        for film in (1, 2)
    ),
)
KEYS = grade_keys(PROTOCOL, CASE)
JOINTS = [joint.id for joint in CASE.joints]


def state(session: ReadingSession) -> tuple[object, ...]:
    """All that a screen can ask of the state."""
    return (
        {key: session.grade(key) for key in session.keys},
        {joint: session.box(joint) for joint in JOINTS},
        {joint: session.exclusion(joint) for joint in JOINTS},
        session.open_keys(),
    )


def commands() -> SearchStrategy[Command]:
    keys = st.sampled_from(KEYS[:4] + KEYS[-4:])
    joints = st.sampled_from(JOINTS)
    reasons = st.sampled_from([reason.id for reason in PROTOCOL.exclusion_reasons])
    return st.one_of(
        st.builds(GradeRest, joints),
        keys.flatmap(
            lambda key: st.builds(
                SetGrade, st.just(key), st.sampled_from(PROTOCOL.item_scale(key.item).codes)
            )
        ),
        st.builds(ClearGrade, keys),
        st.builds(MoveBox, joints, st.builds(Box, *[st.integers(0, 3).map(float)] * 4)),
        st.builds(ExcludeJoint, joints, reasons, st.sampled_from(["", "metal"])),
        st.builds(IncludeJoint, joints),
        st.builds(
            AcceptPreGrade,
            joints,
            st.dictionaries(keys, st.just(1), max_size=3),
        ),
    )


def carry_out(session: ReadingSession, command: Command) -> Change | None:
    """Plan and apply; None where the rules refuse, and then nothing may have changed."""
    before = state(session)
    try:
        change = session.plan(command)
    except GradeError:
        assert state(session) == before
        return None
    assert state(session) == before, "planning changes nothing"
    session.apply(change)
    return change


@settings(max_examples=100, deadline=None)
@given(st.lists(commands(), max_size=12))
def test_undoing_everything_leads_back_and_redoing_everything_forth(wanted: list[Command]) -> None:
    session = ReadingSession(PROTOCOL, CASE)
    states = [state(session)]
    for command in wanted:
        change = carry_out(session, command)
        if change is not None and not change.empty:
            states.append(state(session))
    for expected in reversed(states[:-1]):
        undo = session.plan_undo()
        assert undo is not None
        session.apply(undo)
        assert state(session) == expected
    assert session.plan_undo() is None
    assert not session.can_undo
    for expected in states[1:]:
        redo = session.plan_redo()
        assert redo is not None
        session.apply(redo)
        assert state(session) == expected
    assert session.plan_redo() is None
    assert not session.can_redo


@settings(max_examples=60, deadline=None)
@given(st.lists(commands(), max_size=12))
def test_a_reopened_reading_goes_on_where_it_was(wanted: list[Command]) -> None:
    """The changes alone, played into stored content, give the state of the session."""
    session = ReadingSession(PROTOCOL, CASE)
    changes = [change for command in wanted if (change := carry_out(session, command)) is not None]
    grades: dict[GradeKey, int | None] = {}
    boxes: dict[int, Box | None] = {}
    exclusions: dict[int, Exclusion | None] = {}
    for change in changes:
        for grade in change.grades:
            assert grades.get(grade.key) == grade.before
            grades[grade.key] = grade.after
        for box in change.boxes:
            assert boxes.get(box.joint_id) == box.before
            boxes[box.joint_id] = box.after
        for exclusion in change.exclusions:
            assert exclusions.get(exclusion.joint_id) == exclusion.before
            exclusions[exclusion.joint_id] = exclusion.after
    content = ReadingContent(
        {key: code for key, code in grades.items() if code is not None},
        {joint: box for joint, box in boxes.items() if box is not None},
        {joint: why for joint, why in exclusions.items() if why is not None},
    )
    assert state(ReadingSession(PROTOCOL, CASE, content)) == state(session)


@settings(max_examples=60, deadline=None)
@given(st.lists(commands(), max_size=8))
def test_the_inverse_of_the_inverse_is_the_change(wanted: list[Command]) -> None:
    session = ReadingSession(PROTOCOL, CASE)
    for command in wanted:
        change = carry_out(session, command)
        if change is not None:
            assert change.inverse().inverse() == change
            assert change.inverse().joint_ids == change.joint_ids


@settings(max_examples=60, deadline=None)
@given(st.lists(commands(), min_size=1, max_size=8), commands())
def test_something_new_after_an_undo_ends_the_redo(wanted: list[Command], new: Command) -> None:
    session = ReadingSession(PROTOCOL, CASE)
    for command in wanted:
        carry_out(session, command)
    undo = session.plan_undo()
    if undo is None:
        return
    session.apply(undo)
    redo = session.plan_redo()
    change = carry_out(session, new)
    if change is not None and not change.empty and change != redo:
        assert session.plan_redo() is None


def test_a_double_press_changes_once(protocol: Protocol, case: Case) -> None:
    session = ReadingSession(protocol, case)
    key = session.keys[0]
    session.apply(session.plan(SetGrade(key, 1)))
    assert session.plan(SetGrade(key, 1)).empty


def test_a_grade_outside_the_scale_is_refused(protocol: Protocol, case: Case) -> None:
    session = ReadingSession(protocol, case)
    for code in (-1, 9):
        with pytest.raises(GradeError, match="not a grade of the scale"):
            session.plan(SetGrade(session.keys[0], code))
    with pytest.raises(GradeError, match="does not ask"):
        session.plan(SetGrade(GradeKey(999, session.keys[0].item), 1))
    with pytest.raises(GradeError, match="does not ask"):
        session.plan(SetGrade(GradeKey(1, Item("unknown")), 1))


def test_next_goes_round_and_passes_by_what_is_graded_or_excluded(protocol: Protocol, case: Case) -> None:
    session = ReadingSession(protocol, case)
    first, second, third = session.keys[:3]
    session.apply(session.plan(SetGrade(second, 1)))
    assert session.next_key(first) == third
    assert session.next_key(session.keys[-1]) == first
    joint_reason = next(r for r in protocol.exclusion_reasons if r.scope is ExclusionScope.JOINT)
    session.apply(session.plan(ExcludeJoint(1, joint_reason.id)))
    following = session.next_key(session.keys[-1])
    assert following is not None
    assert following.joint_id == 2


def test_accepting_a_pre_grade_never_overwrites_the_reader(protocol: Protocol, case: Case) -> None:
    session = ReadingSession(protocol, case)
    own, other = session.keys[:2]
    session.apply(session.plan(SetGrade(own, 0)))
    session.apply(session.plan(AcceptPreGrade(own.joint_id, {own: 2, other: 2})))
    assert (session.grade(own), session.grade(other)) == (0, 2)
    undo = session.plan_undo()
    assert undo is not None
    session.apply(undo)
    assert (session.grade(own), session.grade(other)) == (0, None)


def test_accepting_the_pre_grade_of_one_joint_leaves_the_others(protocol: Protocol, case: Case) -> None:
    session = ReadingSession(protocol, case)
    right = session.keys[0]
    left = next(key for key in session.keys if key.joint_id == 2)
    change = session.plan(AcceptPreGrade(right.joint_id, {right: 1, left: 1}))
    assert change.joint_ids == {right.joint_id}


def test_an_exclusion_reaches_as_far_as_its_reason_says(protocol: Protocol, case: Case) -> None:
    for scope, reached in ((ExclusionScope.JOINT, {1}), (ExclusionScope.RADIOGRAPH, {1, 2})):
        reason = next(r for r in protocol.exclusion_reasons if r.scope is scope)
        change = ReadingSession(protocol, case).plan(ExcludeJoint(1, reason.id, "  note "))
        assert change.joint_ids == reached
        assert {c.after.note for c in change.exclusions if c.after} == {"note"}


def test_an_excluded_joint_takes_no_grade_until_it_is_back(protocol: Protocol, case: Case) -> None:
    session = ReadingSession(protocol, case)
    reason = next(r for r in protocol.exclusion_reasons if r.scope is ExclusionScope.JOINT)
    session.apply(session.plan(ExcludeJoint(1, reason.id)))
    with pytest.raises(GradeError, match="excluded"):
        session.plan(SetGrade(session.keys[0], 1))
    session.apply(session.plan(IncludeJoint(1)))
    assert not session.plan(SetGrade(session.keys[0], 1)).empty
    with pytest.raises(GradeError, match="no exclusion reason"):
        session.plan(ExcludeJoint(1, "no such reason"))


def test_only_a_complete_reading_can_be_locked_and_then_nothing_changes(
    protocol: Protocol, case: Case
) -> None:
    session = ReadingSession(protocol, case)
    *others, last = session.keys
    for key in others:
        session.apply(session.plan(SetGrade(key, protocol.item_scale(key.item).codes[0])))
    with pytest.raises(GradeError, match=f"1 of {len(session.keys)}"):
        session.check_lockable()
    session.apply(session.plan(SetGrade(last, protocol.item_scale(last.item).codes[0])))
    session.check_lockable()
    session.mark_locked()
    assert not session.can_undo
    for attempt in (lambda: session.plan(ClearGrade(last)), session.plan_undo, session.plan_redo):
        with pytest.raises(GradeError, match="locked"):
            attempt()


def test_the_readers_box_comes_before_the_found_one(protocol: Protocol, case: Case) -> None:
    session = ReadingSession(protocol, case)
    assert session.box(1) == case.joint(1).box
    moved = Box(1, 2, 3, 4)
    session.apply(session.plan(MoveBox(1, moved)))
    assert session.box(1) == moved
    assert session.box(3) is None


def test_the_rest_of_a_joint_gets_the_lowest_grades_and_what_is_graded_stays() -> None:
    session = ReadingSession(PROTOCOL, CASE)
    narrow = next(key for key in KEYS if key.joint_id == JOINTS[0] and key.item == Item("JSN", "medial"))
    session.apply(session.plan(SetGrade(narrow, 2)))
    change = session.plan(GradeRest(JOINTS[0]))
    assert narrow not in {each.key for each in change.grades}
    session.apply(change)
    assert session.grade(narrow) == 2
    assert {session.grade(key) for key in KEYS if key.joint_id == JOINTS[0] and key != narrow} == {0}
    assert all(key.joint_id != JOINTS[0] for key in session.open_keys())
