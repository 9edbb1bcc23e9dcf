"""How ``reader-app pregrade`` is told where and how the networks run; that they do, other tests see."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Cli


@pytest.mark.parametrize("number", ["0", "-1", "65", "two"])
def test_a_senseless_number_of_workers_is_refused(cli: Cli, number: str, tmp_path: Path) -> None:
    refused = cli("pregrade", tmp_path, "--workers", number)
    assert refused.code == 2
    assert "is no number from 1 to 64" in refused.err


def test_light_and_published_exclude_each_other(cli: Cli, tmp_path: Path) -> None:
    refused = cli("pregrade", tmp_path, "--light", "--published")
    assert refused.code == 2
    assert "not allowed with" in refused.err


def test_a_cluster_without_ray_is_told_in_words(
    cli: Cli, study: Path, films: Path, shipped_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cli("import", study, films).code == 0
    monkeypatch.setitem(sys.modules, "ray", None)  # as where the extra is not installed
    refused = cli("pregrade", study, "--bundle", shipped_bundle, "--engine", "ray")
    assert refused.code != 0
    assert "extra “cluster”" in refused.err
    assert "Traceback" not in refused.err
