"""A folder of films that was moved: readers are told, and importing it from its new place brings it back."""

from __future__ import annotations

from pathlib import Path

import pytest

from reader_app.errors import ImageError
from reader_app.operations import read
from reader_app.operations.accounts import add_account
from reader_app.operations.freeze import freeze
from reader_app.operations.import_films import import_films
from reader_app.operations.log_in import log_in
from reader_app.operations.pregrade import pregrade
from reader_app.operations.report import report_of
from reader_app.operations.study import Study
from reader_app.operations.verify import verify
from reader_app.reading.commands import SetGrade
from reader_app.store.records import Actor, Role
from tests.operations.conftest import PASSWORD


def test_a_moved_folder_is_told_and_comes_back(study: Study, coordinator: Actor, films: Path) -> None:
    import_films(study, coordinator, films)
    add_account(study, coordinator, name="Reader", password="a long sentence", role=Role.READER)
    reader = log_in(study, "Reader", "a long sentence")
    case = read.open_case(study, reader, read.worklist(study, reader)[0].assignment_id)
    film = case.case.films[0].radiograph_id
    key = case.session.keys[0]
    read.commit(study, reader, case, SetGrade(key, 2), pregrade_in_sight=False)
    elsewhere = films.rename(films.with_name("elsewhere"))

    with pytest.raises(ImageError) as told:
        read.film(study, reader, film)
    assert "cannot be reached" in told.value.what
    assert str(films) not in str(told.value)

    again = import_films(study, coordinator, elsewhere)

    assert (again.added, again.known) == (0, 3)
    assert any("gone from its old place" in note for note in again.notes)
    assert read.film(study, reader, film).pixels.size > 0
    assert read.open_case(study, reader, case.reading.assignment_id).session.grade(key) == 2
    assert verify(study, coordinator).ok


def test_dates_of_visits_stay_out_of_the_report(study: Study, coordinator: Actor, films: Path) -> None:
    table = films / "table.csv"
    rows = ["image,participant,visit", "a.png,p1,2019-05-04", "b.png,p1,2021-05-04"]
    table.write_text("\n".join(rows), encoding="utf-8")
    import_films(study, coordinator, films, manifest=table)

    freeze(study, coordinator, password=PASSWORD, reason="for the results", although_unfinished=True)
    report = report_of(study, coordinator)

    assert {line.visit for line in report.consensus} == {"Visit 1", "Visit 2"}


def test_pre_grading_without_a_single_film_is_one_sentence(
    study: Study, coordinator: Actor, films: Path, shipped_bundle: Path
) -> None:
    import_films(study, coordinator, films)
    films.rename(films.with_name("elsewhere"))
    with pytest.raises(ImageError, match="None of the 3 films to be pre-graded can be reached"):
        pregrade(study, coordinator, bundle=str(shipped_bundle))
