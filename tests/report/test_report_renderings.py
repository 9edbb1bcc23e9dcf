from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from reader_app.agreement.result import Estimate, Interval
from reader_app.errors import MissingPart, StudyError
from reader_app.report import numbers
from reader_app.report.build import build_report
from reader_app.report.csv import csv_tables
from reader_app.report.html import heat, ink, render_html
from reader_app.report.inputs import ReportInput
from reader_app.report.json import from_json, to_json
from reader_app.report.model import ComparisonKind, ExclusionLine, Report
from reader_app.report.statistics import statistics
from reader_app.report.write import write_report

Simulate = Callable[..., ReportInput]

HOSTILE = "</td><script>alert('x')</script>\"&{{ 7*7 }}"


class Page(HTMLParser):
    """Collects tags, visible words, and per figure the cells with the numbers they carry."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.words: list[str] = []
        self.values: dict[str, list[tuple[float, float | None, float | None]]] = {}
        self._figure, self._style = "", False
        self._ends: tuple[str | None, str | None] = (None, None)
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        given = dict(attrs)
        self._style = tag == "style"
        if tag == "figure":
            self._figure = given.get("id") or ""
        if tag == "td":
            self._ends = (given.get("data-low"), given.get("data-high"))
        if tag == "data":
            low, high = (None if end is None else float(end) for end in self._ends)
            self.values.setdefault(self._figure, []).append((float(given["value"] or ""), low, high))

    def handle_data(self, data: str) -> None:
        if not self._style:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(self.words)


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def figures(
    report: Report, kind: ComparisonKind, names: set[str]
) -> Iterator[tuple[float, float | None, float | None]]:
    for found in statistics(report):
        if found.comparison.kind is kind and found.name in names and isinstance(found.result, Estimate):
            interval = found.result.interval
            ends = (interval.low, interval.high) if isinstance(interval, Interval) else (None, None)
            yield (found.result.value, *ends)


@pytest.fixture(scope="module")
def report(study: Simulate) -> Report:
    return build_report(study(30, readers=("Reader 1", "Reader 2", "Reader 3")))


def test_the_page_carries_the_figures_of_the_model(report: Report) -> None:
    page = Page(render_html(report))
    shown = set(page.values["table-readers"])
    for figure in figures(
        report, ComparisonKind.READERS, {"percent_agreement", "kappa_linear", "kappa_quadratic"}
    ):
        assert figure in shown
    shown = set(page.values["table-ai-performance"])
    for figure in figures(
        report, ComparisonKind.AI_CONSENSUS, {"balanced_accuracy", "sensitivity", "specificity", "auc"}
    ):
        assert figure in shown
    shown = set(page.values["table-ai-grades"])
    for figure in figures(report, ComparisonKind.AI_CONSENSUS, {"recall", "precision", "f1"}):
        assert figure in shown
    counts = [value for value, _, _ in page.values["matrices-readers"]]
    expected = [
        count
        for found in report.of_kind(ComparisonKind.READERS)
        if found.target.final
        for row in found.matrix.counts
        for count in row
    ]
    assert counts == expected


def test_the_page_prints_what_it_carries(report: Report) -> None:
    text = Page(render_html(report)).text
    for found in report.of_kind(ComparisonKind.READERS):
        assert numbers.value_text(found.kappa_linear) in text
        assert numbers.interval_text(found.kappa_linear) in text
        assert numbers.interval_text(found.percent_agreement, as_percent=True) in text


def test_the_table_of_statistics_has_the_figures_of_the_model(report: Report) -> None:
    rows = rows_of(csv_tables(report)["statistics.csv"])
    expected = list(statistics(report))
    assert len(rows) == len(expected)
    for row, found in zip(rows, expected, strict=True):
        assert (row["comparison"], row["statistic"]) == (found.comparison.kind, found.name)
        assert (row["first"], row["second"]) == (found.comparison.first, found.comparison.second)
        assert int(row["n_joints"]) == found.comparison.n_joints
        assert row["grade"] == ("" if found.grade is None else str(found.grade))
        if isinstance(found.result, Estimate):
            assert float(row["value"]) == found.result.value
            if isinstance(found.result.interval, Interval):
                ends = (found.result.interval.low, found.result.interval.high)
                assert (float(row["low"]), float(row["high"])) == ends
                assert row["method"] == found.result.interval.method
        else:
            assert row["value"] == ""
            assert found.result.sentence in row["reason"]


def test_confusion_roc_and_consensus_tables_hold_every_number(report: Report) -> None:
    tables = csv_tables(report)
    counts = [int(row["count"]) for row in rows_of(tables["confusion.csv"])]
    assert counts == [n for found in report.comparisons for row in found.matrix.counts for n in row]
    corners = [
        (float(row["false_positive_rate"]), float(row["true_positive_rate"]))
        for row in rows_of(tables["roc.csv"])
    ]
    assert corners == [
        (point.false_positive_rate, point.true_positive_rate)
        for found in report.comparisons
        if found.performance is not None
        for point in found.performance.roc
    ]
    consensus = rows_of(tables["consensus.csv"])
    assert [int(row["final"]) for row in consensus] == [line.final for line in report.consensus]
    assert [int(row["grade: Reader 2"]) for row in consensus] == [line.grades[1] for line in report.consensus]
    given = {
        (row["target"], row["rater"], row["grade"]): row["count"]
        for row in rows_of(tables["distributions.csv"])
    }
    for found in report.distributions:
        assert given[found.target.label, found.rater, "0"] == str(found.counts[0])


def test_json_comes_back_as_the_same_report(report: Report, study: Simulate) -> None:
    empty = build_report(replace(study(3), grades=(), consensus=(), pregrades=()))
    for original in (report, empty):
        text = to_json(original)
        assert from_json(text) == original
        assert to_json(from_json(text)) == text
        content = json.loads(text, parse_constant=pytest.fail)
        assert content["schema_version"] == "1.0"


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema_version": "9.0"}', '{"schema_version": "1.0"}'])
def test_what_is_no_report_is_refused(text: str) -> None:
    with pytest.raises(StudyError):
        from_json(text)


def test_a_report_with_a_wrong_type_inside_is_refused(report: Report) -> None:
    content = json.loads(to_json(report))
    content["comparisons"][0]["n_joints"] = "many"
    with pytest.raises(StudyError, match="expected int"):
        from_json(json.dumps(content))


def test_names_that_hold_markup_do_not_break_out(study: Simulate) -> None:
    given = study(6)
    rename = {"Reader 1": HOSTILE, "Reader 2": "Reader 2"}
    feature = replace(given.features[-1], title=HOSTILE)
    hostile = replace(
        given,
        study=replace(given.study, title=HOSTILE, protocol_title=HOSTILE, design=((HOSTILE, HOSTILE),) * 2),
        readers=(HOSTILE, "Reader 2"),
        features=(*given.features[:-1], feature),
        grades=tuple(replace(row, reader=rename[row.reader]) for row in given.grades),
        consensus=tuple(
            replace(row, adjudicator=HOSTILE, rationale=HOSTILE, method=HOSTILE + row.method)
            for row in given.consensus
        ),
        exclusions=(ExclusionLine(HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE),),
        notes=(HOSTILE,),
    )
    text = render_html(build_report(hostile))
    page = Page(text)
    assert "script" not in page.tags
    assert page.tags.count("td") == Page(render_html(build_report(given))).tags.count("td")
    assert HOSTILE in page.text
    assert "49" not in re.findall(r"&amp;(\S+)", text)
    assert from_json(to_json(build_report(hostile))) == build_report(hostile)


@pytest.mark.parametrize("name", ["=1+1", "+cmd", "-2+3", "@SUM(A1)", "\tx"])
def test_a_name_is_no_formula_in_a_spreadsheet(name: str, study: Simulate) -> None:
    given = study(2)
    report = build_report(replace(given, notes=(name,)))
    last = rows_of(csv_tables(report)["study.csv"])[-1]
    assert last == {"name": "note", "value": "'" + name}


def test_numbers_keep_their_sign_in_the_tables(study: Simulate) -> None:
    # A negative kappa is a figure, not a formula.
    given = study(20)
    flipped = tuple(
        replace(row, code=1 - row.code)
        if row.feature == "CYST" and row.reader == "Reader 2" and row.code is not None
        else row
        for row in given.grades
    )
    rows = rows_of(csv_tables(build_report(replace(given, grades=flipped)))["statistics.csv"])
    kappa = next(row for row in rows if (row["feature"], row["statistic"]) == ("CYST", "kappa"))
    assert float(kappa["value"]) < 0


def test_studies_that_have_less_print_sentences_not_gaps(study: Simulate) -> None:
    cases = {
        "This study has no pre-grades.": study(5, with_ai=False),
        "Fewer than two readers": study(5, readers=("Reader 1",)),
        "There is no consensus yet.": study(5, with_consensus=False),
        "no joint was graded by both": replace(study(5), grades=(), consensus=(), pregrades=()),
        "No grade has been locked yet.": replace(study(5), readers=(), grades=(), consensus=(), pregrades=()),
    }
    for sentence, given in cases.items():
        report = build_report(given)
        text = Page(render_html(report)).text
        assert sentence in text
        for rendering in (text, *csv_tables(report).values()):
            assert not re.search(r"\b(nan|NaN|inf)\b", rendering)
        for name, table in csv_tables(report).items():
            if name != "distributions.csv":  # which names the grade "None"
                assert not re.search(r"(^|,)None(,|$)", table, re.MULTILINE)


def test_an_undefined_kappa_is_printed_with_its_reason(study: Simulate) -> None:
    given = study(5)
    constant = tuple(replace(row, code=0) if row.feature == "CYST" else row for row in given.grades)
    text = Page(render_html(build_report(replace(given, grades=constant)))).text
    assert "not defined: every grade is the same single grade" in text


def test_the_page_needs_nothing_from_elsewhere(report: Report) -> None:
    text = render_html(report)
    assert not re.search(r"""(src|href|url)\s*[=(]\s*["']?(https?:|//|file:)""", text)
    assert Page(text).tags.count("script") == Page(text).tags.count("link") == 0
    assert Page(text).tags.count("svg") >= 5


def test_a_phantom_study_says_so_on_top(study: Simulate) -> None:
    given = study(3)
    assert "Phantom" not in render_html(build_report(given))
    marked = replace(given, study=replace(given.study, phantom=True, aided=True))
    text = Page(render_html(build_report(marked))).text
    assert "Phantom radiographs: not patients" in text
    assert "Readers saw the AI's pre-grades" in text


def test_all_files_are_written_and_replaced(report: Report, tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "report"
    first = write_report(report, folder)
    again = write_report(report, folder)
    assert first == again
    assert first[0].name == "report.html"
    assert {path.name for path in folder.iterdir()} == {path.name for path in first}
    assert from_json((folder / "report.json").read_text(encoding="utf-8")) == report


def test_a_folder_that_cannot_be_written_is_one_sentence(report: Report, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("here is a file", encoding="utf-8")
    with pytest.raises(MissingPart, match="cannot be written"):
        write_report(report, blocked)


def test_long_lists_are_cut_on_the_page_and_whole_in_the_tables(study: Simulate) -> None:
    report = build_report(study(80))
    disputed = sum(len(set(line.grades)) > 1 for line in report.consensus)
    assert disputed > 200
    text = Page(render_html(report)).text
    assert f"the first 200 of {disputed}; all are in consensus.csv" in text
    assert len(rows_of(csv_tables(report)["consensus.csv"])) == len(report.consensus)


def test_numbers_are_printed_as_journals_print_them() -> None:
    assert numbers.decimal(-0.004) == "0.00"
    assert numbers.decimal(-0.05) == "−0.05"
    assert numbers.percent(0.8666) == "86.7"
    assert numbers.count(15_364) == "15\u202f364"
    assert numbers.count(1538) == "1538"
    assert numbers.moment("2026-03-01T09:05:00+00:00") == "1 March 2026, 09:05 UTC"
    assert numbers.moment("yesterday") == "yesterday"


def test_writing_stays_readable_on_every_shade() -> None:
    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    shades = [luminance(heat(share)) for share in range(101)]
    assert shades == sorted(shades, reverse=True)
    for share in range(101):
        light, dark = sorted((luminance(heat(share)), luminance(ink(share))), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, share
    assert heat(None) == heat(0)
    assert math.isclose(shades[0], max(shades))


def test_figures_cut_long_names_and_say_what_is_not_defined(study: Simulate) -> None:
    given = study(5)
    long = "Dr. " + "Longname " * 12
    constant = tuple(
        replace(
            row,
            reader=long if row.reader == "Reader 1" else row.reader,
            code=0 if row.feature == "CYST" else row.code,
        )
        for row in given.grades
    )
    page = render_html(build_report(replace(given, readers=(long, "Reader 2"), grades=constant)))
    forest = page[page.index("<svg") : page.index("</svg>")]
    assert "not defined" in forest
    assert "…" in forest
    assert long not in forest
    assert long.strip() in Page(page).text
