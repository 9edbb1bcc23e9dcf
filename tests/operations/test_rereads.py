"""Agreement within readers: hidden re-reads against the first readings, by reader and feature."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from reader_app.agreement.result import Estimate, Interval, Reason, Undefined
from reader_app.errors import NotAllowed
from reader_app.operations import read
from reader_app.operations.assign import deal_anew
from reader_app.operations.report import report_of
from reader_app.operations.rereads import within_readers
from reader_app.operations.study import Study
from reader_app.reading.design import Calibration, Rereads
from reader_app.report.csv import csv_tables
from reader_app.report.html import render_html
from reader_app.report.json import from_json, to_json
from reader_app.store import designs, rereads
from reader_app.store.records import Actor
from tests.operations.calibration_studies import make_calibrated, opened, read_on

People = dict[str, Actor]
AGAIN = 6


@pytest.fixture
def repeating(tmp_path: Path) -> Iterator[tuple[Study, People]]:
    """Thirty knees, a fifth of which each reader reads again, two others in between at least."""
    with opened(make_calibrated(tmp_path, Calibration())) as (found, people):
        design = replace(found.design, rereads=Rereads(percent=20, min_cases=2))
        designs.set_design(found.database, people["Cora"], design, reason="")
        study = replace(found, design=design)
        deal_anew(study, people["Cora"])
        yield study, people


def test_a_reader_who_repeats_every_grade_has_kappa_one_and_one_who_does_not_has_less(
    repeating: tuple[Study, People],
) -> None:
    study, people = repeating
    total = len(read.worklist(study, people["Rita"]))
    assert total == 30 + AGAIN
    read_on(study, people, "Rita", lambda code: code, cases=total)
    seen: dict[int, int] = {}

    def wavering(code: int) -> int:
        seen[code] = seen.get(code, -1) + 1
        return (code + seen[code]) % 5

    read_on(study, people, "Rolf", wavering, cases=total)
    rita, rolf = within_readers(study, people["Ada"])
    assert (rita.reader, rita.feature_id, rita.grades) == ("Rita", "KL", AGAIN)
    assert isinstance(rita.kappa, Estimate)
    assert rita.kappa.value == 1.0
    # Nothing varies: no interval is made up.
    assert isinstance(rita.kappa.interval, Undefined)
    assert rita.kappa.interval.reason is Reason.ZERO_VARIANCE
    assert isinstance(rolf.kappa, Estimate)
    assert rolf.kappa.value < 1.0
    assert isinstance(rolf.agreement, Estimate)
    assert isinstance(rolf.agreement.interval, Interval)
    equal = [
        pair.first == pair.again
        for pair in rereads.pairs(study.database, people["Ada"])
        if pair.reader == "Rolf"
    ]
    assert rolf.agreement.value == sum(equal) / AGAIN


def test_before_any_re_read_there_is_nothing_to_tell(repeating: tuple[Study, People]) -> None:
    study, people = repeating
    read_on(study, people, "Rita", lambda code: code, cases=1)
    assert within_readers(study, people["Ada"]) == ()


def test_coordinators_wait_for_the_freeze(repeating: tuple[Study, People]) -> None:
    study, people = repeating
    for name in ("Cora", "Rita", "Adam"):
        with pytest.raises(NotAllowed):
            within_readers(study, people[name])


def test_the_report_shows_it_in_every_rendering_without_a_name(repeating: tuple[Study, People]) -> None:
    study, people = repeating
    for reader in ("Rita", "Rolf"):
        read_on(study, people, reader, lambda code: code, cases=30 + AGAIN)
    report = report_of(study, people["Ada"])
    assert [(line.reader, line.n_grades, line.n_participants) for line in report.within] == [
        ("Reader 1", AGAIN, AGAIN),
        ("Reader 2", AGAIN, AGAIN),
    ]
    assert from_json(to_json(report)) == report
    page = render_html(report)
    assert "Agreement within readers" in page
    assert "Rita" not in page
    rows = list(csv.DictReader(io.StringIO(csv_tables(report)["within_readers.csv"])))
    assert [(row["statistic"], float(row["value"])) for row in rows[:2]] == [
        ("percent_agreement", 1.0),
        ("kappa_quadratic", 1.0),
    ]
    assert rows[1]["reason"]


def test_without_re_reads_the_report_has_no_such_part(repeating: tuple[Study, People]) -> None:
    study, people = repeating
    read_on(study, people, "Rita", lambda code: code, cases=3)
    report = report_of(study, people["Ada"])
    assert report.within == ()
    assert "Agreement within readers" not in render_html(report)
