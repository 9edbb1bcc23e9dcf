"""Plausible joints and participants by chance, from a seed."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from reader_app.phantom.grading import grading, hip_grades, knee_grades
from reader_app.phantom.truth import HipOsteophytes, HipTruth, KneeOsteophytes, KneeTruth, Pose

KNEE_SHARES = (0.30, 0.17, 0.25, 0.18, 0.10)
"""Shares of the overall grades 0 to 4 in a cohort at its first visit."""
_TRIES = 400


@dataclass(frozen=True)
class Person:
    """A participant who does not exist.

    Parameters
    ----------
    number
        From 1.
    sex
        "F" or "M".
    age
        Years at the first visit.
    height_m, weight_kg
        Of the body.
    seed
        Whose bones they are.
    """

    number: int
    sex: str
    age: int
    height_m: float
    weight_kg: float
    seed: int

    @property
    def body(self) -> float:
        """Thickness of the soft tissues for `FilmParameters.body`."""
        bmi = self.weight_kg / self.height_m**2
        return float(np.clip(1.0 + (bmi - 26.0) * 0.035, 0.8, 1.5))

    @property
    def bone_size(self) -> float:
        """Scale of the bones."""
        return float(
            np.clip(1.0 + (self.height_m - 1.70) * 0.5 + (0.02 if self.sex == "M" else -0.02), 0.88, 1.12)
        )


def sample_person(rng: np.random.Generator, *, number: int) -> Person:
    """A participant between 45 and 79 years."""
    sex = "F" if rng.random() < 0.58 else "M"
    height = float(np.clip(rng.normal(1.63 if sex == "F" else 1.76, 0.065), 1.46, 1.96))
    bmi = float(np.clip(rng.normal(28.0, 4.2), 19.0, 42.0))
    return Person(
        number=number,
        sex=sex,
        age=int(rng.integers(45, 80)),
        height_m=round(height, 2),
        weight_kg=round(bmi * height**2, 1),
        seed=int(rng.integers(1, 2**31)),
    )


def sample_pose(rng: np.random.Generator) -> Pose:
    """A usual, not perfect, position."""
    return Pose(
        shift_mm=(float(rng.normal(0, 3.0)), float(rng.normal(0, 4.0))),
        rotation_deg=float(np.clip(rng.normal(0, 3.0), -7, 7)),
        tilt_deg=float(np.clip(rng.normal(0.8, 1.0), -1.5, 3.0)),
        lean_deg=float(np.clip(rng.normal(0, 1.2), -3, 3)),
        flexion_deg=float(np.clip(rng.normal(17, 2.5), 11, 23)),
    )


def sample_knee(
    rng: np.random.Generator, *, kl: int | None = None, person: Person | None = None
) -> KneeTruth:
    """A knee of overall grade `kl`, or of any grade by `KNEE_SHARES`.

    Four in five narrow knees are narrow on the medial side; osteophytes, sclerosis and cysts go with it.

    Raises
    ------
    ValueError
        If `kl` is not 0 to 4.
    """
    grade = int(rng.choice(5, p=KNEE_SHARES)) if kl is None else kl
    if grade not in range(5):
        raise ValueError(f"a knee has an overall grade of 0 to 4, not {grade}")
    overall = grading("knee").overall
    for _ in range(_TRIES):
        knee = _draw_knee(rng, grade, person)
        if knee_grades(knee)[overall] == grade:
            return knee
    raise RuntimeError(f"no knee of grade {grade} in {_TRIES} draws")


def _draw_knee(rng: np.random.Generator, grade: int, person: Person | None) -> KneeTruth:
    healthy = (float(rng.uniform(4.1, 5.6)), float(rng.uniform(5.0, 6.8)))
    medial = rng.random() < 0.8
    narrow, wide = ((2.4, 3.9) if grade == 2 else (1.0, 2.4) if grade == 3 else (0.0, 0.95)), healthy
    worn = float(rng.uniform(*narrow))
    jsw = healthy if grade < 2 else (worn, wide[1] + 0.4) if medial else (wide[0] + 0.4, worn + 0.2)
    largest = ((0.0, 0.35), (0.55, 0.95), (1.1, 3.6), (1.8, 5.0), (3.2, 8.0))[grade]
    if grade == 2 and rng.random() < 0.6:
        jsw = healthy
    main = float(rng.uniform(*largest))
    spread = rng.uniform(0.1, 0.8, 4) * main
    spread[int(rng.integers(0, 2)) if medial else int(rng.integers(2, 4))] = main
    sclerosis = float(np.clip((0.0, 0.05, 0.2, 0.5, 0.8)[grade] + rng.normal(0, 0.12), 0, 1))
    cyst = float(rng.uniform(3.0, 7.0)) if rng.random() < (0, 0, 0.03, 0.12, 0.4)[grade] else 0.0
    return KneeTruth(
        jsw_medial_mm=round(jsw[0], 2),
        jsw_lateral_mm=round(jsw[1], 2),
        osteophytes=KneeOsteophytes(
            femoral_medial=round(float(spread[0]), 2),
            tibial_medial=round(float(spread[1]), 2),
            femoral_lateral=round(float(spread[2]), 2),
            tibial_lateral=round(float(spread[3]), 2),
        ),
        sclerosis_medial=round(sclerosis if medial else 0.3 * sclerosis, 2),
        sclerosis_lateral=round(0.3 * sclerosis if medial else sclerosis, 2),
        cyst_mm=round(cyst, 1),
        pose=sample_pose(rng),
        size=1.0 if person is None else person.bone_size,
        density=_density(person),
        form_seed=int(rng.integers(1, 2**20)) if person is None else person.seed % 2**20,
    )


def _density(person: Person | None) -> float:
    if person is None:
        return 1.0
    loss = 0.006 if person.sex == "F" else 0.003
    return float(np.clip(1.08 - loss * (person.age - 45), 0.75, 1.1))


def progressed_knee(knee: KneeTruth, rng: np.random.Generator, *, years: float) -> KneeTruth:
    """The same knee some years later, newly positioned: never better, and the worn ones wear faster."""
    medial = knee.jsw_medial_mm <= knee.jsw_lateral_mm - 1.0
    worst = max(grading("knee").grades(knee).values())
    loss = float(np.clip(rng.gamma(1.2, 0.06) * (1.0 + 0.8 * worst) * years, 0, 2.5))
    growth = float(np.clip(rng.gamma(1.2, 0.10) * (0.4 + 0.6 * worst) * years, 0, 3.0))
    spurs = knee.osteophytes
    cap = 9.0

    def grown(size: float) -> float:
        return round(min(size + growth * (0.25 + size / max(spurs.largest, 1.0)), max(cap, size)), 2)

    narrower = max(knee.jsw_medial_mm - loss, 0.0) if medial else knee.jsw_medial_mm
    return replace(
        knee,
        jsw_medial_mm=round(narrower, 2),
        jsw_lateral_mm=knee.jsw_lateral_mm if medial else round(max(knee.jsw_lateral_mm - loss, 0.0), 2),
        osteophytes=KneeOsteophytes(
            grown(spurs.femoral_medial),
            grown(spurs.femoral_lateral),
            grown(spurs.tibial_medial),
            grown(spurs.tibial_lateral),
        ),
        sclerosis_medial=min(round(knee.sclerosis_medial + 0.04 * years * loss * medial, 2), 1.0),
        sclerosis_lateral=min(round(knee.sclerosis_lateral + 0.04 * years * loss * (not medial), 2), 1.0),
        pose=sample_pose(rng),
    )


def sample_hip(rng: np.random.Generator, *, kl: int | None = None, person: Person | None = None) -> HipTruth:
    """A hip of overall grade `kl`, or of any grade by `KNEE_SHARES`.

    Raises
    ------
    ValueError
        If `kl` is not 0 to 4.
    """
    grade = int(rng.choice(5, p=KNEE_SHARES)) if kl is None else kl
    if grade not in range(5):
        raise ValueError(f"a hip has an overall grade of 0 to 4, not {grade}")
    overall = grading("hip").overall
    for _ in range(_TRIES):
        hip = _draw_hip(rng, grade, person)
        if hip_grades(hip)[overall] == grade:
            return hip
    raise RuntimeError(f"no hip of grade {grade} in {_TRIES} draws")


def _draw_hip(rng: np.random.Generator, grade: int, person: Person | None) -> HipTruth:
    healthy = (float(rng.uniform(3.4, 4.8)), float(rng.uniform(3.3, 4.4)))
    narrow = ((0, 0), (0, 0), (2.1, 3.4), (1.0, 2.0), (0.1, 0.95))[grade]
    worn = float(rng.uniform(*narrow))
    lateral = rng.random() < 0.75
    jsw = healthy if grade < 2 else (worn, healthy[1]) if lateral else (healthy[0], worn)
    main = float(rng.uniform(*((0.0, 0.35), (0.55, 0.95), (1.1, 3.6), (1.8, 5.0), (3.2, 7.0))[grade]))
    spread = rng.uniform(0.1, 0.8, 4) * main
    spread[int(rng.integers(0, 4))] = main
    sclerosis = float(np.clip((0.0, 0.05, 0.2, 0.5, 0.8)[grade] + rng.normal(0, 0.12), 0, 1))
    cysts = [
        float(rng.uniform(3, 8)) if rng.random() < (0, 0, 0.05, 0.2, 0.5)[grade] else 0.0 for _ in range(2)
    ]
    odd = rng.random()
    return HipTruth(
        jsw_lateral_mm=round(jsw[0], 2),
        jsw_medial_mm=round(jsw[1], 2),
        osteophytes=HipOsteophytes(*(round(float(size), 2) for size in spread)),
        sclerosis_acetabular=round(sclerosis, 2),
        sclerosis_femoral=round(0.6 * sclerosis, 2),
        cyst_acetabular_mm=round(cysts[0], 1),
        cyst_femoral_mm=round(cysts[1], 1),
        centre_edge_deg=round(
            float(rng.uniform(10, 19) if odd < 0.12 else np.clip(rng.normal(32, 4), 22, 42)), 1
        ),
        alpha_deg=round(float(rng.uniform(62, 82) if odd > 0.80 else np.clip(rng.normal(46, 4), 38, 56)), 1),
        neck_shaft_deg=round(float(np.clip(rng.normal(128, 3.5), 119, 138)), 1),
        ischial_spine_mm=round(float(rng.uniform(7, 12) if rng.random() < 0.25 else rng.uniform(0, 4)), 1),
        femur_rotation_deg=round(float(np.clip(rng.normal(11, 5), 0, 22)), 1),
        head_radius_mm=round(24.0 * (1.0 if person is None else person.bone_size), 2),
        density=_density(person),
        form_seed=int(rng.integers(1, 2**20)) if person is None else person.seed % 2**20,
    )


def progressed_hip(hip: HipTruth, rng: np.random.Generator, *, years: float) -> HipTruth:
    """The same hip some years later."""
    worst = grading("hip").grades(hip)[grading("hip").overall]
    loss = float(np.clip(rng.gamma(1.2, 0.05) * (1.0 + 0.8 * worst) * years, 0, 2.0))
    growth = float(np.clip(rng.gamma(1.2, 0.08) * (0.4 + 0.6 * worst) * years, 0, 2.5))
    spurs = hip.osteophytes
    lateral = hip.jsw_lateral_mm <= hip.jsw_medial_mm + 0.5

    def grown(size: float) -> float:
        return round(min(size + growth * (0.25 + size / max(spurs.largest, 1.0)), max(8.0, size)), 2)

    return replace(
        hip,
        jsw_lateral_mm=round(max(hip.jsw_lateral_mm - loss, 0.1), 2) if lateral else hip.jsw_lateral_mm,
        jsw_medial_mm=hip.jsw_medial_mm if lateral else round(max(hip.jsw_medial_mm - loss, 0.1), 2),
        osteophytes=HipOsteophytes(
            grown(spurs.femoral_superior),
            grown(spurs.femoral_inferior),
            grown(spurs.acetabular_superior),
            grown(spurs.acetabular_inferior),
        ),
        femur_rotation_deg=round(float(np.clip(hip.femur_rotation_deg + rng.normal(0, 4), 0, 22)), 1),
    )
