"""Train a part of a bundle that finds joints on films: a localizer, or the network that places landmarks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from reader_app.ai.recipe import RecipeKind, find_recipe, recipe_kind
from reader_app.errors import ManifestError

if TYPE_CHECKING:  # torch comes with it
    from reader_app.ai.training.localizer_recipe import LocalizerRecipe, LocalizerStage

Tell = Callable[[float, str], None]


@dataclass(frozen=True)
class TrainedPart:
    """A finished run; `figures` is a sentence on the films or joints kept for choosing."""

    kind: RecipeKind
    folder: Path
    file: Path
    sha256: str
    epochs: int
    figures: str


def train_part(
    recipe: str,
    *,
    data: Path,
    out: Path,
    epochs: int | None = None,
    seed: int | None = None,
    tell: Tell,
) -> TrainedPart:
    """Train the recipe of a part to its end; a run that was cut off goes on where it stood.

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
        Instead of the recipe's number; a localizer's are spread over its stages.

    Raises
    ------
    BundleError
        If there is no such recipe, or the folder holds a run of another one.
    ManifestError
        If the data are not as the recipe wants them.
    """
    from reader_app.ai.training.machine import settle

    settle()
    if not data.expanduser().is_dir():
        raise ManifestError(f"The folder {data} does not exist.", "Check the path, or connect its disk.")
    if epochs is not None and epochs < 1:
        raise ManifestError("A run needs at least one epoch.", "Give --epochs a number from 1 on.")
    train = _landmarks if recipe_kind(recipe) is RecipeKind.LANDMARKS else _localizer
    return train(recipe, data.expanduser(), out.expanduser(), epochs=epochs, seed=seed, tell=tell)


def _landmarks(
    recipe: str, data: Path, out: Path, *, epochs: int | None, seed: int | None, tell: Tell
) -> TrainedPart:
    from reader_app.ai.training.landmark_recipe import landmark_recipe
    from reader_app.ai.training.landmark_run import train_landmarks

    chosen = landmark_recipe(find_recipe(recipe, RecipeKind.LANDMARKS))
    chosen = replace(chosen, epochs=epochs or chosen.epochs, seed=chosen.seed if seed is None else seed)
    done = train_landmarks(chosen, data, out, progress=tell)
    file = done.folder / done.landmarks.file
    return TrainedPart(
        RecipeKind.LANDMARKS, done.folder, file, done.landmarks.sha256, chosen.epochs, done.figures.words
    )


def _localizer(
    recipe: str, data: Path, out: Path, *, epochs: int | None, seed: int | None, tell: Tell
) -> TrainedPart:
    from reader_app.ai.training.localizer_recipe import localizer_recipe
    from reader_app.ai.training.localizer_run import train_localizer

    chosen = localizer_recipe(find_recipe(recipe, RecipeKind.LOCALIZER))
    if epochs is not None:
        chosen = with_epochs(chosen, epochs)
    chosen = replace(chosen, seed=chosen.seed if seed is None else seed)
    done = train_localizer(chosen, data, out, progress=tell)
    file = done.folder / done.localizer.file
    return TrainedPart(
        RecipeKind.LOCALIZER, done.folder, file, done.localizer.sha256, chosen.epochs, str(done.figures)
    )


def with_epochs(recipe: LocalizerRecipe, epochs: int) -> LocalizerRecipe:
    """Return the recipe with so many epochs in all; the last stage, of the final size, never falls out."""
    stages: list[LocalizerStage] = []
    done = given = 0
    for stage in recipe.stages:
        done += stage.epochs
        up_to = epochs * done // recipe.epochs
        if up_to > given:
            stages.append(replace(stage, epochs=up_to - given))
        given = up_to
    return replace(recipe, stages=tuple(stages))
