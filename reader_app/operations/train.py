"""Train a bundle from a folder of graded joints."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from reader_app.agreement.kappa import cohen_kappa
from reader_app.agreement.ratings import Categories, PairTable
from reader_app.agreement.result import Estimate
from reader_app.agreement.weights import Weights
from reader_app.errors import ManifestError

if TYPE_CHECKING:  # torch comes with these
    from reader_app.ai.training.recipe import Recipe

Tell = Callable[[float, str], None]
"""Called with the share that is done, 0 to 1, and a sentence."""


def quadratic_kappa(truth: npt.NDArray[np.int64], graded: npt.NDArray[np.int64]) -> float:
    """Return the quadratic kappa by which the best epoch is chosen.

    Parameters
    ----------
    truth, graded
        Shape (n,): class indices, 0 for the least severe grade.

    Raises
    ------
    ManifestError
        If all validation joints have the same grade, so that kappa is 0/0.
    """
    size = int(max(truth.max(), graded.max())) + 1
    counts = np.bincount(truth * size + graded, minlength=size * size).reshape(size, size)
    # Quadratic kappa does not depend on the length of the scale beyond the grades that occur.
    found = cohen_kappa(PairTable(Categories(tuple(range(size))), counts), Weights.QUADRATIC)
    if not isinstance(found, Estimate):
        raise ManifestError(
            f"The validation joints cannot be scored: {found.sentence}.",
            "Give validation joints of at least two grades.",
        )
    return found.value


@dataclass(frozen=True)
class Trained:
    """A finished run.

    Attributes
    ----------
    folder
        The new bundle.
    epochs
        How many the recipe has, as asked.
    """

    folder: Path
    bundle_id: str
    version: str
    sha256: str
    epochs: int


def train_bundle(
    recipe: str,
    *,
    data: Path,
    out: Path,
    epochs: int | None = None,
    seed: int | None = None,
    tell: Tell,
) -> Trained:
    """Train a recipe to its end and write the bundle; a run that was cut off goes on where it stood.

    Parameters
    ----------
    recipe
        The name of a recipe that comes with the software, or a TOML file.
    data
        Folder with ``labels.csv`` (image, split, participant, side, one column for each head).
    out
        Folder of this run; the bundle is written into it.
    epochs
        Instead of the recipe's number; spread over its stages.

    Raises
    ------
    BundleError
        If there is no such recipe, or the folder holds a run of another one.
    ManifestError
        If the data are not as the recipe wants them.
    """
    from reader_app.ai.training import load_recipe, train

    if not data.expanduser().is_dir():
        raise ManifestError(f"The folder {data} does not exist.", "Check the path, or connect its disk.")
    chosen = load_recipe(recipe)
    if epochs is not None:
        chosen = with_epochs(chosen, epochs)
    if seed is not None:
        chosen = replace(chosen, seed=seed)
    bundle = train(
        chosen,
        data.expanduser(),
        out.expanduser(),
        validation_metric=quadratic_kappa,
        progress=tell,
    )
    return Trained(bundle.folder, bundle.id, bundle.version, bundle.sha256, chosen.epochs)


def with_epochs(recipe: Recipe, epochs: int) -> Recipe:
    """Return the recipe with so many epochs in all, spread over its stages as before.

    Raises
    ------
    ManifestError
        If that is less than one.
    """
    if epochs < 1:
        raise ManifestError("A run needs at least one epoch.", "Give --epochs a number from 1 on.")
    before = recipe.epochs
    stages, done, given = [], 0, 0
    for stage in recipe.stages:
        done += stage.epochs
        # Rounded down up to here: the shares add up, and the last stage, of the full size, never falls out.
        up_to = epochs * done // before
        if up_to > given:
            stages.append(replace(stage, epochs=up_to - given))
        given = up_to
    return replace(recipe, stages=tuple(stages))
