"""A recipe: what a bundle is made of before anything has learned, as data in ``resources/recipes``.

One file holds everything of one bundle: ``[bundle]`` says what becomes of a film (read here, without torch),
``[training]`` how the networks learn it (read by `reader_app.ai.training.recipe`).  Recipes of localizers and
landmark networks lie in the same folder; the key ``kind`` tells them apart.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from reader_app.ai.bundle_parts import check_landmarks, check_localizer
from reader_app.ai.bundle_spec import (
    Auxiliary,
    Decision,
    EnsembleRule,
    Explainer,
    HeadKind,
    LocalizerMethod,
    ProtocolRef,
)
from reader_app.ai.crop import Preprocessing
from reader_app.ai.tables import from_table
from reader_app.errors import BundleError, GradeError, ReaderError
from reader_app.protocols.loader import find_protocol
from reader_app.protocols.model import Item, Protocol
from reader_app.settings import resource_path

_FOLDER = "recipes"
_LARGEST = 1_000_000
_CORRECT = "Correct the recipe."


class RecipeKind(StrEnum):
    """What a recipe makes."""

    GRADER = "grader"
    """A bundle."""
    LOCALIZER = "localizer"
    LANDMARKS = "landmarks"


@dataclass(frozen=True)
class RecipeHead:
    """One item that the bundle will grade; `codes` in the order of the head's outputs."""

    feature: str
    codes: tuple[int, ...]
    site: str = ""
    decision: Decision = Decision.LIKELIEST
    kind: HeadKind = HeadKind.SOFTMAX

    @property
    def item(self) -> Item:
        """The protocol's item."""
        return Item(self.feature, self.site or None)


@dataclass(frozen=True)
class RecipeMember:
    """Networks of one architecture.

    Parameters
    ----------
    architecture
        timm's name.
    folds
        One network for every fold of a cross-validation of so many folds; 0 where there is none.
    copies
        How many networks that differ by their seed alone, in every fold.
    """

    architecture: str
    folds: int = 0
    copies: int = 1

    @property
    def networks(self) -> int:
        """How many networks that makes."""
        return max(self.folds, 1) * self.copies


@dataclass(frozen=True)
class RecipeLocalizer:
    """A localizer before its training; see `reader_app.ai.bundle_spec.Localizer`.

    `recipe` names the recipe in this folder that trains it; empty for the rules.
    """

    method: LocalizerMethod
    size: int = 0
    classes: tuple[str, ...] = ("joint",)
    threshold: float = 0.5
    recipe: str = ""

    def __post_init__(self) -> None:
        if self.method.is_network:
            check_localizer(
                self.method,
                size=self.size,
                classes=self.classes,
                threshold=self.threshold,
                next_step=_CORRECT,
            )


@dataclass(frozen=True)
class RecipeLandmarks:
    """A landmark network before its training; see `reader_app.ai.bundle_spec.Landmarks`."""

    size: int
    margin: float
    points: tuple[str, ...]
    recipe: str = ""

    def __post_init__(self) -> None:
        check_landmarks(size=self.size, margin=self.margin, points=self.points, next_step=_CORRECT)


@dataclass(frozen=True)
class BundleRecipe:
    """What a bundle is made of.

    Attributes
    ----------
    source
        The paper, and what of it is ours.
    training_data
        Which data its makers need, and where these are to be had; there is no bundle without.
    full_range_views
        Views of the protocol whose grey values are not clipped at percentiles.
    """

    id: str
    version: str
    title: str
    licence: str
    intended_use: str
    source: str
    training_data: str
    protocols: tuple[str, ...]
    heads: tuple[RecipeHead, ...]
    members: tuple[RecipeMember, ...]
    localizer: RecipeLocalizer
    crop: Preprocessing
    explainer: Explainer
    ensemble: EnsembleRule = EnsembleRule.MEAN_PROBABILITY
    mirror_test: bool = False
    light_localizer: RecipeLocalizer | None = None
    landmarks: RecipeLandmarks | None = None
    auxiliary: tuple[Auxiliary, ...] = ()
    full_range_views: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.heads or not self.members or not self.protocols:
            raise _wrong(self, "needs a protocol, a head and a member at least")
        if len({head.item for head in self.heads}) != len(self.heads):
            raise _wrong(self, "names an item twice")
        for head in self.heads:
            if len(head.codes) < 2 or len(set(head.codes)) != len(head.codes):
                raise _wrong(self, f"needs two different classes or more for {head.item.key}")
        if any(member.folds < 0 or member.copies < 1 for member in self.members):
            raise _wrong(self, "has a member without networks")

    @property
    def networks(self) -> int:
        """How many networks grade a joint."""
        return sum(member.networks for member in self.members)

    def check_trainable(self) -> None:
        """Refuse what the training loop of this version cannot do.

        Raises
        ------
        BundleError
            The recipe has several networks or an auxiliary task.
        """
        own = "Train a recipe of your own that has one network and no auxiliary task."
        if self.networks > 1:
            raise _wrong(
                self, f"is for {self.networks} networks, and this version trains bundles of one", own
            )
        if self.auxiliary:
            raise _wrong(self, "has an auxiliary task, which this version does not train", own)

    def protocol_refs(self) -> tuple[ProtocolRef, ...]:
        """Return the protocols with their hashes, after checking that they grade what the heads do.

        Raises
        ------
        BundleError
            A head's item or one of its codes is not in the protocol, or a view is not.
        ProtocolError
            There is no such protocol.
        """
        found = []
        for name in self.protocols:
            protocol = find_protocol(name)
            self.check_fit(protocol)
            found.append(ProtocolRef(protocol.id, protocol.sha256))
        return tuple(found)

    def check_fit(self, protocol: Protocol) -> None:
        """Refuse a protocol that does not grade what the heads do.

        Raises
        ------
        BundleError
            A head's item or one of its codes is not in the protocol, or a view is not.
        """
        for head in self.heads:
            try:
                known = [level.code for level in protocol.item_scale(head.item).levels]
            except GradeError as fault:
                raise _wrong(self, f"does not fit its protocol. {fault.what}", fault.next_step) from fault
            foreign = [code for code in head.codes if code not in known]
            if foreign:
                raise _wrong(
                    self,
                    f"has the grade {foreign[0]} for {head.item.key}, which the protocol "
                    f"“{protocol.id}” does not know",
                    f"Use only: {', '.join(map(str, known))}.",
                )
        for view in self.full_range_views:
            if view not in protocol.views:
                raise _wrong(
                    self,
                    f"names the view “{view}”, which the protocol “{protocol.id}” does not know",
                    f"Use only: {', '.join(protocol.views)}.",
                )


