"""What a training run does, as data: read from TOML, written to the run folder, never in the code."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from reader_app.ai.bundle_spec import ExplainTarget, LocalizerMethod
from reader_app.ai.crop import Preprocessing
from reader_app.ai.tables import from_table, to_table
from reader_app.errors import BundleError


@dataclass(frozen=True)
class Stage:
    """Some epochs at one size of the crop."""

    size: int
    epochs: int


@dataclass(frozen=True)
class Augmentation:
    """Strength of the random changes: fractions of the crop or grey range; `inversion`, `blur` are odds."""

    rotation_degrees: float
    shift_fraction: float
    scale_fraction: float
    brightness: float
    contrast: float
    gamma: float
    inversion: float
    blur: float
    noise: float


@dataclass(frozen=True)
class Head:
    """One graded feature (and site), the label column that teaches it and its classes in order."""

    feature: str
    site: str
    column: str
    classes: tuple[str, ...]
    kappa_weights: str

    @property
    def name(self) -> str:
        """The head's name in the bundle."""
        return f"{self.feature}/{self.site}" if self.site else self.feature


@dataclass(frozen=True)
class CropRecipe:
    """A `Preprocessing` without its size, which the stages set."""

    margin: float
    low_percentile: float
    high_percentile: float
    mirror_side: str
    recipe: str

    def at(self, size: int) -> Preprocessing:
        """Return the preprocessing of one stage."""
        return Preprocessing(size=size, **asdict(self))


@dataclass(frozen=True)
class DataCard:
    """Where the training data come from; copied into the bundle and its card."""

    name: str
    author: str
    source: str
    licence: str
    split: str


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a training run but the data's folder."""

    bundle: str
    version: str
    title: str
    protocols: tuple[str, ...]
    architecture: str
    imagenet: bool
    localizer: LocalizerMethod
    seed: int
    batch: int
    peak_learning_rate: float
    weight_decay: float
    warmup_fraction: float
    average_decay: float
    dropout: float
    drop_path: float
    grade_sigma: float
    expectation_weight: float
    mirror_augmentation: bool
    mirror_test: bool
    explain: ExplainTarget
    preprocessing: CropRecipe
    stages: tuple[Stage, ...]
    augmentation: Augmentation
    heads: tuple[Head, ...]
    data: DataCard

    @property
    def epochs(self) -> int:
        """Epochs of all stages."""
        return sum(stage.epochs for stage in self.stages)

    def size_at(self, epoch: int) -> int:
        """Return the crop size of an epoch, counted from 0."""
        for stage in self.stages:
            if epoch < stage.epochs:
                return stage.size
            epoch -= stage.epochs
        raise IndexError("epoch beyond the recipe")

    def to_table(self) -> dict[str, Any]:
        """Return the recipe as plain values."""
        return to_table(self)


def recipe_names() -> tuple[str, ...]:
    """Return the recipes that come with the program."""
    folder = files("reader_app.ai.training") / "recipes"
    return tuple(
        sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml"))
    )


def load_recipe(name_or_file: str | Path) -> Recipe:
    """Read a recipe by its name, or from a TOML file.

    Raises
    ------
    BundleError
        No such recipe; or a key is missing, unknown or of a wrong type.
    """
    path = Path(name_or_file)
    if path.suffix == ".toml":
        try:
            text = path.read_text(encoding="utf-8")
        except OSError as error:
            raise BundleError(
                f"The recipe {path} cannot be read: {error.strerror}.", "Check the path."
            ) from error
    else:
        if str(name_or_file) not in recipe_names():
            known = ", ".join(recipe_names())
            raise BundleError(f"There is no training recipe “{name_or_file}”.", f"Known recipes: {known}.")
        text = (files("reader_app.ai.training") / "recipes" / f"{name_or_file}.toml").read_text(
            encoding="utf-8"
        )
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BundleError(f"The recipe {path} is not valid TOML: {error}.", "Correct the file.") from error
    return recipe_from_table(table)


def recipe_from_table(table: Mapping[str, Any]) -> Recipe:
    """Build a recipe from plain values, naming the key that is wrong.

    Raises
    ------
    BundleError
        A key is missing, unknown or of a wrong type, or a number makes no sense.
    """
    recipe = from_table(Recipe, table, "recipe")
    if not recipe.stages or not recipe.heads or recipe.batch < 2 or any(s.epochs < 1 for s in recipe.stages):
        raise BundleError(
            "The recipe needs stages with epochs, heads, and a batch of 2 or more.", "Correct it."
        )
    if any(len(head.classes) < 2 for head in recipe.heads):
        raise BundleError("Every head of the recipe needs two classes or more.", "Correct it.")
    for stage in recipe.stages:
        recipe.preprocessing.at(stage.size)
    return recipe
