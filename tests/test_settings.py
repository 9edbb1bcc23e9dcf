from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from reader_app import __version__, settings
from reader_app.errors import MissingPart


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(settings.HOME_VARIABLE, str(tmp_path / "home"))
    return tmp_path / "home"


def test_the_resources_of_the_checkout_are_found() -> None:
    path = settings.resource_path("protocols", "knee-kl.toml")
    assert path.read_text(encoding="utf-8").startswith("#")


def test_a_missing_resource_is_said_in_a_sentence() -> None:
    with pytest.raises(MissingPart, match=r"protocols/elbow\.toml is missing") as error:
        settings.resource_path("protocols", "elbow.toml")
    assert error.value.next_step


def test_a_frozen_program_looks_in_its_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "_MEIPASS", str(tmp_path), raising=False)
    with pytest.raises(MissingPart, match="The installation is incomplete"):
        settings.resource_path("protocols")
    (tmp_path / "resources" / "protocols").mkdir(parents=True)
    assert settings.resource_path("protocols") == tmp_path / "resources" / "protocols"


def test_an_installed_package_uses_its_own_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "site-packages" / "reader_app"
    (package / "_resources").mkdir(parents=True)
    (package.parent / "resources").mkdir()
    monkeypatch.setattr(settings, "_PACKAGE", package)
    assert settings.resources_folder() == package / "_resources"


def test_the_variable_moves_every_folder(home: Path) -> None:
    for folder in (settings.data_folder(), settings.config_folder(), settings.log_folder()):
        assert folder.is_dir()
        assert folder.parent == home


def test_a_home_that_cannot_be_made_is_said_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    monkeypatch.setenv(settings.HOME_VARIABLE, str(tmp_path / "file"))
    with pytest.raises(MissingPart, match="cannot be made") as error:
        settings.config_folder()
    assert settings.HOME_VARIABLE in error.value.next_step


def test_studies_are_remembered_newest_first_without_doubles(home: Path, tmp_path: Path) -> None:
    assert settings.recent_studies() == ()
    for name in ("a", "b", "a"):
        settings.remember_study(tmp_path / name, title=f"Study {name}")
    assert [study.title for study in settings.recent_studies()] == ["Study a", "Study b"]
    assert not settings.recent_studies()[0].exists
    (tmp_path / "a").mkdir()
    assert settings.recent_studies()[0].exists
    settings.forget_study(tmp_path / "a")
    assert [study.title for study in settings.recent_studies()] == ["Study b"]


def test_the_list_stays_short_and_leaves_no_scraps(home: Path, tmp_path: Path) -> None:
    for number in range(settings.MAX_RECENT_STUDIES + 5):
        settings.remember_study(tmp_path / str(number), title="x")
    assert len(settings.recent_studies()) == settings.MAX_RECENT_STUDIES
    assert [path.name for path in settings.config_folder().iterdir()] == ["recent.json"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"null",
        b"\xff\xfe",
        b'{"path": "x"}',
        b"[" * 100_000,
        json.dumps([1, None, {}, {"path": 3, "title": "x"}, {"path": "a\0b", "title": "x"}]).encode(),
    ],
)
def test_a_damaged_list_is_empty_and_is_mended_by_the_next_study(
    home: Path, tmp_path: Path, content: bytes
) -> None:
    (settings.config_folder() / "recent.json").write_bytes(content)
    assert settings.recent_studies() == ()
    settings.remember_study(tmp_path, title="New")
    assert [study.title for study in settings.recent_studies()] == ["New"]


def test_a_list_that_is_partly_damaged_keeps_the_rest(home: Path) -> None:
    entries = [{"path": "/studies/good", "title": "Good"}, "bad"]
    (settings.config_folder() / "recent.json").write_text(json.dumps(entries), encoding="utf-8")
    assert [study.title for study in settings.recent_studies()] == ["Good"]


def test_a_list_that_cannot_be_written_is_said_in_a_sentence(home: Path, tmp_path: Path) -> None:
    (settings.config_folder() / "recent.json").mkdir()
    with pytest.raises(MissingPart, match="list of recent studies cannot be written"):
        settings.remember_study(tmp_path, title="x")
    assert [path.name for path in settings.config_folder().iterdir()] == ["recent.json"]


def test_the_version_names_software_and_number() -> None:
    assert settings.software_version() == f"reader-app {__version__}"
