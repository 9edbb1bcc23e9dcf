"""How a network that finds joints on films is trained, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reader_app.ai.bundle_spec import LocalizerMethod
from reader_app.ai.recipe import RecipeKind
from reader_app.ai.tables import from_table, to_table
from reader_app.ai.training.recipe import DataCard
from reader_app.errors import BundleError


@dataclass(frozen=True)
class LocalizerStage:
    """Some epochs at one size of the square."""

    size: int
    epochs: int


@dataclass(frozen=True)
class FilmChanges:
    """How a film is laid on the square, anew in every epoch.

    Parameters
    ----------
    rotation_degrees
        Deviation of the turn.
    smallest, largest
        Share of the square's edge that the film's longer edge takes.
    shift
        Off the square's middle by up to this share of its edge.
    gamma
        Deviation of its logarithm.
    noise
        Up to so much of the film's deviation.
    mirror
        Odds of a mirror image, of films without lead letters.
    """

    rotation_degrees: float
    smallest: float
    largest: float
    shift: float
    gamma: float
    noise: float
    mirror: float


@dataclass(frozen=True)
class LocalizerRecipe:
    """Everything that decides a localizer's training but the data's folder.

    Parameters
    ----------
    joint
        "knee" or "hip".
    method
        The network.
    classes
        What it tells apart, of ``joint``, ``prosthesis``, ``marker-R``, ``marker-L``.
    imagenet
        Start the body from ImageNet weights where a package brings them.
    real_joints
        Blend real knees into the phantoms.
    bodies, bodies_validation
        Phantoms to compose films from; those of the validation are others.
    films, films_validation
        Composed films.
    """

    kind: RecipeKind
    joint: str
    method: LocalizerMethod
    classes: tuple[str, ...]
    imagenet: bool
    real_joints: bool
    seed: int
    batch: int
    peak_learning_rate: float
    weight_decay: float
    warmup_fraction: float
    average_decay: float
    bodies: int
    bodies_validation: int
    films: int
    films_validation: int
    stages: tuple[LocalizerStage, ...]
    changes: FilmChanges
    data: DataCard

    @property
    def epochs(self) -> int:
        """Epochs of all stages."""
        return sum(stage.epochs for stage in self.stages)

    @property
    def size(self) -> int:
        """Edge of the square that the finished network sees: the last stage's."""
        return self.stages[-1].size

    def size_at(self, epoch: int) -> int:
        """Return the square's edge in an epoch, counted from 0."""
        for stage in self.stages:
            if epoch < stage.epochs:
                return stage.size
            epoch -= stage.epochs
        raise IndexError("epoch beyond the recipe")

    def to_table(self) -> dict[str, Any]:
        """Return the recipe as plain values."""
        return to_table(self)


def localizer_recipe(table: Mapping[str, Any]) -> LocalizerRecipe:
    """Build a recipe from plain values, naming the key that is wrong.

    Raises
    ------
    BundleError
        A key is missing, unknown or of a wrong type, or a value makes no sense.
    """
    recipe = from_table(LocalizerRecipe, table, "recipe")
    if recipe.kind is not RecipeKind.LOCALIZER or not recipe.method.is_network:
        raise BundleError(f"The recipe of a {recipe.kind} by {recipe.method} trains no localizer.", _CORRECT)
    if recipe.joint not in ("knee", "hip"):
        raise BundleError(f"recipe.joint must be knee or hip, not “{recipe.joint}”.", _CORRECT)
    known = ("joint", "prosthesis", "marker-R", "marker-L")
    if "joint" not in recipe.classes or set(recipe.classes) - set(known):
        raise BundleError(f"recipe.classes needs joint, and may name of {', '.join(known)}.", _CORRECT)
    counts = (recipe.bodies, recipe.bodies_validation, recipe.films, recipe.films_validation)
    if min(counts) < 1 or recipe.batch < 2 or recipe.films < recipe.batch:
        raise BundleError("The recipe needs phantoms, films, and a batch of 2 up to the films.", _CORRECT)
    if not recipe.stages or any(s.epochs < 1 or not 64 <= s.size <= 2048 for s in recipe.stages):
        raise BundleError("The recipe needs stages with epochs, of 64 to 2048 pixels.", _CORRECT)
    if recipe.real_joints and recipe.joint != "knee":
        raise BundleError("Real joints can be blended into knees alone.", _CORRECT)
    return recipe


_CORRECT = "Correct the recipe."
