"""How every start ends: exit codes, one sentence, never a traceback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reader_app import __version__
from reader_app.__main__ import main
from reader_app.cli import main as cli_main

Cli = Callable[..., Any]


def test_version_and_help(cli: Cli) -> None:
    assert cli("--version").out.strip() == f"reader-app {__version__}"
    page = cli("--help")
    assert page.code == 0
    for command in ("run", "demo", "init", "accounts", "import", "pregrade", "status", "report", "verify"):
        assert f"  {command} " in page.out


@pytest.mark.parametrize(
    "command", ["run", "demo", "init", "import", "evaluate", "train", "bench", "accounts"]
)
def test_every_command_has_a_page_of_help(cli: Cli, command: str) -> None:
    page = cli(command, "--help")
    assert page.code == 0
    assert page.out.startswith(f"usage: reader-app {command}")


def test_a_word_that_is_no_command_is_a_users_fault(cli: Cli) -> None:
    outcome = cli("imprt")
    assert outcome.code == 2
    assert "imprt" in outcome.err


def test_passwords_cannot_be_given_as_arguments(cli: Cli, study: Path) -> None:
    outcome = cli("status", study, "--password", "a long sentence")
    assert outcome.code == 2
    assert "--password" in outcome.err


def test_a_fault_of_ours_is_one_sentence_and_a_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("READER_APP_HOME", str(tmp_path))

    def broken(argv: object) -> int:
        raise ZeroDivisionError("nobody should read this on the screen")

    monkeypatch.setattr(cli_main, "run_command", broken)
    assert main(["status", "x"]) == 70
    err = capsys.readouterr().err
    (log,) = (tmp_path / "log").iterdir()
    assert len(err.splitlines()) == 1
    assert "fault of ours" in err
    assert str(log) in err
    assert "nobody should read" not in err
    assert "ZeroDivisionError: nobody should read" in log.read_text()


@pytest.mark.parametrize(("fault", "code"), [(KeyboardInterrupt, 130), (BrokenPipeError, 141)])
def test_an_interrupted_command_ends_quietly(
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    fault: type[BaseException],
    code: int,
) -> None:
    def stopped(argv: object) -> int:
        raise fault

    monkeypatch.setattr(cli_main, "run_command", stopped)
    monkeypatch.setattr("reader_app.__main__._let_go_of_output", lambda: None)
    assert main(["status", "x"]) == code
    assert capfd.readouterr().err == ""


def test_a_closed_pipe_ends_quietly() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "reader_app", "protocols", "list", "--json"],
        stdout=writing,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, b"")


def test_protocols_are_listed_shown_and_checked(cli: Cli, tmp_path: Path) -> None:
    listed = json.loads(cli("protocols", "list", "--json").out)
    assert {row["Protocol"] for row in listed} >= {"knee-kl", "knee-oarsi-kl", "hip-oarsi"}
    assert "knee-kl" in cli("protocols", "list").out
    shown = cli("protocols", "show", "knee-kl")
    assert "Kellgren" in shown.out
    good = next(Path(row["File"]) for row in listed if row["Protocol"] == "knee-kl")
    checked = cli("protocols", "check", good)
    assert checked.code == 0
    assert "valid" in checked.out
    bad = tmp_path / "bad.toml"
    bad.write_text(good.read_text().replace("version =", "verzion =", 1))
    faulty = cli("protocols", "check", bad)
    assert faulty.code == 2
    assert "verzion" in faulty.err
    assert "Traceback" not in faulty.err


def test_an_unknown_benchmark_is_a_users_fault(cli: Cli) -> None:
    assert "“nothing”" in cli("bench", "nothing").sentence
