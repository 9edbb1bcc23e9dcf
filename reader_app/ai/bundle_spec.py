"""What ``bundle.toml`` says, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
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


class HeadKind(StrEnum):
    """What a head's outputs mean."""

    SOFTMAX = "softmax"
    """One output a grade."""
    CORN = "corn"
    """One output a threshold: the chance to exceed a grade given that it is reached (Shi et al. 2023)."""


class LocalizerMethod(StrEnum):
    """How joints are found on a film."""

    SINGLE_JOINT = "single-joint"
    """The film is the joint."""
    BILATERAL_SPLIT = "bilateral-split"
    """By the rules of `reader_app.ai.localizer`, without a network."""
    SSDLITE = "ssdlite"
    FASTER_RCNN_LIGHT = "faster-rcnn-mobilenet"
    FASTER_RCNN = "faster-rcnn"
    RETINANET = "retinanet"

    @property
    def is_network(self) -> bool:
        """Whether it has weights."""
        return self not in (LocalizerMethod.SINGLE_JOINT, LocalizerMethod.BILATERAL_SPLIT)


class TrainedOn(StrEnum):
    """What the networks learned from."""

    RADIOGRAPHS = "radiographs"
    PHANTOMS = "phantoms"
    """Made-up films: such a bundle grades phantoms alone, never a patient's joint."""
    NOTHING = "nothing"
    """Random weights, for measuring speed; such a bundle grades nothing."""


class ExplainMethod(StrEnum):
    """How a heatmap is made."""

    GRAD_CAM = "grad-cam"
    OCCLUSION = "occlusion"


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
    kind
        What the outputs mean.
    """

    feature: str
    site: str
    codes: tuple[int, ...]
    temperature: float
    decision: Decision
    kind: HeadKind = HeadKind.SOFTMAX

    @property
    def item(self) -> Item:
        """The protocol's item."""
        return Item(self.feature, self.site or None)

    @property
    def outputs(self) -> int:
        """How many numbers the head gives."""
        return len(self.codes) - (1 if self.kind is HeadKind.CORN else 0)


@dataclass(frozen=True)
class Auxiliary:
    """A further task of the training, such as the participant's sex; it makes no pre-grade."""

    name: str
    classes: tuple[str, ...]


@dataclass(frozen=True)
class Localizer:
    """What finds the joints on a film.

    Parameters
    ----------
    method
        By rules, or which network.
    file, sha256
        The network's weights; empty for the rules.
    size
        Edge of the square that the network sees, pixels.
    classes
        What the network tells apart, background not counted: ``joint`` and, where it knows them,
        ``prosthesis``, ``marker-R``, ``marker-L``.
    threshold
        A box counts from this confidence on; chosen on validation films.
    """

    method: LocalizerMethod
    file: str = ""
    sha256: str = ""
    size: int = 0
    classes: tuple[str, ...] = ("joint",)
    threshold: float = 0.5


@dataclass(frozen=True)
class Landmarks:
    """The network that places named points on a found joint, for the tilt of a knee's plateau.

    Parameters
    ----------
    points
        Names in the order of the network's outputs, e.g. ``plateau_lateral``, ``plateau_medial``; the line
        through the first two is the one that an upright crop levels.
    size
        Edge of the square that the network sees, pixels.
    margin
        That square's edge as a multiple of the found box's longer edge.
    """

    file: str
    sha256: str
    size: int
    margin: float
    points: tuple[str, ...]


@dataclass(frozen=True)
class Member:
    """One network of the ensemble; `fold` is that of the cross-validation that it comes from, from 1 on."""

    architecture: str
    file: str
    sha256: str
    fold: int = 0


@dataclass(frozen=True)
class Explainer:
    """How heatmaps are made; `signed` ones also show what speaks against, as values below 0."""

    method: ExplainMethod
    target: ExplainTarget
    signed: bool = False


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
    """The content of ``bundle.toml``.

    `localizer` is the published or most faithful one; `light_localizer`, where there is one, is quicker and
    serves a pre-grade that somebody waits for.  Images of `full_range_views` keep all their grey values: a sum
    of CT slices, say, beside radiographs that are clipped at percentiles.
    """

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
    light_localizer: Localizer | None = None
    landmarks: Landmarks | None = None
    auxiliary: tuple[Auxiliary, ...] = ()
    trained_on: TrainedOn = TrainedOn.RADIOGRAPHS
    full_range_views: tuple[str, ...] = ()

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

    def preprocessing_of(self, view: str) -> Preprocessing:
        """Return how joints of a view are cut out; only the percentiles may differ from view to view."""
        if view in self.full_range_views:
            return replace(self.preprocessing, low_percentile=0.0, high_percentile=100.0)
        return self.preprocessing

    @property
    def files(self) -> dict[str, str]:
        """SHA-256 by name of all tensor files."""
        found = {member.file: member.sha256 for member in self.members}
        found[self.distance.file] = self.distance.sha256
        for localizer in (self.localizer, self.light_localizer):
            if localizer is not None and localizer.method.is_network:
                found[localizer.file] = localizer.sha256
        if self.landmarks is not None:
            found[self.landmarks.file] = self.landmarks.sha256
        return found
