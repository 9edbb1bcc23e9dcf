"""`reader-app films`: what a script lists and corrects, and what it is told when that cannot be."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

Cli = Callable[..., Any]


@pytest.fixture
def filled(cli: Cli, study: Path, films: Path) -> Path:
    assert cli("import", study, films).code == 0
    return study


def listed(cli: Cli, study: Path, *more: str) -> list[dict[str, Any]]:
    outcome = cli("films", study, "--json", *more)
    assert outcome.code == 0, outcome.err
    found: list[dict[str, Any]] = json.loads(outcome.out)
    return found


def test_films_are_listed_with_why_they_should_be_looked_at(cli: Cli, filled: Path) -> None:
    every = listed(cli, filled)
    assert [film["film"] for film in every] == [1, 2, 3]
    assert {tuple(film["to_check"]) for film in every} == {
        ("text may be burned in", "no millimetres", "side not stated")
    }
    assert {film["polarity"] for film in every} == {"file"}
    table = cli("films", filled).out.splitlines()
    assert table[0].split()[:2] == ["Film", "Participant"]
    assert len(table) == 4


def test_a_film_is_calibrated_and_given_its_own_back(cli: Cli, filled: Path) -> None:
    done = cli("films", filled, "calibrate", "2", "--marker-mm", "25", "--from", "10,20", "--to", "60,20")
    assert done.code == 0
    assert "0.5000 mm from column to column" in done.out
    assert "marker of 25 mm" in done.out
    film = listed(cli, filled)[1]
    assert (film["spacing_kind"], film["spacing_row_mm"], film["calibrated_marker_mm"]) == (
        "calibrated",
        0.5,
        25.0,
    )
    assert "no millimetres" not in film["to_check"]
    assert cli("films", filled, "calibrate", "2", "--forget").code == 0
    assert listed(cli, filled)[1]["spacing_row_mm"] is None


def test_polarity_and_boxes_are_set_and_taken_back(cli: Cli, filled: Path) -> None:
    assert cli("films", filled, "polarity", "1", "inverted").out == "Film 1 is shown inverted.\n"
    boxed = cli("films", filled, "box-out", "1", "--box", "0,0,30,9", "--box", "50,80,12.5,9")
    assert boxed.out == "Film 1 has 2 parts boxed out.\n"
    film = listed(cli, filled)[0]
    assert film["polarity"] == "inverted"
    assert film["box_outs"] == [[0.0, 0.0, 30.0, 9.0], [50.0, 80.0, 12.5, 9.0]]
    assert "inverted, 2 parts boxed out" in cli("films", filled).out
    assert cli("films", filled, "polarity", "1", "file").code == 0
    assert cli("films", filled, "box-out", "1", "--none").code == 0
    film = listed(cli, filled)[0]
    assert (film["polarity"], film["box_outs"]) == ("file", [])
    assert cli("verify", filled).code == 0


def test_the_list_to_check_gets_shorter(cli: Cli, filled: Path) -> None:
    assert cli("films", filled, "checked", "1", "3").out == "2 films noted as looked at.\n"
    assert [film["film"] for film in listed(cli, filled, "--to-check")] == [2]
    assert cli("films", filled, "checked", "--all").out == "1 film noted as looked at.\n"
    assert cli("films", filled, "--to-check").out == "No film needs to be looked at.\n"
    assert cli("films", filled, "checked", "1", "--undo").code == 0
    assert [film["film"] for film in listed(cli, filled, "--to-check")] == [1]


def test_who_acts_may_stand_before_or_after_the_verb(
    cli: Cli, filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("READER_APP_USER")
    for words in (
        ("--as", "Ada Moreno", "polarity", "1", "upright"),
        ("polarity", "1", "inverted", "--as", "Ada Moreno"),
    ):
        assert cli("films", filled, *words).code == 0
    assert "Nobody is named" in cli("films", filled, "polarity", "1", "file").sentence


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("calibrate", "9", "--marker-mm", "25", "--from", "1,1", "--to", "60,1"), "no film 9"),
        (("calibrate", "1", "--marker-mm", "25", "--from", "1,1", "--to", "2,1"), "too few"),
        (("calibrate", "1", "--marker-mm", "0", "--from", "1,1", "--to", "60,1"), "cannot calibrate"),
        (("calibrate", "1", "--marker-mm", "25", "--from", "1,1"), "needs the marker's size"),
        (("calibrate", "1", "--marker-mm", "25", "--forget"), "needs the marker's size"),
        (("calibrate", "1"), "needs the marker's size"),
        (("box-out", "1", "--box", "500,500,5,5"), "does not touch the film"),
        (("polarity", "4", "inverted"), "no film 4"),
        (("checked", "8"), "no film 8"),
        (("checked",), "not said which films"),
        (("checked", "1", "--all"), "not said which films"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    cli: Cli, filled: Path, words: tuple[str, ...], sentence: str
) -> None:
    outcome = cli("films", filled, *words)
    assert outcome.code == 2
    assert sentence in outcome.sentence
    assert {film["polarity"] for film in listed(cli, filled)} == {"file"}


@pytest.mark.parametrize(
    "words",
    [
        ("box-out", "1"),
        ("box-out", "1", "--box", "1,2,3"),
        ("box-out", "1", "--box", "1,2,-3,4"),
        ("box-out", "1", "--box", "a,b,c,d"),
        ("box-out", "1", "--box", "0,0,9,9", "--none"),
        ("polarity", "1", "sideways"),
        ("calibrate", "1", "--from", "12"),
    ],
)
def test_a_wrong_word_is_refused_before_anybody_logs_in(
    cli: Cli, filled: Path, words: tuple[str, ...]
) -> None:
    outcome = cli("films", filled, *words)
    assert outcome.code == 2
    assert "usage: reader-app films" in outcome.err


def test_a_reader_may_neither_list_nor_correct(
    cli: Cli, filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cli("accounts", filled, "add", "Ben", "--role", "reader").code == 0
    assert cli("accounts", filled, "add", "Eva", "--role", "auditor").code == 0
    monkeypatch.setenv("READER_APP_PASSWORD", "another sentence")
    for words in ((), ("polarity", "1", "inverted"), ("checked", "--all"), ("box-out", "1", "--none")):
        outcome = cli("films", filled, *words, "--as", "Ben")
        assert outcome.code == 2
        assert "may not do this" in outcome.sentence
    assert cli("films", filled, "--as", "Eva").code == 0
    assert cli("films", filled, "polarity", "1", "inverted", "--as", "Eva").code == 2


def test_a_film_that_was_turned_round_is_pre_graded_anew_on_what_is_shown_now(
    cli: Cli, filled: Path, bundle: Path
) -> None:
    def run() -> dict[str, Any]:
        outcome = cli("pregrade", filled, "--bundle", bundle, "--device", "cpu", "--deterministic", "--json")
        done: dict[str, Any] = json.loads(outcome.out)
        return done

    assert run()["done"] == 3
    before = said_of_first_joint(filled)
    turned = cli("films", filled, "polarity", "1", "inverted")
    assert "pre-grades of 1 joint were made on the film as it was" in turned.out
    assert said_of_first_joint(filled) == []
    (used,) = json.loads(cli("status", filled, "--json").out)["pregraded"]
    assert used["joints"] == 2
    again = run()
    assert (again["done"], again["pending"], again["faults"]) == (1, 0, [])
    (old,), (new,) = before, said_of_first_joint(filled)
    assert new["probabilities_json"] != old["probabilities_json"], "the networks saw the film turned round"
    assert new["pixel_sha256"] != old["pixel_sha256"]
    assert cli("films", filled, "polarity", "1", "file").code == 0
    assert run()["done"] == 1
    (back,) = said_of_first_joint(filled)
    assert back == old, "the same film gives the same grade"
    assert cli("verify", filled).code == 0


def said_of_first_joint(study: Path) -> list[dict[str, Any]]:
    with closing(sqlite3.connect(study / "study.db")) as connection:
        connection.row_factory = sqlite3.Row
        rows = connection.execute(
            "SELECT probabilities_json, pixel_sha256, box_x, box_width FROM pregrade "
            "JOIN provenance ON provenance.id = provenance_id WHERE joint_id = 1"
        ).fetchall()
    return [dict(row) for row in rows]
