"""Heatmaps depend on what the network learned: they move when its weights are made random, layer by layer.

Adebayo et al., "Sanity checks for saliency maps", NeurIPS 2018: a map that stays the same when the weights
are random shows the picture's edges, not the network's reasons.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr
from torch import Tensor, nn

from reader_app.ai.bundle import Bundle, load_bundle
from reader_app.ai.crop import crop_joint, network_input
from reader_app.ai.nets.explain import grad_cam
from reader_app.ai.nets.grader import Grader, load_grader
from reader_app.ai.nets.heads import head_specs
from reader_app.imaging.geometry import Box, Side
from reader_app.phantom.film import FilmParameters, PhantomFilm
from reader_app.phantom.knees import render_bilateral_knees
from reader_app.phantom.truth import KneeOsteophytes, KneeTruth
from reader_app.settings import resource_path

WORN = KneeTruth(
    jsw_medial_mm=1.5, osteophytes=KneeOsteophytes(femoral_medial=4.0, tibial_medial=4.0, tibial_lateral=2.0)
)


@pytest.fixture(scope="module")
def shipped() -> Bundle:
    return load_bundle(resource_path("models", "knee-kl"))


@pytest.fixture(scope="module")
def images(shipped: Bundle) -> Tensor:
    """Both knees of a phantom as the shipped network sees them."""
    film: PhantomFilm = render_bilateral_knees(
        WORN, replace(WORN, form_seed=5, jsw_medial_mm=2.2), FilmParameters().reduced(4), seed=11
    )
    crops = []
    for side in Side:
        found = film.joints[side].box
        box = Box(found.left, found.top, found.right - found.left, found.bottom - found.top)
        crops.append(crop_joint(film.pixels, shipped.spec.preprocessing, side=side.value, box=box).pixels)
    return torch.from_numpy(network_input(crops))


def fresh(bundle: Bundle) -> Grader:
    member = bundle.spec.members[0]
    return load_grader(bundle.folder / member.file, member.architecture, head_specs(bundle.spec))


def maps_of(grader: Grader, images: Tensor, classes: Sequence[Tensor]) -> np.ndarray:
    """Signed maps, N x h x w, of fixed grades: the grade explained must not change with the weights."""
    with torch.no_grad():
        features = grader.features(images)
    return grad_cam(grader, features, classes, signed=True)[0].numpy()


def likeness(one: np.ndarray, other: np.ndarray) -> float:
    """Mean rank correlation of two sets of maps."""
    return float(
        np.mean([spearmanr(a.ravel(), b.ravel()).statistic for a, b in zip(one, other, strict=True)])
    )


def randomise(module: nn.Module) -> None:
    """Draw a layer's weights anew, about as large as they were: its learned values in random order."""
    with torch.no_grad():
        for parameter in module.parameters():
            order = torch.randperm(parameter.numel())
            parameter.copy_(parameter.flatten()[order].view_as(parameter))


def from_the_top(grader: Grader) -> Iterator[nn.Module]:
    """Heads first, then the last convolution, then the blocks from the last to the first."""
    yield grader.heads
    yield nn.ModuleList([grader.body.conv_head, grader.body.bn2])
    yield from reversed(list(grader.body.blocks))
    yield nn.ModuleList([grader.body.conv_stem, grader.body.bn1])


def test_maps_fall_apart_when_the_weights_are_made_random_from_the_top_down(
    shipped: Bundle, images: Tensor
) -> None:
    grader = fresh(shipped)
    with torch.no_grad():
        classes = [output.argmax(dim=1) for output in grader(images)]
    learned = maps_of(grader, images, classes)
    assert likeness(learned, maps_of(fresh(shipped), images, classes)) == pytest.approx(1.0)
    courses = []
    for seed in range(3):
        torch.manual_seed(seed)
        cascade, course = fresh(shipped), []
        for layer in from_the_top(cascade):
            randomise(layer)
            course.append(likeness(learned, maps_of(cascade, images, classes)))
        assert all(np.isfinite(course))
        courses.append(course)
    # Random heads alone already move the maps, and nothing learned comes back further down.
    assert np.mean(courses, axis=0).max() < 0.5


def test_one_random_layer_alone_moves_the_maps_too(shipped: Bundle, images: Tensor) -> None:
    learned_net = fresh(shipped)
    with torch.no_grad():
        classes = [output.argmax(dim=1) for output in learned_net(images)]
    learned = maps_of(learned_net, images, classes)
    for place in range(len(list(from_the_top(learned_net)))):
        torch.manual_seed(place)
        changed = fresh(shipped)
        randomise(list(from_the_top(changed))[place])
        assert likeness(learned, maps_of(changed, images, classes)) < 0.97


def test_maps_of_a_phantom_without_lesions_differ_from_those_of_a_worn_one(
    shipped: Bundle, images: Tensor
) -> None:
    """What is explained must come from the image, not from the network alone."""
    film = render_bilateral_knees(KneeTruth(), KneeTruth(), FilmParameters().reduced(4), seed=11)
    found = film.joints[Side.RIGHT].box
    box = Box(found.left, found.top, found.right - found.left, found.bottom - found.top)
    sound = crop_joint(film.pixels, shipped.spec.preprocessing, side="R", box=box).pixels
    grader = fresh(shipped)
    with torch.no_grad():
        classes = [output.argmax(dim=1) for output in grader(images[:1])]
    worn = maps_of(grader, images[:1], classes)
    healthy = maps_of(grader, torch.from_numpy(network_input([sound])), classes)
    assert likeness(worn, healthy) < 0.95
