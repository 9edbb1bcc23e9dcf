"""A folder is looked at before anything is imported: what is open is listed, corrected, and kept."""

from __future__ import annotations

import csv
import os
import shutil
from pathlib import Path

import pytest

from reader_app.errors import ManifestError, NotAllowed, StudyError
from reader_app.operations.accounts import add_account
from reader_app.operations.import_films import import_films, import_planned
from reader_app.operations.importing import looking
from reader_app.operations.log_in import log_in
from reader_app.operations.plan_import import (
    PlannedFilm,
    correct_planned,
    forget_plan,
    plan_import,
    planned_films,
    write_preview,
)
from reader_app.operations.progress import Progress
from reader_app.operations.status import import_faults
from reader_app.operations.study import Study
from reader_app.store import films as stored
from reader_app.store import journal, results
from reader_app.store.records import Actor, Role
from tests.operations.conftest import PASSWORD, dicom_film


@pytest.fixture
def knees(tmp_path: Path) -> Path:
    """Four films: complete, without a side, without a view, and a chest."""
    folder = tmp_path / "knees"
    dicom_film(folder / "1 complete", seed=1, PatientID="Secret-1")
    dicom_film(folder / "2 no side.dcm", seed=2, PatientID="Secret-1", ImageLaterality=None)
    dicom_film(folder / "deeper" / "3 no view", seed=3, PatientID="Secret-2", ViewPosition=None)
    dicom_film(folder / "deeper" / "4 chest", seed=4, PatientID="Secret-3", BodyPartExamined="CHEST")
    (folder / "notes.txt").write_text("no image")
    return folder


def by_name(study: Study, actor: Actor) -> dict[str, PlannedFilm]:
    return {film.path.name: film for film in planned_films(study, actor)}


def test_a_plan_lists_what_the_headers_say_and_leave_open(
    study: Study, coordinator: Actor, knees: Path
) -> None:
    told: list[Progress] = []
    plan = plan_import(study, coordinator, knees, progress=told.append)
    assert (plan.planned, plan.known, plan.refused, plan.incomplete) == (4, 0, 0, 2)
    assert plan.notes == ("Files that are no images and were left out: 1.",)
    assert (told[-1].done, told[-1].total, told[-1].what) == (5, 5, looking.LOOKING)
    films = by_name(study, coordinator)
    complete = films["1 complete"]
    assert (complete.side, complete.view, complete.body_part) == ("R", "PA", "KNEE")
    assert (complete.rows, complete.columns, complete.missing) == (96, 96, ())
    assert films["2 no side.dcm"].missing == ("side",)
    assert films["3 no view"].missing == ("view",)
    assert films["4 chest"].notes == ("A chest film: this protocol grades knees.",)
    assert complete.participant == films["2 no side.dcm"].participant != films["3 no view"].participant
    incomplete = planned_films(study, coordinator, incomplete_only=True)
    assert [film.path.name for film in incomplete] == ["2 no side.dcm", "3 no view"]
    assert [film.path.name for film in planned_films(study, coordinator, offset=1, limit=2)] == [
        "2 no side.dcm",
        "3 no view",
    ]
    assert not stored.all_radiographs(study.database, coordinator)


def test_what_was_looked_at_is_not_opened_again(study: Study, coordinator: Actor, knees: Path) -> None:
    plan_import(study, coordinator, knees)
    before = {path: path.stat() for path in knees.rglob("*") if path.is_file()}
    for path, stat in before.items():  # the same size and time, and nothing that could be read
        path.write_bytes(b"\0" * stat.st_size)
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    plan = plan_import(study, coordinator, knees)
    assert (plan.planned, plan.refused) == (4, 0)


