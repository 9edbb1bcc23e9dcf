"""The corrections in the tables are held against the journal."""

from __future__ import annotations

import pytest

from reader_app.store import (
    corrections,
    film_list,
    film_replay,
    films,
    journal,
)
from tests.store.conftest import Study, film
from tests.store.test_store_corrections import BY_BALL, CORNER, NAME, blanked, told

# The journal against the tables -----------------------------------------------------------------


@pytest.fixture
def corrected(study: Study) -> Study:
    study.add_cases(film("P0001"), film("P0002"), film("P0003"), film("P0004"))
    db, cora = study.db, study.coordinator
    corrections.save_calibration(db, cora, 1, BY_BALL)
    corrections.save_polarity(db, cora, 1, True)
    corrections.save_box_outs(db, cora, 2, [NAME, CORNER])
    corrections.save_text_checked(db, cora, [2, 3], checked=True)
    corrections.save_text_checked(db, cora, [3], checked=False)
    corrections.save_box_outs(db, cora, 1, [NAME], blanked(study))
    return study


def test_untouched_corrections_are_what_the_journal_tells(corrected: Study) -> None:
    report = film_replay.verify_corrections(corrected.db)
    assert (report.ok, report.films, report.reason) == (True, 3, "")


@pytest.mark.parametrize(
    ("statement", "film_id", "reason"),
    [
        ("UPDATE film_correction SET column_mm = 0.2 WHERE radiograph_id = 1", 1, "its calibration"),
        ("UPDATE film_correction SET marker_mm = NULL WHERE radiograph_id = 1", 1, "its calibration"),
        ("UPDATE film_correction SET inverse_polarity = false WHERE radiograph_id = 1", 1, "its polarity"),
        ("UPDATE film_correction SET inverse_polarity = NULL WHERE radiograph_id = 1", 1, "its polarity"),
        ("UPDATE film_correction SET text_checked = true WHERE radiograph_id = 3", 3, "its text was checked"),
        ("UPDATE box_out SET box_width = 1 WHERE id = 1", 2, "its box-outs"),
        ("DELETE FROM box_out WHERE radiograph_id = 2", 2, "its box-outs"),
        ("DELETE FROM film_correction WHERE radiograph_id = 1", 1, "its calibration"),
        ("INSERT INTO box_out VALUES (99, 4, 0, 0, 9, 9)", 4, "its box-outs"),
        (
            "INSERT INTO film_correction (radiograph_id, inverse_polarity, text_checked) "
            "VALUES (4, true, false)",
            4,
            "its polarity",
        ),
        ("UPDATE film_correction SET superseded_path = NULL WHERE radiograph_id = 1", 1, "to be removed"),
        ("UPDATE radiograph SET file_sha256 = 'x' WHERE id = 1", 1, "its blanked copy"),
    ],
)
def test_a_correction_written_past_the_store_is_found(
    corrected: Study, statement: str, film_id: int, reason: str
) -> None:
    corrected.past_the_store(statement)
    assert journal.verify_chain(corrected.db).ok, "the chain alone does not see it"
    report = film_replay.verify_corrections(corrected.db)
    assert (report.ok, report.first_broken) == (False, film_id)
    assert reason in report.reason


def test_a_correction_that_was_deleted_with_its_row_is_found(corrected: Study) -> None:
    corrected.past_the_store(
        "DELETE FROM box_out WHERE radiograph_id = 2",
        "DELETE FROM film_correction WHERE radiograph_id = 2",
    )
    report = film_replay.verify_corrections(corrected.db)
    assert (report.ok, report.first_broken) == (False, 2)


def test_a_large_check_goes_in_several_entries(study: Study) -> None:
    new = [film(f"P{number:05d}", sides=()) for number in range(corrections.CHECKED_AT_ONCE + 5)]
    films.add_radiographs(study.db, study.coordinator, new)
    ids = film_list.films_silent_on_text(study.db, study.coordinator)
    assert corrections.save_text_checked(study.db, study.coordinator, ids, checked=True) == len(new)
    sizes = [len(entry.payload["radiographs"]) for entry in told(study, "film.text_checked")]  # type: ignore[arg-type]
    assert sizes == [corrections.CHECKED_AT_ONCE, 5]
    assert film_list.film_count(study.db, study.coordinator, to_check_only=True) == 0
    assert film_replay.verify_corrections(study.db).films == len(new)
