"""A whole training of a network that places landmarks: to weights that a bundle can take."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from reader_app.ai.bundle_spec import Landmarks
from reader_app.ai.nets.landmarks import load_landmarks
from reader_app.ai.training.landmark_figures import Figures, measure
from reader_app.ai.training.landmark_recipe import LandmarkRecipe
from reader_app.ai.training.landmarks import BEST, Epoch, LandmarkTrainer, read_sources
from reader_app.ai.training.part_files import store_half, write_part
from reader_app.imaging.radiograph import file_sha256

WEIGHTS = "landmarks.safetensors"
_READ, _TRAINED = 0.1, 0.97  # shares of the progress at which the joints and the epochs are done


@dataclass(frozen=True)
class TrainedLandmarks:
    """A finished run.

    Attributes
    ----------
    folder
        Holds ``landmarks.safetensors`` in half precision, ``landmarks.toml`` as a bundle names it,
        ``figures.json`` and ``CARD.md``.
    figures
        Of the very file, on the joints kept for choosing.
    """

    folder: Path
    landmarks: Landmarks
    figures: Figures
    epoch: int


def train_landmarks(
    recipe: LandmarkRecipe, data: Path, run_folder: Path, *, progress: Callable[[float, str], None]
) -> TrainedLandmarks:
    """Train a recipe; a run that was cut off goes on after its last full epoch.

    Parameters
    ----------
    recipe
        What to do.
    data
        Folder with ``labels.csv`` and square crops of single knees; its rows with split ``train`` teach,
        those with ``val`` choose, others are not opened.  No grade is read.
    run_folder
        Gets the phantoms, the state, and the results.
    progress
        Called with the share done and a sentence.

    Raises
    ------
    BundleError
        The folder holds a run of another recipe.
    ManifestError
        The labels are wrong.
    """
    sources = read_sources(
        recipe, data, run_folder / "phantoms", lambda done, said: progress(_READ * done, said)
    )
    trainer = LandmarkTrainer(
        recipe,
        sources,
        folder=run_folder,
        tell=lambda done, said: progress(_READ + (_TRAINED - _READ) * done, said),
    )
    best = trainer.run()
    weights = run_folder / WEIGHTS
    store_half(run_folder / BEST, weights)
    landmarks = Landmarks(
        file=WEIGHTS,
        sha256=file_sha256(weights),
        size=recipe.size,
        margin=recipe.margin,
        points=recipe.points,
    )
    # The figures are those of the file that is used, half precision and all.
    progress(_TRAINED, "Measuring the weights as they are stored")
    found = measure(
        load_landmarks(run_folder, landmarks),
        phantoms=sources.phantoms_validation,
        real=sources.real_validation,
        views=recipe.views,
        size=recipe.size,
    )
    write_part(run_folder, "landmarks", landmarks, found=found, card=card(recipe, found, best))
    progress(1.0, found.words)
    return TrainedLandmarks(run_folder, landmarks, found, best.number)


def card(recipe: LandmarkRecipe, found: Figures, best: Epoch) -> str:
    """Return the part of a model card on the landmarks, as Markdown."""
    rows = (
        ("phantoms: ends of the plateau off, widths of the plateau, mean", f"{found.point_error:.4f}"),
        ("phantoms: tilt off, degrees, mean", f"{found.tilt_error:.2f}"),
        ("real knees: change of tilt off from a known turn, degrees, mean", f"{found.turn_error:.2f}"),
        ("the same, 90th percentile", f"{found.turn_error_90:.2f}"),
        ("real knees of which points are told", f"{100.0 * found.told:.1f} %"),
    )
    table = "\n".join(f"| {what} | {figure} |" for what, figure in rows)
    return f"""## Landmarks

A network of a few convolutions places {" and ".join(recipe.points)} on the square around a found joint;
the line through them gives the tilt. It learned from {2 * recipe.phantoms} phantom knees, whose places are
known, and from {recipe.joints} real ones, whose places are not: there, an average of its own weights answers
on two mild views, and where the answers agree the network must repeat them on a hard view. Epoch
{best.number + 1} of {recipe.epochs} was chosen by joints that did not teach: {2 * recipe.phantoms_validation}
phantom knees and {recipe.joints_validation} real ones.

Real data: {recipe.data.name}; {recipe.data.author}; {recipe.data.source}; {recipe.data.licence}.

| figure | value |
|---|---|
{table}

A real knee's true tilt is not known here. A view turned by a known angle must have a tilt that differs by
this angle, and that is what the figures on real knees measure: steadiness, not the place itself.
"""
