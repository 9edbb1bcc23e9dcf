"""The main job on sixty real knees: commands make the study, keys read it, another library checks it."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from itertools import chain
from pathlib import Path

import pytest

from reader_app.protocols.model import Item
from reader_app.reading.case import JointSide
from reader_app.settings import HOME_VARIABLE
from reader_app.ui.demo.job import Play, Script, planted_truth
from reader_app.ui.demo.player import KeyPlayer
from reader_app.ui.demo.simulated_readers import SimulatedReader
from reader_app.ui.main_window import MainWindow
from tests.end_to_end.report_checks import comparison_of, kappa_of, read_csv, read_json

PASSWORD = "a long password"
READERS = (SimulatedReader("anna", 0.3), SimulatedReader("ben", 0.45))
KNEES = 60
CODES = tuple(range(5))


@pytest.fixture
def manifest(shared: Path, tmp_path: Path) -> Path:
    """A table of sixty knees of the test split, twelve of each grade."""
    with (shared / "data" / "knee-kl" / "labels.csv").open(encoding="utf-8") as stream:
        rows = [row for row in csv.DictReader(stream) if row["split"] == "test"]
    chosen = list(chain.from_iterable([r for r in rows if r["kl"] == str(code)][:12] for code in CODES))
    assert len(chosen) == KNEES
    path = tmp_path / "knees.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, ["image", "participant", "side", "KL"])
        writer.writeheader()
        for row in chosen:
            image = row["image"].removeprefix("test/")
            writer.writerow(
                {"image": image, "participant": row["participant"], "side": row["side"], "KL": row["kl"]}
            )
    return path


def reader_app(home: Path, *words: str | Path, new_password: str = "") -> str:
    """Run a command as a user would; it must succeed."""
    done = run(home, *words, new_password=new_password)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def run(home: Path, *words: str | Path, new_password: str = "") -> subprocess.CompletedProcess[str]:
    """Run a command as a user would."""
    environment = {
        **os.environ,
        HOME_VARIABLE: str(home),
        "READER_APP_USER": "carol",
        "READER_APP_PASSWORD": PASSWORD,
        "READER_APP_NEW_PASSWORD": new_password,
    }
    return subprocess.run(
        [sys.executable, "-m", "reader_app", *[str(word) for word in words]],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def script(shared: Path, manifest: Path, home: Path, tmp_path: Path, shipped_bundle: Path) -> Script:
    """The study as the coordinator makes it from the command line."""
    study, films = tmp_path / "study", shared / "data" / "knee-kl" / "test"
    title = "Sixty knees"
    reader_app(home, "init", study, "--protocol", "knee-kl", "--title", title, "--coordinator", "carol")
    reader_app(home, "import", study, films, "--manifest", manifest)
    reader_app(home, "pregrade", study)
    for reader in READERS:
        words = ("accounts", study, "add", reader.name, "--role", "reader")
        reader_app(home, *words, new_password=PASSWORD)
    reader_app(home, "accounts", study, "add", "eva", "--role", "adjudicator", new_password=PASSWORD)
    return Script(
        films=films,
        manifest=manifest,
        study=study,
        protocol="knee-kl",
        title=title,
        readers=READERS,
        password=PASSWORD,
    )


@pytest.mark.timeout(1500)
def test_the_main_job_on_sixty_real_knees(
    window: MainWindow, script: Script, home: Path, tmp_path: Path
) -> None:
    play = Play(script, window, KeyPlayer(window, pictures=tmp_path / "pictures"))
    play.open_study()
    for reader in READERS:
        play.read(reader)
    play.adjudicate()
    window.close()

    out = tmp_path / "report"
    refused = run(home, "report", script.study, "--out", out)
    assert refused.returncode == 2
    assert "before the study is frozen" in refused.stderr
    reader_app(home, "freeze", script.study, "--reason", "All readings are locked and settled.")
    reader_app(home, "report", script.study, "--out", out)
    reader_app(home, "verify", script.study)

    report = read_json(out / "report.html")
    key = {film: code for (film, _, _), code in play.truth.items()}
    sides = {film: side for (film, side, _) in play.truth}
    expected = [
        [reader.grade((film, sides[film], Item("KL")), play.truth, CODES) for film in key]
        for reader in READERS
    ]
    between = comparison_of(report, "readers", "Reader 2")
    assert between["n_joints"] == KNEES
    for weights in ("linear", "quadratic"):
        assert between[f"kappa_{weights}"]["value"] == pytest.approx(
            kappa_of(expected[0], expected[1], weights=weights)
        )
    # The adjudicator settled by the reference, so the consensus is the common grade or the reference.
    final = [a if a == b else truth for a, b, truth in zip(*expected, key.values(), strict=True)]
    for number, grades in enumerate(expected, start=1):
        against = comparison_of(report, "reader_consensus", f"Reader {number}")
        assert against["kappa_quadratic"]["value"] == pytest.approx(
            kappa_of(final, grades, weights="quadratic")
        )
    rows = read_csv(out / "consensus.csv")
    machine = [int(row["pregrade"]) for row in rows]
    settled = [int(row["final"]) for row in rows]
    assert sorted(settled) == sorted(final)
    by_machine = comparison_of(report, "ai_consensus", "AI")
    for weights in ("linear", "quadratic"):
        assert by_machine[f"kappa_{weights}"]["value"] == pytest.approx(
            kappa_of(settled, machine, weights=weights)
        )


def test_the_truth_of_a_manifest_is_read_by_side(shared: Path, manifest: Path, tmp_path: Path) -> None:
    from reader_app.protocols.loader import find_protocol

    script = Script(
        shared / "data" / "knee-kl" / "test", manifest, tmp_path, "knee-kl", "", READERS, PASSWORD
    )
    truth = planted_truth(script, find_protocol("knee-kl"))
    assert len(truth) == KNEES
    assert {side for _, side, _ in truth} <= {JointSide.RIGHT, JointSide.LEFT}
