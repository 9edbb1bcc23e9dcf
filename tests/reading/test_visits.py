"""Dates of visits identify people: they become numbers, names stay."""

from __future__ import annotations

from reader_app.reading.visits import visit_titles


def test_dates_become_numbers_in_order_of_time() -> None:
    titles = visit_titles({"2021-05-04": 2, "2019-05-04": 1})
    assert titles == {"2019-05-04": "Visit 1", "2021-05-04": "Visit 2"}


def test_names_stay_and_count() -> None:
    titles = visit_titles({"Baseline": 0, "2021-05-04": 738_279})
    assert titles == {"Baseline": "Baseline", "2021-05-04": "Visit 2"}
