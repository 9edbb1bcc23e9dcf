"""The simulated study at a small size; ``python -m tests.simulation`` runs it at the published one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from reader_app.report.flow import total
from tests.simulation.checks import told
from tests.simulation.films import number_of, write_films
from tests.simulation.population import (
    FILMS,
    JOINTS,
    MODELS,
    RITA,
    ROLF,
    SEVERITY,
    FeatureModel,
    films,
    joint_distribution,
    planted_kappa,
    seen_grades,
)
from tests.simulation.study import Simulation

SOME_FILMS, SOME_JOINTS = 80, 158


def test_the_cohort_has_the_published_size() -> None:
    cohort = list(films())
    assert (len(cohort), sum(len(film.sides) for film in cohort)) == (FILMS, JOINTS)
    assert len({film.participant for film in cohort}) == FILMS // 2


def test_a_film_can_be_read_off_its_pixels_also_mirrored(tmp_path: Path) -> None:
    cohort = list(films())[:600:97]
    manifest = write_films(tmp_path / "films", cohort)
    for film in cohort:
        (path,) = manifest.parent.glob(f"*/{film.number:05}.png")
        with Image.open(path) as picture:
            pixels = np.asarray(picture)
        assert number_of(pixels) == number_of(pixels[:, ::-1]) == film.number


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.id)
def test_what_is_planted_is_a_distribution(model: FeatureModel) -> None:
    together = joint_distribution(model, RITA, ROLF)
    assert together.sum() == pytest.approx(1.0)
    assert together.min() >= 0.0
    assert sum(SEVERITY) == pytest.approx(1.0)
    assert 0.0 < planted_kappa(model, RITA, ROLF) < 1.0


def test_a_reader_sees_a_hip_the_same_way_however_often_the_program_starts() -> None:
    film = next(films())
    assert seen_grades(RITA, film, "R") == seen_grades(RITA, film, "R")
    cohort = list(films())[:200]
    assert any(seen_grades(RITA, film, "R") != seen_grades(ROLF, film, "R") for film in cohort)


@pytest.mark.timeout(600)
def test_a_small_study_with_kills_ends_whole(tmp_path: Path) -> None:
    simulation = Simulation(
        tmp_path / "run",
        films=SOME_FILMS,
        joints=SOME_JOINTS,
        tell=lambda _sentence: None,
        lives=(0.8, 1.6),
    )
    outcome = simulation.run()
    words = "\n".join(told(outcome))
    assert outcome.kills >= 1, words
    assert outcome.lost == ()
    assert outcome.verified.ok, outcome.verified.faults
    flow = outcome.flow
    assert (flow.imported.radiographs, flow.imported.joints) == (SOME_FILMS, SOME_JOINTS)
    assert flow.checking.joints == flow.ungraded.joints == total(flow.waiting).joints == 0
    assert flow.final.joints + total(flow.excluded).joints == SOME_JOINTS
    assert outcome.settled > 0
    assert len(outcome.between_readers) == len(MODELS)
