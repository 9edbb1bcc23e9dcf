"""What a training run does, as data: the part ``[training]`` of a recipe, beside the bundle that it makes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from reader_app.ai.bundle_spec import ExplainTarget, HeadKind, TrainedOn
from reader_app.ai.crop import Preprocessing
from reader_app.ai.recipe import (
    BundleRecipe,
    RecipeHead,
    RecipeKind,
    bundle_recipe_from_table,
    find_recipe,
)
from reader_app.ai.recipe import recipe_names as names_of_kinds
from reader_app.ai.tables import from_table, to_table
from reader_app.errors import BundleError


class Optimiser(StrEnum):
    """How a step follows from the gradients."""

    ADAM = "adam"
    ADAMW = "adamw"


class Schedule(StrEnum):
    """Where a step's learning rate comes from."""

    ONE_CYCLE = "one-cycle"
    """Up to the peak and down again over the whole run."""
    BY_STAGE = "by-stage"
    """Each stage has a constant one."""


class SplitKind(StrEnum):
    """Who learns, who chooses and who tests; always by participant."""

    COLUMN = "column"
    """As the table's column ``split`` says."""
    FRACTIONS = "fractions"
    FOLDS = "folds"
    """Cross-validation, stratified by the first head's grade."""


@dataclass(frozen=True)
class Stage:
    """Some epochs at one size of the crop.

    Parameters
    ----------
    learning_rate
        Of a schedule by stages.
    heads_only
        The body stands still.
    """

    size: int
    epochs: int
    learning_rate: float = 0.0
    heads_only: bool = False


@dataclass(frozen=True)
class Augmentation:
    """Strength of the random changes: fractions of the crop or grey range; `inversion`, `blur` are odds.

    `random_crop` is the edge, in pixels, of a square cut out at random; 0 for none.
    """

    rotation_degrees: float
    shift_fraction: float
    scale_fraction: float
    brightness: float
    contrast: float
    gamma: float
    inversion: float
    blur: float
    noise: float
    random_crop: int = 0


@dataclass(frozen=True)
class Label:
    """The column that teaches a head, the head's share in the loss, and the weights of its kappa."""

    item: str
    column: str
    kappa_weights: str
    weight: float = 1.0


@dataclass(frozen=True)
class AuxiliaryLabel:
    """The column that teaches an auxiliary task and holds its classes by name, and its share in the loss."""

    name: str
    column: str
    weight: float = 1.0


@dataclass(frozen=True)
class Split:
    """How the participants are dealt out; `train`, `val` and `test` are shares."""

    kind: SplitKind
    train: float = 0.0
    val: float = 0.0
    test: float = 0.0
    folds: int = 0


@dataclass(frozen=True)
class DataCard:
    """Where the training data come from; copied into the bundle and its card."""

    name: str
    author: str
    source: str
    licence: str
    split: str


@dataclass(frozen=True)
class Head:
    """One graded item with what teaches it: the label column, and its classes as that column writes them."""

    feature: str
    site: str
    column: str
    classes: tuple[str, ...]
    kappa_weights: str
    weight: float
    kind: HeadKind = HeadKind.SOFTMAX

    @property
    def name(self) -> str:
        """The head's name in the bundle."""
        return f"{self.feature}/{self.site}" if self.site else self.feature


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a training run but the data's folder."""

    bundle: BundleRecipe
    seed: int
    batch: int
    imagenet: bool
    optimiser: Optimiser
    schedule: Schedule
    weight_decay: float
    average_decay: float
    dropout: float
    drop_path: float
    grade_sigma: float
    expectation_weight: float
    mirror_augmentation: bool
    stages: tuple[Stage, ...]
    augmentation: Augmentation
    labels: tuple[Label, ...]
    split: Split
    data: DataCard
    peak_learning_rate: float = 0.0
    warmup_fraction: float = 0.0
    auxiliary: tuple[AuxiliaryLabel, ...] = field(default=())
    trained_on: TrainedOn = TrainedOn.RADIOGRAPHS

    @property
    def epochs(self) -> int:
        """Epochs of all stages."""
        return sum(stage.epochs for stage in self.stages)

    @property
    def heads(self) -> tuple[Head, ...]:
        """The bundle's heads, each with what teaches it."""
        labels = {label.item: label for label in self.labels}
        return tuple(_head(head, labels[head.item.key]) for head in self.bundle.heads)

    @property
    def architecture(self) -> str:
        """The architecture of the first member."""
        return self.bundle.members[0].architecture

    @property
    def mirror_test(self) -> bool:
        """Whether the mirror image is graded too."""
        return self.bundle.mirror_test

    @property
    def explain(self) -> ExplainTarget:
        """What a heatmap explains."""
        return self.bundle.explainer.target

    def stage_at(self, epoch: int) -> Stage:
        """Return the stage of an epoch, counted from 0."""
        for stage in self.stages:
            if epoch < stage.epochs:
                return stage
            epoch -= stage.epochs
        raise IndexError("epoch beyond the recipe")

    def size_at(self, epoch: int) -> int:
        """Return the crop size of an epoch, counted from 0."""
        return self.stage_at(epoch).size

    def crop_at(self, size: int) -> Preprocessing:
        """Return the bundle's crop at the size of a stage."""
        return replace(self.bundle.crop, size=size)

    def to_table(self) -> dict[str, Any]:
        """Return the recipe as plain values, laid out as its file is."""
        training = to_table(self)
        return {"kind": str(RecipeKind.GRADER), "bundle": training.pop("bundle"), "training": training}


