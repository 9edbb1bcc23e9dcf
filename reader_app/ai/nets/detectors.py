"""The networks that find joints, prostheses and lead letters on a film, built from torchvision and timm.

Whatever the method, a detector takes the same square: the film shrunk and centred on it with a rim around
(`on_square`), because the box of a joint may reach beyond a narrow film, and standardised by itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import timm
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

from reader_app.ai.bundle_spec import LocalizerMethod
from reader_app.ai.choose_joints import Detection
from reader_app.ai.crop import ByteArray
from reader_app.errors import BundleError
from reader_app.imaging.geometry import Box

FILM_SHARE = 0.84
"""Of the square's edge that the film's longer edge takes."""

LIGHT_BODY = "tf_efficientnet_lite0"
_LIGHT_WIDTH = 96  # channels of each level of the light detector
# Edges of the light detector's anchors, as shares of the square, at strides 8 (lead letters), 16 and 32:
_LIGHT_ANCHORS = ((0.033, 0.050, 0.075), (0.125, 0.177, 0.25, 0.354), (0.5, 0.707, 0.92))
_CANDIDATES = 30  # boxes that a network may name on a film; ours is the choice among them
_LOWEST = 0.02  # confidence of a candidate; the bundle's own threshold decides later
_OVERLAP = 0.45  # IoU from which two candidates of one kind are one

BoxTarget = Mapping[str, Tensor]
"""``boxes`` N x 4 (left, top, right, bottom) in the square's pixels, ``labels`` N from 1 on."""


@dataclass(frozen=True)
class Square:
    """Where a film lies on the square that a detector sees.

    A place (x, y) on the square is ``((x - left) * scale, (y - top) * scale)`` on the film.
    """

    scale: float
    left: float
    top: float

    def to_film(self, left: float, top: float, right: float, bottom: float) -> Box:
        """Return a box of the square on the film."""
        x, y = (left - self.left) * self.scale, (top - self.top) * self.scale
        width, height = (right - left) * self.scale, (bottom - top) * self.scale
        return Box(x, y, max(width, 0.0), max(height, 0.0))


def on_square(pixels: ByteArray, size: int) -> tuple[npt.NDArray[np.float32], Square]:
    """Shrink a film onto the square of a detector.

    Parameters
    ----------
    pixels
        uint8, rows x columns.
    size
        Edge of the square.

    Returns
    -------
    tuple
        float32, size x size, the film of zero mean and unit deviation with zeros around; and where it lies.
    """
    from PIL import Image

    rows, columns = pixels.shape
    factor = FILM_SHARE * size / max(rows, columns)
    width, height = max(1, round(columns * factor)), max(1, round(rows * factor))
    resampling = Image.Resampling.BOX if factor < 0.5 else Image.Resampling.BILINEAR
    film = np.asarray(Image.fromarray(pixels).resize((width, height), resampling), dtype=np.float32)
    left, top = (size - width) // 2, (size - height) // 2
    square = np.zeros((size, size), dtype=np.float32)
    square[top : top + height, left : left + width] = standard_film(film)
    return square, Square(columns / width, left, top)


