"""Recipes that teach a bundle's protocol with phantoms, so that anyone can see it learned, in minutes."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import files
from typing import Any

from reader_app.ai.training.phantom_films import Derived, Planting
from reader_app.ai.training.recipe import Recipe, recipe_from_table
from reader_app.errors import BundleError
from reader_app.phantom.grading import grading
from reader_app.protocols.loader import find_protocol
from reader_app.protocols.model import Item, JointKind, Protocol

_CROP = ("millimetres", "upright")


@lru_cache(maxsize=1)
def _table() -> dict[str, Any]:
    return tomllib.loads(files("reader_app.ai.training").joinpath("phantoms.toml").read_text("utf-8"))


def phantom_bundles() -> tuple[str, ...]:
    """Return the bundles that can be learned from phantoms."""
    return tuple(_table()["bundles"])


def derived_items() -> tuple[Derived, ...]:
    """Return the items that follow from a phantom's own grades."""
    return tuple(Derived(**row) for row in _table()["derived"])


def column_of(item: Item) -> str:
    """Return what the phantoms' tables call an item."""
    return item.feature_id if item.site_id is None else f"{item.feature_id}_{item.site_id}"


def phantom_recipe(bundle: str, *, epochs: int | None = None) -> Recipe:
    """Return the recipe that teaches the protocol of this name with phantoms, site by site.

    Parameters
    ----------
    bundle
        One of `phantom_bundles`.
    epochs
        In each stage, instead of the table's number.

    Raises
    ------
    BundleError
        Phantoms do not teach this bundle.
    """
    if bundle not in phantom_bundles():
        raise BundleError(
            f"The bundle “{bundle}” cannot be learned from phantoms.",
            f"Choose one of: {', '.join(phantom_bundles())}.",
        )
    table, own = _table(), _table()["bundles"][bundle]
    protocol = find_protocol(bundle)
    items = _planted(protocol)
    stages = [{**stage, "epochs": epochs or stage["epochs"]} for stage in own["stages"]]
    labels = [
        {
            "item": item.key,
            "column": column_of(item),
            "kappa_weights": protocol.feature(item.feature_id).weights.value,
        }
        for item in items
    ]
    return recipe_from_table(
        {
            "kind": "grader",
            "bundle": _bundle(protocol, items, size=max(stage["size"] for stage in stages)),
            "training": {**table["training"], "stages": stages, "labels": labels},
        }
    )


def _planted(protocol: Protocol) -> tuple[Item, ...]:
    """Return the items of a protocol that phantoms have grades for."""
    table = grading(protocol.joint.value)
    known = {table.overall, *(cut.item for cut in table.cuts)}
    known |= {each.item for each in derived_items() if each.of in known}
    return tuple(item for item in protocol.items if column_of(item) in known)


def _bundle(protocol: Protocol, items: Sequence[Item], *, size: int) -> dict[str, Any]:
    table = _table()
    own = table["bundles"][protocol.id]
    heads = [
        {
            "feature": item.feature_id,
            "site": item.site_id or "",
            "codes": [level.code for level in protocol.item_scale(item).levels],
        }
        for item in items
    ]
    return {
        "id": protocol.id,
        "version": table["version"],
        "title": f"{protocol.title}, learned from made-up films",
        "licence": "Apache-2.0",
        "intended_use": "research use only, not a medical device",
        "source": "Our own: one light network, to see that the protocol can be learned and explained.",
        "training_data": "none but phantoms",
        "protocols": [protocol.id],
        "heads": heads,
        "members": [{"architecture": table["architecture"]}],
        "localizer": {"method": "bilateral-split"},
        "crop": {
            "recipe": "joint-crop/2",
            "size": size,
            **{name: own[name] for name in _CROP},
            **{name: table[name] for name in ("low_percentile", "high_percentile", "mirror_side")},
        },
        "explainer": {"method": "grad-cam", "target": "grade"},
    }


def joint_of(bundle: str) -> JointKind:
    """Return which joint a bundle grades."""
    return find_protocol(bundle).joint


def planting_of(bundle: str) -> Planting:
    """Return how lesions come together in the phantoms that teach a bundle."""
    return Planting(_table()["bundles"][bundle]["planting"])
