"""Where a new bundle takes the networks that find its joints from: an installed bundle that has the same."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from reader_app.ai.bundle import load_bundle
from reader_app.ai.bundle_search import bundles_in
from reader_app.ai.bundle_spec import BundleSpec, Landmarks, Localizer, TrainedOn
from reader_app.ai.recipe import BundleRecipe, RecipeLocalizer
from reader_app.errors import BundleError, MissingPart
from reader_app.settings import data_folder, resource_path


@dataclass(frozen=True)
class FinderWeights:
    """The finished parts that find joints, and the files to copy into the new bundle by name."""

    localizer: Localizer
    light_localizer: Localizer | None
    landmarks: Landmarks | None
    files: dict[str, Path] = field(default_factory=dict)


def bundle_places() -> tuple[Path, ...]:
    """Return the user's and the software's folders of bundles."""
    places = [data_folder() / "bundles"]
    with suppress(MissingPart):
        places.append(resource_path("models"))
    return tuple(places)


def weights_of(recipe: BundleRecipe, places: Sequence[Path]) -> FinderWeights:
    """Return the parts of a recipe that find joints, with weights from bundles in these folders.

    Parameters
    ----------
    places
        Looked through in order; of a bundle that was trained on nothing nothing is taken.

    Raises
    ------
    BundleError
        No bundle there has a localizer or a landmark network as the recipe asks for.
    """
    files: dict[str, Path] = {}
    localizer = _localizer(recipe, recipe.localizer, places, files)
    light = None
    if recipe.light_localizer is not None:
        light = _localizer(recipe, recipe.light_localizer, places, files)
    return FinderWeights(localizer, light, _landmarks(recipe, places, files), files)


def _localizer(
    recipe: BundleRecipe, plan: RecipeLocalizer, places: Sequence[Path], files: dict[str, Path]
) -> Localizer:
    if not plan.method.is_network:
        return Localizer(plan.method)
    for folder, spec in _donors(recipe, places):
        for found in (spec.localizer, spec.light_localizer):
            if found is not None and _same(found, plan):
                files[found.file] = folder / found.file
                return found
    raise _missing(recipe, f"its localizer “{plan.method}”", plan.recipe)


def _same(found: Localizer, plan: RecipeLocalizer) -> bool:
    return (found.method, found.size, found.classes) == (plan.method, plan.size, plan.classes)


def _landmarks(recipe: BundleRecipe, places: Sequence[Path], files: dict[str, Path]) -> Landmarks | None:
    plan = recipe.landmarks
    if plan is None:
        return None
    for folder, spec in _donors(recipe, places):
        found = spec.landmarks
        if found is not None and (found.size, found.points) == (plan.size, plan.points):
            files[found.file] = folder / found.file
            return found
    raise _missing(recipe, "its landmarks", plan.recipe)


def _donors(recipe: BundleRecipe, places: Sequence[Path]) -> list[tuple[Path, BundleSpec]]:
    """Return the bundles that may lend a network: the recipe's own id first; faulty ones lend nothing."""
    donors = []
    for place in places:
        for placed in bundles_in(place):
            with suppress(BundleError):
                bundle = load_bundle(placed.folder)
                if bundle.spec.trained_on is not TrainedOn.NOTHING:
                    donors.append((placed.folder, bundle.spec))
    return sorted(donors, key=lambda donor: donor[1].id != recipe.id)


def _missing(recipe: BundleRecipe, what: str, trained_by: str) -> BundleError:
    return BundleError(
        f"No installed bundle has the weights that the recipe “{recipe.id}” needs for {what}.",
        f"They are trained by the recipe “{trained_by}”; or train a recipe of your own whose localizer is "
        "bilateral-split, which needs none.",
    )