def test_a_file_that_changed_is_looked_at_again(study: Study, coordinator: Actor, knees: Path) -> None:
    plan_import(study, coordinator, knees)
    number = by_name(study, coordinator)["2 no side.dcm"].id
    dicom_film(knees / "2 no side.dcm", seed=22, ImageLaterality="L")
    plan_import(study, coordinator, knees)
    again = by_name(study, coordinator)["2 no side.dcm"]
    assert (again.side, again.id) == ("L", number)


def test_a_file_that_changed_after_the_look_is_not_imported_as_something_else(
    study: Study, coordinator: Actor, knees: Path
) -> None:
    plan_import(study, coordinator, knees)
    dicom_film(knees / "1 complete", seed=9, PatientID="Somebody else")
    report = import_planned(study, coordinator)
    assert report.added == 3
    assert "has changed since its header was looked at" in report.faults[0].reason
    assert import_films(study, coordinator, knees).added == 1


def test_a_stopped_look_goes_on_where_it_was(
    study: Study, coordinator: Actor, knees: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking, "CHUNK", 2)
    plan = plan_import(study, coordinator, knees, cancelled=lambda: True)
    assert plan.planned == 2
    assert any("Stopped" in note for note in plan.notes)
    assert plan_import(study, coordinator, knees).planned == 4


def test_corrections_reach_the_study_and_the_journal(study: Study, coordinator: Actor, knees: Path) -> None:
    plan_import(study, coordinator, knees)
    films = by_name(study, coordinator)
    correct_planned(study, coordinator, [films["2 no side.dcm"].id], side="B", visit="Month 24")
    correct_planned(study, coordinator, [films["3 no view"].id], view="AP")
    correct_planned(study, coordinator, [films["4 chest"].id], left_out=True)
    assert not planned_films(study, coordinator, incomplete_only=True)
    plan_import(study, coordinator, knees)
    corrected = by_name(study, coordinator)
    assert (corrected["2 no side.dcm"].side, corrected["2 no side.dcm"].visit) == ("B", "Month 24")
    assert corrected["4 chest"].left_out
    report = import_planned(study, coordinator)
    assert (report.added, report.faults) == (3, ())
    sides = sorted(joint.side.value for joint in results.joint_places(study.database, coordinator))
    assert sides == ["L", "R", "R", "R"]
    assert {film.visit for film in stored.all_radiographs(study.database, coordinator)} >= {"Month 24"}
    verbs = [entry.verb for entry in journal.entries(study.database, coordinator)]
    assert verbs.count("import.correct") == 3
    assert journal.verify_chain(study.database).ok


def test_what_was_left_out_stays_out_until_a_table_says_otherwise(
    study: Study, coordinator: Actor, knees: Path, tmp_path: Path
) -> None:
    plan_import(study, coordinator, knees)
    chest = by_name(study, coordinator)["4 chest"]
    correct_planned(study, coordinator, [chest.id], left_out=True)
    import_planned(study, coordinator)
    assert not planned_films(study, coordinator)
    again = import_films(study, coordinator, knees)
    assert (again.added, again.known) == (0, 3)
    assert any("Left out by the coordinator" in note for note in again.notes)
    table = tmp_path / "table.csv"
    table.write_text("image,leave_out\ndeeper/4 chest,no\n")
    assert import_films(study, coordinator, knees, manifest=table).added == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"side": "both"}, "none of R, L, B"),
        ({"visit": " "}, "needs a name"),
        ({"visit": "x" * 65}, "more than 64"),
        ({"visit": "2019-05-04"}, "looks like a date"),
        ({"visit": "May 2019"}, "looks like a date"),
    ],
)
def test_corrections_that_cannot_be_are_refused(
    study: Study, coordinator: Actor, knees: Path, change: dict[str, str], words: str
) -> None:
    plan_import(study, coordinator, knees)
    before = planned_films(study, coordinator)
    with pytest.raises(StudyError, match=words):
        correct_planned(study, coordinator, [film.id for film in before], **change)  # type: ignore[arg-type]
    assert planned_films(study, coordinator) == before


