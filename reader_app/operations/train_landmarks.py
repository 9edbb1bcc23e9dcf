"""Train a network that places landmarks, for a bundle to take."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from reader_app.ai.recipe import RecipeKind, find_recipe
from reader_app.errors import ManifestError

Tell = Callable[[float, str], None]


@dataclass(frozen=True)
class LandmarksTrained:
    """A finished run; `figures` is a sentence on the joints kept for choosing."""

    folder: Path
    file: Path
    sha256: str
    epochs: int
    figures: str


def train_landmark_recipe(
    recipe: str,
    *,
    data: Path,
    out: Path,
    epochs: int | None = None,
    seed: int | None = None,
    tell: Tell,
) -> LandmarksTrained:
    """Train a recipe of landmarks to its end; a run that was cut off goes on where it stood.

    Parameters
    ----------
    recipe
        The name of a recipe that comes with the software, or a TOML file.
    data
        Folder with ``labels.csv`` (image, split, participant, side) and crops of single knees.
    out
        Folder of this run.
    epochs
        Instead of the recipe's number.

    Raises
    ------
    BundleError
        If there is no such recipe, or the folder holds a run of another one.
    ManifestError
        If the data are not as the recipe wants them.
    """
    from reader_app.ai.training.landmark_recipe import landmark_recipe
    from reader_app.ai.training.landmark_run import train_landmarks

    if not data.expanduser().is_dir():
        raise ManifestError(f"The folder {data} does not exist.", "Check the path, or connect its disk.")
    chosen = landmark_recipe(find_recipe(recipe, RecipeKind.LANDMARKS))
    if epochs is not None:
        if epochs < 1:
            raise ManifestError("A run needs at least one epoch.", "Give --epochs a number from 1 on.")
        chosen = replace(chosen, epochs=epochs)
    if seed is not None:
        chosen = replace(chosen, seed=seed)
    done = train_landmarks(chosen, data.expanduser(), out.expanduser(), progress=tell)
    return LandmarksTrained(
        folder=done.folder,
        file=done.folder / done.landmarks.file,
        sha256=done.landmarks.sha256,
        epochs=chosen.epochs,
        figures=done.figures.words,
    )
