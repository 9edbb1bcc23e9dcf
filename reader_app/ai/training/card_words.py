"""What a model card says in words beside its figures: what the bundle is for, its limits, its licence."""

from __future__ import annotations

from collections.abc import Mapping

from reader_app.ai.bundle_spec import BundleSpec, ExplainMethod, TrainedOn
from reader_app.ai.training.recipe import Recipe

MADE_UP: Mapping[TrainedOn, str] = {
    TrainedOn.PHANTOMS: (
        "**It learned from made-up films, and grades such films alone.** It shows that the recipe can be "
        "learned and what its heatmaps are worth; it knows nothing of patients."
    )
}
"""What stands on top of the card of a bundle that must not grade people."""

_OF_PEOPLE = (
    "- Trained on one cohort, on films of one protocol, read by one group of readers: expect less elsewhere, "
    "and test before use.",
    "- The lowest grades are told apart badly, as they are by readers.",
    "- Prostheses, fractures, children, other views and post-operative films were not among the training "
    "images. The distance from the training images warns of some of them, not of all.",
    "- Differences between groups of sex, age or origin were not examined in this run.",
)
_OF_PHANTOMS = (
    "- The films were drawn by a program from shapes and lesions that it planted: figures on them say that "
    "the networks learned what was planted, nothing more.",
    "- No study with a radiograph of a person takes this bundle.",
)
_MAPS = {
    ExplainMethod.GRAD_CAM: (
        "- A heatmap shows where the evidence for a grade lay in a coarse map of the network, not why; it is "
        "scaled to its own maximum."
    ),
    ExplainMethod.OCCLUSION: (
        "- A heatmap shows where the answer changes when a patch is covered, not why; it is as coarse as the "
        "patch and scaled to its own maximum."
    ),
}


def limits(spec: BundleSpec) -> str:
    """Return what the bundle cannot do, as a list in Markdown."""
    known = _OF_PHANTOMS if spec.trained_on is TrainedOn.PHANTOMS else _OF_PEOPLE
    return "\n".join((*known, _MAPS[spec.explainer.method]))


def licence(recipe: Recipe, spec: BundleSpec) -> str:
    """Return under what the weights may be used, and whom to name."""
    start = (
        "They started from ImageNet weights (Apache-2.0) and were"
        if recipe.imagenet
        else "They started from random numbers and were"
    )
    return (
        f"Weights: {spec.licence}. {start} trained on data under {recipe.data.licence}; name the data's "
        "author as above."
    )
