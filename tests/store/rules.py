"""By what the studies of these tests judge: two features, every difference to a third reader."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from reader_app.protocols.model import (
    AdjudicationRule,
    Arm,
    Combine,
    ExclusionReason,
    ExclusionScope,
    Feature,
    JointKind,
    Level,
    Presentation,
    Protocol,
    ReadingDefaults,
    Resolution,
    Scale,
    Site,
    Trigger,
    TriggerKind,
    Unit,
    Weights,
)
from reader_app.reading.design import Adjudicating, ReadingDesign
from reader_app.store.adjudication_records import Rules

ANY = Trigger(TriggerKind.ANY_DIFFERENCE)
# Codes that no account, joint or case has by chance, for the walks that look for leaks.
_CODES = (*range(12), 97979, 98989)
_SCALE = Scale("kl", "Kellgren-Lawrence", tuple(Level(code, f"KL{code}", str(code)) for code in _CODES))


def _feature(feature_id: str, sites: tuple[Site, ...] = ()) -> Feature:
    combine, weights = Combine.SEPARATE, Weights.LINEAR
    return Feature(feature_id, feature_id, feature_id, _SCALE, sites, combine, weights, 2, Unit.JOINT, "")


def rules(
    resolution: Resolution = Resolution.THIRD_FINAL, *triggers: Trigger, seed: int = 7, **adjudicating: Any
) -> Rules:
    """Rules for both features alike; `adjudicating` are parts of the design's adjudication."""
    protocol = Protocol(
        id="store",
        version="1",
        title="Of the store's tests",
        joint=JointKind.KNEE,
        views=("PA",),
        features=(_feature("kl"), _feature("jsn", (Site("medial", "Medial"),))),
        exclusion_reasons=(
            ExclusionReason("prosthesis", "Prosthesis", ExclusionScope.JOINT, needs_confirmation=False),
            ExclusionReason("quality", "Poor quality", ExclusionScope.JOINT, needs_confirmation=True),
        ),
        cross_checks=(),
        bundle=None,
        adjudication=(AdjudicationRule(("kl", "jsn"), triggers or (ANY,), resolution),),
        reading=ReadingDefaults(2, Presentation.SINGLE, Arm.UNAIDED, 0, 0),
        source="",
    )
    design = ReadingDesign(Presentation.SINGLE, Arm.UNAIDED, seed)
    return Rules(protocol, replace(design, adjudication=Adjudicating(**adjudicating)))


RULES = rules()
