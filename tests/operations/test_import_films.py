"""Bringing films in: nothing twice, nothing lost, nobody's identity kept, and a broken file stops nothing."""

from __future__ import annotations

import csv
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from reader_app.errors import NotAllowed, StudyError
from reader_app.operations.accounts import add_account
from reader_app.operations.import_films import CHUNK, READING, import_films
from reader_app.operations.log_in import log_in
from reader_app.operations.progress import Progress
from reader_app.operations.status import import_duplicates, import_faults
from reader_app.operations.study import NewStudy, Study, create_study
from reader_app.operations.study_config import ImagePolicy
from reader_app.store import films as stored
from reader_app.store import results
from reader_app.store.records import Actor, Role

COORDINATOR, PASSWORD = "Ada Moreno", "a long sentence"


def sides(study: Study, actor: Actor) -> list[str]:
    return sorted(joint.side.value for joint in results.joint_places(study.database, actor))


def test_folders_within_folders_are_walked_and_progress_is_told(
    study: Study, coordinator: Actor, films: Path
) -> None:
    told: list[Progress] = []
    report = import_films(study, coordinator, films, progress=told.append)
    assert (report.added, report.known, report.faults) == (3, 0, ())
    assert (told[-1].done, told[-1].total) == (3, 3)
    assert sides(study, coordinator) == ["U", "U", "U"]


def test_importing_twice_adds_nothing_wherever_the_file_lies(
    study: Study, coordinator: Actor, films: Path
) -> None:
    import_films(study, coordinator, films)
    shutil.copy(films / "a.png", films / "copy of a.png")
    again = import_films(study, coordinator, films)
    assert (again.added, again.known) == (0, 4)
    assert len(stored.all_radiographs(study.database, coordinator)) == 3


def test_the_same_file_twice_in_one_import_is_one_film(study: Study, coordinator: Actor, films: Path) -> None:
    shutil.copy(films / "a.png", films / "copy of a.png")
    assert import_films(study, coordinator, films).added == 3


def test_new_films_of_a_folder_are_added_and_appended_to_worklists(
    study: Study, coordinator: Actor, films: Path
) -> None:
    from reader_app.operations.read import worklist

    add_account(study, coordinator, name="Ben", password="another sentence", role=Role.READER)
    import_films(study, coordinator, films)
    ben = log_in(study, "Ben", "another sentence")
    before = worklist(study, ben)
    Image.fromarray(np.flipud(np.asarray(Image.open(films / "a.png")))).save(films / "d.png")
    report = import_films(study, coordinator, films)
    assert (report.added, report.known) == (1, 3)
    after = worklist(study, ben)
    assert [entry.assignment_id for entry in after[:3]] == [entry.assignment_id for entry in before]
    assert len(after) == 4


def test_faults_are_listed_with_their_reason_and_the_rest_goes_on(
    study: Study, coordinator: Actor, films: Path
) -> None:
    (films / "cut.png").write_bytes((films / "a.png").read_bytes()[:300])
    (films / "empty.dcm").write_bytes(b"")
    report = import_films(study, coordinator, films)
    assert report.added == 3
    assert {fault.path.name for fault in report.faults} == {"cut.png", "empty.dcm"}
    assert all(fault.reason for fault in report.faults)
    kept = import_faults(study, coordinator)
    assert {Path(fault.path).name for fault in kept} == {"cut.png", "empty.dcm"}


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="rights do not bind this user")
def test_a_folder_that_may_not_be_entered_is_a_fault(study: Study, coordinator: Actor, films: Path) -> None:
    (films / "inner").chmod(0)
    try:
        report = import_films(study, coordinator, films)
    finally:
        (films / "inner").chmod(0o700)
    assert report.added == 2
    assert report.faults[0].path == films / "inner"


