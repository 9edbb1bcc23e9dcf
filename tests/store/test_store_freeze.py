"""A frozen study: the store refuses every change in words, the database whatever is tried past the store."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from reader_app.errors import (
    AccountLocked,
    NotAllowed,
    PasswordNeeded,
    StudyError,
    StudyFrozen,
    WrongPassword,
)
from reader_app.protocols.model import Arm, Presentation
from reader_app.reading.design import ReadingDesign
from reader_app.store import accounts, amendments, designs, freezing, journal, readings, results
from reader_app.store.proofs import Proof
from reader_app.store.records import Role
from reader_app.store.triggers import WRITTEN_WHILE_FROZEN
from tests.store.conftest import KL, PASSWORD, SEED, SIGNING, STAMPS, Study, film, set_grade

DESIGN = ReadingDesign(Presentation.SINGLE, Arm.UNAIDED, SEED)
REASON = "all readings are locked and settled"


def freeze(study: Study) -> str:
    proof = accounts.prove(study.db, study.coordinator, PASSWORD, purpose=freezing.FREEZING)
    return freezing.freeze(study.db, study.coordinator, proof=proof, reason=REASON)


def unfreeze(study: Study) -> None:
    proof = accounts.prove(study.db, study.coordinator, PASSWORD, purpose=freezing.UNFREEZING)
    freezing.unfreeze(study.db, study.coordinator, proof=proof, reason="a film was read from the wrong side")


def test_a_frozen_study_refuses_readings_in_words(written: Study) -> None:
    rita = written.person("Rita", Role.READER)
    written.add_cases(film("P0003"))
    written.assign(rita)
    opened = written.open(rita, 3)
    locked = written.open(rita, 1)
    freeze(written)
    before = journal.verify_chain(written.db)
    joint_id = opened.case.joints[0].id
    for attempt in (
        lambda: written.commit(rita, opened, set_grade(joint_id, KL, 1)),
        lambda: readings.lock_reading(
            written.db, rita, opened.reading_id, active_seconds=1.0, signing=SIGNING
        ),
        lambda: readings.add_active_time(written.db, rita, opened.reading_id, 5.0),
        lambda: amendments.amend(
            written.db, rita, locked.reading_id, locked.case.joints[0].id, KL, after=3, reason="x"
        ),
        lambda: written.add_cases(film("P0099")),
        lambda: designs.set_design(written.db, written.coordinator, DESIGN, reason="another"),
        lambda: accounts.create_account(
            written.db, written.coordinator, name="Nora", password=PASSWORD, role=Role.READER
        ),
    ):
        with pytest.raises(StudyFrozen, match="nothing in it can be changed") as refused:
            attempt()
        assert "unfreeze" in refused.value.next_step
    assert journal.verify_chain(written.db) == before


def test_a_case_that_nobody_opened_cannot_be_begun(written: Study) -> None:
    rita = written.person("Rita", Role.READER)
    written.add_cases(film("P0003"))
    written.assign(rita)
    entry = readings.worklist(written.db, rita)[2]
    freeze(written)
    with pytest.raises(StudyFrozen):
        readings.open_reading(written.db, rita, entry.assignment_id, **STAMPS)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE study_state SET frozen_at = NULL",
        "UPDATE study_state SET frozen_at = 'another time'",
        "DELETE FROM study_state",
        "DELETE FROM grade",
        "UPDATE grade SET code = 4",
        "UPDATE reading SET locked_at = NULL",
        "UPDATE assignment SET state = 'waiting'",
        "DELETE FROM settlement",
        "UPDATE settlement SET code = 0",
        "DELETE FROM signature",
        "UPDATE amendment SET after_json = '0'",
        "INSERT INTO amendment (reading_id, joint_id, item, before_json, after_json, reason, account_id, at) "
        "SELECT r.id, j.id, 'kl', '1', '4', 'x', 2, 'now' FROM reading r, joint j",
        "INSERT INTO grade (reading_id, joint_id, item, code, pregrade_in_sight, at) "
        "SELECT id, 1, 'new', 1, FALSE, 'now' FROM reading WHERE locked_at IS NULL",
        "INSERT INTO exclusion (reading_id, joint_id, reason_id, note, at) "
        "SELECT id, 1, 'x', '', 'now' FROM reading WHERE locked_at IS NULL",
    ],
)
def test_raw_sql_cannot_change_a_frozen_study(full: Study, statement: str) -> None:
    """Each statement would change rows: `full` has open and locked readings and a settlement."""
    rita = full.person("Rita", Role.READER)
    locked = next(o for o in (full.open(rita, 1), full.open(rita, 2)) if o.content.locked)
    amendments.amend(full.db, rita, locked.reading_id, locked.case.joints[0].id, KL, after=2, reason="x")
    freeze(full)
    with pytest.raises((DBAPIError, StudyFrozen)), full.db.writing() as connection:
        connection.execute(text(statement))
    assert journal.verify_chain(full.db).ok


def test_unfreezing_lets_reading_go_on_and_the_journal_keeps_both(written: Study) -> None:
    rita = written.person("Rita", Role.READER)
    written.add_cases(film("P0003"))
    written.assign(rita)
    opened = written.open(rita, 3)
    since = freeze(written)
    assert freezing.frozen_since(written.db, rita) == since
    unfreeze(written)
    assert freezing.frozen_since(written.db, rita) is None
    written.commit(rita, opened, set_grade(opened.case.joints[0].id, KL, 1))
    told = [
        (entry.verb, entry.payload["reason"])
        for entry in journal.entries(written.db, written.coordinator)
        if entry.verb.startswith("study.")
    ]
    assert told == [
        ("study.freeze", REASON),
        ("study.unfreeze", "a film was read from the wrong side"),
    ]


def test_only_coordinator_and_auditor_come_in_while_the_study_is_frozen(written: Study) -> None:
    freeze(written)
    for name in ("Rita", "Adam"):
        with pytest.raises(StudyFrozen, match="nothing is left to read"):
            accounts.log_in(written.db, name, PASSWORD)
        with pytest.raises(WrongPassword):
            accounts.log_in(written.db, name, "a wrong one")
    for name in ("Cora", "Ada"):
        assert accounts.log_in(written.db, name, PASSWORD).name == name
    unfreeze(written)
    assert accounts.log_in(written.db, "Rita", PASSWORD).name == "Rita"


def test_the_coordinator_sees_the_results_once_the_study_is_frozen(full: Study) -> None:
    with pytest.raises(NotAllowed, match="before the study is frozen"):
        results.locked_grades(full.db, full.coordinator)
    freeze(full)
    ada = full.person("Ada", Role.AUDITOR)
    assert results.locked_grades(full.db, full.coordinator) == results.locked_grades(full.db, ada) != ()
    unfreeze(full)
    with pytest.raises(NotAllowed, match="before the study is frozen"):
        results.locked_grades(full.db, full.coordinator)


def test_freezing_needs_the_password_that_was_typed_for_it(written: Study) -> None:
    cora = written.coordinator
    for proof in (
        Proof(cora.account_id, freezing.FREEZING, "0" * 64),
        accounts.prove(written.db, cora, PASSWORD, purpose=freezing.UNFREEZING),
        accounts.prove(written.db, written.person("Ada", Role.AUDITOR), PASSWORD, purpose=freezing.FREEZING),
    ):
        with pytest.raises(PasswordNeeded):
            freezing.freeze(written.db, cora, proof=proof, reason=REASON)
    before = accounts.prove(written.db, cora, PASSWORD, purpose=freezing.FREEZING)
    accounts.change_password(written.db, cora, old=PASSWORD, new="another sentence")
    with pytest.raises(PasswordNeeded):
        freezing.freeze(written.db, cora, proof=before, reason=REASON)
    assert freezing.frozen_since(written.db, cora) is None


def test_freezing_needs_a_reason_and_happens_once(written: Study) -> None:
    cora = written.coordinator
    proof = accounts.prove(written.db, cora, PASSWORD, purpose=freezing.FREEZING)
    with pytest.raises(StudyError, match="a reason is needed"):
        freezing.freeze(written.db, cora, proof=proof, reason="  ")
    freeze(written)
    with pytest.raises(StudyError, match="already"):
        freeze(written)
    unfreeze(written)
    with pytest.raises(StudyError, match="not frozen"):
        unfreeze(written)


def test_a_wrong_password_counts_wherever_it_is_typed(written: Study) -> None:
    rita = written.person("Rita", Role.READER)
    for _ in range(3):
        with pytest.raises(WrongPassword, match="The password is wrong"):
            accounts.prove(written.db, rita, "a wrong one", purpose="x")
    with pytest.raises(WrongPassword):
        accounts.log_in(written.db, "Rita", "a wrong one")
    with pytest.raises(AccountLocked):
        accounts.prove(written.db, rita, "a wrong one", purpose="x")
    with pytest.raises(AccountLocked):
        accounts.log_in(written.db, "Rita", PASSWORD)
    written.clock.pass_by(timedelta(minutes=16))
    assert accounts.prove(written.db, rita, PASSWORD, purpose="x").account_id == rita.account_id


def test_what_may_be_written_while_frozen_changes_no_result() -> None:
    assert not [
        verb
        for verb in WRITTEN_WHILE_FROZEN
        if verb.startswith(("reading.", "adjudication.", "case.", "film.", "design."))
    ]
