"""How a network that places landmarks is trained, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reader_app.ai.recipe import RecipeKind
from reader_app.ai.tables import from_table, to_table
from reader_app.ai.training.recipe import DataCard
from reader_app.errors import BundleError


@dataclass(frozen=True)
class ViewRecipe:
    """Which squares of a joint the network sees, and how their look is changed.

    Parameters
    ----------
    rotation_degrees
        Turned by up to so much.
    narrowest, widest
        Edge of the square in widths of the plateau.
    across
        How far the plateau's middle lies off the square's, as a share of its edge.
    highest, lowest
        Height of the joint line in the square, as shares of its edge.
    strip
        Odds that rows above or below are beside the film, as on films cut to a strip.
    gamma, contrast
        Up to ``exp`` of so much, either way.
    brightness, noise
        Of the grey range.
    unevenness
        How much brighter, up to ``exp`` of so much, one side of the square is than the other.
    blur
        Odds of a blur; half of the blurred are seen at half the resolution.
    inversion
        Odds of black for white.
    """

    rotation_degrees: float
    narrowest: float
    widest: float
    across: float
    highest: float
    lowest: float
    strip: float
    gamma: float
    contrast: float
    brightness: float
    unevenness: float
    blur: float
    noise: float
    inversion: float


@dataclass(frozen=True)
class Nominal:
    """About where the plateau lies on a real joint's image.

    Parameters
    ----------
    edge, height
        The image's edge in widths of the plateau, and the joint line's height in it, as a share.
    narrowest, widest
        Of the views of real joints.  Most of them must end within the image: a network that sees the
        image's rim learns where the rim is.
    """

    edge: float
    height: float
    narrowest: float
    widest: float


@dataclass(frozen=True)
class TeacherRecipe:
    """What counts as known on a real joint.

    The average of the weights places the points on two mild views, turned by up to `rotation_degrees`. Where
    the two answers lie less than `apart`, and their spread is below `spread` (shares of the image's and of
    the view's edge), a hard view of the same joint must give the same answer; the loss counts `weight`.
    """

    rotation_degrees: float
    apart: float
    spread: float
    weight: float


@dataclass(frozen=True)
class LandmarkRecipe:
    """Everything that decides a run but the data's folder.

    Parameters
    ----------
    epochs, steps
        Of so many batches each; there is no natural epoch where every view is drawn anew.
    batch
        So many phantom views, and as many of real joints.
    phantoms, phantoms_validation
        Films of both knees.
    joints, joints_validation
        Real joints, of the training and the validation split.
    alone_epochs
        At the start phantoms teach alone.
    """

    kind: RecipeKind
    points: tuple[str, ...]
    size: int
    margin: float
    seed: int
    epochs: int
    steps: int
    batch: int
    peak_learning_rate: float
    weight_decay: float
    warmup_fraction: float
    average_decay: float
    phantoms: int
    phantoms_validation: int
    joints: int
    joints_validation: int
    alone_epochs: int
    views: ViewRecipe
    nominal: Nominal
    teacher: TeacherRecipe
    data: DataCard

    def to_table(self) -> dict[str, Any]:
        """Return the recipe as plain values."""
        return to_table(self)


def landmark_recipe(table: Mapping[str, Any]) -> LandmarkRecipe:
    """Build a recipe from plain values.

    Raises
    ------
    BundleError
        A key is missing, unknown or of a wrong type, or a number makes no sense.
    """
    recipe = from_table(LandmarkRecipe, table, "recipe")
    counts = (recipe.epochs, recipe.steps, recipe.phantoms, recipe.phantoms_validation, recipe.batch)
    if (
        recipe.kind is not RecipeKind.LANDMARKS
        or min(counts) < 1
        or recipe.size % 32
        or len(recipe.points) != 2
    ):
        raise BundleError(
            "The recipe needs kind landmarks, two points, a size of whole 32s, and epochs, steps, batch and "
            "phantoms of 1 or more.",
            "Correct it.",
        )
    if not 0.0 < recipe.views.narrowest <= recipe.views.widest:
        raise BundleError("The recipe's views need narrowest at most widest, above 0.", "Correct it.")
    return recipe
