"""The set-up script: standard library only, and from a complete, hashed, host-free list."""

from __future__ import annotations

import ast
import importlib.util
import re
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
START = ROOT / "installers" / "start.py"
LOCK = ROOT / "installers" / "requirements.lock"


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script as a module of its own."""
    spec = importlib.util.spec_from_file_location("start_under_test", START)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_script_needs_nothing_but_python() -> None:
    imported = set()
    for node in ast.walk(ast.parse(START.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            imported |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add((node.module or "").partition(".")[0])
    assert imported <= set(sys.stdlib_module_names)


def test_the_lock_is_hashed_and_names_no_host() -> None:
    text = LOCK.read_text(encoding="utf-8")
    assert "://" not in text
    assert "--index-url" not in text
    assert "--find-links" not in text
    entries = re.findall(r"^([a-z0-9][\w.-]*)==\S+.*?(?=^\S|\Z)", text, re.M | re.S)
    for name in entries:
        block = re.search(rf"^{re.escape(name)}==.*?(?=^\S|\Z)", text, re.M | re.S)
        assert block is not None
        assert "--hash=sha256:" in block.group(), name
    assert len(entries) > 40


def test_everything_that_the_project_names_is_in_the_lock(start: ModuleType) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = [
        *project["project"]["dependencies"],
        *project["dependency-groups"]["dev"],
        *(name for extra in project["project"]["optional-dependencies"].values() for name in extra),
    ]
    for requirement in wanted:
        name = re.split(r"[<>=!~\[; ]", requirement, maxsplit=1)[0].lower().replace("_", "-")
        assert start.locked_entry(name).startswith(f"{name}==")


def test_an_entry_of_the_lock_is_cut_out_with_its_hashes_only(start: ModuleType) -> None:
    entry = start.locked_entry("uv")
    assert len(re.findall(r"^\S", entry, re.M)) == 1
    assert "--hash=sha256:" in entry
    with pytest.raises(start.SetupError):
        start.locked_entry("no-such-package")


def test_words_that_are_no_command_show_the_page(
    start: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    assert start.main([]) == 2
    assert start.main(["--help"]) == 0
    assert start.main(["install"]) == 2
    assert "installers/start.py demo" in capsys.readouterr().out


def test_a_python_that_is_too_old_or_too_new_is_one_sentence(
    start: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for version in ((3, 10, 0), (3, 14, 0)):
        monkeypatch.setattr(start.sys, "version_info", version)
        assert start.main(["setup"]) == 2
        assert f"Python 3.{version[1]} is not supported" in capsys.readouterr().out


def test_a_full_disk_is_told_before_anything_begins(
    start: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(start, "ENVIRONMENT", tmp_path / ".venv")
    monkeypatch.setattr(start, "STAMP", tmp_path / ".venv" / "stamp")
    monkeypatch.setattr(start, "NEEDED_GIB", 10**9)
    assert start.main(["setup"]) == 2
    assert "Free some space first" in capsys.readouterr().out
    assert not (tmp_path / ".venv").exists()


def test_the_stamp_follows_the_lists_it_was_made_from(
    start: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    before = start.wanted_stamp()
    changed = tmp_path / "requirements.lock"
    changed.write_bytes(LOCK.read_bytes() + b"\n")
    monkeypatch.setattr(start, "LOCK", changed)
    assert start.wanted_stamp() != before


def test_an_environment_that_was_moved_or_is_half_made_is_not_used(start: ModuleType, tmp_path: Path) -> None:
    environment = tmp_path / ".venv"
    assert not start.is_usable(environment)
    environment.mkdir()
    settings = environment / "pyvenv.cfg"
    settings.write_text(f"home = /usr/bin\ncommand = /usr/bin/python3 -m venv {environment}\n")
    assert not start.was_moved(environment)
    assert not start.is_usable(environment)
    settings.write_text("home = /usr/bin\ncommand = /usr/bin/python3 -m venv /somewhere/else/.venv\n")
    assert start.was_moved(environment)


def test_the_demo_and_the_tests_render_offscreen_where_there_is_no_display(
    start: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(start.sys, "platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    assert start.surroundings("demo")["QT_QPA_PLATFORM"] == "offscreen"
    assert start.surroundings("test")["QT_QPA_PLATFORM"] == "offscreen"
    assert "QT_QPA_PLATFORM" not in start.surroundings("run")
    assert "PYTHONPATH" not in start.surroundings("run")
    monkeypatch.setenv("DISPLAY", ":0")
    assert "QT_QPA_PLATFORM" not in start.surroundings("demo")
