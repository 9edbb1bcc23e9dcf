"""A simulated hip study: two or more readers, a third who settles, pre-grades with probabilities."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from reader_app.agreement.weights import Weights
from reader_app.report.inputs import ConsensusRow, GradeRow, PregradeRow, ReportInput
from reader_app.report.model import ExclusionLine, FeatureInfo, FlowStep, Level, SiteInfo, StudyFacts

OARSI = (Level(0, "None"), Level(1, "Mild"), Level(2, "Moderate"), Level(3, "Severe"))
KL = (Level(0, "None"), Level(1, "Doubtful"), Level(2, "Minimal"), Level(3, "Moderate"), Level(4, "Severe"))
BINARY = (Level(0, "Absent"), Level(1, "Present"))

FEATURES = (
    FeatureInfo(
        "FO",
        "Femoral osteophytes",
        OARSI,
        Weights.LINEAR,
        1,
        (SiteInfo("superior", "Superior"), SiteInfo("inferior", "Inferior")),
        worst_site=True,
    ),
    FeatureInfo("JSN", "Joint-space narrowing", OARSI, Weights.LINEAR, 1),
    FeatureInfo("CYST", "Subchondral cysts", BINARY, Weights.NONE, 1),
    FeatureInfo("KL", "Kellgren-Lawrence grade", KL, Weights.QUADRATIC, 2),
)

STUDY = StudyFacts(
    title="Hip osteoarthritis, baseline and 48 months",
    study_id="hip-sim-1",
    protocol_id="hip-oarsi",
    protocol_title="Hip, OARSI features and Kellgren-Lawrence grade",
    protocol_version="1",
    protocol_sha256="5f1c" * 16,
    software="reader-app 0.1.0",
    created_at="2026-11-21T11:00:00+00:00",
    bundle_id="hip-oarsi",
    bundle_version="1.0",
    bundle_sha256="a07e" * 16,
    design_seed=20,
    design=(("Presentation", "Paired, order known"), ("Arm", "Unaided")),
)

Simulate = Callable[..., ReportInput]


def _joints(participants: int) -> list[tuple[str, str, str, str]]:
    return [
        (f"P{person:04d}", visit, f"P{person:04d}-{visit}", side)
        for person in range(1, participants + 1)
        for visit in ("baseline", "48 months")
        for side in ("right", "left")
    ]


def simulate(
    participants: int = 40,
    *,
    readers: tuple[str, ...] = ("Reader 1", "Reader 2"),
    with_ai: bool = True,
    with_consensus: bool = True,
    features: tuple[FeatureInfo, ...] = FEATURES,
    seed: int = 5,
) -> ReportInput:
    """Make a study in which severity is shared within a participant."""
    rng = np.random.default_rng(seed)
    joints = _joints(participants)
    n = len(joints)
    grades: list[GradeRow] = []
    consensus: list[ConsensusRow] = []
    pregrades: list[PregradeRow] = []
    person = np.arange(n) // 4
    severity = rng.normal(size=participants)[person] * 0.8 + rng.normal(size=n) * 0.5
    for feature in features:
        sites: list[str | None] = [site.id for site in feature.sites]
        sites = sites or [None]
        cuts = np.linspace(0.3, 1.8, len(feature.levels) - 1)
        worst: list[np.ndarray] = [np.zeros((n, 0), dtype=int) for _ in readers]
        for site in sites:
            truth = severity + rng.normal(size=n) * 0.3
            for number, reader in enumerate(readers):
                codes = np.digitize(truth + rng.normal(size=n) * 0.35 + 0.1 * number, cuts)
                worst[number] = np.column_stack([worst[number], codes])
                grades += [
                    GradeRow(reader, *joint, feature.id, site, int(code))
                    for joint, code in zip(joints, codes, strict=True)
                ]
            if with_ai:
                score = truth + rng.normal(size=n) * 0.5
                centres = np.concatenate([[cuts[0] - 0.5], (cuts[:-1] + cuts[1:]) / 2, [cuts[-1] + 0.5]])
                weight = np.exp(-3 * (score[:, None] - centres[None, :]) ** 2)
                shares = weight / weight.sum(axis=1, keepdims=True)
                pregrades += [
                    PregradeRow(*joint, feature.id, site, int(row.argmax()), tuple(float(p) for p in row))
                    for joint, row in zip(joints, shares, strict=True)
                ]
        if with_consensus and len(readers) > 1:
            finals = np.stack([columns.max(axis=1) for columns in worst])
            for joint, first, second in zip(joints, finals[0], finals[1], strict=True):
                if first == second:
                    consensus.append(ConsensusRow(*joint, feature.id, None, int(first), "agreed"))
                else:
                    chosen = int(rng.choice([first, second]))
                    consensus.append(
                        ConsensusRow(*joint, feature.id, None, chosen, "third reader", "Adjudicator", "")
                    )
    return ReportInput(
        study=STUDY if with_ai else replace(STUDY, bundle_id=None, bundle_version=None, bundle_sha256=None),
        flow=(
            FlowStep("imported", "Radiographs imported", n // 2),
            FlowStep("read", "Joints read", n),
            FlowStep("locked", "Readings locked", n // 4 * len(readers)),
            FlowStep("disagreed", "Grades that differ", sum(row.method != "agreed" for row in consensus)),
            FlowStep(
                "adjudicated",
                "Settled by the adjudicator",
                sum(row.adjudicator is not None for row in consensus),
            ),
            FlowStep("excluded", "Radiographs excluded", 1),
        ),
        features=features,
        readers=readers,
        grades=tuple(grades),
        consensus=tuple(consensus),
        pregrades=tuple(pregrades),
        exclusions=(
            ExclusionLine(
                "P9001", "baseline", "P9001-baseline", "right", "Hip replacement", "Reader 1", "confirmed"
            ),
        ),
        notes=("The readers did not see the AI’s pre-grades.",),
    )


@pytest.fixture(scope="session")
def study() -> Simulate:
    """Make a simulated study; see `simulate`."""
    return simulate


@pytest.fixture(scope="session")
def many_joints() -> ReportInput:
    """15,364 joints, five features, three readers."""
    features = tuple(
        FeatureInfo(f"F{number}", f"Feature {number}", OARSI, Weights.LINEAR, 1) for number in range(5)
    )
    return simulate(3841, readers=("A", "B", "C"), with_ai=False, features=features)
