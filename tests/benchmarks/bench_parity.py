"""Heatmaps of all heads beside two other programs': how much they differ, and what they cost.

`reader-app bench parity` prints the table; `run()` returns it.  The networks are those of the published
systems at the size of their crops, with random weights, two joints at a time; the other programs run the
same networks.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # it is loaded by its path

import numpy as np
import torch
from pytorch_grad_cam import GradCAM  # type: ignore[import-untyped]
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget  # type: ignore[import-untyped]
from torch import Tensor, nn

from reader_app.ai.bundle_spec import HeadKind
from reader_app.ai.nets.explain import grad_cam, unit_maps
from reader_app.ai.nets.grader import Grader
from tests.ai.cam_peers import (
    SYSTEMS,
    System,
    Target,
    as_the_library_scales,
    captum_maps,
    class_score,
    expected_corn,
    expected_softmax,
    grad_cam_library,
    lively_grader,
)
from tests.benchmarks.measuring import Row, beside, row_of, yes

JOINTS = 2
THREADS = 2
CELLS = 56
CLOSE = 1e-4
PUBLISHED = (
    "densenet161",
    "seresnet50",
    "seresnext50_32x4d",
    "convnext_tiny",
    "resnet18",
    "tf_efficientnet_lite0",
)


def run(*, repeats: int = 3) -> list[Row]:
    """Measure everything: first the differences, a row a network and head, then the times."""
    torch.set_num_threads(THREADS)
    systems = [system for system in SYSTEMS if system.architecture in PUBLISHED]
    return [row for system in systems for row in (*parity_rows(system), *cost_rows(system, repeats))]


def parity_rows(system: System) -> list[Row]:
    """Return per head the largest difference on maps of 0..1, over the grade given and the expected grade."""
    grader, images = _scene(system)
    with torch.no_grad():
        maps = grader.features(images)
        given = [logits.argmax(dim=1) for logits in grader.logits(maps)]
    rows = []
    for head, spec in enumerate(system.heads):
        differences, others = [], []
        for classes, targets in _questions(spec.kind, given[head]):
            asked: list[Tensor | None] = [None] * len(system.heads)
            asked[head] = classes
            ours = grad_cam(grader, maps, asked)[head]
            _, handed_out = grad_cam_library(grader, images, head=head, targets=targets)
            scaled = as_the_library_scales(ours, system.size)
            differences.append(float(np.abs(scaled - handed_out).max()))
            theirs = captum_maps(grader, images, head=head, targets=targets, signed=False)
            others.append(float((unit_maps(ours, CELLS) - unit_maps(theirs, CELLS)).abs().max()))
        title = f"{grader.facts.title}, {spec.name}: largest difference of heatmaps"
        rows.append(_difference_row(title, "pytorch-grad-cam", max(differences)))
        rows.append(_difference_row(title, "captum", max(others)))
    return rows


def cost_rows(system: System, repeats: int) -> list[Row]:
    """Return what the maps of all heads cost beside the forward pass, and beside the library's."""
    grader, images = _scene(system)
    heads = len(system.heads)

    def forward() -> Tensor:
        with torch.no_grad():
            maps = grader.features(images)
            grader.logits(maps)
        return maps

    maps = forward()

    def explain(found: Tensor = maps) -> None:
        for head_maps in grad_cam(grader, found, [None] * heads):
            unit_maps(head_maps, CELLS)

    title = f"{grader.facts.title}, {JOINTS} joints, {heads} heads"
    with GradCAM(_AllHeads(grader), [grader.explained_layer]) as cam:
        firsts = np.cumsum([0, *(spec.outputs for spec in system.heads[:-1])])

        def library() -> None:
            for first in firsts:
                cam(images, [ClassifierOutputTarget(int(first))] * JOINTS)

        return [
            beside(
                f"{title}: heatmaps alone",
                explain,
                "the forward pass",
                forward,
                repeats=3 * repeats,
                goal="<= 10 % of it",
                least=10.0,
            ),
            beside(
                f"{title}: answer and heatmaps",
                lambda: explain(forward()),
                "pytorch-grad-cam, head by head",
                library,
                repeats=repeats,
                goal=">= 5 x",
                least=5.0,
            ),
        ]


class _AllHeads(nn.Module):
    """The outputs of all heads in one row, which saves the library a wrapper a head."""

    def __init__(self, grader: Grader) -> None:
        super().__init__()
        self.grader = grader

    def forward(self, images: Tensor) -> Tensor:
        return torch.cat(self.grader(images), dim=1)


def _scene(system: System) -> tuple[Grader, Tensor]:
    grader = lively_grader(system, seed=1).to(memory_format=torch.channels_last)
    images = torch.randn(JOINTS, 1, system.size, system.size, generator=torch.Generator().manual_seed(2))
    return grader, images.contiguous(memory_format=torch.channels_last)


def _questions(kind: HeadKind, given: Tensor) -> list[tuple[Tensor | None, list[Target]]]:
    """Return the grade given and the expected grade, as we and as the libraries are asked for them."""
    if kind is HeadKind.CORN:
        return [(None, [expected_corn] * JOINTS)]
    return [
        (given, [class_score(int(chosen)) for chosen in given]),
        (None, [expected_softmax] * JOINTS),
    ]


def _difference_row(title: str, peer: str, value: float) -> Row:
    return row_of(title, [value]) | {
        "p95": None,
        "unit": "of 1",
        "peer": peer,
        "goal": f"<= {CLOSE:g}",
        "met": yes(value <= CLOSE),
    }


def _told(row: Row) -> str:
    ratio = "" if row["ratio"] is None else f"{row['ratio']:.1f} x"
    figures = f"{row['value']:.3g} {row['unit']}  {ratio}  {row['goal']}  {row['met']}"
    return f"{row['name']}  [{row['peer']}]  {figures}"


if __name__ == "__main__":
    for measured in run():
        print(_told(measured))
