"""From the signature to the freeze: what a lock asks, what an amendment does, and who sees it when."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from reader_app.errors import GradeError, NotAllowed, PasswordNeeded, StudyError, StudyFrozen, WrongPassword
from reader_app.operations import amend as amending
from reader_app.operations import freeze as freezing
from reader_app.operations import read
from reader_app.operations.accounts import add_account
from reader_app.operations.check_display import display_check_due, failed_displays, save_display_check
from reader_app.operations.import_films import import_films
from reader_app.operations.log_in import log_in
from reader_app.operations.report import make_report
from reader_app.operations.sign import prove_to_sign, signing_demand, signing_details
from reader_app.operations.status import status_notices
from reader_app.operations.study import Study
from reader_app.reading.change import Exclusion
from reader_app.reading.commands import SetGrade
from reader_app.reading.design import DisplayPolicy, PasswordPolicy, Signing
from reader_app.store import designs
from reader_app.store.records import Actor, Role
from reader_app.store.tables import signature
from tests.operations.conftest import PASSWORD

MEANING = "I sign as Ben."
SCREEN = {"name": "DP-1", "width_px": 2560, "height_px": 1440}


@pytest.fixture
def ben(study: Study, coordinator: Actor, films: Path) -> Actor:
    add_account(study, coordinator, name="Ben", password=PASSWORD, role=Role.READER)
    add_account(study, coordinator, name="Otto", password=PASSWORD, role=Role.AUDITOR)
    import_films(study, coordinator, films)
    return log_in(study, "Ben", PASSWORD)


def ask(study: Study, coordinator: Actor, signing: Signing) -> None:
    """Put a design in force that asks for this of a signature."""
    designs.set_design(study.database, coordinator, replace(study.design, signing=signing), reason="signing")


def graded(study: Study, ben: Actor, place: int) -> read.OpenCase:
    case = read.open_case(study, ben, read.worklist(study, ben)[place].assignment_id)
    for key in case.session.keys:
        read.commit(study, ben, case, SetGrade(key, 2), pregrade_in_sight=False)
    return case


def read_all(study: Study, ben: Actor) -> list[read.OpenCase]:
    cases = []
    for place in range(len(read.worklist(study, ben))):
        cases.append(graded(study, ben, place))
        read.lock(study, ben, cases[-1], active_seconds=1.0)
    return cases


def test_each_lock_takes_a_password_of_its_own(study: Study, coordinator: Actor, ben: Actor) -> None:
    ask(study, coordinator, Signing(PasswordPolicy.EACH_LOCK, meaning=MEANING))
    first, second = graded(study, ben, 0), graded(study, ben, 1)
    with pytest.raises(PasswordNeeded):
        read.lock(study, ben, first, active_seconds=1.0)
    proof = prove_to_sign(study, ben, first.reading.reading_id, password=PASSWORD)
    read.lock(
        study, ben, first, active_seconds=1.0, signing=signing_details(study, proof=proof, display=SCREEN)
    )
    with pytest.raises(PasswordNeeded):
        read.lock(study, ben, second, active_seconds=1.0, signing=signing_details(study, proof=proof))
    assert not second.locked, "a proof for one reading signs no other"
    with study.database.reading() as connection:
        (row,) = connection.execute(select(signature)).all()
    assert (row.reading_id, row.meaning, bool(row.password_asked)) == (
        first.reading.reading_id,
        MEANING,
        True,
    )
    assert json.loads(row.display_json) == {**SCREEN, "check": None}
    assert row.protocol_sha256 == study.protocol.sha256


def test_the_first_lock_of_a_session_can_be_enough(study: Study, coordinator: Actor, ben: Actor) -> None:
    ask(study, coordinator, Signing(PasswordPolicy.FIRST_OF_SESSION))
    assert signing_demand(study, proven_in_session=False).password
    assert not signing_demand(study, proven_in_session=True).password
    first, second = graded(study, ben, 0), graded(study, ben, 1)
    proof = prove_to_sign(study, ben, first.reading.reading_id, password=PASSWORD)
    for case in (first, second):
        read.lock(study, ben, case, active_seconds=1.0, signing=signing_details(study, proof=proof))
    with study.database.reading() as connection:
        asked = (
            connection.execute(select(signature.c.password_asked).order_by(signature.c.at)).scalars().all()
        )
    assert [bool(each) for each in asked] == [True, False]


def test_a_signature_says_what_the_design_says_now(study: Study, coordinator: Actor, ben: Actor) -> None:
    case = graded(study, ben, 0)
    before = signing_details(study)
    ask(study, coordinator, Signing(meaning=MEANING))
    with pytest.raises(GradeError, match="was changed while this case was open"):
        read.lock(study, ben, case, active_seconds=1.0, signing=before)
    read.lock(study, ben, case, active_seconds=1.0)


def test_a_wrong_password_signs_nothing(study: Study, ben: Actor) -> None:
    with pytest.raises(WrongPassword, match="The password is wrong"):
        prove_to_sign(study, ben, 1, password="not his")


def test_a_display_check_is_asked_as_often_as_the_design_says(
    study: Study, coordinator: Actor, ben: Actor
) -> None:
    def due(screen: str = "DP-1", *, checked: bool = False) -> bool:
        return display_check_due(study, ben, checked_in_session=checked, screen=screen)

    assert not due()
    ask(study, coordinator, Signing(display_check=DisplayPolicy.EACH_SESSION))
    assert due()
    assert not due(checked=True)
    ask(study, coordinator, Signing(display_check=DisplayPolicy.DAILY))
    assert due(checked=True)
    save_display_check(study, ben, passed=True, screen=SCREEN)
    assert not due()
    assert due("HDMI-2"), "another screen has not been looked at"


def test_a_screen_that_does_not_show_all_is_signed_and_told(
    study: Study, coordinator: Actor, ben: Actor
) -> None:
    save_display_check(study, ben, passed=False, screen=SCREEN)
    read.lock(study, ben, graded(study, ben, 0), active_seconds=1.0)
    with study.database.reading() as connection:
        (row,) = connection.execute(select(signature)).all()
    assert json.loads(row.display_json)["check"]["passed"] is False
    assert [each.name for each in failed_displays(study, coordinator)] == ["Ben"]
    assert any(
        "Ben did not see all of the test pattern" in said for said in status_notices(study, coordinator)
    )
    save_display_check(study, ben, passed=True, screen=SCREEN)
    assert failed_displays(study, coordinator) == ()


def test_an_amendment_stands_in_the_report_with_its_reason(
    study: Study, coordinator: Actor, ben: Actor, tmp_path: Path
) -> None:
    case = read_all(study, ben)[0]
    key = case.session.keys[0]
    amending.amend(
        study, ben, case.reading.reading_id, key.joint_id, key.item, after=4, reason="the lateral spur"
    )
    freezing.freeze(study, coordinator, password=PASSWORD, reason="all is read")
    files = make_report(study, coordinator, tmp_path / "report")
    with (tmp_path / "report" / "amendments.csv").open(encoding="utf-8") as stream:
        (line,) = csv.DictReader(stream)
    assert (line["before"], line["after"], line["reason"]) == ("2", "4", "the lateral spur")
    html = files.html.read_text(encoding="utf-8")
    assert "the lateral spur" in html
    told = json.loads(next(p for p in files.files if p.suffix == ".json").read_text(encoding="utf-8"))
    assert told["amendments"][0]["after"] == "4"
    final = sorted(each.final for each in files.report.consensus if each.final is not None)
    assert final == [2, 2, 4], "the grade amended to is the one that counts"


@pytest.mark.parametrize(
    ("after", "words"), [(9, "no grade 9|9"), (Exclusion("no such reason"), "has no exclusion reason")]
)
def test_an_amendment_keeps_to_the_protocol(
    study: Study, ben: Actor, after: int | Exclusion, words: str
) -> None:
    case = read_all(study, ben)[0]
    key = case.session.keys[0]
    item = key.item if isinstance(after, int) else None
    with pytest.raises(GradeError, match=words):
        amending.amend(study, ben, case.reading.reading_id, key.joint_id, item, after=after, reason="x")


def test_freezing_lists_what_is_unfinished_and_goes_on_when_told(
    study: Study, coordinator: Actor, ben: Actor
) -> None:
    read.lock(study, ben, graded(study, ben, 0), active_seconds=1.0)
    graded(study, ben, 1)
    with pytest.raises(StudyError, match="1 reading has not been begun"):
        freezing.freeze(study, coordinator, password=PASSWORD, reason="x")
    assert freezing.freeze_state(study, coordinator) is None
    with pytest.raises(WrongPassword):
        freezing.freeze(study, coordinator, password="no", reason="x", although_unfinished=True)
    freezing.freeze(study, coordinator, password=PASSWORD, reason="x", although_unfinished=True)
    assert freezing.freeze_state(study, coordinator) is not None
    assert any("has been frozen since" in said for said in status_notices(study, coordinator))


def test_before_the_freeze_only_the_auditor_makes_the_report(
    study: Study, coordinator: Actor, ben: Actor, tmp_path: Path
) -> None:
    read_all(study, ben)
    with pytest.raises(NotAllowed, match="before the study is frozen") as refused:
        make_report(study, coordinator, tmp_path / "report")
    assert "Freeze the study" in refused.value.next_step
    assert not (tmp_path / "report").exists()
    otto = log_in(study, "Otto", PASSWORD)
    assert make_report(study, otto, tmp_path / "report").html.is_file()
    for who in (otto, ben):
        with pytest.raises(NotAllowed):
            freezing.freeze(study, who, password=PASSWORD, reason="x", although_unfinished=True)


def test_a_reader_at_the_screen_is_told_when_the_study_is_frozen_meanwhile(
    study: Study, coordinator: Actor, ben: Actor
) -> None:
    case = graded(study, ben, 0)
    freezing.freeze(study, coordinator, password=PASSWORD, reason="x", although_unfinished=True)
    for attempt in (
        lambda: read.commit(study, ben, case, SetGrade(case.session.keys[0], 3), pregrade_in_sight=False),
        lambda: read.lock(study, ben, case, active_seconds=1.0),
        lambda: read.add_active_time(study, ben, case, 4.0),
    ):
        with pytest.raises(StudyFrozen, match="nothing in it can be changed"):
            attempt()
    assert case.session.grade(case.session.keys[0]) == 2
    freezing.unfreeze(study, coordinator, password=PASSWORD, reason="one case is missing")
    read.lock(study, ben, case, active_seconds=1.0)
