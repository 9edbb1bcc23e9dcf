"""Follow-up visits stand in the order of their days, and true days stay outside unless they are kept."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from reader_app.interop.deidentify import DatePolicy
from reader_app.operations.import_films import import_films, import_planned
from reader_app.operations.log_in import log_in
from reader_app.operations.plan_import import (
    correct_planned,
    forget_plan,
    plan_import,
    planned_films,
    write_preview,
)
from reader_app.operations.study import Study
from reader_app.store import films as stored
from reader_app.store import journal
from reader_app.store.records import Actor
from tests.operations.conftest import COORDINATOR, PASSWORD, MakeStudy, dicom_film, everything_in

DAYS = ("20150711", "20130228", "20170930")
TRUE_WORDS = ("2015-07-11", "20150711", "2013-02-28", "20130228", "2017-09-30", "20170930", "Secret", "Doe")


@pytest.fixture
def follow_ups(tmp_path: Path) -> Path:
    """Three visits of one participant, in no order, the first day with two films; and another participant."""
    folder = tmp_path / "follow-ups"
    for number, day in enumerate(DAYS):
        dicom_film(folder / f"{number}.dcm", seed=number, AcquisitionDate=day, StudyDate=day)
    dicom_film(folder / "3.dcm", seed=3, AcquisitionDate=DAYS[0], StudyDate=DAYS[1], ImageLaterality="L")
    dicom_film(folder / "4.dcm", seed=4, AcquisitionDate="20160101", PatientID="Secret-2")
    return folder


def opened(make_study: MakeStudy, dates: DatePolicy) -> tuple[Study, Actor]:
    study = make_study(dates=dates)
    return study, log_in(study, COORDINATOR, PASSWORD)


def visits(study: Study, actor: Actor) -> dict[str, str]:
    return {Path(film.path).stem: film.visit for film in stored.all_radiographs(study.database, actor)}


def in_order(study: Study, actor: Actor) -> list[tuple[str, ...]]:
    return sorted(
        (record.visits for record in stored.participant_table(study.database, actor)), key=len, reverse=True
    )


def test_shifted_visits_keep_their_intervals(make_study: MakeStudy, follow_ups: Path) -> None:
    study, actor = opened(make_study, DatePolicy.SHIFTED)
    import_films(study, actor, follow_ups)
    found = visits(study, actor)
    first, second, third = (date.fromisoformat(found[name]) for name in ("1", "0", "2"))
    assert ((second - first).days, (third - second).days) == (863, 812)
    assert found["3"] == found["0"]
    assert in_order(study, actor)[0] == (found["1"], found["0"], found["2"])


def test_later_imports_are_shifted_by_the_same_days(make_study: MakeStudy, follow_ups: Path) -> None:
    study, actor = opened(make_study, DatePolicy.SHIFTED)
    import_films(study, actor, follow_ups)
    before = visits(study, actor)
    dicom_film(follow_ups / "9.dcm", seed=9, AcquisitionDate="20130301")
    import_films(study, actor, follow_ups)
    after = visits(study, actor)
    assert (date.fromisoformat(after["9"]) - date.fromisoformat(before["1"])).days == 1
    assert in_order(study, actor)[0][:2] == (after["1"], after["9"])


def test_kept_visits_are_the_days_themselves(make_study: MakeStudy, follow_ups: Path) -> None:
    study, actor = opened(make_study, DatePolicy.KEPT)
    import_films(study, actor, follow_ups)
    assert visits(study, actor) == {
        "0": "2015-07-11",
        "1": "2013-02-28",
        "2": "2017-09-30",
        "3": "2015-07-11",
        "4": "2016-01-01",
    }


def test_dropped_visits_are_numbered_in_order(make_study: MakeStudy, follow_ups: Path) -> None:
    study, actor = opened(make_study, DatePolicy.DROPPED)
    import_films(study, actor, follow_ups)
    assert visits(study, actor) == {
        "0": "Visit 2",
        "1": "Visit 1",
        "2": "Visit 3",
        "3": "Visit 2",
        "4": "Visit 1",
    }
    with study.database.reading() as connection:
        days = connection.exec_driver_sql("SELECT study_date, visit_order FROM radiograph").all()
    assert {row.study_date for row in days} == {None}
    assert {row.visit_order for row in days} == {1, 2, 3}


def test_films_of_a_known_day_join_its_visit_and_other_days_follow_with_a_note(
    make_study: MakeStudy, follow_ups: Path, tmp_path: Path
) -> None:
    study, actor = opened(make_study, DatePolicy.DROPPED)
    import_films(study, actor, follow_ups)
    more = tmp_path / "more"
    dicom_film(more / "same day.dcm", seed=20, AcquisitionDate=DAYS[0])
    dicom_film(more / "earlier.dcm", seed=21, AcquisitionDate="20100101")
    dicom_film(more / "later.dcm", seed=22, AcquisitionDate="20200101")
    report = import_films(study, actor, more)
    found = visits(study, actor)
    assert (found["same day"], found["earlier"], found["later"]) == ("Visit 2", "Visit 4", "Visit 5")
    assert any("Further visits of participants who are in the study already: 2" in n for n in report.notes)


def test_a_look_that_was_cut_short_numbers_no_visits(
    make_study: MakeStudy, follow_ups: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from reader_app.operations.importing import looking

    study, actor = opened(make_study, DatePolicy.DROPPED)
    monkeypatch.setattr(looking, "CHUNK", 2)
    plan_import(study, actor, follow_ups, cancelled=lambda: True)
    assert [film.visit for film in planned_films(study, actor)] == ["", ""]
    report = import_planned(study, actor)
    assert report.added == 0
    assert any("was not looked at to its end" in note for note in report.notes)
    import_films(study, actor, follow_ups)
    assert visits(study, actor)["0"] == "Visit 2"


def test_a_preview_of_numbered_visits_comes_back_as_it_was(
    make_study: MakeStudy, follow_ups: Path, tmp_path: Path
) -> None:
    study, actor = opened(make_study, DatePolicy.DROPPED)
    plan_import(study, actor, follow_ups)
    before = {film.path: film.visit for film in planned_films(study, actor)}
    write_preview(study, actor, tmp_path / "preview.csv")
    forget_plan(study, actor)
    import_films(study, actor, follow_ups, manifest=tmp_path / "preview.csv")
    after = {Path(film.path): film.visit for film in stored.all_radiographs(study.database, actor)}
    assert after == before


@pytest.mark.parametrize("dates", [DatePolicy.SHIFTED, DatePolicy.DROPPED])
def test_no_true_date_and_no_identifier_is_anywhere(
    make_study: MakeStudy, follow_ups: Path, tmp_path: Path, dates: DatePolicy
) -> None:
    study, actor = opened(make_study, dates)
    table = tmp_path / "table.csv"
    table.write_text("image,participant,visit\n0.dcm,Secret-9,2013-02-28\n1.dcm,Secret-9,2015-07-11\n")
    plan_import(study, actor, follow_ups, manifest=table)
    plan_import(study, actor, follow_ups)
    correct_planned(study, actor, [film.id for film in planned_films(study, actor)], view="AP")
    write_preview(study, actor, study.folder / "exports" / "preview.csv")
    planned = everything_in(study.folder)
    import_planned(study, actor)
    entries = str(journal.entries(study.database, actor))
    study.database.close()
    for content in (planned, everything_in(study.folder), entries.encode()):
        for words in TRUE_WORDS:
            assert words.encode() not in content, words


def test_characteristics_stay_outside_where_the_study_wants_none(
    make_study: MakeStudy, tmp_path: Path
) -> None:
    folder = tmp_path / "films"
    dicom_film(folder / "a.dcm", seed=1, PatientSex="F", PatientAge="093Y")
    table = tmp_path / "table.csv"
    table.write_text("image,weight\na.dcm,71\n")
    for name, keeps in (("with", True), ("without", False)):
        study = make_study(name, characteristics=keeps)
        actor = log_in(study, COORDINATOR, PASSWORD)
        report = import_films(study, actor, folder, manifest=table)
        with study.database.reading() as connection:
            row = connection.exec_driver_sql("SELECT sex, age, weight_kg FROM radiograph").one()
        assert tuple(row) == (("F", 90.0, 71.0) if keeps else (None, None, None))
        assert any("are not kept" in note for note in report.notes) == (not keeps)
