from __future__ import annotations

import json
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reader_app.ai.bundle import ProtocolRef
from tests.small_bundles import small_bundle

Cli = Callable[..., Any]


@pytest.fixture
def made(tmp_path: Path) -> Path:
    return small_bundle(tmp_path / "made").folder


def test_a_bundle_goes_in_is_listed_shown_verified_and_goes_out(cli: Cli, made: Path, tmp_path: Path) -> None:
    installed = cli("bundles", "install", made)
    assert installed.code == 0, installed.err
    place = tmp_path / "home" / "data" / "bundles" / "small-knees-1.0.0"
    assert str(place) in installed.out
    assert "Already installed" in cli("bundles", "install", made).out

    listed = json.loads(cli("bundles", "list", "--json").out)
    (own,) = [bundle for bundle in listed["bundles"] if bundle["from"] == "user"]
    assert (own["id"], own["version"], own["used"], own["trained_on"]) == (
        "small-knees",
        "1.0.0",
        True,
        "radiographs",
    )
    assert own["coverage"] == [{"protocol": "knee-kl", "fault": "", "graded": ["KL"], "not_graded": []}]
    assert own["size_bytes"] == sum(file.stat().st_size for file in place.iterdir())
    table = cli("bundles", "list").out
    assert own["sha256"][:12] in table
    assert "nda.nih.gov/oai" in table, "a recipe without a bundle says which data it needs"
    assert {"hip-oarsi", "knee-oarsi-kl"} <= {each["id"] for each in listed["recipes_without_bundle"]}

    shown = cli("bundles", "show", "small-knees").out
    for expected in (
        "tests only",
        "Apache-2.0",
        own["sha256"],
        "MODEL_CARD.md",
        "KL: 0, 1, 2, 3, 4",
        "3 train",
    ):
        assert expected in shown
    in_full = json.loads(cli("bundles", "show", "small-knees@1.0.0", "--json").out)
    assert in_full["bundle_toml"]["members"][0]["file"] == "model.safetensors"

    verified = cli("bundles", "verify", "small-knees")
    assert verified.code == 0
    assert "as its maker stated" in verified.out
    assert "made for the protocol knee-kl as it is here" in verified.out

    assert "Give --yes" in cli("bundles", "remove", "small-knees").sentence
    assert place.is_dir()
    assert cli("bundles", "remove", "small-knees", "--yes").code == 0
    assert not place.exists()
    assert "not installed" in cli("bundles", "show", "small-knees").sentence


def test_a_zip_file_serves_as_well(cli: Cli, made: Path, tmp_path: Path) -> None:
    file = tmp_path / "b.zip"
    with zipfile.ZipFile(file, "w") as archive:
        for path in made.iterdir():
            archive.write(path, path.name)
    assert cli("bundles", "install", file).code == 0
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("weights.pt", pickle.dumps([1.0]))
    assert "pickle" in cli("bundles", "install", file).sentence


def rewrite(folder: Path, old: str, new: str) -> None:
    file = folder / "bundle.toml"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


FAULTS: list[tuple[Callable[[Path], object], str]] = [
    (
        lambda f: (f / "model.safetensors").write_bytes(b"other"),
        "not the file that the bundle was made with",
    ),
    (lambda f: (f / "model.safetensors").unlink(), "lacks its file model.safetensors"),
    (lambda f: (f / "model.pth").write_bytes(pickle.dumps([1.0])), "may be a pickle"),
    (lambda f: rewrite(f, "format = 2", "format = 99"), "newer than this program"),
    (lambda f: rewrite(f, "[distance]", "[distant]"), "key “distan"),
    (lambda f: (f / "bundle.toml").unlink(), "no bundle"),
]


@pytest.mark.parametrize(("harm", "told"), FAULTS, ids=[told for _, told in FAULTS])
def test_a_harmed_bundle_is_one_sentence_wherever_it_is_met(
    cli: Cli, made: Path, harm: Callable[[Path], object], told: str
) -> None:
    harm(made)
    assert told in cli("bundles", "install", made).sentence
    assert told in cli("bundles", "show", made).sentence
    verified = cli("bundles", "verify", made)
    assert verified.code == 1
    assert told in verified.out


def test_a_bundle_that_was_altered_once_installed_is_found(cli: Cli, made: Path, tmp_path: Path) -> None:
    cli("bundles", "install", made)
    file = tmp_path / "home" / "data" / "bundles" / "small-knees-1.0.0" / "statistics.safetensors"
    file.write_bytes(file.read_bytes()[:-1])
    assert "cannot be used" in cli("bundles", "list").out
    verified = json.loads(cli("bundles", "verify", "--json").out)
    assert {check["bundle"]: check["ok"] for check in verified}["small-knees 1.0.0"] is False
    assert cli("bundles", "remove", "small-knees", "--yes").code == 0


def test_a_bundle_for_another_version_of_its_protocol_is_told(cli: Cli, study: Path, tmp_path: Path) -> None:
    folder = small_bundle(tmp_path / "b", protocols=(ProtocolRef("knee-kl", "0" * 64),)).folder
    assert cli("bundles", "install", folder).code == 0
    assert "another version of the protocol" in cli("bundles", "list").out
    verified = cli("bundles", "verify", "small-knees")
    assert verified.code == 1
    assert "another version of the protocol" in verified.out
    assert "another version of the protocol" in cli("pregrade", study, "--bundle", "small-knees").sentence


def test_the_software_keeps_its_own_bundles(cli: Cli, shipped_bundle: Path) -> None:
    assert "came with the software" in cli("bundles", "remove", "knee-kl", "--yes").sentence
    assert cli("bundles", "verify", "knee-kl").code == 0
    assert (shipped_bundle / "bundle.toml").is_file()


def test_a_studys_own_bundle_goes_before_the_others_and_its_loss_is_warned_of(
    cli: Cli, study: Path, tmp_path: Path
) -> None:
    folder = small_bundle(tmp_path / "b", id="knee-kl", version="9.0.0").folder
    installed = cli("bundles", "install", folder, "--study", study)
    assert installed.code == 0, installed.err
    assert (study / "bundles" / "knee-kl-9.0.0" / "bundle.toml").is_file()
    listed = json.loads(cli("bundles", "list", "--study", study, "--json").out)["bundles"]
    used = {bundle["from"]: bundle["used"] for bundle in listed if bundle["id"] == "knee-kl"}
    assert used["study"] is True
    assert not any(used[origin] for origin in used if origin != "study")
    assert "study" not in {
        bundle["from"] for bundle in json.loads(cli("bundles", "list", "--json").out)["bundles"]
    }

    from reader_app.settings import remember_study

    remember_study(study, title="Knees")
    removed = cli("bundles", "remove", "knee-kl", "--study", study, "--yes")
    assert removed.code == 0
    assert "warning: The study “Knees”" in removed.err
    assert not (study / "bundles" / "knee-kl-9.0.0").exists()


def test_only_coordinators_change_a_studys_bundles(
    cli: Cli, study: Path, made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cli("accounts", study, "add", "Ben", "--role", "reader").code == 0
    monkeypatch.setenv("READER_APP_USER", "Ben")
    monkeypatch.setenv("READER_APP_PASSWORD", "another sentence")
    assert "Ben is a reader and may not do this" in cli("bundles", "install", made, "--study", study).sentence
    assert not list((study / "bundles").glob("*"))
    assert cli("bundles", "list", "--study", study).code == 0
