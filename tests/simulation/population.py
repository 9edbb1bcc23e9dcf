"""Who is in the simulated study, what their hips are like, and how two readers and an adjudicator see them.

Everything follows from the seed and the name of what is asked, never from the order of asking: a reader who
is killed and starts again sees each hip as before.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float64]

SEED = 2020
FILMS, JOINTS = 7_738, 15_364
"""The published study: films of two visits, less the joints that carry a prosthesis."""

SEVERITY = (0.78, 0.13, 0.06, 0.03)
"""How many joints are normal, mildly, moderately and severely affected."""

SAME_AS_PARTICIPANT, SAME_AS_BASELINE = 0.6, 0.9
VISITS = ("baseline", "48 months")
SIDES = ("R", "L")

POOR_FILM = 0.012
SEES_POOR_FILM = 0.75
CONFIRMS = 0.7


@dataclass(frozen=True)
class FeatureModel:
    """How a feature is spread over the joints, and how often a reader is one grade off.

    Attributes
    ----------
    truth
        For each severity, the probability of each true grade.
    up, down
        For each true grade, how often it is called one higher, one lower.
    """

    id: str
    truth: tuple[tuple[float, ...], ...]
    up: tuple[float, ...]
    down: tuple[float, ...]

    def confusion(self, slips: float) -> Matrix:
        """Return the probability of each grade given (column) for each true grade (row)."""
        size = len(self.up)
        table = np.zeros((size, size))
        for grade in range(size):
            higher = slips * self.up[grade] if grade + 1 < size else 0.0
            lower = slips * self.down[grade] if grade else 0.0
            table[grade, grade] = 1.0 - higher - lower
            if higher:
                table[grade, grade + 1] = higher
            if lower:
                table[grade, grade - 1] = lower
        return table


MODELS = (
    FeatureModel(
        "FO",
        ((0.97, 0.03, 0, 0), (0.45, 0.5, 0.05, 0), (0.1, 0.4, 0.45, 0.05), (0.02, 0.13, 0.45, 0.4)),
        up=(0.012, 0.06, 0.06, 0),
        down=(0, 0.08, 0.09, 0.09),
    ),
    FeatureModel(
        "AO",
        ((0.95, 0.05, 0, 0), (0.4, 0.5, 0.1, 0), (0.1, 0.45, 0.4, 0.05), (0.05, 0.2, 0.45, 0.3)),
        up=(0.02, 0.09, 0.08, 0),
        down=(0, 0.12, 0.12, 0.1),
    ),
    FeatureModel(
        "JSN",
        ((0.98, 0.02, 0, 0), (0.5, 0.45, 0.05, 0), (0.05, 0.3, 0.55, 0.1), (0, 0.05, 0.35, 0.6)),
        up=(0.01, 0.05, 0.05, 0),
        down=(0, 0.08, 0.07, 0.06),
    ),
    FeatureModel("SCL", ((0.995, 0.005), (0.9, 0.1), (0.6, 0.4), (0.2, 0.8)), up=(0.008, 0), down=(0, 0.15)),
    FeatureModel(
        "CYST", ((0.997, 0.003), (0.94, 0.06), (0.7, 0.3), (0.3, 0.7)), up=(0.004, 0), down=(0, 0.1)
    ),
    FeatureModel(
        "KL",
        ((0.9, 0.1, 0, 0, 0), (0.1, 0.6, 0.3, 0, 0), (0, 0.1, 0.5, 0.38, 0.02), (0, 0, 0.05, 0.45, 0.5)),
        up=(0.015, 0.05, 0.04, 0.03, 0),
        down=(0, 0.08, 0.06, 0.05, 0.04),
    ),
)
MODEL_OF = {model.id: model for model in MODELS}


@dataclass(frozen=True)
class SimulatedReader:
    """A reader and how much more often than the models say they slip."""

    name: str
    slips: float


RITA, ROLF = SimulatedReader("rita", 0.57), SimulatedReader("rolf", 0.74)
ADJUDICATOR = SimulatedReader("agnes", 0.4)
READERS = (RITA, ROLF)


@dataclass(frozen=True)
class Film:
    """One film of the cohort, known by its number from 0."""

    number: int
    participant: int
    visit: int
    sides: tuple[str, ...]


def films(number: int = FILMS, joints: int = JOINTS) -> Iterator[Film]:
    """Return the cohort: two visits a participant, and as many joints as asked for."""
    replaced = set(random.Random(f"{SEED}|prostheses").sample(range(number), 2 * number - joints))
    for film in range(number):
        draw = random.Random(f"{SEED}|side|{film}")
        sides = (draw.choice(SIDES),) if film in replaced else SIDES
        yield Film(film, film // 2, film % 2, sides)


def true_grades(film: Film, side: str) -> dict[str, int]:
    """Return the true grade of every feature of a joint."""
    severity = _severity(film.participant, film.visit, side)
    draw = random.Random(f"{SEED}|truth|{film.number}|{side}")
    return {
        model.id: draw.choices(range(len(model.up)), weights=model.truth[severity])[0] for model in MODELS
    }


def seen_grades(reader: SimulatedReader, film: Film, side: str, *, again: int = 1) -> dict[str, int]:
    """Return what a reader makes of a joint, the n-th time."""
    draw = random.Random(f"{SEED}|{reader.name}|{film.number}|{side}|{again}")
    truth = true_grades(film, side)
    return {
        model.id: draw.choices(
            range(len(model.up)), weights=list(model.confusion(reader.slips)[truth[model.id]])
        )[0]
        for model in MODELS
    }


def calls_poor(reader: SimulatedReader, film: Film) -> bool:
    """Say whether a reader finds the film impossible to grade."""
    poor = random.Random(f"{SEED}|poor|{film.number}").random() < POOR_FILM
    return poor and random.Random(f"{SEED}|{reader.name}|poor|{film.number}").random() < SEES_POOR_FILM


def confirms_poor(reader: SimulatedReader, film: Film) -> bool:
    """Say whether a second reader, asked, finds so too."""
    return random.Random(f"{SEED}|{reader.name}|confirms|{film.number}").random() < CONFIRMS


def joint_distribution(model: FeatureModel, first: SimulatedReader, second: SimulatedReader) -> Matrix:
    """Return the planted probability of each pair of grades: readers err independently, given the truth."""
    truth = np.asarray(SEVERITY) @ np.asarray(model.truth)
    return model.confusion(first.slips).T @ np.diag(truth) @ model.confusion(second.slips)


def planted_kappa(model: FeatureModel, first: SimulatedReader, second: SimulatedReader) -> float:
    """Return the linearly weighted kappa of the planted distribution (Cohen 1968)."""
    together = joint_distribution(model, first, second)
    grades = np.arange(len(together))
    apart = np.abs(grades[:, None] - grades[None, :]) / (len(grades) - 1)
    by_chance = np.outer(together.sum(axis=1), together.sum(axis=0))
    return float(1.0 - (apart * together).sum() / (apart * by_chance).sum())


def _severity(participant: int, visit: int, side: str) -> int:
    own = random.Random(f"{SEED}|severity|{participant}")
    of_participant = own.choices(range(4), weights=SEVERITY)[0]
    joint = random.Random(f"{SEED}|severity|{participant}|{side}")
    at_baseline = (
        of_participant
        if joint.random() < SAME_AS_PARTICIPANT
        else joint.choices(range(4), weights=SEVERITY)[0]
    )
    if visit == 0 or joint.random() < SAME_AS_BASELINE:
        return at_baseline
    return joint.choices(range(4), weights=SEVERITY)[0]