def _head(head: RecipeHead, label: Label) -> Head:
    classes = tuple(str(code) for code in head.codes)
    return Head(head.feature, head.site, label.column, classes, label.kappa_weights, label.weight, head.kind)


def recipe_names() -> tuple[str, ...]:
    """Return the recipes of bundles that come with the program."""
    return names_of_kinds(RecipeKind.GRADER)


def load_recipe(name_or_file: str | Path) -> Recipe:
    """Read a recipe by its name, or from a TOML file.

    Raises
    ------
    BundleError
        No such recipe; or a key is missing, unknown or of a wrong type, or a value makes no sense.
    """
    return recipe_from_table(find_recipe(name_or_file))


def recipe_from_table(table: Mapping[str, Any]) -> Recipe:
    """Build a recipe from plain values, naming the key that is wrong.

    Raises
    ------
    BundleError
        A key is missing, unknown or of a wrong type, or a number makes no sense.
    """
    bundle_recipe_from_table(table)
    training = table.get("training")
    if not isinstance(training, Mapping):
        raise BundleError("recipe lacks the key “training”.", "Correct the recipe.")
    recipe = from_table(Recipe, {**training, "bundle": table["bundle"]}, "recipe.training")
    _check_numbers(recipe)
    _check_labels(recipe)
    for stage in recipe.stages:
        recipe.crop_at(stage.size)
    return recipe


def _check_numbers(recipe: Recipe) -> None:
    stages = recipe.stages
    if not stages or recipe.batch < 2 or any(stage.epochs < 1 for stage in stages):
        raise BundleError("The recipe needs stages with epochs, and a batch of 2 or more.", "Correct it.")
    if recipe.schedule is Schedule.ONE_CYCLE:
        rates, extra = [recipe.peak_learning_rate], [stage.learning_rate for stage in stages]
    else:
        rates, extra = [stage.learning_rate for stage in stages], [recipe.peak_learning_rate]
    if any(rate <= 0.0 for rate in rates) or any(extra):
        raise BundleError(
            f"The recipe's schedule “{recipe.schedule}” does not fit its learning rates.",
            "Give one-cycle a peak_learning_rate, and by-stage a learning_rate in every stage; not both.",
        )
    edge = recipe.augmentation.random_crop
    if edge and not 16 <= edge <= min(stage.size for stage in stages):
        raise BundleError("The recipe's random_crop is larger than a crop, or tiny.", "Correct it.")
    split = recipe.split
    shares = (split.train, split.val, split.test)
    right = {
        SplitKind.COLUMN: not any(shares) and not split.folds,
        SplitKind.FRACTIONS: min(shares) > 0.0 and abs(sum(shares) - 1.0) < 1e-9 and not split.folds,
        SplitKind.FOLDS: not any(shares) and split.folds >= 2,
    }[split.kind]
    if not right:
        raise BundleError(
            f"The recipe's split “{split.kind}” has odd shares or folds.",
            "Give fractions that add up to 1, or two folds or more.",
        )


def _check_labels(recipe: Recipe) -> None:
    """Refuse a head without a label, a label without a head, and likewise for auxiliary tasks."""
    pairs = (
        ({label.item for label in recipe.labels}, {head.item.key for head in recipe.bundle.heads}, "heads"),
        (
            {label.name for label in recipe.auxiliary},
            {each.name for each in recipe.bundle.auxiliary},
            "auxiliary tasks",
        ),
    )
    for labels, known, what in pairs:
        odd = sorted(labels ^ known)
        if odd:
            raise BundleError(
                f"The recipe's labels do not fit its {what}: “{odd[0]}” has no counterpart.", "Correct it."
            )