def test_a_film_can_join_a_visit_that_its_participant_has(
    study: Study, coordinator: Actor, knees: Path
) -> None:
    dicom_film(knees / "5 no date", seed=5, StudyDate=None, AcquisitionDate=None)
    plan_import(study, coordinator, knees)
    films = by_name(study, coordinator)
    assert films["5 no date"].visit == "Baseline"
    correct_planned(study, coordinator, [films["5 no date"].id], visit=films["1 complete"].visit)
    corrected = by_name(study, coordinator)
    assert corrected["5 no date"].visit == films["1 complete"].visit
    with pytest.raises(StudyError, match="looks like a date"):
        correct_planned(study, coordinator, [films["3 no view"].id], visit=films["1 complete"].visit)


def test_a_forgotten_plan_leaves_nothing_behind(study: Study, coordinator: Actor, knees: Path) -> None:
    plan_import(study, coordinator, knees)
    assert forget_plan(study, coordinator) == 4
    assert planned_films(study, coordinator) == ()
    assert import_planned(study, coordinator).added == 0
    assert plan_import(study, coordinator, knees).planned == 4


def test_an_import_of_one_folder_leaves_the_plan_of_another_alone(
    study: Study, coordinator: Actor, knees: Path, films: Path
) -> None:
    plan_import(study, coordinator, knees)
    assert import_films(study, coordinator, films).added == 3
    assert len(planned_films(study, coordinator)) == 4


def test_readers_and_auditors_cannot_plan(study: Study, coordinator: Actor, knees: Path) -> None:
    plan_import(study, coordinator, knees)
    for role in (Role.READER, Role.AUDITOR):
        add_account(study, coordinator, name=role.value, password=PASSWORD, role=role)
        actor = log_in(study, role.value, PASSWORD)
        with pytest.raises(NotAllowed):
            correct_planned(study, actor, [1], side="L")
        with pytest.raises(NotAllowed):
            forget_plan(study, actor)
        with pytest.raises(NotAllowed):
            plan_import(study, actor, knees)
    with pytest.raises(NotAllowed):
        planned_films(study, log_in(study, "reader", PASSWORD))


# Refused files ----------------------------------------------------------------------------------


