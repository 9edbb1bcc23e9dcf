"""``reader-app export``: the consensus as a table and the flow as a drawing, for scripts."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from xml.etree import ElementTree

from tests.cli.conftest import Cli


def frozen(cli: Cli, study: Path, films: Path) -> None:
    cli("accounts", study, "add", "Ben", "--role", "reader")
    cli("import", study, films)
    assert cli("freeze", study, "--reason", "a look", "--although-unfinished").code == 0


def test_before_the_freeze_a_coordinator_gets_nothing(
    cli: Cli, study: Path, films: Path, tmp_path: Path
) -> None:
    cli("import", study, films)
    for what, name in (("consensus", "c.csv"), ("flow", "f.svg")):
        refused = cli("export", study, what, "--to", tmp_path / name)
        assert refused.code == 2
        assert "before the study is frozen" in refused.sentence
        assert not (tmp_path / name).exists()


def test_consensus_and_flow_are_written_where_they_are_wanted(
    cli: Cli, study: Path, films: Path, tmp_path: Path
) -> None:
    frozen(cli, study, films)
    made = cli("export", study, "consensus", "--to", tmp_path / "c.csv")
    assert made.code == 0, made.err
    with (tmp_path / "c.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert f"{len(rows)} rows written" in made.out
    assert {row["missing_because"] for row in rows} == {"0 of 1 readings locked"}
    assert cli("export", study, "consensus", "--to", tmp_path / "c.json", "--names").code == 0
    content = json.loads((tmp_path / "c.json").read_text(encoding="utf-8"))
    assert content["readers"] == ["Ben"]
    drawn = cli("export", study, "flow", "--to", tmp_path / "flow.svg")
    assert drawn.code == 0, drawn.err
    assert "0 with all final grades" in drawn.out
    root = ElementTree.fromstring((tmp_path / "flow.svg").read_text(encoding="utf-8"))
    words = " ".join(element.text or "" for element in root.iter()).replace("\xa0", " ")
    assert "0 of 1 readings locked: 3 radiographs, 3 joints" in words


def test_another_kind_of_file_is_refused_in_one_sentence(
    cli: Cli, study: Path, films: Path, tmp_path: Path
) -> None:
    frozen(cli, study, films)
    refused = cli("export", study, "consensus", "--to", tmp_path / "c.xlsx")
    assert refused.code == 2
    assert ".csv or .json" in refused.sentence
    assert cli("export", study, "everything", "--to", tmp_path / "c.csv").code == 2
    assert "cannot be written" in cli("export", study, "flow", "--to", tmp_path / "no" / "f.svg").sentence
