"""What ``bundle.toml`` says, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from reader_app.ai.crop import Preprocessing
from reader_app.errors import BundleError
from reader_app.protocols.model import Item

AGAIN = "Install the bundle again."


class Decision(StrEnum):
    """How a head's probabilities become one grade."""

    LIKELIEST = "likeliest"
    ROUNDED = "rounded-expectation"


class Localizer(StrEnum):
    """How joints are found on a film that shows more than one."""

    SINGLE_JOINT = "single-joint"
    BILATERAL_SPLIT = "bilateral-split"


class ExplainMethod(StrEnum):
    """How a heatmap is made."""

    GRAD_CAM = "grad-cam"


class ExplainTarget(StrEnum):
    """What a heatmap explains."""

    GRADE = "grade"
    """The grade given."""
    EXPECTED = "expected-grade"
    """What raises the expected grade."""


class EnsembleRule(StrEnum):
    """How several members, and the mirror image, make one answer."""

    MEAN_PROBABILITY = "mean-probability"


class DistanceMethod(StrEnum):
    """How far a joint is from the training images."""

    LOW_RANK_GAUSSIAN = "low-rank-gaussian"


@dataclass(frozen=True)
class ProtocolRef:
    """A protocol that the bundle was made for, by the SHA-256 of its canonical form."""

    id: str
    sha256: str


@dataclass(frozen=True)
class BundleHead:
    """One item that the bundle grades.

    Parameters
    ----------
    feature, site
        As in the protocol; `site` is empty where the feature has none.
    codes
        The grade codes in the order of the head's outputs.
    temperature
        The logits are divided by it before the softmax; fitted on the validation joints.
    decision
        How probabilities become the grade; chosen on the validation joints.
    """

    feature: str
    site: str
    codes: tuple[int, ...]
    temperature: float
    decision: Decision

    @property
    def item(self) -> Item:
        """The protocol's item."""
        return Item(self.feature, self.site or None)


@dataclass(frozen=True)
class Member:
    """One network of the ensemble."""

    architecture: str
    file: str
    sha256: str


@dataclass(frozen=True)
class Explainer:
    """How heatmaps are made."""

    method: ExplainMethod
    target: ExplainTarget


@dataclass(frozen=True)
class Distance:
    """How unlikeness to the training images is measured.

    `file` holds the statistics of the first member's pooled features; a joint is called unlike the training
    images above `threshold`, which 99 % of the validation joints stay below.
    """

    method: DistanceMethod
    file: str
    sha256: str
    threshold: float


@dataclass(frozen=True)
class TrainingRecord:
    """What the model learned from, and what it reached on joints that it did not learn from.

    `metrics` maps a split's name to figures by name.
    """

    data: str
    author: str
    source: str
    licence: str
    split: str
    joints: Mapping[str, int]
    metrics: Mapping[str, Mapping[str, float]]
    software: str


@dataclass(frozen=True)
class BundleSpec:
    """The content of ``bundle.toml``."""

    format: int
    id: str
    version: str
    title: str
    licence: str
    intended_use: str
    protocols: tuple[ProtocolRef, ...]
    heads: tuple[BundleHead, ...]
    members: tuple[Member, ...]
    ensemble: EnsembleRule
    mirror_test: bool
    localizer: Localizer
    preprocessing: Preprocessing
    explainer: Explainer
    distance: Distance
    training: TrainingRecord

    def __post_init__(self) -> None:
        if not self.members or not self.heads:
            raise BundleError(f"The bundle “{self.id}” has no members or no heads.", AGAIN)
        if len({head.item for head in self.heads}) != len(self.heads):
            raise BundleError(f"The bundle “{self.id}” names an item twice.", AGAIN)
        for head in self.heads:
            if len(head.codes) < 2 or len(set(head.codes)) != len(head.codes) or not head.temperature > 0.0:
                raise BundleError(f"The bundle's head {head.item.key} has odd codes or temperature.", AGAIN)
        for file in self.files:
            if Path(file).name != file or Path(file).suffix != ".safetensors":
                raise BundleError(
                    f"The bundle names “{file}”, which is no .safetensors file in its folder.", AGAIN
                )

    @property
    def files(self) -> dict[str, str]:
        """SHA-256 by name of all tensor files."""
        found = {member.file: member.sha256 for member in self.members}
        found[self.distance.file] = self.distance.sha256
        return found