def standard_film(film: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return a film of zero mean and unit deviation; one flat grey becomes zeros."""
    return np.asarray((film - film.mean()) / max(float(film.std()), 1e-3), dtype=np.float32)


class Detector(nn.Module):
    """A detection network of torchvision that takes grey squares.

    Parameters
    ----------
    network
        Takes a list of channels x size x size images and, while training, targets.
    channels
        1, or 3 where the grey is repeated.
    """

    def __init__(self, network: nn.Module, *, channels: int) -> None:
        super().__init__()
        self.network = network
        self.channels = channels

    def _images(self, squares: Tensor) -> list[Tensor]:
        return list(squares.expand(-1, self.channels, -1, -1))

    def losses(self, squares: Tensor, targets: Sequence[BoxTarget]) -> Tensor:
        """Return the sum of the network's own losses for N x 1 x size x size squares; needs `train()`."""
        found: dict[str, Tensor] = self.network(self._images(squares), list(targets))
        return torch.stack(list(found.values())).sum()

    @torch.no_grad()
    def forward(self, squares: Tensor) -> list[dict[str, Tensor]]:
        """Return for each of N x 1 x size x size squares its ``boxes``, ``labels`` and ``scores``."""
        return cast(list[dict[str, Tensor]], self.network(self._images(squares)))


class LightBody(nn.Module):
    """EfficientNet-lite0 with three levels at strides 8, 16 and 32; the coarse ones inform the finer."""

    def __init__(self) -> None:
        super().__init__()
        self.body: Any = timm.create_model(
            LIGHT_BODY, pretrained=False, in_chans=1, features_only=True, out_indices=(2, 3, 4)
        )
        widths = cast(Any, self.body).feature_info.channels()
        self.lateral = nn.ModuleList(
            _normed(nn.Conv2d(width, _LIGHT_WIDTH, 1, bias=False)) for width in widths
        )
        self.smooth = nn.ModuleList(
            nn.Sequential(
                _normed(nn.Conv2d(_LIGHT_WIDTH, _LIGHT_WIDTH, 3, padding=1, groups=_LIGHT_WIDTH, bias=False)),
                nn.ReLU6(inplace=True),
                _normed(nn.Conv2d(_LIGHT_WIDTH, _LIGHT_WIDTH, 1, bias=False)),
                nn.ReLU6(inplace=True),
            )
            for _ in self.lateral
        )

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Return the maps by name, finest first."""
        levels = [layer(level) for layer, level in zip(self.lateral, self.body(images), strict=True)]
        for finer in (1, 0):
            larger = functional.interpolate(levels[finer + 1], size=levels[finer].shape[-2:], mode="nearest")
            levels[finer] = levels[finer] + larger
        return {
            str(place): layer(level)
            for place, (layer, level) in enumerate(zip(self.smooth, levels, strict=True))
        }


def _normed(layer: nn.Conv2d) -> nn.Sequential:
    return nn.Sequential(layer, nn.BatchNorm2d(layer.out_channels, eps=1e-3, momentum=0.03))


def build_detector(method: LocalizerMethod, size: int, classes: Sequence[str]) -> Detector:
    """Build an untrained detector.

    Parameters
    ----------
    method
        One that `is_network`.
    size
        Edge of the square that it sees, pixels.
    classes
        What it tells apart, background not counted.

    Raises
    ------
    BundleError
        The method has no network, or the size is out of range.
    """
    if method not in _BUILDERS:
        raise BundleError(f"The localizer “{method}” is no network.", "Install the bundle again.")
    if not 64 <= size <= 2048 or not classes:
        raise BundleError(
            "The localizer's size must be 64 to 2048, and it must tell something apart.",
            "Install the bundle again.",
        )
    build, channels = _BUILDERS[method]
    plain = {
        "min_size": size,
        "max_size": size,
        "image_mean": [0.0] * channels,
        "image_std": [1.0] * channels,
    }
    return Detector(build(len(classes) + 1, plain), channels=channels)


def _ssdlite(classes: int, plain: Mapping[str, Any]) -> nn.Module:
    from torchvision.models.detection.anchor_utils import AnchorGenerator  # type: ignore[import-untyped]
    from torchvision.models.detection.ssd import SSD  # type: ignore[import-untyped]
    from torchvision.models.detection.ssdlite import SSDLiteHead  # type: ignore[import-untyped]

    size = plain["min_size"]
    anchors = AnchorGenerator(
        tuple(tuple(share * size for share in level) for level in _LIGHT_ANCHORS),
        ((1.0,),) * len(_LIGHT_ANCHORS),
    )
    counts = anchors.num_anchors_per_location()
    norm = partial(nn.BatchNorm2d, eps=1e-3, momentum=0.03)
    network: nn.Module = SSD(
        LightBody(),
        anchors,
        (size, size),
        classes,
        image_mean=plain["image_mean"],
        image_std=plain["image_std"],
        head=SSDLiteHead([_LIGHT_WIDTH] * len(counts), counts, classes, norm),
        score_thresh=_LOWEST,
        nms_thresh=_OVERLAP,
        detections_per_img=_CANDIDATES,
        topk_candidates=100,
    )
    return network


def _faster_rcnn_light(classes: int, plain: Mapping[str, Any]) -> nn.Module:
    from torchvision.models.detection import (  # type: ignore[import-untyped]
        fasterrcnn_mobilenet_v3_large_320_fpn,
    )

    network: nn.Module = fasterrcnn_mobilenet_v3_large_320_fpn(
        weights=None,
        weights_backbone=None,
        num_classes=classes,
        **plain,
        **_BOXES,
    )
    return network


def _faster_rcnn(classes: int, plain: Mapping[str, Any]) -> nn.Module:
    from torchvision.models.detection import fasterrcnn_resnet50_fpn

    network: nn.Module = fasterrcnn_resnet50_fpn(
        weights=None,
        weights_backbone=None,
        num_classes=classes,
        **plain,
        **_BOXES,
    )
    return network


def _retinanet(classes: int, plain: Mapping[str, Any]) -> nn.Module:
    from torchvision.models.detection import retinanet_resnet50_fpn

    network: nn.Module = retinanet_resnet50_fpn(
        weights=None,
        weights_backbone=None,
        num_classes=classes,
        score_thresh=_LOWEST,
        nms_thresh=_OVERLAP,
        detections_per_img=_CANDIDATES,
        **plain,
    )
    return network


_BOXES = {"box_score_thresh": _LOWEST, "box_nms_thresh": _OVERLAP, "box_detections_per_img": _CANDIDATES}
_BUILDERS = {
    LocalizerMethod.SSDLITE: (_ssdlite, 1),
    LocalizerMethod.FASTER_RCNN_LIGHT: (_faster_rcnn_light, 3),
    LocalizerMethod.FASTER_RCNN: (_faster_rcnn, 3),
    LocalizerMethod.RETINANET: (_retinanet, 3),
}


def load_detector(file: Path, method: LocalizerMethod, *, size: int, classes: Sequence[str]) -> Detector:
    """Build a detector with the weights of a safetensors file (fp16 or fp32), ready to infer in fp32.

    Raises
    ------
    BundleError
        The file cannot be read or its tensors do not fit the method and its classes.
    """
    detector = build_detector(method, size, classes)
    try:
        state = load_file(file)
    except (SafetensorError, OSError) as error:
        raise BundleError(
            f"The localizer's weights {file.name} cannot be read: {error}.", "Install the bundle again."
        ) from error
    state = {name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in state.items()}
    try:
        detector.load_state_dict(state)
    except RuntimeError as error:
        raise BundleError(
            f"The localizer's weights {file.name} do not fit a {method} with {len(classes)} classes.",
            "Install the bundle again.",
        ) from error
    return detector.eval().to(memory_format=torch.channels_last)


@torch.no_grad()
def detections_on(
    detector: Detector, films: Sequence[ByteArray], *, size: int, classes: Sequence[str], device: str
) -> list[list[Detection]]:
    """Return what a detector sees on films, boxes in their pixels.

    Parameters
    ----------
    films
        uint8, each rows x columns, bone bright.
    size, classes
        As the detector was built.
    device
        Where the detector is.
    """
    if not films:
        return []
    laid = [on_square(film, size) for film in films]
    squares = torch.from_numpy(np.stack([square for square, _ in laid])[:, None]).to(device)
    found = detector(squares.contiguous(memory_format=torch.channels_last))
    return [_detections(each, place, classes) for each, (_, place) in zip(found, laid, strict=True)]


def _detections(found: Mapping[str, Tensor], place: Square, classes: Sequence[str]) -> list[Detection]:
    boxes = found["boxes"].cpu().tolist()
    labels, scores = found["labels"].cpu().tolist(), found["scores"].cpu().tolist()
    return [
        Detection(classes[label - 1], score, place.to_film(*box))
        for box, label, score in zip(boxes, labels, scores, strict=True)
    ]
