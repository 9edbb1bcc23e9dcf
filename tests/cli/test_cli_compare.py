"""`reader-app compare-bundles` as a script sees it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from tests.operations import two_bundles as two


@pytest.fixture
def compared(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("READER_APP_USER", two.COORDINATOR)
    monkeypatch.setenv("READER_APP_PASSWORD", two.PASSWORD)
    return two.make_study(tmp_path / "made")


def test_two_bundles_are_compared_for_people_and_for_programs(cli: Cli, compared: Path) -> None:
    told = cli("compare-bundles", compared, "knee-kl@1.0.0", "knee-kl@1.1.0")
    assert told.code == 0, told.err
    assert "knee-kl 1.0.0 against knee-kl 1.1.0 on 12 joints" in told.out
    assert "2 grades of both differ" in told.out
    assert "4 (3.75)" in told.out
    values = json.loads(cli("compare-bundles", compared, two.OLD, two.NEW, "--json").out)
    assert (values["joints"], values["different"]) == (12, 2)
    assert [each["joint"] for each in values["differing"]]


def test_a_bundle_that_has_not_graded_the_study_is_one_sentence(cli: Cli, compared: Path) -> None:
    told = cli("compare-bundles", compared, "knee-kl@1.0.0", "knee-kl@9")
    assert told.code == 2
    assert "knee-kl@9" in told.sentence