def recipe_names(*kinds: RecipeKind) -> tuple[str, ...]:
    """Return the names of the recipes of these kinds that come with the software, in order.

    Raises
    ------
    BundleError
        A file in the folder is no recipe.
    MissingPart
        The software came without recipes.
    """
    files = sorted(resource_path(_FOLDER).glob("*.toml"))
    return tuple(file.stem for file in files if kind_of(read_table(file), file.name) in kinds)


def find_recipe(name_or_file: str | Path, kind: RecipeKind = RecipeKind.GRADER) -> dict[str, Any]:
    """Return the content of a recipe, by the name of one that came along or by its file.

    Raises
    ------
    BundleError
        There is no such recipe, it is no valid TOML, or it is of another kind.
    MissingPart
        The software came without recipes.
    """
    path = Path(name_or_file).expanduser()
    if path.suffix != ".toml":
        if path.name != str(name_or_file) or str(name_or_file) not in recipe_names(kind):
            raise BundleError(
                f"There is no {_WHAT[kind]} recipe “{name_or_file}”.",
                f"Known recipes: {', '.join(recipe_names(kind)) or 'none'}.",
            )
        path = resource_path(_FOLDER, f"{name_or_file}.toml")
    table = read_table(path)
    found = kind_of(table, str(path))
    if found is not kind:
        raise BundleError(f"The recipe {path} is one of a {found}, not of a {kind}.", "Name another recipe.")
    return table


def recipe_kind(name_or_file: str | Path) -> RecipeKind:
    """Return what the recipe of this name, or in this file, makes; a grader where there is no such name.

    Raises
    ------
    BundleError
        The file cannot be read, is no valid TOML, or does not say what it makes.
    MissingPart
        The software came without recipes.
    """
    path = Path(name_or_file).expanduser()
    if path.suffix == ".toml":
        return kind_of(read_table(path), str(path))
    named = (kind for kind in RecipeKind if str(name_or_file) in recipe_names(kind))
    return next(named, RecipeKind.GRADER)  # whose loader tells the names that there are


_WHAT = {
    RecipeKind.GRADER: "training",
    RecipeKind.LOCALIZER: "localizer's",
    RecipeKind.LANDMARKS: "landmarks'",
}


def read_table(path: Path) -> dict[str, Any]:
    """Read a recipe's file.

    Raises
    ------
    BundleError
        It cannot be read or is no valid TOML.
    """
    try:
        with path.open("rb") as stream:
            content = stream.read(_LARGEST)
    except OSError as error:
        raise BundleError(
            f"The recipe {path} cannot be read: {error.strerror}.", "Check the path."
        ) from error
    try:
        return tomllib.loads(content.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BundleError(f"The recipe {path} is not valid TOML: {error}.", "Correct the file.") from error


def kind_of(table: Mapping[str, Any], where: str) -> RecipeKind:
    """Return what a recipe makes.

    Raises
    ------
    BundleError
        It does not say.
    """
    found = table.get("kind")
    if found not in list(RecipeKind):
        raise BundleError(
            f"{where} does not say what it makes: kind must be one of {', '.join(RecipeKind)}.", _CORRECT
        )
    return RecipeKind(found)


def load_bundle_recipe(name_or_file: str | Path) -> BundleRecipe:
    """Return the bundle's part of a recipe.

    Raises
    ------
    BundleError
        There is no such recipe; or a key is missing, unknown or of a wrong type, or a value makes no sense.
    MissingPart
        The software came without recipes.
    """
    return bundle_recipe_from_table(find_recipe(name_or_file))


def bundle_recipe_from_table(table: Mapping[str, Any]) -> BundleRecipe:
    """Build the bundle's part from the content of a whole recipe.

    Raises
    ------
    BundleError
        A key is missing, unknown or of a wrong type, or a value makes no sense.
    """
    unknown = sorted(set(table) - {"kind", "bundle", "training"})
    if unknown:
        raise BundleError(f"recipe has the unknown key “{unknown[0]}”.", _CORRECT)
    if "bundle" not in table:
        raise BundleError("recipe lacks the key “bundle”.", _CORRECT)
    return from_table(BundleRecipe, table["bundle"], "recipe.bundle")


def _wrong(recipe: BundleRecipe, fault: str, next_step: str = _CORRECT) -> ReaderError:
    return BundleError(f"The recipe “{recipe.id}” {fault.rstrip('.')}.", next_step)
