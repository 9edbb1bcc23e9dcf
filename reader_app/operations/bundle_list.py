"""Which bundles there are, what each covers, and which recipes still wait for one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from reader_app.ai.bundle import Bundle
from reader_app.ai.bundle_search import PlacedBundle, bundles_in
from reader_app.ai.localizer_weights import weights_of
from reader_app.ai.recipe import BundleRecipe, RecipeKind, load_bundle_recipe, recipe_names
from reader_app.errors import BundleError, MissingPart, ProtocolError
from reader_app.operations.bundles import (
    installed_bundle,
    shipped_bundles,
    studys_bundles,
    users_bundles,
)
from reader_app.operations.study import Study
from reader_app.protocols.loader import find_protocol
from reader_app.protocols.model import Combine, Item, Protocol


class Origin(StrEnum):
    """Whose a bundle is; they are looked through in this order."""

    STUDY = "study"
    USER = "user"
    SHIPPED = "shipped"


@dataclass(frozen=True)
class Coverage:
    """What a bundle grades of a protocol.

    Attributes
    ----------
    fault
        Why it does not fit the protocol as it is known here; empty where it fits.
    graded
        Items of the protocol that get a pre-grade.
    not_graded
        Items that get none: they are read without.
    """

    protocol_id: str
    fault: str
    graded: tuple[Item, ...]
    not_graded: tuple[Item, ...]


@dataclass(frozen=True)
class ListedBundle:
    """A bundle that was found.

    Attributes
    ----------
    bundle
        Verified; None where it cannot be used, and `fault` says why.
    used
        Whether it is the one that its id stands for: another version, or a folder that goes before, may be.
    """

    origin: Origin
    placed: PlacedBundle
    bundle: Bundle | None
    fault: str
    used: bool
    size_bytes: int
    coverage: tuple[Coverage, ...]


@dataclass(frozen=True)
class WaitingRecipe:
    """A recipe of which no bundle is installed, and, as a sentence, how to come by one."""

    recipe: BundleRecipe
    how: str


def list_bundles(study: Study | None = None) -> tuple[ListedBundle, ...]:
    """Return every bundle of the study, the user's folder and the software, each one verified.

    Raises
    ------
    MissingPart
        If the software came without protocols.
    """
    taken: set[str] = set()
    found = []
    for origin, folder in _places(study):
        placed_here = bundles_in(folder)
        for placed in placed_here:
            found.append(_listed(origin, placed, used=placed.id not in taken, study=study))
            taken.add(placed.id)
    return tuple(found)


def find_listed(wanted: str, study: Study | None = None) -> ListedBundle:
    """Return what is known of one bundle.

    Parameters
    ----------
    wanted
        Its id, ``id@version``, or its folder.

    Raises
    ------
    BundleError
        There is none, or it cannot be used.
    """
    bundle = installed_bundle(wanted, *(folder for _, folder in _places(study)))
    for origin, folder in _places(study):
        for placed in bundles_in(folder):
            if placed.folder.resolve() == bundle.folder.resolve():
                first = next(each for each in _all_placed(study) if each.id == placed.id)
                return _listed(origin, placed, used=first.folder == placed.folder, study=study)
    placed = PlacedBundle(bundle.folder, bundle.id, bundle.version)
    return _listed(Origin.USER, placed, used=False, study=study)


def waiting_recipes(study: Study | None = None) -> tuple[WaitingRecipe, ...]:
    """Return the recipes of which no bundle is installed, and how to come by one.

    Raises
    ------
    BundleError
        If a recipe that came with the software is faulty.
    """
    known = {placed.id for placed in _all_placed(study)}
    try:
        names = recipe_names(RecipeKind.GRADER)
    except MissingPart:
        return ()
    recipes = [load_bundle_recipe(name) for name in names]
    places = [folder for _, folder in _places(study)]
    return tuple(WaitingRecipe(recipe, _how(recipe, places)) for recipe in recipes if recipe.id not in known)


def _how(recipe: BundleRecipe, places: Sequence[Path]) -> str:
    try:
        recipe.check_trainable()
        weights_of(recipe, places)
    except BundleError as fault:
        return f"from somebody who has one: `reader-app bundles install`. {fault.what}"
    return f"`reader-app train {recipe.id} --data DIR`, then `reader-app bundles install`"


def covered(protocol: Protocol, items: tuple[Item, ...]) -> tuple[tuple[Item, ...], tuple[Item, ...]]:
    """Return which items of a protocol get a pre-grade from heads for these items, and which get none.

    A head for a whole feature covers its sites where the worst of them is the feature's grade.
    """
    graded: list[Item] = []
    not_graded: list[Item] = []
    for feature in protocol.features:
        whole = feature.combine is Combine.MAX and Item(feature.id) in items
        for item in feature.items:
            (graded if whole or item in items else not_graded).append(item)
    return tuple(graded), tuple(not_graded)


def _places(study: Study | None) -> Iterator[tuple[Origin, Path]]:
    if study is not None:
        yield Origin.STUDY, studys_bundles(study.folder)
    yield Origin.USER, users_bundles()
    shipped = shipped_bundles()
    if shipped is not None:
        yield Origin.SHIPPED, shipped


def _all_placed(study: Study | None) -> Iterator[PlacedBundle]:
    for _, folder in _places(study):
        yield from bundles_in(folder)


def _listed(origin: Origin, placed: PlacedBundle, *, used: bool, study: Study | None) -> ListedBundle:
    size = sum(file.stat().st_size for file in placed.folder.iterdir() if file.is_file())
    try:
        bundle = installed_bundle(str(placed.folder))
    except BundleError as fault:
        return ListedBundle(origin, placed, None, str(fault), used, size, ())
    return ListedBundle(origin, placed, bundle, "", used, size, tuple(_coverage(bundle, study)))


def _coverage(bundle: Bundle, study: Study | None) -> Iterator[Coverage]:
    for reference in bundle.spec.protocols:
        try:
            own = study is not None and study.protocol.id == reference.id
            protocol = study.protocol if study is not None and own else find_protocol(reference.id)
            bundle.check_protocol(protocol.id, protocol.sha256)
        except (ProtocolError, BundleError) as fault:
            yield Coverage(reference.id, fault.what, (), ())
        else:
            yield Coverage(reference.id, "", *covered(protocol, bundle.items))
