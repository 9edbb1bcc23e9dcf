"""`reader-app design` and `designs`: shown, previewed and changed as a script would."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reader_app.protocols.loader import find_protocol
from reader_app.reading.design_file import parse_design

Cli = Callable[..., Any]


@pytest.fixture
def filled(cli: Cli, study: Path, films: Path) -> Path:
    """A study with three films and two readers."""
    cli("import", study, films)
    for name in ("Ben", "Eve"):
        assert cli("accounts", study, "add", name, "--role", "reader").code == 0
    return study


def test_the_presets_are_listed(cli: Cli) -> None:
    listed = cli("designs")
    assert listed.code == 0
    found = json.loads(cli("designs", "--json").out)
    assert {"hip-oarsi-2020", "mrmc-crossover"} <= {each["id"] for each in found}
    for each in found:
        assert each["title"] in listed.out
        assert each["about"] in listed.out


def test_a_design_is_previewed_and_then_put_in_force(cli: Cli, filled: Path) -> None:
    before = json.loads(cli("design", filled, "--json").out)
    shown = cli("design", filled, "--preset", "mrmc-crossover", "--preview")
    assert shown.code == 0
    assert "(not in force)" in shown.out
    for name in ("Ben", "Eve"):
        assert f"{name}: the first 6 places" in shown.out
    assert "second reading, 28 days later" in shown.out
    preview = json.loads(cli("design", filled, "--preset", "mrmc-crossover", "--preview", "--json").out)
    assert [(each["name"], each["cases"], each["readings"]) for each in preview["readers"]] == [
        ("Ben", 3, 6),
        ("Eve", 3, 6),
    ]
    assert json.loads(cli("design", filled, "--json").out) == before
    changed = cli("design", filled, "--preset", "mrmc-crossover")
    assert changed.out.startswith("Now in force: design ")
    assert "from the preset mrmc-crossover" in changed.out
    after = json.loads(cli("design", filled, "--json").out)
    assert after["design"]["arm"] == "crossover"
    assert after["design"]["seed"] == before["design"]["seed"]
    assert cli("design", filled).out.startswith("In force: design ")
    status = json.loads(cli("status", filled, "--json").out)
    assert [each["total"] for each in status["readers"]] == [6, 6]


def test_what_is_shown_can_be_put_in_force_again(cli: Cli, filled: Path, tmp_path: Path) -> None:
    shown = cli("design", filled, "--show").out
    design = parse_design(shown, name="shown", protocol=find_protocol("knee-kl"))
    path = tmp_path / "d.toml"
    path.write_text(shown.replace("block_size = 50", "block_size = 2"), encoding="utf-8")
    assert cli("design", filled, "--from", path, "--seed", "77").code == 0
    found = json.loads(cli("design", filled, "--json").out)["design"]
    assert (found["block_size"], found["seed"]) == (2, 77)
    path.write_text('presentation = "single"\narm = "unaided"\n', encoding="utf-8")
    cli("design", filled, "--from", path)
    assert json.loads(cli("design", filled, "--json").out)["design"]["seed"] == 77
    assert design.seed != 77


def test_a_faulty_design_file_is_told_and_changes_nothing(cli: Cli, filled: Path, tmp_path: Path) -> None:
    path = tmp_path / "d.toml"
    path.write_text('presentation = "single"\narm = "aided"\nwashout_days = 3\n', encoding="utf-8")
    before = cli("design", filled, "--show").out
    refused = cli("design", filled, "--from", path)
    assert refused.code == 2
    assert (
        "washout_days: expected 0 with the arm aided; only a crossover has a washout, found 3"
        in refused.sentence
    )
    assert cli("design", filled, "--show").out == before


def test_a_preset_that_is_about_other_features_is_one_sentence(cli: Cli, tmp_path: Path) -> None:
    made = cli(
        "init", tmp_path / "s", "--protocol", "hip-morphology", "--title", "T", "--coordinator", "Ada Moreno",
        "--preset", "oai-project-15",
    )  # fmt: skip
    assert made.code == 2
    assert "does not fit the protocol “hip-morphology”" in made.sentence
    assert not (tmp_path / "s").exists()


def test_a_study_begins_with_a_preset_or_a_file(cli: Cli, tmp_path: Path) -> None:
    start = ("--protocol", "knee-kl", "--title", "T", "--coordinator", "Ada Moreno")
    made = cli("init", tmp_path / "a", *start, "--preset", "oai-project-15", "--seed", "4")
    assert made.code == 0
    found = json.loads(cli("design", tmp_path / "a", "--json").out)
    assert (found["design"]["preset"], found["design"]["seed"]) == ("oai-project-15", 4)
    path = tmp_path / "d.toml"
    path.write_text(cli("design", tmp_path / "a", "--show").out, encoding="utf-8")
    assert cli("init", tmp_path / "b", *start, "--design", path).code == 0
    assert json.loads(cli("design", tmp_path / "b", "--json").out)["sha256"] == found["sha256"]
    both = cli("init", tmp_path / "c", *start, "--design", path, "--preset", "oai-project-15")
    assert both.code == 2
    assert "not allowed with" in both.err


def test_a_preset_says_what_of_it_does_not_apply(cli: Cli, study: Path) -> None:
    assert "Note: The protocol “knee-kl” does not grade JSN: left out." in cli(
        "design", study, "--preset", "oai-project-15"
    ).out  # fmt: skip


def test_a_reader_may_look_but_not_change(cli: Cli, filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("READER_APP_USER", "Ben")
    monkeypatch.setenv("READER_APP_PASSWORD", "another sentence")
    assert cli("design", filled).code == 0
    for wanted in (("--preset", "mrmc-crossover"), ("--preview",)):
        refused = cli("design", filled, *wanted)
        assert refused.code == 2
        assert "may not do this" in refused.sentence
