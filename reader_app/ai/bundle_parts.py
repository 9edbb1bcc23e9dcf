"""The parts of ``bundle.toml`` as values, each of which refuses what makes no sense."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from reader_app.errors import BundleError
from reader_app.protocols.model import Item

AGAIN = "Install the bundle again."
SMALLEST, LARGEST = 64, 2048
"""Edges of the squares that networks see, pixels."""
JOINT = "joint"
"""The class of a localizer that everything else is about."""


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

    def __post_init__(self) -> None:
        codes, key = self.codes, self.item.key
        if len(codes) < 2 or len(set(codes)) != len(codes) or not 0.0 < self.temperature < math.inf:
            raise BundleError(f"The bundle's head {key} has odd codes or temperature.", AGAIN)
        ordered = self.kind is HeadKind.CORN or self.decision is Decision.ROUNDED
        if ordered and list(codes) != sorted(codes):
            raise BundleError(f"The bundle's head {key} needs its codes in ascending order.", AGAIN)

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

    def __post_init__(self) -> None:
        if not self.name or len(self.classes) < 2 or len(set(self.classes)) != len(self.classes):
            raise BundleError(
                f"The auxiliary task “{self.name}” needs a name and two different classes or more.", AGAIN
            )


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

    def __post_init__(self) -> None:
        if not self.method.is_network:
            if self.file or self.size:
                raise BundleError(
                    f"The localizer “{self.method}” has no network and so no file or size.", AGAIN
                )
            return
        check_tensor_file(self.file)
        check_localizer(self.method, size=self.size, classes=self.classes, threshold=self.threshold)


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

    def __post_init__(self) -> None:
        check_tensor_file(self.file)
        check_landmarks(size=self.size, margin=self.margin, points=self.points)


@dataclass(frozen=True)
class Member:
    """One network of the ensemble; `fold` is that of the cross-validation that it comes from, from 1 on."""

    architecture: str
    file: str
    sha256: str
    fold: int = 0

    def __post_init__(self) -> None:
        if self.fold < 0:
            raise BundleError(f"The member {self.file} has a fold below 0.", AGAIN)
        check_tensor_file(self.file)


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

    def __post_init__(self) -> None:
        if not 0.0 < self.threshold < math.inf:
            raise BundleError("The bundle's threshold of unlikeness is no positive number.", AGAIN)
        check_tensor_file(self.file)


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


def check_tensor_file(name: str) -> None:
    """Refuse the name of a tensor file that does not lie in the bundle's own folder.

    Raises
    ------
    BundleError
        It has a folder, or is no .safetensors file.
    """
    plain = Path(name).name == name and "\\" not in name and ":" not in name
    if not plain or Path(name).suffix != ".safetensors":
        raise BundleError(f"The bundle names “{name}”, which is no .safetensors file in its folder.", AGAIN)


def check_localizer(
    method: LocalizerMethod, *, size: int, classes: Sequence[str], threshold: float, next_step: str = AGAIN
) -> None:
    """Refuse a localizer's network that could not find joints; recipes are held to the same.

    Raises
    ------
    BundleError
        Size, classes or threshold make no sense.
    """
    for what, fault in (
        (f"needs a size of {SMALLEST} to {LARGEST} pixels, not {size}", not SMALLEST <= size <= LARGEST),
        ("does not tell joints apart: its classes lack “joint”", JOINT not in classes),
        ("names a class twice", len(set(classes)) != len(classes)),
        (f"needs a threshold of 0 to 1, not {threshold:g}", not 0.0 <= threshold <= 1.0),
    ):
        if fault:
            raise BundleError(f"The localizer “{method}” {what}.", next_step)


def check_landmarks(*, size: int, margin: float, points: Sequence[str], next_step: str = AGAIN) -> None:
    """Refuse a landmark network that could not give a line; recipes are held to the same.

    Raises
    ------
    BundleError
        Size, margin or points make no sense.
    """
    for what, fault in (
        (f"need a size of {SMALLEST} to {LARGEST} pixels, not {size}", not SMALLEST <= size <= LARGEST),
        (f"need a margin of 0.1 to 10, not {margin:g}", not 0.1 <= margin <= 10.0),
        ("need two different points or more", len(points) < 2 or len(set(points)) != len(points)),
    ):
        if fault:
            raise BundleError(f"The landmarks {what}.", next_step)
