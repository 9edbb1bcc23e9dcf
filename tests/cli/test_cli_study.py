"""The commands on a study, from beginning to end, and what they say when something is wrong."""

from __future__ import annotations

import csv
import io
import json
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

Cli = Callable[..., Any]


def test_a_script_makes_a_study_imports_and_sees_its_status(cli: Cli, study: Path, films: Path) -> None:
    assert cli("accounts", study, "add", "Ben", "--role", "reader").code == 0
    imported = cli("import", study, films)
    assert imported.code == 0
    assert imported.out.startswith(
        "3 radiographs added, 0 known already, 0 duplicates, 0 files not imported."
    )
    status = json.loads(cli("status", study, "--json").out)
    assert (status["radiographs"], status["joints"], status["cases"]) == (3, 3, 3)
    assert status["readers"] == [{"name": "Ben", "locked": 0, "open": 0, "total": 3}]
    assert "Ben" in cli("status", study).out


def test_importing_twice_adds_nothing(cli: Cli, study: Path, films: Path) -> None:
    cli("import", study, films)
    again = cli("import", study, films)
    assert again.code == 0
    assert again.out.startswith("0 radiographs added, 3 known already")


def test_a_preview_imports_nothing_and_comes_back_as_manifest(
    cli: Cli, study: Path, films: Path, tmp_path: Path
) -> None:
    table = tmp_path / "preview.csv"
    looked = cli("import", study, films, "--preview", table)
    assert looked.code == 0
    assert looked.out.startswith("3 radiographs to be imported, 3 of them incomplete, 0 known already")
    assert json.loads(cli("status", study, "--json").out)["radiographs"] == 0
    rows = list(csv.DictReader(io.StringIO(table.read_text(encoding="utf-8-sig"))))
    for row, side in zip(rows, ("R", "L", "R"), strict=True):
        row["side"] = side
    rows[2]["leave_out"] = "yes"
    with table.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    report = json.loads(cli("import", study, films, "--manifest", table, "--json").out)
    assert (report["added"], report["duplicates"], report["faults"]) == (2, 0, [])
    plan = json.loads(cli("import", study, films, "--preview", table, "--json").out)
    assert (plan["planned"], plan["known"]) == (0, 2)


def test_duplicates_are_counted_and_listed(cli: Cli, study: Path, films: Path) -> None:
    with Image.open(films / "knee0.png") as picture:
        picture.save(films / "the same.tif")
    imported = cli("import", study, films)
    assert "3 radiographs added, 0 known already, 1 duplicate, 0 files not imported." in imported.out
    assert "the same.tif" in cli("status", study, "--faults").out
    listed = json.loads(cli("status", study, "--faults", "--json").out)["import_duplicates"]
    assert [Path(each["path"]).name for each in listed] == ["the same.tif"]


@pytest.mark.parametrize("dates", ["shifted", "dropped", "kept"])
def test_a_study_says_what_becomes_of_dates(cli: Cli, tmp_path: Path, dates: str) -> None:
    made = cli(
        "init", tmp_path / "s", "--protocol", "knee-kl", "--title", "T", "--coordinator", "Ada Moreno",
        "--dates", dates, "--without-characteristics",
    )  # fmt: skip
    assert made.code == 0
    assert f"dates are {dates}." in made.out
    text = (tmp_path / "s" / "study.toml").read_text(encoding="utf-8")
    assert f'dates = "{dates}"' in text
    assert "characteristics = false" in text


def test_a_broken_file_is_listed_and_the_import_goes_on(cli: Cli, study: Path, films: Path) -> None:
    (films / "broken.png").write_bytes((films / "knee0.png").read_bytes()[:200])
    (films / "no-image.dcm").write_text("not DICOM at all")
    (films / "notes.txt").write_text("not for import")
    report = json.loads(cli("import", study, films, "--json").out)
    assert report["added"] == 3
    assert {Path(fault["path"]).name for fault in report["faults"]} == {"broken.png", "no-image.dcm"}
    assert any("no images" in note and "1" in note for note in report["notes"])
    listed = cli("status", study, "--faults").out
    assert "broken.png" in listed
    assert "no-image.dcm" in listed


def test_a_file_that_was_repaired_is_no_longer_listed_as_a_fault(cli: Cli, study: Path, films: Path) -> None:
    whole = (films / "knee0.png").read_bytes()
    (films / "knee0.png").write_bytes(whole[:200])
    cli("import", study, films)
    (films / "knee0.png").write_bytes(whole)
    assert json.loads(cli("import", study, films, "--json").out)["added"] == 1
    assert json.loads(cli("status", study, "--json").out)["faults"] == 0


