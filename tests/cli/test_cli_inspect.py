"""`reader-app inspect`: one line a file, whatever the files and their names are."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from reader_app.cli.inspect_commands import printable

Cli = Callable[..., Any]

EVIL = "\x1b[31mred\x07 \u202eflip\u200b <b>bold</b> & 'quoted' \x9b2J"


def test_a_line_of_json_for_each_file(cli: Cli, films: Path) -> None:
    (films / "notes.txt").write_text("no film")
    done = cli("inspect", films, films / "gone.dcm", "--json", "--workers", "2")
    assert done.code == 0
    assert done.err == ""
    found = [json.loads(line) for line in done.out.splitlines()]
    assert [Path(one["path"]).name for one in found] == [
        *("knee0.png", "knee1.png", "knee2.png", "notes.txt", "gone.dcm")
    ]
    assert [one["readable"] for one in found] == [True, True, True, False, False]
    assert len({tuple(one) for one in found}) == 1
    assert found[0]["rows"] == 96
    assert found[0]["spacing_mm"] is None
    assert "neither DICOM nor PNG" in found[3]["reason"]


def test_a_table_for_people(cli: Cli, films: Path) -> None:
    (films / "notes.txt").write_text("no film")
    done = cli("inspect", films)
    lines = done.out.splitlines()
    assert done.code == 0
    assert len(lines) == 6
    place = lines[0].index("File")
    assert [line[place:] for line in lines[1:4]] == [str(films / f"knee{number}.png") for number in range(3)]
    assert lines[1].startswith("96 x 96 ")
    assert "notes.txt is not a radiograph" in lines[4]
    assert lines[5] == "4 files: 3 can be shown, 1 cannot."


def test_no_files_are_no_fault(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = cli("inspect", tmp_path / "empty")
    assert (done.code, done.out) == (0, "There are no files.\n")
    assert cli("inspect", tmp_path / "empty", "--json").out == ""


@pytest.mark.parametrize("number", ["0", "-1", "two", "1.5", "²"])
def test_a_number_of_processes_must_be_one(cli: Cli, tmp_path: Path, number: str) -> None:
    done = cli("inspect", tmp_path, "--workers", number)
    assert done.code == 2
    assert "whole number above 0" in done.err


@pytest.mark.skipif(os.name == "nt", reason="such names cannot exist there")
@pytest.mark.parametrize("readable", [True, False])
def test_no_name_breaks_the_line_or_the_terminal(cli: Cli, tmp_path: Path, readable: bool) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    names = ["two\nlines", EVIL.replace("/", "|"), os.fsdecode(b"\xff\xfe"), "a\u2028b\u2029c", "\r over"]
    for name in names:
        if readable:
            Image.fromarray(np.zeros((4, 4), np.uint8)).save(folder / name, format="PNG")
        else:
            (folder / name).write_text("no film")
    done = cli("inspect", folder, "--json")
    assert done.out.isascii()
    assert done.out.replace("\n", "").isprintable()
    found = [json.loads(line) for line in done.out.splitlines()]
    assert sorted(one["path"] for one in found) == sorted(str(folder / name) for name in names)
    table = cli("inspect", folder).out
    assert len(table.splitlines()) == len(names) + 2
    assert {unicodedata.category(sign) for sign in table if sign != "\n"}.isdisjoint(
        {"Cc", "Cf", "Cs", "Zl", "Zp"}
    )


def test_what_is_printable_stays() -> None:
    assert printable("Knie_ü 膝 C:\\films <b>") == "Knie_ü 膝 C:\\films <b>"
    assert printable("a\nb\x1b\u202e\udcff\U000e0001") == "a\\x0ab\\x1b\\u202e\\udcff\\U000e0001"


def test_whoever_reads_the_lines_may_leave_early(films: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "reader_app", "inspect", str(films), "--json"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, env={**os.environ, "READER_APP_HOME": str(tmp_path)}
    ) as process:
        assert process.stdout is not None
        first = json.loads(process.stdout.readline())
        process.stdout.close()
        code = process.wait(60)
    assert first["readable"] is True
    assert code in (0, 141)
