"""`reader-app quality`: who passed, whose grades drift, and another attempt."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from reader_app.operations import read
from tests.cli.conftest import Cli
from tests.operations.calibration_studies import (
    PASSWORD,
    SET,
    flawless,
    make_calibrated,
    opened,
    read_on,
    upside_down,
)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rita passed and drifted, Rolf did not pass."""
    folder = make_calibrated(tmp_path_factory.mktemp("quality"))
    with opened(folder) as (study, people):
        left = len(read.worklist(study, people["Rita"])) - SET
        read_on(study, people, "Rita", flawless, cases=SET)
        read_on(study, people, "Rita", lambda code: min(code + 2, 4), cases=left)
        read_on(study, people, "Rolf", upside_down, cases=SET)
    return folder


@pytest.fixture
def folder(template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("READER_APP_PASSWORD", PASSWORD)
    shutil.copytree(template, tmp_path / "quality")
    return tmp_path / "quality"


def test_an_alarm_is_the_exit_code_and_stands_in_words(cli: Cli, folder: Path) -> None:
    done = cli("quality", folder, "--as", "Cora")
    assert done.code == 1
    lines = done.out.splitlines()
    assert any(line.split()[:6] == ["Rita", "10", "of", "10", "1", "Passed"] for line in lines)
    assert "alarm. The moving average is above its upper limit" in done.out
    assert "must reach 0.60" in done.out


def test_programs_get_every_point_with_its_limits(cli: Cli, folder: Path) -> None:
    done = cli("quality", folder, "--json", "--as", "Ada")
    rita, rolf = json.loads(done.out)
    assert (rita["qualified"], rolf["qualified"]) == (True, False)
    assert rita["attempts"][0]["features"][0]["kappa"] == 1.0
    (feature,) = rita["features"]
    points = feature["chart"]["points"]
    assert len(points) == feature["controls"] == 10
    first = feature["chart"]["alarms"][0]
    raised = points[first["raised"] - 1]
    assert raised["average"] > raised["high"]


def test_another_attempt_is_granted_with_a_reason_and_refused_without(cli: Cli, folder: Path) -> None:
    refused = cli("quality", folder, "--repeat", "Rolf", "--as", "Cora")
    assert refused.code == 2
    assert "needs a reason" in refused.sentence
    granted = cli("quality", folder, "--repeat", "Rolf", "--reason", "Trained again.", "--as", "Cora")
    assert granted.code == 0
    assert "Rolf reads 10 calibration cases again" in granted.out
    again = cli("quality", folder, "--json", "--as", "Cora")
    assert json.loads(again.out)[1]["calibration"] == {"locked": 0, "total": 10}


@pytest.mark.parametrize("name", ["Rita", "Adam"])
def test_readers_and_adjudicators_get_a_sentence(cli: Cli, folder: Path, name: str) -> None:
    done = cli("quality", folder, "--as", name)
    assert done.code == 2
    assert "may not do this" in done.sentence