def test_accounts_are_listed_unlocked_and_given_new_passwords(
    cli: Cli, study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cli("accounts", study, "add", "Ben", "--role", "adjudicator").code == 0
    assert [line.split() for line in cli("accounts", study, "list").out.splitlines()[1:]] == [
        ["Ada", "Moreno", "coordinator", "active"],
        ["Ben", "adjudicator", "active"],
    ]
    monkeypatch.setenv("READER_APP_NEW_PASSWORD", "third sentence")
    assert cli("accounts", study, "password", "Ben").code == 0
    monkeypatch.setenv("READER_APP_PASSWORD", "third sentence")
    refused = cli("accounts", study, "list", "--as", "Ben")
    assert refused.code == 2
    assert "may not do this" in refused.sentence


def test_anyone_changes_their_own_password(cli: Cli, study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cli("accounts", study, "password", "ada  moreno").code == 0
    assert cli("accounts", study, "list").code == 2
    monkeypatch.setenv("READER_APP_PASSWORD", "another sentence")
    assert cli("accounts", study, "list").code == 0


def test_passwords_can_come_from_the_standard_input(
    cli: Cli, study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("READER_APP_PASSWORD")
    monkeypatch.setattr("sys.stdin", io.StringIO("a long sentence\nsecond sentence\n"))
    assert cli("accounts", study, "add", "Ben", "--role", "auditor", "--password-stdin").code == 0
    monkeypatch.setenv("READER_APP_PASSWORD", "second sentence")
    assert cli("status", study, "--as", "Ben").code == 0


def test_without_a_terminal_a_missing_password_is_one_sentence(
    cli: Cli, study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("READER_APP_PASSWORD")
    monkeypatch.setattr("sys.stdin", io.StringIO())
    refused = cli("status", study)
    assert refused.code == 2
    assert "READER_APP_PASSWORD" in refused.sentence
    monkeypatch.delenv("READER_APP_USER")
    assert "--as NAME" in cli("status", study).sentence


def test_a_wrong_password_five_times_locks_the_account_even_for_the_right_one(
    cli: Cli, study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli("accounts", study, "add", "Ben", "--role", "auditor")
    monkeypatch.setenv("READER_APP_PASSWORD", "wrong sentence")
    for _ in range(4):
        outcome = cli("status", study, "--as", "Ben")
        assert (outcome.code, outcome.out) == (2, "")
        assert "Name or password is wrong" in outcome.sentence
    assert "locked until" in cli("status", study, "--as", "Ben").sentence
    monkeypatch.setenv("READER_APP_PASSWORD", "another sentence")
    assert "locked until" in cli("status", study, "--as", "Ben").sentence
    monkeypatch.setenv("READER_APP_PASSWORD", "a long sentence")
    assert cli("accounts", study, "unlock", "Ben").code == 0
    monkeypatch.setenv("READER_APP_PASSWORD", "another sentence")
    assert cli("status", study, "--as", "Ben").code == 0


def test_an_image_folder_that_vanished_is_one_sentence_and_loses_nothing(
    cli: Cli, study: Path, films: Path
) -> None:
    cli("import", study, films)
    moved = films.rename(films.with_name("elsewhere"))
    vanished = cli("import", study, films)
    assert vanished.code == 2
    assert str(films) in vanished.sentence
    assert json.loads(cli("status", study, "--json").out)["radiographs"] == 3
    verified = cli("verify", study)
    assert verified.code == 1
    assert verified.out.count("FAULT") == 3
    moved.rename(films)
    assert cli("verify", study).code == 0


def test_a_database_that_another_program_locks_is_one_sentence_and_loses_nothing(
    cli: Cli, study: Path, films: Path
) -> None:
    cli("import", study, films)
    other = sqlite3.connect(study / "study.db")
    other.execute("BEGIN IMMEDIATE")
    busy = cli("import", study, films)
    assert busy.code == 2
    assert "locked" in busy.sentence
    other.rollback()
    other.close()
    assert cli("import", study, films).code == 0
    assert cli("verify", study).code == 0


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([("missing.png", "p", "0")], "“missing.png” does not exist"),
        ([("knee0.png", "p", "0"), ("knee0.png", "p", "1")], "“knee0.png” is named twice"),
        ([("knee0.png", "p", "7")], "the grade “7” in “kl” is outside its scale (0, 1, 2, 3, 4)"),
        ([("knee0.png", "p", "two")], "the grade “two” in “kl” is outside its scale"),
    ],
)
def test_a_wrong_manifest_is_one_sentence_and_nothing_is_imported(
    cli: Cli, study: Path, films: Path, tmp_path: Path, rows: list[tuple[str, ...]], expected: str
) -> None:
    table = tmp_path / "table.csv"
    with table.open("w", newline="") as stream:
        csv.writer(stream).writerows([("image", "participant", "kl"), ("knee1.png", "q", "1"), *rows])
    refused = cli("import", study, films, "--manifest", table)
    assert refused.code == 2
    assert expected in refused.sentence
    assert json.loads(cli("status", study, "--json").out)["radiographs"] == 0


def test_an_unknown_protocol_or_key_leaves_no_folder_behind(cli: Cli, tmp_path: Path) -> None:
    target = tmp_path / "new"
    words = ("--title", "T", "--coordinator", "Ada Moreno")
    unknown = cli("init", target, "--protocol", "knee-lk", *words)
    assert unknown.code == 2
    assert "did you mean “knee-kl”" in unknown.sentence
    own = tmp_path / "own.toml"
    shipped = Path(__file__).resolve().parents[2] / "resources" / "protocols" / "knee-kl.toml"
    own.write_text(shipped.read_text().replace("title =", "titel =", 1))
    wrong_key = cli("init", target, "--protocol", own, *words)
    assert wrong_key.code == 2
    assert "titel" in wrong_key.err
    assert not target.exists()


def test_a_short_password_leaves_no_folder_behind(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("READER_APP_PASSWORD", "short")
    target = tmp_path / "new"
    refused = cli("init", target, "--protocol", "knee-kl", "--title", "T", "--coordinator", "Ada Moreno")
    assert refused.code == 2
    assert "8 characters" in refused.sentence
    assert not target.exists()


def test_a_study_is_not_made_over_another(cli: Cli, study: Path) -> None:
    before = (study / "study.toml").read_bytes()
    again = cli("init", study, "--protocol", "knee-kl", "--title", "T", "--coordinator", "Ada Moreno")
    assert again.code == 2
    assert "is a study already" in again.sentence
    assert (study / "study.toml").read_bytes() == before


def test_verify_without_an_account_checks_what_needs_none(
    cli: Cli, study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("READER_APP_USER")
    report = json.loads(cli("verify", study, "--json").out)
    assert report["ok"]
    assert any("Films" in note for note in report["notes"])
    assert not any("films" in sentence for sentence in report["checked"])


def test_verify_names_a_protocol_that_was_changed(cli: Cli, study: Path) -> None:
    protocol = study / "protocol.toml"
    protocol.write_text(protocol.read_text().replace('version = "1"', 'version = "2"'))
    outcome = cli("verify", study)
    assert outcome.code == 1
    assert "protocol.toml" in outcome.out


def test_a_backup_is_a_study_of_its_own(cli: Cli, study: Path, films: Path) -> None:
    cli("import", study, films)
    outcome = cli("backup", study)
    assert outcome.code == 0
    (backup,) = (study / "backups").iterdir()
    assert {path.name for path in backup.iterdir()} == {
        *("study.db", "study.toml", "protocol.toml", "pseudonyms.key"),
    }
    assert json.loads(cli("status", backup, "--json").out)["radiographs"] == 3
    shutil.rmtree(films)
    assert cli("import", backup, study).code == 2


def test_a_bundle_whose_hash_is_wrong_is_one_sentence(
    cli: Cli, study: Path, films: Path, bundle: Path
) -> None:
    cli("import", study, films)
    altered = study / "bundles" / "knee-kl"
    shutil.copytree(bundle, altered)
    (altered / "bundle.toml").write_text(
        (altered / "bundle.toml").read_text().replace('id = "random-knees"', 'id = "knee-kl"')
    )
    weights = altered / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    refused = cli("pregrade", study)
    assert refused.code == 2
    assert "model.safetensors" in refused.sentence
    assert "SHA-256" in refused.sentence
    verified = cli("verify", study)
    assert verified.code == 1
    assert "model.safetensors" in verified.out


def test_joints_are_pre_graded_once_and_verified(cli: Cli, study: Path, films: Path, bundle: Path) -> None:
    cli("import", study, films)
    first = json.loads(cli("pregrade", study, "--bundle", bundle, "--device", "cpu", "--json").out)
    assert (first["bundle"], first["done"], first["pending"], first["faults"]) == ("random-knees", 3, 0, [])
    again = json.loads(cli("pregrade", study, "--bundle", bundle, "--json").out)
    assert (again["done"], again["pending"]) == (0, 0)
    (used,) = json.loads(cli("status", study, "--json").out)["pregraded"]
    assert (used["bundle"], used["joints"]) == ("random-knees", 3)
    assert cli("verify", study).code == 0


def test_no_bundle_at_all_is_one_sentence(cli: Cli, study: Path, films: Path) -> None:
    cli("import", study, films)
    refused = cli("pregrade", study, "--bundle", "nobody-has-this")
    assert refused.code == 2
    assert "is not installed" in refused.sentence


def test_the_report_of_a_study_that_nobody_read_says_so(
    cli: Cli, study: Path, films: Path, tmp_path: Path
) -> None:
    cli("accounts", study, "add", "Ben", "--role", "reader")
    cli("import", study, films)
    too_soon = cli("report", study, "--out", tmp_path / "report")
    assert too_soon.code == 2
    assert "before the study is frozen. Freeze the study" in too_soon.sentence
    assert not (tmp_path / "report").exists()
    unfinished = cli("freeze", study, "--reason", "a look")
    assert "3 readings have not been begun" in unfinished.sentence
    assert cli("freeze", study, "--reason", "a look", "--although-unfinished").code == 0
    outcome = cli("report", study, "--out", tmp_path / "report")
    assert outcome.code == 0, outcome.err
    assert "have not finished" in outcome.out
    assert any(path.suffix == ".html" for path in (tmp_path / "report").iterdir())


def test_a_folder_that_is_no_study_is_one_sentence(cli: Cli, tmp_path: Path) -> None:
    for command in ("status", "verify", "backup"):
        outcome = cli(command, tmp_path)
        assert outcome.code == 2
        assert "is not a study" in outcome.sentence
