"""How far an ensemble differs, and what is to be remarked: kept, told, and known of older studies."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import inspect

from reader_app.protocols.model import Arm
from reader_app.store import corrections, journal, pregrades, study_replay
from reader_app.store.database import open_database
from reader_app.store.records import Actor, Role
from tests.store.conftest import BUNDLE, JSN, KL, Study, film, pregrade

REMARK = "The marker says left, the place on the film says right."


def save(study: Study, spread: float = 0.0, remark: str = "") -> None:
    """Pre-grade every joint that is not yet."""
    for joint in pregrades.pending_joints(study.db, study.coordinator, BUNDLE):
        made = [
            replace(
                pregrade(joint.joint_id, item, code, pixels=joint.pixel_sha256), spread=spread, remark=remark
            )
            for item, code in ((KL, 2), (JSN, 1))
        ]
        pregrades.save_pregrades(
            study.db, study.coordinator, made, heatmap_file="heatmaps/1.npz", located_box=None
        )


def back_to_0003(study: Study) -> None:
    """Give the tables as the version before had them; the pre-grades in them are as it wrote them."""
    with study.db.writing() as connection:
        for column in ("spread", "remark"):
            connection.exec_driver_sql(f"ALTER TABLE pregrade DROP COLUMN {column}")
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0003'")
    study.db.close()


def test_spread_and_remark_come_back_as_they_went_in(study: Study) -> None:
    study.add_cases(film("P0001"))
    save(study, 0.375, REMARK)
    found = pregrades.all_pregrades(study.db, study.person("Ada", Role.AUDITOR), BUNDLE)
    assert {(each.spread, each.remark) for each in found} == {(0.375, REMARK)}
    assert study_replay.verify_tables(study.db).ok


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE pregrade SET spread = 0",
        "UPDATE pregrade SET spread = 1.5 WHERE joint_id = 1",
        "UPDATE pregrade SET remark = ''",
        "UPDATE pregrade SET remark = 'All is well.' WHERE item = 'kl'",
    ],
)
def test_doubt_that_is_changed_past_the_store_is_found(study: Study, statement: str) -> None:
    study.add_cases(film("P0001"))
    save(study, 0.375, REMARK)
    study.past_the_store(statement)
    report = study_replay.verify_tables(study.db)
    assert not report.ok
    (fault,) = report.faults
    assert "pre-grade" in fault


def test_doubt_that_is_put_into_a_pre_grade_of_before_is_found(study: Study) -> None:
    study.add_cases(film("P0001"))
    save(study)
    study.past_the_store("UPDATE pregrade SET spread = 0.5 WHERE joint_id = 1")
    assert not study_replay.verify_tables(study.db).ok


def test_a_study_of_before_is_widened_with_a_backup_and_still_verifies(
    written: Study, tmp_path: Path
) -> None:
    save(written)
    auditor = written.person("Ada", Role.AUDITOR)
    before = pregrades.all_pregrades(written.db, auditor, BUNDLE)
    place, told = written.place, journal.verify_chain(written.db)
    back_to_0003(written)
    with open_database(place, backups=tmp_path / "backups") as db:
        with db.reading() as connection:
            columns = {column["name"] for column in inspect(connection).get_columns("pregrade")}
        assert {"spread", "remark"} <= columns
        assert pregrades.all_pregrades(db, auditor, BUNDLE) == before
        assert (journal.verify_chain(db), study_replay.verify_tables(db).ok) == (told, True)
        later = Study(db, written.clock, written.coordinator)
        later.add_cases(film("P0009"))
        save(later, 0.25, REMARK)
        assert study_replay.verify_tables(db).ok
    assert len(list((tmp_path / "backups").iterdir())) == 1


def test_what_is_withdrawn_is_told_with_its_doubt(study: Study) -> None:
    study.add_cases(film("P0001"))
    save(study, 0.375, REMARK)
    corrections.save_polarity(study.db, study.coordinator, 1, True)
    entries = [
        each for each in journal.entries(study.db, study.coordinator) if each.verb.endswith("withdraw")
    ]
    said = entries[-1].payload["pregrades"]
    assert isinstance(said, list)
    assert {(each["spread"], each["remark"]) for each in said} == {(0.375, REMARK)}


def test_a_reader_sees_the_doubt_of_an_aided_reading_alone(study: Study) -> None:
    study.add_cases(film("P0001"))
    save(study, 0.375, REMARK)
    rita, rolf = (study.person(name, Role.READER) for name in ("Rita", "Rolf"))
    study.assign(rita, Arm.UNAIDED)
    study.assign(rolf, Arm.AIDED)

    def seen(actor: Actor, reading_id: int) -> set[str]:
        found = pregrades.pregrades_for_reading(study.db, actor, reading_id, BUNDLE)
        return {each.remark for each in found}

    hers, his = study.open(rita).reading_id, study.open(rolf).reading_id
    assert seen(rolf, his) == {REMARK}
    assert seen(rita, hers) == seen(rita, his) == set()
