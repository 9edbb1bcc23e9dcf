"""Train a network that finds joints on films, for a bundle to take."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from reader_app.ai.recipe import RecipeKind, find_recipe
from reader_app.errors import ManifestError

if TYPE_CHECKING:  # torch comes with it
    from reader_app.ai.training.localizer_recipe import LocalizerRecipe, LocalizerStage

Tell = Callable[[float, str], None]


@dataclass(frozen=True)
class LocalizerTrained:
    """A finished run; `figures` is a sentence on the films kept for choosing."""

    folder: Path
    file: Path
    sha256: str
    epochs: int
    figures: str


def train_localizer_recipe(
    recipe: str,
    *,
    data: Path,
    out: Path,
    epochs: int | None = None,
    seed: int | None = None,
    tell: Tell,
) -> LocalizerTrained:
    """Train a localizer's recipe to its end; a run that was cut off goes on where it stood.

    Parameters
    ----------
    recipe
        The name of a recipe that comes with the software, or a TOML file.
    data
        Folder with ``labels.csv`` (image, split, participant, side) and crops of single knees, which are
        blended into phantoms; a hip's localizer learns from phantoms alone and does not look at it.
    out
        Folder of this run.
    epochs
        Instead of the recipe's number, spread over its stages.

    Raises
    ------
    BundleError
        If there is no such recipe, or the folder holds a run of another one.
    ManifestError
        If the data are not as the recipe wants them.
    """
    from reader_app.ai.training.machine import settle

    settle()
    from reader_app.ai.training.localizer_recipe import localizer_recipe
    from reader_app.ai.training.localizer_run import train_localizer

    if not data.expanduser().is_dir():
        raise ManifestError(f"The folder {data} does not exist.", "Check the path, or connect its disk.")
    chosen = localizer_recipe(find_recipe(recipe, RecipeKind.LOCALIZER))
    if epochs is not None:
        chosen = with_localizer_epochs(chosen, epochs)
    if seed is not None:
        chosen = replace(chosen, seed=seed)
    done = train_localizer(chosen, data.expanduser(), out.expanduser(), progress=tell)
    return LocalizerTrained(
        folder=done.folder,
        file=done.folder / done.localizer.file,
        sha256=done.localizer.sha256,
        epochs=chosen.epochs,
        figures=str(done.figures),
    )


def with_localizer_epochs(recipe: LocalizerRecipe, epochs: int) -> LocalizerRecipe:
    """Return the recipe with so many epochs in all; the last stage, of the final size, never falls out.

    Raises
    ------
    ManifestError
        If that is less than one.
    """
    if epochs < 1:
        raise ManifestError("A run needs at least one epoch.", "Give --epochs a number from 1 on.")
    stages: list[LocalizerStage] = []
    done = given = 0
    for stage in recipe.stages:
        done += stage.epochs
        up_to = epochs * done // recipe.epochs
        if up_to > given:
            stages.append(replace(stage, epochs=up_to - given))
        given = up_to
    return replace(recipe, stages=tuple(stages))
