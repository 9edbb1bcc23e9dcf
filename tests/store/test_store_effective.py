"""What counts after amendments: the originals stay, the grades that count follow, and who may amend what."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from reader_app.errors import GradeError, NotAllowed, PasswordNeeded
from reader_app.protocols.model import Arm, Item, Presentation
from reader_app.reading.case import GradeKey
from reader_app.reading.change import Exclusion
from reader_app.reading.design import PasswordPolicy, ReadingDesign, Signing
from reader_app.reading.session import ReadingContent
from reader_app.store import accounts, amendments, designs, journal, replay, results
from reader_app.store.records import Actor, Role
from reader_app.store.signatures import signing_purpose
from reader_app.store.tables import amendment, assignment, exclusion, grade
from tests.store.conftest import JSN, KL, PASSWORD, SEED, Study, exclude, film, set_grade

PROSTHESIS = Exclusion("prosthesis", "")


def rita_and_reading(study: Study, place: int = 1) -> tuple[Actor, int]:
    rita = study.person("Rita", Role.READER)
    return rita, study.open(rita, place).reading_id


def counted(study: Study) -> dict[tuple[int, int, str], int | None]:
    ada = study.person("Ada", Role.AUDITOR)
    return {
        (each.reading_id, each.joint_id, each.item.key): each.code
        for each in results.locked_grades(study.db, ada)
    }


def left_out(study: Study) -> dict[tuple[int, int], tuple[str, str]]:
    ada = study.person("Ada", Role.AUDITOR)
    return {
        (each.reading_id, each.joint_id): (each.reason_id, each.note)
        for each in results.exclusions(study.db, ada)
    }


def test_an_amended_grade_counts_and_the_original_stays(written: Study) -> None:
    rita, reading_id = rita_and_reading(written)
    joint_id = written.open(rita).case.joints[0].id
    made = amendments.amend(
        written.db, rita, reading_id, joint_id, KL, after=3, reason=" the lateral margin "
    )
    assert (made.before, made.after, made.reason) == (1, 3, "the lateral margin")
    ada = written.person("Ada", Role.AUDITOR)
    (found,) = (
        each
        for each in results.locked_grades(written.db, ada)
        if (each.reading_id, each.joint_id, each.item) == (reading_id, joint_id, KL)
    )
    assert (found.code, found.original, found.amended) == (3, 1, True)
    with written.db.reading() as connection:
        stored = connection.execute(
            select(grade.c.code).where(grade.c.reading_id == reading_id, grade.c.joint_id == joint_id)
        ).scalar_one()
    assert stored == 1, "what was signed is never written over"
    assert replay.verify_readings(written.db).ok


def test_the_journal_tells_an_amendment_whole(written: Study) -> None:
    rita, reading_id = rita_and_reading(written)
    joint_id = written.open(rita).case.joints[0].id
    amendments.amend(written.db, rita, reading_id, joint_id, None, after=PROSTHESIS, reason="a cup")
    ada = written.person("Ada", Role.AUDITOR)
    told = [e.payload for e in journal.entries(written.db, ada) if e.verb == "reading.amend"]
    assert told == [
        {
            "reading": reading_id,
            "joint": joint_id,
            "item": "",
            "before": None,
            "after": ["prosthesis", ""],
            "reason": "a cup",
        }
    ]


def test_an_exclusion_taken_back_lets_the_signed_grades_count_again(written: Study) -> None:
    rita, reading_id = rita_and_reading(written)
    joint_id = written.open(rita).case.joints[0].id
    before = counted(written)
    amendments.amend(written.db, rita, reading_id, joint_id, None, after=PROSTHESIS, reason="a cup")
    assert left_out(written) == {(reading_id, joint_id): ("prosthesis", "")}
    assert (reading_id, joint_id, KL.key) not in counted(written)
    with pytest.raises(GradeError, match="excluded"):
        amendments.amend(written.db, rita, reading_id, joint_id, KL, after=2, reason="no")
    amendments.amend(written.db, rita, reading_id, joint_id, None, after=None, reason="the other hip")
    assert counted(written) == before
    assert left_out(written) == {}


def test_a_joint_that_was_signed_as_excluded_can_be_graded_later(study: Study) -> None:
    study.add_cases(film("P0001"))
    rita = study.person("Rita", Role.READER)
    study.assign(rita)
    opened = study.open(rita)
    first, second = (joint.id for joint in opened.case.joints)
    study.commit(rita, opened, exclude(first))
    study.commit(rita, opened, set_grade(second, KL, 2))
    study.lock(rita, opened)
    amendments.amend(study.db, rita, opened.reading_id, first, None, after=None, reason="it can be seen")
    amendments.amend(study.db, rita, opened.reading_id, first, KL, after=4, reason="it can be seen")
    assert counted(study) == {(opened.reading_id, first, "kl"): 4, (opened.reading_id, second, "kl"): 2}
    with study.db.reading() as connection:
        kept = connection.execute(select(exclusion.c.joint_id)).scalars().all()
    assert kept == [first], "the exclusion that was signed stays in its table"


@given(
    steps=st.lists(
        st.one_of(
            st.tuples(st.sampled_from((KL, JSN)), st.integers(0, 4)),
            st.tuples(st.none(), st.sampled_from((None, PROSTHESIS, Exclusion("film", "cut")))),
        ),
        max_size=8,
    )
)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_tables_tell_what_amending_step_by_step_gives(
    written: Study, steps: list[tuple[Item | None, int | Exclusion | None]]
) -> None:
    """The grades that the database selects are those that the amendments give one after the other."""
    rita, reading_id = rita_and_reading(written)
    joint_id = written.open(rita).case.joints[0].id
    for item, after in steps:
        try:
            amendments.amend(written.db, rita, reading_id, joint_id, item, after=after, reason="again")
        except GradeError:
            continue
    with written.db.reading() as connection:
        now = amendments.applied(connection, reading_id)
    assert {
        (joint, item): code
        for (reading, joint, item), code in counted(written).items()
        if reading == reading_id
    } == {
        (key.joint_id, key.item.key): code
        for key, code in now.grades.items()
        if key.joint_id not in now.exclusions
    }
    assert {j: r for (reading, j), r in left_out(written).items() if reading == reading_id} == {
        joint: (each.reason_id, each.note) for joint, each in now.exclusions.items()
    }


def test_a_reader_sees_the_amended_case_and_what_was_amended(written: Study) -> None:
    rita, reading_id = rita_and_reading(written)
    joint_id = written.open(rita).case.joints[0].id
    amendments.amend(written.db, rita, reading_id, joint_id, KL, after=2, reason="first")
    amendments.amend(written.db, rita, reading_id, joint_id, KL, after=0, reason="second")
    shown = amendments.own_amendments(written.db, rita, reading_id)
    assert [(each.before, each.after, each.reason) for each in shown] == [(1, 2, "first"), (2, 0, "second")]
    content: ReadingContent = written.open(rita).content
    assert content.grades[GradeKey(joint_id, KL)] == 0
    assert content.locked


@pytest.mark.parametrize(
    ("reason", "after", "words"),
    [("  ", 2, "needs a reason"), ("no change", 1, "change nothing"), ("taken away", None, "change nothing")],
)
def test_an_amendment_needs_a_reason_and_a_change(
    written: Study, reason: str, after: int | None, words: str
) -> None:
    rita, reading_id = rita_and_reading(written)
    joint_id = written.open(rita).case.joints[0].id
    with pytest.raises(GradeError, match=words):
        amendments.amend(written.db, rita, reading_id, joint_id, KL, after=after, reason=reason)


def test_only_the_own_locked_reading_can_be_amended(full: Study) -> None:
    rita, rolf = full.person("Rita", Role.READER), full.person("Rolf", Role.READER)
    by_case = {}
    for place in (1, 2):
        opened = full.open(rita, place)
        by_case[opened.content.locked] = opened
    locked, still_open = by_case[True], by_case[False]

    def amend(actor: Actor, reading_id: int, joint_id: int) -> object:
        return amendments.amend(full.db, actor, reading_id, joint_id, KL, after=1, reason="x")

    with pytest.raises(NotAllowed, match="not yours"):
        amend(rolf, locked.reading_id, locked.case.joints[0].id)
    with pytest.raises(GradeError, match="not locked yet"):
        amend(rita, still_open.reading_id, still_open.case.joints[0].id)
    with pytest.raises(GradeError, match="does not belong"):
        amend(rita, locked.reading_id, still_open.case.joints[0].id)
    with pytest.raises(NotAllowed, match="not yours"):
        amendments.own_amendments(full.db, rolf, locked.reading_id)


def test_a_calibration_reading_stays_as_it_was_signed(written: Study) -> None:
    rita, reading_id = rita_and_reading(written)
    joint_id = written.open(rita).case.joints[0].id
    with written.db.writing() as connection:
        connection.execute(update(assignment).where(assignment.c.place == 1).values(purpose="calibration"))
    with pytest.raises(GradeError, match="compares you with reference grades"):
        amendments.amend(written.db, rita, reading_id, joint_id, KL, after=2, reason="x")


def test_the_unaided_reading_stays_once_the_ai_was_in_sight(study: Study) -> None:
    study.add_cases(film("P0001"))
    rita = study.person("Rita", Role.READER)
    study.assign(rita, Arm.UNAIDED_THEN_AIDED)
    first = study.open(rita)
    for joint in first.case.joints:
        study.commit(rita, first, set_grade(joint.id, KL, 1))
    study.lock(rita, first)
    joint_id = first.case.joints[0].id

    def amend(reading_id: int) -> object:
        return amendments.amend(study.db, rita, reading_id, joint_id, KL, after=2, reason="x")

    with pytest.raises(GradeError, match="first of two"):
        amend(first.reading_id)
    second = study.open(rita)
    assert second.reading_id != first.reading_id
    study.lock(rita, second)
    with pytest.raises(GradeError, match="first of two"):
        amend(first.reading_id)
    amend(second.reading_id)


def test_where_signing_asks_for_the_password_amending_does_too(written: Study) -> None:
    rita, reading_id = rita_and_reading(written)
    joint_id = written.open(rita).case.joints[0].id
    design = ReadingDesign(
        Presentation.SINGLE, Arm.UNAIDED, SEED, signing=Signing(PasswordPolicy.FIRST_OF_SESSION)
    )
    designs.set_design(written.db, written.coordinator, design, reason="x")

    def amend(proof: object) -> object:
        return amendments.amend(
            written.db,
            rita,
            reading_id,
            joint_id,
            KL,
            after=2,
            reason="x",
            proof=proof,  # type: ignore[arg-type]
        )

    elsewhere = accounts.prove(written.db, rita, PASSWORD, purpose=signing_purpose(reading_id + 1))
    for proof in (None, elsewhere):
        with pytest.raises(PasswordNeeded):
            amend(proof)
    amend(accounts.prove(written.db, rita, PASSWORD, purpose=signing_purpose(reading_id)))


def test_before_the_freeze_a_coordinator_learns_of_amendments_but_no_grade(full: Study) -> None:
    rita = full.person("Rita", Role.READER)
    opened = next(o for o in (full.open(rita, 1), full.open(rita, 2)) if o.content.locked)
    joint_id = opened.case.joints[0].id
    amendments.amend(full.db, rita, opened.reading_id, joint_id, KL, after=2, reason="a secret reason")
    (told,) = amendments.all_amendments(full.db, full.coordinator)
    assert (told.reader, told.item, told.before, told.after, told.reason) == ("Rita", KL, None, None, "")
    assert told.hidden
    (whole,) = amendments.all_amendments(full.db, full.person("Ada", Role.AUDITOR))
    assert (whole.after, whole.reason, whole.hidden) == (2, "a secret reason", False)
    assert told.settled is whole.settled


def test_an_amendment_tells_whether_the_feature_was_settled_before(full: Study) -> None:
    rita = full.person("Rita", Role.READER)
    opened = next(o for o in (full.open(rita, 1), full.open(rita, 2)) if o.content.locked)
    full.clock.pass_by(timedelta(hours=1))
    settled_joint = _settled_joint(full)
    amendments.amend(full.db, rita, opened.reading_id, settled_joint, KL, after=2, reason="x")
    amendments.amend(full.db, rita, opened.reading_id, settled_joint, JSN, after=2, reason="x")
    first, second = amendments.all_amendments(full.db, full.person("Ada", Role.AUDITOR))
    assert first.settled
    assert not second.settled, "another feature was settled, not this one"


@pytest.mark.parametrize("read", [results.locked_grades, results.exclusions, results.all_settled])
def test_a_coordinator_is_told_to_freeze_before_looking(full: Study, read: Callable[..., object]) -> None:
    with pytest.raises(NotAllowed, match="before the study is frozen") as refused:
        read(full.db, full.coordinator)
    assert "Freeze the study" in refused.value.next_step
    assert read(full.db, full.person("Ada", Role.AUDITOR))


def _settled_joint(study: Study) -> int:
    (one,) = results.all_settled(study.db, study.person("Ada", Role.AUDITOR))
    return one.joint_id


def test_amendments_are_stored_as_canonical_text(written: Study) -> None:
    rita, reading_id = rita_and_reading(written)
    joint_id = written.open(rita).case.joints[0].id
    amendments.amend(written.db, rita, reading_id, joint_id, None, after=Exclusion("film", "ä"), reason="x")
    with written.db.reading() as connection:
        row = connection.execute(select(amendment)).one()
    assert (row.before_json, json.loads(row.after_json)) == ("null", ["film", "ä"])
    assert row.after_json.isascii()
