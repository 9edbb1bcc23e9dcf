"""From readings to final grades, to the export, to the flow: on real studies, by the real verbs."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from xml.etree import ElementTree

import pytest

from reader_app.errors import GradeError, NotAllowed, StudyError
from reader_app.operations import exclusions
from reader_app.operations.amend import amend
from reader_app.operations.consensus import CHECKING, EXCLUDED, final_grades, locked_results
from reader_app.operations.export_consensus import consensus_export, export_consensus
from reader_app.operations.flow import export_flow, flow_numbers
from reader_app.operations.report import make_report, report_of
from reader_app.operations.status import status_notices
from reader_app.protocols.model import Item
from reader_app.report.flow import Count, total
from reader_app.report.json import from_json
from reader_app.store import journal, results
from reader_app.store.records import Actor, Role
from tests.operations.conftest import MakeStudy
from tests.operations.consensus_study import (
    KL,
    NARROW,
    POOR,
    REPLACED,
    ConsensusStudy,
    consensus_study,
)

FILMS = 5


@pytest.fixture
def made(make_study: MakeStudy, tmp_path: Path) -> ConsensusStudy:
    made = consensus_study(make_study(protocol="hip-oarsi"))
    made.import_both_sides(tmp_path / "films", FILMS)
    return made


def ben_reads(film: int, side: str) -> Mapping[Item, int] | str:
    if film == 1:
        return POOR
    if film == 2:
        return POOR
    if (film, side) == (3, "R"):
        return REPLACED
    return {KL: 2, NARROW: 1} if film == 4 else {}


def cleo_reads(film: int, side: str) -> Mapping[Item, int] | str:
    if film == 1:
        return POOR
    return {KL: 3} if (film, side) == (4, "L") else {KL: 2, NARROW: 1} if film == 4 else {}


@pytest.fixture
def read_twice(made: ConsensusStudy) -> tuple[ConsensusStudy, Actor, Actor, Actor]:
    """Both exclude film 1, Ben alone film 2 and one joint of film 3; they differ on one joint of film 4."""
    ben, cleo = (made.person(name, Role.READER) for name in ("Ben", "Cleo"))
    otto = made.person("Otto", Role.AUDITOR)
    made.read_all(ben, ben_reads)
    made.read_all(cleo, cleo_reads)
    return made, ben, cleo, otto


ReadTwice = tuple[ConsensusStudy, Actor, Actor, Actor]


def statuses(made: ConsensusStudy, actor: Actor, film: int, side: str) -> dict[str, str]:
    found = locked_results(made.study, actor)
    return {
        final.item.key: final.status
        for final in final_grades(made.study, found)
        if final.joint.radiograph_id == film and final.joint.side.value == side
    }


def test_exclusions_wait_for_the_second_look_and_then_take_the_joint_out(read_twice: ReadTwice) -> None:
    made, _ben, cleo, otto = read_twice
    assert set(statuses(made, otto, 1, "R").values()) == {EXCLUDED}, "both could not grade it"
    assert set(statuses(made, otto, 2, "R").values()) == {CHECKING}
    assert set(statuses(made, otto, 3, "R").values()) == {EXCLUDED}, "the reason needs no second look"
    assert set(statuses(made, otto, 3, "L").values()) == {"agreed"}
    assert made.answer_all(cleo, confirmed=True) == 1
    assert set(statuses(made, otto, 2, "R").values()) == {EXCLUDED}


def test_a_rejected_exclusion_goes_to_the_adjudicator(read_twice: ReadTwice) -> None:
    made, _ben, cleo, otto = read_twice
    assert made.answer_all(cleo, confirmed=False) == 1
    zoe = made.person("Zoe", Role.ADJUDICATOR)
    assert set(statuses(made, otto, 2, "R").values()) == {"needs adjudicator"}
    made.settle_all(zoe, code=1)
    assert set(statuses(made, otto, 2, "R").values()) == {"third reader"}
    flow = flow_numbers(made.study, otto)
    assert flow.rejected == Count(1, 2)
    assert total(flow.adjudicated) == Count(2, 3)


def test_the_flow_adds_up_and_tells_where_every_joint_is(read_twice: ReadTwice) -> None:
    made, _ben, cleo, otto = read_twice
    flow = flow_numbers(made.study, otto)
    assert (flow.imported, flow.complete) == (Count(FILMS, 2 * FILMS), Count(FILMS, 2 * FILMS))
    assert {part.label: part.count for part in flow.excluded} == {
        "Hip replacement": Count(0, 1),
        "Quality too poor to grade both hips": Count(1, 2),
    }
    assert flow.checking == Count(1, 2)
    assert {part.label: part.count for part in flow.read} == {"Read twice": Count(FILMS, 2 * FILMS)}
    assert (flow.agreed, flow.disagreed) == (Count(2, 4), Count(1, 1))
    assert {part.label for part in flow.waiting} == {"Waiting for the adjudicator"}
    made.answer_all(cleo, confirmed=True)
    made.settle_all(made.person("Zoe", Role.ADJUDICATOR), code=3)
    after = flow_numbers(made.study, otto)
    assert total(after.excluded) == Count(2, 5)
    assert after.final == Count(3, 5)
    assert {part.label: part.count for part in after.adjudicated} == {"Third reader": Count(1, 1)}


def test_a_case_waits_for_all_its_own_readers(made: ConsensusStudy) -> None:
    ben = made.person("Ben", Role.READER)
    otto = made.person("Otto", Role.AUDITOR)
    made.read_all(ben, lambda _film, _side: {})
    assert flow_numbers(made.study, otto).single == Count(FILMS, 2 * FILMS)
    made.person("Cleo", Role.READER)
    flow = flow_numbers(made.study, otto)
    assert {part.label: part.count for part in flow.unread} == {
        "1 of 2 readings locked": Count(FILMS, 2 * FILMS)
    }
    assert set(statuses(made, otto, 1, "R").values()) == {"1 of 2 readings locked"}


def test_nothing_read_is_a_flow_too(made: ConsensusStudy) -> None:
    otto = made.person("Otto", Role.AUDITOR)
    flow = flow_numbers(made.study, otto)
    assert {part.label for part in (*flow.aside, *flow.unread)} <= {
        "In no case yet",
        "No reader is named yet",
    }
    assert flow.final == Count()


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_every_locked_grade_is_in_the_export_and_stays_a_number(
    read_twice: ReadTwice, tmp_path: Path
) -> None:
    made, _ben, cleo, otto = read_twice
    made.answer_all(cleo, confirmed=False)
    made.settle_all(made.person("Zoe", Role.ADJUDICATOR), code=1)
    target = tmp_path / "consensus.csv"
    written = export_consensus(made.study, otto, target)
    rows = rows_of(target)
    assert len(rows) == written
    labels = {"Ben": "Reader 1", "Cleo": "Reader 2"}
    exported = {
        (row["radiograph"], row["side"], row["feature"], row["site"], reader): int(row[reader])
        for row in rows
        for reader in labels.values()
        if row[reader]
    }
    locked = results.locked_grades(made.study.database, otto)
    assert len(locked) > 50
    for grade in locked:
        place = (f"R{grade.radiograph_id:05d}", grade.side.label, grade.item.feature_id)
        assert exported[(*place, grade.item.site_id or "", labels[grade.reader])] == grade.code
    finals = [row for row in rows if row["kind"] == "final"]
    per_joint = len(finals) // (2 * FILMS)
    assert len(finals) == per_joint * 2 * FILMS, "every joint has every feature, also the excluded ones"
    assert all(
        bool(row["final"]) is bool(row["method"]) is not bool(row["missing_because"]) for row in finals
    )


def test_the_export_tells_methods_third_grades_exclusions_and_the_ungraded(
    read_twice: ReadTwice, tmp_path: Path
) -> None:
    made, _ben, _cleo, otto = read_twice
    made.settle_all(made.person("Zoe", Role.ADJUDICATOR), code=3)
    target = tmp_path / "consensus.csv"
    export_consensus(made.study, otto, target)
    rows = {
        (row["radiograph"], row["side"]): row
        for row in rows_of(target)
        if row["kind"] == "final" and row["feature"] == "KL"
    }
    settled = rows[("R00004", "Left")]
    assert (settled["Reader 1"], settled["Reader 2"], settled["third"], settled["final"]) == (
        "2",
        "3",
        "3",
        "3",
    )
    assert (settled["method"], settled["settled_by"], settled["rationale"]) == (
        "third reader",
        "Adjudicator 1",
        "looked twice",
    )
    agreed = rows[("R00004", "Right")]
    assert (agreed["final"], agreed["method"], agreed["settled_by"]) == ("2", "agreed", "")
    waiting = rows[("R00002", "Right")]
    assert (waiting["final"], waiting["missing_because"], waiting["exclusion"]) == ("", CHECKING, "waiting")
    assert waiting["Reader 1 excludes"] == "Quality too poor to grade both hips: waiting"
    assert rows[("R00001", "Right")]["exclusion"] == "confirmed"
    assert rows[("R00003", "Right")]["missing_because"] == EXCLUDED


def test_the_export_names_nobody_unless_asked(read_twice: ReadTwice, tmp_path: Path) -> None:
    made, _ben, _cleo, otto = read_twice
    made.settle_all(made.person("Zoe", Role.ADJUDICATOR), code=3)
    for suffix in (".csv", ".json"):
        plain, named = tmp_path / f"plain{suffix}", tmp_path / f"named{suffix}"
        export_consensus(made.study, otto, plain)
        export_consensus(made.study, otto, named, names=True)
        for hidden in ("Ben", "Cleo", "Zoe", "person-", ".png", str(tmp_path)):
            assert hidden not in plain.read_text(encoding="utf-8")
        assert all(name in named.read_text(encoding="utf-8") for name in ("Ben", "Cleo", "Zoe"))


def test_json_and_csv_have_the_same_rows(read_twice: ReadTwice, tmp_path: Path) -> None:
    made, _ben, _cleo, otto = read_twice
    export_consensus(made.study, otto, tmp_path / "a.csv")
    export_consensus(made.study, otto, tmp_path / "a.json")
    content = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
    rows = rows_of(tmp_path / "a.csv")
    assert content["about"]["design_sha256"] == made.study.design.sha256
    assert len(content["rows"]) == len(rows)
    for told, row in zip(content["rows"], rows, strict=True):
        assert ("" if told["final"] is None else str(told["final"])) == row["final"]
        assert {each["reader"]: each["grade"] for each in told["readings"]} == {
            reader: int(row[reader]) if row[reader] else None for reader in ("Reader 1", "Reader 2")
        }


def test_an_amended_grade_stands_beside_the_one_that_was_signed(read_twice: ReadTwice) -> None:
    made, ben, _cleo, otto = read_twice
    found = locked_results(made.study, otto)
    grade = next(g for g in found.grades if g.account_id == ben.account_id and g.radiograph_id == 5)
    amend(
        made.study, ben, grade.reading_id, grade.joint_id, KL, after=4, reason="I had looked at the wrong hip"
    )
    export = consensus_export(made.study, otto)
    row = next(
        row
        for row in export.rows
        if row.kind == "final"
        and (row.radiograph, row.side, row.feature) == ("R00005", grade.side.label, "KL")
    )
    assert (row.readings["Reader 1"].counts, row.readings["Reader 1"].signed) == (4, 0)
    assert row.missing_because == "needs adjudicator"


def test_a_coordinator_gets_nothing_of_it_before_the_freeze_and_all_after(
    read_twice: ReadTwice, tmp_path: Path
) -> None:
    made, _ben, _cleo, _otto = read_twice
    coordinator = made.coordinator
    calls: tuple[Callable[[], object], ...] = (
        lambda: export_consensus(made.study, coordinator, tmp_path / "c.csv"),
        lambda: export_flow(made.study, coordinator, tmp_path / "f.svg"),
        lambda: make_report(made.study, coordinator, tmp_path / "report"),
    )
    for call in calls:
        with pytest.raises(NotAllowed, match="before the study is frozen"):
            call()
    assert not list(tmp_path.glob("*.csv"))
    made.freeze()
    for call in calls:
        call()
    told = journal.entries(made.study.database, coordinator, after=0)
    exported = [entry for entry in told if entry.verb.startswith("export.")]
    assert [(entry.verb, entry.payload["name"]) for entry in exported] == [
        ("export.consensus", "c.csv"),
        ("export.report", "f.svg"),
        ("export.report", "report.json"),
    ]
    assert str(tmp_path) not in json.dumps([dict(entry.payload) for entry in exported])


def test_a_reader_exports_nothing(read_twice: ReadTwice, tmp_path: Path) -> None:
    made, ben, _cleo, _otto = read_twice
    with pytest.raises(NotAllowed):
        export_consensus(made.study, ben, tmp_path / "c.csv")
    assert not (tmp_path / "c.csv").exists()


def test_a_name_or_folder_that_does_not_do_is_told(read_twice: ReadTwice, tmp_path: Path) -> None:
    made, _ben, _cleo, otto = read_twice
    with pytest.raises(StudyError, match=r"\.csv or \.json"):
        export_consensus(made.study, otto, tmp_path / "consensus.xlsx")
    with pytest.raises(StudyError, match="cannot be written"):
        export_consensus(made.study, otto, tmp_path / "nowhere" / "consensus.csv")
    kept = tmp_path / "kept.csv"
    kept.mkdir()
    with pytest.raises(StudyError, match="cannot be written"):
        export_consensus(made.study, otto, kept)
    assert list(tmp_path.glob("*.part")) == []


def test_the_report_draws_the_same_flow(read_twice: ReadTwice, tmp_path: Path) -> None:
    made, _ben, _cleo, otto = read_twice
    files = make_report(made.study, otto, tmp_path / "report")
    flow = flow_numbers(made.study, otto)
    assert files.report.flow_numbers == flow
    assert from_json((tmp_path / "report" / "report.json").read_text(encoding="utf-8")) == files.report
    page = files.html.read_text(encoding="utf-8")
    drawing = page[page.index("<svg", page.index('id="figure-flow"')) : page.index("</svg>") + 6]
    ElementTree.fromstring(drawing)
    steps = {step.id: step.count for step in files.report.flow}
    assert (steps["final"], steps["excluded"]) == (flow.final.joints, total(flow.excluded).joints)
    export_flow(made.study, otto, tmp_path / "flow.svg")
    ElementTree.fromstring((tmp_path / "flow.svg").read_text(encoding="utf-8"))


def test_the_report_tells_both_outcomes_of_a_second_look(read_twice: ReadTwice) -> None:
    made, _ben, cleo, otto = read_twice
    waiting = {(line.radiograph, line.reader): line.status for line in report_of(made.study, otto).exclusions}
    assert waiting[("R00002", "Reader 1")] == "excluded by 1 of 2 readers, waits for a second reader"
    assert waiting[("R00001", "Reader 2")] == "excluded by 2 of 2 readers, confirmed"
    assert waiting[("R00003", "Reader 1")] == "excluded by 1 of 2 readers"
    made.answer_all(cleo, confirmed=False)
    after = {(line.radiograph, line.reader): line.status for line in report_of(made.study, otto).exclusions}
    assert after[("R00002", "Reader 1")] == (
        "excluded by 1 of 2 readers, rejected by a second reader (“seen”)"
    )


def test_a_rejection_needs_a_word_and_a_confirmation_none(read_twice: ReadTwice) -> None:
    made, _ben, cleo, _otto = read_twice
    (question,) = exclusions.waiting(made.study, cleo)
    assert (question.reason, question.where) == ("Quality too poor to grade both hips", "Right and Left")
    assert exclusions.pyramid(made.study, cleo, question).radiograph.pixels.shape == (96, 96)
    with pytest.raises(GradeError, match="in a word"):
        exclusions.save_check(made.study, cleo, question, confirmed=False, note="  ")
    exclusions.save_check(made.study, cleo, question, confirmed=True)
    assert exclusions.waiting(made.study, cleo) == ()
    with pytest.raises(NotAllowed):
        exclusions.pyramid(made.study, cleo, question)


def test_the_coordinator_is_told_how_many_exclusions_wait(read_twice: ReadTwice) -> None:
    made, _ben, cleo, _otto = read_twice
    assert exclusions.counts(made.study, made.coordinator).waiting == 2
    assert any("2 excluded joints wait" in said for said in status_notices(made.study, made.coordinator))
    made.answer_all(cleo, confirmed=True)
    assert not any("excluded" in said for said in status_notices(made.study, made.coordinator))
