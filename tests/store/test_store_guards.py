"""What guards the signed rows: whether it is still there, and which design a reading is stamped with."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import select

from reader_app.protocols.model import Arm, Presentation
from reader_app.reading.design import ReadingDesign
from reader_app.store import designs
from reader_app.store.guards import broken_guards
from reader_app.store.records import Role
from reader_app.store.tables import reading
from tests.store.conftest import SEED, Study, film
from tests.store.places import only_postgresql, only_sqlite


def test_a_new_study_has_all_its_guards(study: Study) -> None:
    assert broken_guards(study.db) == ""


@only_sqlite
def test_guards_that_are_gone_are_named(study: Study) -> None:
    with study.db.writing() as connection:
        connection.exec_driver_sql("DROP TRIGGER journal_no_delete")
    assert broken_guards(study.db) == "the trigger journal_no_delete is gone"


@only_postgresql
def test_guards_on_a_server_that_are_gone_off_or_empty_are_named(study: Study) -> None:
    with study.db.writing() as connection:
        connection.exec_driver_sql("DROP TRIGGER grade_no_truncate ON grade")
        connection.exec_driver_sql("ALTER TABLE journal DISABLE TRIGGER journal_no_delete")
        connection.exec_driver_sql(
            "CREATE OR REPLACE FUNCTION signature_no_update() RETURNS trigger LANGUAGE plpgsql "
            "AS $$ BEGIN RETURN NEW; END $$"
        )
    assert broken_guards(study.db) == (
        "the triggers journal_no_delete, grade_no_truncate are gone "
        "and the trigger signature_no_update was changed"
    )


def test_a_reading_bears_the_design_in_force_whatever_a_window_holds(study: Study) -> None:
    study.add_cases(film("P0001"))
    reader = study.person("Rita", Role.READER)
    study.assign(reader)
    first = ReadingDesign(Presentation.SINGLE, Arm.UNAIDED, SEED)
    designs.set_design(study.db, study.coordinator, first, reason="")
    newer = replace(first, session_minutes=5)
    designs.set_design(study.db, study.coordinator, newer, reason="shorter")
    study.open(reader)
    with study.db.reading() as connection:
        assert connection.execute(select(reading.c.design_sha256)).scalar_one() == newer.sha256
