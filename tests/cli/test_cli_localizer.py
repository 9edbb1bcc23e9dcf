"""`reader-app evaluate-localizer` as a person and a program see it."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from reader_app.phantom.film import FilmParameters
from reader_app.phantom.knees import render_bilateral_knees
from reader_app.phantom.truth import KneeTruth

Cli = Callable[..., Any]
COLUMNS = ("image", "side", "left_x", "left_y", "right_x", "right_y", "joint_line_y", "note")


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One film of both knees; the table says so of the right knee, and puts the left one out of reach."""
    folder = tmp_path_factory.mktemp("films")
    film = render_bilateral_knees(KneeTruth(), KneeTruth(), FilmParameters().reduced(6), seed=8)
    Image.fromarray((film.pixels / 16).astype(np.uint8)).save(folder / "both.png")
    rows = []
    for side, joint in film.joints.items():
        ends = sorted((joint.landmarks["plateau_lateral"], joint.landmarks["plateau_medial"]))
        down = 0.0 if side.value == "R" else 300.0
        (left_x, left_y), (right_x, right_y) = ends
        line = left_y + down - 4.0
        rows.append(("both.png", side.value, left_x, left_y + down, right_x, right_y + down, line, ""))
    with (folder / "joints.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([COLUMNS, *rows])
    return folder


def test_figures_and_misses_are_told_by_name(cli: Cli, films: Path, shipped_bundle: Path) -> None:
    told = cli("evaluate-localizer", shipped_bundle, "--images", films, "--reference", films / "joints.csv")
    assert told.code == 0, told.err
    assert "2 joints on 1 film" in told.out
    assert "missed (no box, or less than half in common): 1 (both.png L)" in told.out
    assert "called the wrong side: 0" in told.out
    assert "boxes where no joint is: 1 (both.png)" in told.out


def test_a_program_gets_the_same_and_files_if_asked(
    cli: Cli, films: Path, shipped_bundle: Path, tmp_path: Path
) -> None:
    out = tmp_path / "figures"
    told = cli(
        "evaluate-localizer",
        shipped_bundle,
        *("--images", films, "--reference", films / "joints.csv", "--light", "--json", "--out", out),
    )
    values = json.loads(told.out)
    assert [joint["side"] for joint in values["joints"]] == ["R", "L"]
    assert values["figures"]["missed"] == ["both.png L"]
    assert json.loads((out / "localizer.json").read_text(encoding="utf-8")) == values
    assert not (out / "pictures").exists()


def test_a_missing_table_or_folder_is_one_sentence(cli: Cli, films: Path, shipped_bundle: Path) -> None:
    gone = cli(
        "evaluate-localizer", shipped_bundle, "--images", films / "gone", "--reference", films / "joints.csv"
    )
    assert gone.code == 2
    assert "does not exist" in gone.sentence
    gone = cli("evaluate-localizer", shipped_bundle, "--images", films, "--reference", films / "gone.csv")
    assert gone.code == 2
    assert "table of joints" in gone.sentence
