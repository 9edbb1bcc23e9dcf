"""The demo's job on phantoms: everything by keys in one window, from an empty folder to the report."""

from __future__ import annotations

from pathlib import Path

import pytest

from reader_app.operations.study import open_study
from reader_app.operations.verify import verify
from reader_app.phantom.cohort import write_phantom_study
from reader_app.ui.demo.job import Play, Script
from reader_app.ui.demo.player import KeyPlayer
from reader_app.ui.demo.simulated_readers import SimulatedReader
from reader_app.ui.main_window import MainWindow
from tests.end_to_end.report_checks import comparison_of, kappa_of, read_csv, read_json

READERS = (SimulatedReader("anna", 0.25), SimulatedReader("ben", 0.4))


@pytest.mark.timeout(900)
def test_the_whole_job_on_phantoms(window: MainWindow, tmp_path: Path, shipped_bundle: Path) -> None:
    films = write_phantom_study(tmp_path / "films", participants=4, visits=1, seed=5, reduced=4)
    script = Script(
        films=films.folder,
        manifest=films.manifest,
        study=tmp_path / "study",
        protocol="knee-kl",
        title="Phantom knees",
        readers=READERS,
        password="a long password",
    )
    player = KeyPlayer(window, pictures=tmp_path / "pictures")

    html = Play(script, window, player).whole_job()

    assert len(player.taken) >= 12
    assert all(path.stat().st_size > 5_000 for path in player.taken)
    report = read_json(html)
    rows = read_csv(html.parent / "consensus.csv")
    assert len(rows) == 8
    grades = [[int(row[f"grade: Reader {n}"]) for row in rows] for n in (1, 2)]
    final = [int(row["final"]) for row in rows]
    machine = [int(row["pregrade"]) for row in rows]
    between = comparison_of(report, "readers", "Reader 2")
    assert between["kappa_linear"]["value"] == pytest.approx(kappa_of(grades[0], grades[1], weights="linear"))
    assert between["kappa_quadratic"]["value"] == pytest.approx(
        kappa_of(grades[0], grades[1], weights="quadratic")
    )
    against = comparison_of(report, "ai_consensus", "AI")
    assert against["kappa_quadratic"]["value"] == pytest.approx(kappa_of(final, machine, weights="quadratic"))
    assert report["study"]["phantom"] is True
    with open_study(script.study) as study:
        assert verify(study).ok