def test_a_folder_without_images_or_no_folder_is_one_sentence(
    study: Study, coordinator: Actor, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(StudyError, match="holds no image file"):
        import_films(study, coordinator, tmp_path / "empty")
    with pytest.raises(StudyError, match="does not exist"):
        import_films(study, coordinator, tmp_path / "gone")


def test_a_reader_cannot_import(study: Study, coordinator: Actor, films: Path) -> None:
    add_account(study, coordinator, name="Ben", password="another sentence", role=Role.READER)
    with pytest.raises(NotAllowed):
        import_films(study, log_in(study, "Ben", "another sentence"), films)
    assert not stored.all_radiographs(study.database, coordinator)


def test_identities_stay_outside_and_the_key_file_can_be_had_later(
    study: Study, coordinator: Actor, films: Path, tmp_path: Path
) -> None:
    table = tmp_path / "table.csv"
    table.write_text("image,participant\na.png,Secret-1\nb.png,Secret-1\ninner/c.png,Secret-2\n")
    import_films(study, coordinator, films, manifest=table)
    assert len({film.participant for film in stored.all_radiographs(study.database, coordinator)}) == 2
    for path in study.folder.rglob("*"):
        assert not path.is_file() or b"Secret-1" not in path.read_bytes()
    key = tmp_path / "key.csv"
    for _ in range(2):
        import_films(study, coordinator, films, manifest=table, key_file=key)
    with key.open(newline="") as stream:
        rows = list(csv.reader(stream))
    assert rows[0] == ["participant", "pseudonym"]
    assert [row[0] for row in rows[1:]] == ["Secret-1", "Secret-2"]
    known = {film.participant for film in stored.all_radiographs(study.database, coordinator)}
    assert {row[1] for row in rows[1:]} == known


def test_references_visits_and_spacing_of_the_manifest_arrive(
    study: Study, coordinator: Actor, films: Path, tmp_path: Path
) -> None:
    table = tmp_path / "table.csv"
    table.write_text(
        "image,participant,visit,side,spacing,kl\na.png,p,V01,R,0.2,3\nb.png,p,V00,R,,2\ninner/c.png,q,,L,,\n"
    )
    import_films(study, coordinator, films, manifest=table)
    records = {Path(film.path).name: film for film in stored.all_radiographs(study.database, coordinator)}
    assert records["a.png"].spacing_row_mm == records["a.png"].spacing_column_mm == 0.2
    assert records["a.png"].participant == records["b.png"].participant
    assert [records[name].visit for name in ("a.png", "b.png", "c.png")] == ["V01", "V00", "Baseline"]
    references = results.reference_grades(study.database, coordinator)
    assert sorted((each.visit, each.side.value, each.code) for each in references) == [
        ("V00", "R", 2),
        ("V01", "R", 3),
    ]


def test_copied_films_are_read_from_the_study(
    tmp_path: Path, films: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("READER_APP_HOME", str(tmp_path / "home"))
    choices = NewStudy("knee-kl", "T", COORDINATOR, PASSWORD, images=ImagePolicy.COPY)
    with create_study(tmp_path / "copying", choices) as study:
        actor = log_in(study, COORDINATOR, PASSWORD)
        import_films(study, actor, films)
        shutil.rmtree(films)
        for film in stored.all_radiographs(study.database, actor):
            assert not Path(film.path).is_absolute()
            assert study.image_path(film.path).is_file()
        assert not list(study.folder.rglob("*.part"))


def test_a_kill_in_mid_import_costs_at_most_one_chunk(
    study: Study, coordinator: Actor, tmp_path: Path
) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    across = np.exp(-(((np.arange(32) - 16) / 8) ** 2))
    for number in range(CHUNK + 8):
        picture = (150 * across[None, :] * np.ones((32, 1))).astype(np.uint8)
        picture[0, 0] = number
        Image.fromarray(picture).save(folder / f"{number:03}.png")

    def killed(progress: Progress) -> None:
        if progress.what == READING:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_films(study, coordinator, folder, progress=killed)
    assert len(stored.all_radiographs(study.database, coordinator)) == CHUNK
    again = import_films(study, coordinator, folder)
    assert (again.added, again.known) == (8, CHUNK)


# Real files -------------------------------------------------------------------------------------


def test_real_dicom_radiographs(shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("READER_APP_HOME", str(tmp_path / "home"))
    folder = tmp_path / "dicom"
    folder.mkdir()
    for name in ("RG2_J2KR.dcm", "RG2_RLE.dcm", "RG3_JLSN_monochrome1.dcm", "RG1_J2KI_zero_spacing.dcm"):
        shutil.copy(shared / "data" / "dicom" / "radiographs" / name, folder)
    cut = (folder / "RG2_RLE.dcm").read_bytes()[:2000]
    (folder / "cut.dcm").write_bytes(cut)
    with create_study(tmp_path / "s", NewStudy("hip-oarsi", "T", COORDINATOR, PASSWORD)) as study:
        actor = log_in(study, COORDINATOR, PASSWORD)
        report = import_films(study, actor, folder)
        assert (report.added, [fault.path.name for fault in report.faults]) == (3, ["cut.dcm"])
        films = {Path(film.path).name: film for film in stored.all_radiographs(study.database, actor)}
        # The same film, compressed in two ways.
        assert report.duplicates == 1
        (duplicate,) = import_duplicates(study, actor)
    assert Path(duplicate.path).name == "RG2_RLE.dcm"
    assert "RG2_RLE.dcm" not in films
    assert films["RG2_J2KR.dcm"].spacing_row_mm == pytest.approx(0.2)
    assert films["RG1_J2KI_zero_spacing.dcm"].spacing_row_mm is None
    assert films["RG3_JLSN_monochrome1.dcm"].spacing_row_mm is None


def test_real_knees_with_their_table(shared: Path, study: Study, coordinator: Actor, tmp_path: Path) -> None:
    source = shared / "data" / "knee-kl"
    with (source / "labels.csv").open(newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row["split"] == "test"][:8]
    table = tmp_path / "labels.csv"
    with table.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    report = import_films(study, coordinator, source, manifest=table)
    assert (report.added, report.faults) == (8, ())
    assert import_films(study, coordinator, source, manifest=table).added == 0
    assert sides(study, coordinator) == sorted(row["side"] for row in rows)
    participants = {film.participant for film in stored.all_radiographs(study.database, coordinator)}
    assert len(participants) == len({row["participant"] for row in rows})
    given = sorted(each.code for each in results.reference_grades(study.database, coordinator))
    assert given == sorted(int(row["kl"]) for row in rows)


def test_a_real_strip_of_both_knees_has_two_joints(
    shared: Path, study: Study, coordinator: Actor, tmp_path: Path
) -> None:
    source = shared / "data" / "knee-two-experts"
    with (source / "labels.csv").open(newline="") as stream:
        strips = [row["image"] for row in csv.DictReader(stream) if row["view"] == "bilateral"][:3]
    folder = tmp_path / "strips"
    folder.mkdir()
    for name in strips:
        shutil.copy(next(source.rglob(Path(name).name)), folder)
    report = import_films(study, coordinator, folder)
    assert report.added == 3
    assert sides(study, coordinator) == ["L", "L", "L", "R", "R", "R"]
    assert any("both joints" in note for note in report.notes)


def test_a_spacing_of_the_manifest_reaches_the_readers_screen(
    study: Study, coordinator: Actor, films: Path
) -> None:
    from reader_app.operations.read import film, open_case, worklist
    from reader_app.ui.film.words import spacing_words

    table = films / "table.csv"
    table.write_text("image,spacing\na.png,0.15\n", encoding="utf-8")
    import_films(study, coordinator, films, manifest=table)
    add_account(study, coordinator, name="Reader", password=PASSWORD, role=Role.READER)
    reader = log_in(study, "Reader", PASSWORD)
    (entry,) = worklist(study, reader)
    case = open_case(study, reader, entry.assignment_id)

    shown = film(study, reader, case.case.films[0].radiograph_id)

    assert shown.header.spacing.column_mm == pytest.approx(0.15)
    assert spacing_words(shown.header.spacing) == "0.150 mm stated at the import"
