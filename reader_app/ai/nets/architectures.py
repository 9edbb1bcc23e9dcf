"""Which networks a bundle may name, and where each of them pools, normalises and is explained.

All of them end alike: a convolutional map, the mean of each of its channels, for some a normalisation of
that vector, then linear heads.  What differs is data here, so that a `Grader` has no branch per network.

What is explained is the map that is averaged, *after* its last activation, where there is one.  Only there
is Grad-CAM of a network that ends in a mean and a linear layer the class activation map itself, whose sum
over the positions is the logit less its bias (Zhou et al., CVPR 2016; Selvaraju et al., ICCV 2017, section
3.1).  For DenseNet this means after the final ReLU that follows its last normalisation (Huang et al., CVPR
2017): before it, channels would enter the map with negative values that the heads never see.  ConvNeXt has
no activation after its last block, so its map keeps its signs, and its LayerNorm comes after the mean (Liu
et al., CVPR 2022): the gradient goes through it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from reader_app.errors import BundleError


class Tail(StrEnum):
    """What lies between the last convolutional map and the linear heads."""

    MEAN = "mean"
    """The mean of each channel."""
    MEAN_NORM = "mean-norm"
    """The mean of each channel, then the network's own LayerNorm over the channels."""


@dataclass(frozen=True)
class Architecture:
    """A network as timm builds it.

    Parameters
    ----------
    name
        timm's, and the one that bundles and recipes use.
    title
        As papers write it.
    explained
        Path of the module whose output is the map that the heads see and Grad-CAM explains.
    tail
        What follows the map.
    dropout
        Before the heads while training, where a recipe does not say otherwise: as published for the system
        that uses the network.
    drop_path
        Whether it can be trained with stochastic depth.
    """

    name: str
    title: str
    explained: str
    tail: Tail = Tail.MEAN
    dropout: float = 0.0
    drop_path: bool = True


_LAST_STAGE, _LAST_NORM, _LAST_HEAD = "layer4", "features.norm5", "bn2"

_KNOWN = (
    # Hip OARSI (von Schacky et al. 2020), with a smaller sister.
    Architecture("densenet161", "DenseNet-161", _LAST_NORM, dropout=0.4, drop_path=False),
    Architecture("densenet121", "DenseNet-121", _LAST_NORM, dropout=0.4, drop_path=False),
    # Knee OARSI and KL (Tiulpin & Saarakkala 2020): "legacy" has the stem and the strides of Hu et al. 2018,
    # the others are timm's newer ones.
    Architecture("legacy_seresnet50", "SE-ResNet-50", _LAST_STAGE, dropout=0.5, drop_path=False),
    Architecture(
        "legacy_seresnext50_32x4d", "SE-ResNeXt-50 32x4d", _LAST_STAGE, dropout=0.5, drop_path=False
    ),
    Architecture("seresnet50", "SE-ResNet-50", _LAST_STAGE, dropout=0.5),
    Architecture("seresnext50_32x4d", "SE-ResNeXt-50 32x4d", _LAST_STAGE, dropout=0.5),
    # Hip morphology (Khosravi et al.).
    Architecture("convnext_tiny", "ConvNeXt-Tiny", "stages", Tail.MEAN_NORM),
    Architecture("convnext_pico", "ConvNeXt-Pico", "stages", Tail.MEAN_NORM),
    Architecture("convnext_atto", "ConvNeXt-Atto", "stages", Tail.MEAN_NORM),
    # Radiographic hip OA on CT (Gebre et al.).
    Architecture("resnet18", "ResNet-18", _LAST_STAGE),
    Architecture("resnet34", "ResNet-34", _LAST_STAGE),
    Architecture("resnet50", "ResNet-50", _LAST_STAGE),
    # Light ones, for CPUs.
    Architecture("tf_efficientnet_lite0", "EfficientNet-lite0", _LAST_HEAD, dropout=0.2),
    Architecture("tf_efficientnet_lite1", "EfficientNet-lite1", _LAST_HEAD, dropout=0.2),
    Architecture("tf_efficientnet_lite2", "EfficientNet-lite2", _LAST_HEAD, dropout=0.3),
)
ARCHITECTURES = {architecture.name: architecture for architecture in _KNOWN}
"""By name."""


def find_architecture(name: str) -> Architecture:
    """Return the network of this name.

    Raises
    ------
    BundleError
        This version knows no network of that name.
    """
    try:
        return ARCHITECTURES[name]
    except KeyError:
        raise BundleError(
            f"The network architecture “{name}” is not known to this version.",
            "Update the program, install another bundle, or name one of: "
            + ", ".join(sorted(ARCHITECTURES))
            + ".",
        ) from None