def test_a_refused_file_is_told_again_and_not_opened_again(
    study: Study, coordinator: Actor, films: Path
) -> None:
    cut = films / "cut.dcm"
    cut.write_bytes(dicom_film(films / "whole.dcm", seed=8).read_bytes()[:300])
    first = plan_import(study, coordinator, films)
    assert first.refused == 1
    stat = cut.stat()
    shutil.copyfile(films / "whole.dcm", cut)
    os.truncate(cut, stat.st_size)
    os.utime(cut, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert plan_import(study, coordinator, films).refused == 1
    (fault,) = import_faults(study, coordinator)
    assert fault.path == str(cut)


def test_another_version_or_decoder_tries_refused_files_again(
    study: Study, coordinator: Actor, films: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (films / "cut.png").write_bytes((films / "a.png").read_bytes()[:300])
    assert len(import_films(study, coordinator, films).faults) == 1
    told: list[str] = []
    refused = looking.refused

    def watched(path: Path, *rest: object) -> object:
        told.append(path.name)
        return refused(path, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(looking, "refused", watched)
    import_films(study, coordinator, films)
    assert told == []
    monkeypatch.setattr(looking, "tried_with", lambda: "a later version")
    import_films(study, coordinator, films)
    assert len(import_faults(study, coordinator)) == 1


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="rights do not bind this user")
def test_a_file_without_rights_is_tried_again_when_they_are_there(
    study: Study, coordinator: Actor, films: Path
) -> None:
    (films / "a.png").chmod(0)
    assert import_films(study, coordinator, films).added == 2
    (films / "a.png").chmod(0o600)
    assert import_films(study, coordinator, films).added == 1


@pytest.mark.skipif(os.name != "posix", reason="other systems have no such names")
def test_a_name_that_is_no_text_is_a_fault_in_words(study: Study, coordinator: Actor, films: Path) -> None:
    shutil.copy(films / "a.png", films / os.fsdecode(b"\xff\xfe.png"))
    report = import_films(study, coordinator, films)
    assert report.added == 3
    assert "rename the file" in report.faults[0].reason
    report.faults[0].reason.encode("utf-8")


# The preview is a manifest -----------------------------------------------------------------------


def told(film: PlannedFilm) -> tuple[object, ...]:
    """All of a film but the number of its row."""
    return tuple(value for name, value in vars(film).items() if name != "id")


def test_a_preview_given_back_as_manifest_plans_the_same(
    study: Study, coordinator: Actor, knees: Path, tmp_path: Path
) -> None:
    table = tmp_path / "references.csv"
    table.write_text("image,side,spacing,age,kl_r,kl_l\n1 complete,B,0.15,61,3,2\n2 no side.dcm,,,,,\n")
    shutil.copy(knees / "1 complete", knees / "=1+1;2,3 'x.dcm")
    dicom_film(knees / "-1 @.dcm", seed=31, ImageLaterality=None)
    plan_import(study, coordinator, knees)
    plan_import(study, coordinator, knees, manifest=table)
    films = by_name(study, coordinator)
    correct_planned(study, coordinator, [films["3 no view"].id], view="=AP()", visit="-24 months")
    correct_planned(study, coordinator, [films["4 chest"].id], left_out=True)
    before = planned_films(study, coordinator)
    preview = tmp_path / "preview.csv"
    assert write_preview(study, coordinator, preview) == 6
    text = preview.read_text(encoding="utf-8-sig")
    assert "Secret" not in text
    assert "2019" not in text
    with preview.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert not any((cell or "")[:1] in {"=", "@", "-", "+"} for row in rows for cell in row.values())
    assert [row["KL_R"] for row in rows if row["image"].endswith("1 complete")] == ["3"]
    forget_plan(study, coordinator)
    plan = plan_import(study, coordinator, knees, manifest=preview)
    assert plan.notes == ()
    after = planned_films(study, coordinator)
    assert sorted(map(told, after), key=str) == sorted(map(told, before), key=str)
    report = import_films(study, coordinator, knees, manifest=preview)
    assert (report.added, report.known, report.faults) == (4, 1, ())
    given = {(each.side.value, each.code) for each in results.reference_grades(study.database, coordinator)}
    assert given == {("R", 3), ("L", 2)}


def test_a_corrected_preview_is_what_is_imported(
    study: Study, coordinator: Actor, knees: Path, tmp_path: Path
) -> None:
    plan_import(study, coordinator, knees)
    preview = tmp_path / "preview.csv"
    write_preview(study, coordinator, preview)
    with preview.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    for row in rows:
        if row["image"].endswith("no side.dcm"):
            row["side"] = "L"
        if row["image"].endswith("chest"):
            row["leave_out"] = "yes"
    with preview.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    report = import_films(study, coordinator, knees, manifest=preview)
    assert (report.added, report.faults) == (3, ())
    sides = sorted(joint.side.value for joint in results.joint_places(study.database, coordinator))
    assert sides == ["L", "R", "R"]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("1 complete,Doe,,,", "is no pseudonym of a study"),
        ("1 complete,,04.05.2019,,", "looks like a date: write it as"),
        ("1 complete,,,,maybe", "neither yes nor no"),
    ],
)
def test_a_table_that_cannot_be_plans_nothing(
    study: Study, coordinator: Actor, knees: Path, tmp_path: Path, row: str, words: str
) -> None:
    table = tmp_path / "table.csv"
    table.write_text(f"image,pseudonym,visit,side,leave_out\n{row}\n")
    with pytest.raises(ManifestError, match=words):
        plan_import(study, coordinator, knees, manifest=table)
    assert planned_films(study, coordinator) == ()
