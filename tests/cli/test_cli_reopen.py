"""`reader-app reopen`: what is settled, without a grade, and back to the adjudicators with a reason."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from reader_app.operations import adjudicate
from reader_app.operations.log_in import log_in
from reader_app.operations.study import NewStudy, create_study, open_study
from reader_app.protocols.model import Item
from reader_app.reading.adjudication import Method
from reader_app.store.records import Role
from tests.cli.conftest import Cli
from tests.operations.conftest import COORDINATOR, PASSWORD
from tests.operations.consensus_study import KL, consensus_study


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One pelvis; Ben and Cleo differ on the right hip's KL, and Adam gave 3."""
    root = tmp_path_factory.mktemp("reopen")
    choices = NewStudy(protocol="hip-oarsi", title="Hips", coordinator=COORDINATOR, password=PASSWORD)
    with create_study(root / "hips", choices) as study:
        made = consensus_study(study)
        made.import_both_sides(root / "films", 1)
        for name, code in (("Ben", 1), ("Cleo", 4)):

            def grades(_film: int, side: str, code: int = code) -> Mapping[Item, int]:
                return {KL: code} if side == "R" else {}

            made.read_all(made.person(name, Role.READER), grades)
        made.settle_all(made.person("Adam", Role.ADJUDICATOR), code=4)
    return root / "hips"


@pytest.fixture
def folder(template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("READER_APP_PASSWORD", PASSWORD)
    shutil.copytree(template, tmp_path / "hips")
    return tmp_path / "hips"


def test_the_list_names_what_is_settled_and_no_grade(cli: Cli, folder: Path) -> None:
    done = cli("reopen", folder, "--list", "--json", "--as", COORDINATOR)
    (row,) = json.loads(done.out)
    assert (row["case"], row["side"], row["item"], row["method"], row["adjudicator"]) == (
        1,
        "right",
        "KL",
        Method.THIRD_READER.value,
        "Adam",
    )
    assert not {"code", "third_code", "grade", "rationale"} & set(row)
    assert "third reader" in cli("reopen", folder, "--list", "--as", COORDINATOR).out


def test_a_settled_grade_goes_back_with_a_reason(cli: Cli, folder: Path) -> None:
    refused = cli("reopen", folder, "1", "right", "KL", "--as", COORDINATOR)
    assert refused.code == 2
    assert "needs a reason" in refused.err
    done = cli("reopen", folder, "1", "right", "KL", "--reason", "Wrong hip.", "--as", COORDINATOR)
    assert (done.code, done.out) == (0, "Case 0001, right, KL waits for an adjudicator again.\n")
    with open_study(folder) as study:
        (one,) = adjudicate.queue(study, log_in(study, "Adam", PASSWORD))
    assert one.settled is None
    again = cli("reopen", folder, "1", "right", "KL", "--reason", "Again.", "--as", COORDINATOR)
    assert again.code == 2
    assert "Nothing is settled on case 1" in again.err


@pytest.mark.parametrize("name", ["Ben", "Adam"])
def test_readers_and_adjudicators_are_refused_in_words(cli: Cli, folder: Path, name: str) -> None:
    done = cli("reopen", folder, "1", "right", "KL", "--reason", "Mine.", "--as", name)
    assert done.code == 2
    assert "may not do this" in done.err
