"""Bundles and recipes as rows of a table, lines of text and values for programs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reader_app.ai.bundle import Bundle
    from reader_app.ai.bundle_spec import Localizer
    from reader_app.operations.bundle_list import Coverage, ListedBundle, WaitingRecipe

LIST_COLUMNS = (
    "Bundle",
    "Version",
    "From",
    "Used",
    "Protocols",
    "Grades",
    "Not graded",
    "MB",
    "SHA-256",
    "Learned from",
)
_SHORT = 12


def listed_row(listed: ListedBundle) -> tuple[str, ...]:
    """Return a bundle as a row under `LIST_COLUMNS`."""
    placed, bundle = listed.placed, listed.bundle
    start = (placed.id, placed.version or "?", listed.origin.value, "yes" if listed.used else "no")
    size = f"{listed.size_bytes / 1e6:.1f}"
    if bundle is None:
        return (*start, "", "cannot be used", "", size, "", "")
    return (
        *start,
        ", ".join(reference.id for reference in bundle.spec.protocols),
        ", ".join(item.key for item in bundle.items),
        "; ".join(_not_graded(each) for each in listed.coverage),
        size,
        bundle.sha256[:_SHORT],
        bundle.spec.trained_on.value,
    )


def _not_graded(coverage: Coverage) -> str:
    if coverage.fault:
        return "all: not the protocol as it is here"
    return ", ".join(item.key for item in coverage.not_graded) or "nothing"


def recipe_lines(waiting: WaitingRecipe) -> Iterator[str]:
    """Yield what a recipe would grade, from which data, and how its bundle is come by."""
    recipe = waiting.recipe
    yield f"  {recipe.id}: {recipe.title}"
    yield f"    grades {', '.join(head.item.key for head in recipe.heads)}"
    yield f"    by     {recipe.networks} network{'s' if recipe.networks != 1 else ''}"
    yield f"    needs  {recipe.training_data}"
    yield f"    how    {waiting.how}"


def recipe_values(waiting: WaitingRecipe) -> dict[str, Any]:
    """Return a recipe for programs."""
    recipe = waiting.recipe
    return {
        "id": recipe.id,
        "title": recipe.title,
        "protocols": list(recipe.protocols),
        "grades": [head.item.key for head in recipe.heads],
        "networks": recipe.networks,
        "training_data": recipe.training_data,
        "how": waiting.how,
    }


def listed_values(listed: ListedBundle, *, in_full: bool = False) -> dict[str, Any]:
    """Return a bundle for programs; `in_full` with all that ``bundle.toml`` says."""
    bundle = listed.bundle
    values: dict[str, Any] = {
        "id": listed.placed.id,
        "version": listed.placed.version,
        "from": listed.origin.value,
        "used": listed.used,
        "folder": str(listed.placed.folder),
        "size_bytes": listed.size_bytes,
        "fault": listed.fault,
        "coverage": [
            {
                "protocol": each.protocol_id,
                "fault": each.fault,
                "graded": [item.key for item in each.graded],
                "not_graded": [item.key for item in each.not_graded],
            }
            for each in listed.coverage
        ],
    }
    if bundle is None:
        return values
    values |= {
        "title": bundle.title,
        "sha256": bundle.sha256,
        "trained_on": bundle.spec.trained_on.value,
        "protocols": [reference.id for reference in bundle.spec.protocols],
        "grades": [item.key for item in bundle.items],
    }
    if in_full:
        from reader_app.ai.tables import to_table

        values |= {"card": _card(bundle), "bundle_toml": to_table(bundle.spec)}
    return values


def _card(bundle: Bundle) -> str:
    card = bundle.folder / "MODEL_CARD.md"
    return str(card) if card.is_file() else ""


def shown(listed: ListedBundle) -> Iterator[str]:
    """Yield everything that a bundle says of itself, line by line; `listed` holds a usable bundle."""
    bundle = listed.bundle
    if bundle is None:
        yield listed.fault
        return
    spec = bundle.spec
    yield f"{bundle.id} {bundle.version}: {bundle.title}"
    yield f"  {spec.intended_use}"
    yield from _facts(listed, bundle)
    yield "grades"
    for head in spec.heads:
        codes = ", ".join(map(str, head.codes))
        yield (
            f"  {head.item.key}: {codes}; {head.kind.value}, {head.decision.value}, "
            f"temperature {head.temperature:.3f}"
        )
    for task in spec.auxiliary:
        yield f"  (learned beside them, not shown: {task.name}, one of {', '.join(task.classes)})"
    for coverage in listed.coverage:
        missing = coverage.fault or _not_graded(coverage)
        yield f"  of the protocol {coverage.protocol_id} not graded: {missing}"
    yield f"networks ({spec.ensemble.value}{', and of the mirror image' if spec.mirror_test else ''})"
    for member in spec.members:
        fold = f", fold {member.fold}" if member.fold else ""
        yield f"  {member.architecture}: {member.file}{fold}, SHA-256 {member.sha256[:_SHORT]}"
    yield "joints are found by"
    yield f"  {_localizer(spec.localizer)}"
    if spec.light_localizer is not None:
        yield f"  {_localizer(spec.light_localizer)}, where somebody waits and there is no graphics card"
    if spec.landmarks is not None:
        yield f"  landmarks {', '.join(spec.landmarks.points)}: {spec.landmarks.file}"
    yield from _training(bundle)


def _facts(listed: ListedBundle, bundle: Bundle) -> Iterator[str]:
    spec, crop = bundle.spec, bundle.spec.preprocessing
    edge = f"{crop.millimetres:g} mm" if crop.millimetres else f"{crop.margin:g} x the joint's box"
    mirrored = {"L": "left mirrored to right", "R": "right mirrored to left", "": "not mirrored"}
    signed = ", with what speaks against" if spec.explainer.signed else ""
    yield f"  folder      {bundle.folder} ({listed.origin.value}, {listed.size_bytes / 1e6:.1f} MB)"
    yield f"  SHA-256     {bundle.sha256}"
    yield f"  licence     {spec.licence}"
    yield f"  card        {_card(bundle) or 'none'}"
    yield f"  protocols   {', '.join(f'{each.id} ({each.sha256[:_SHORT]})' for each in spec.protocols)}"
    yield (
        f"  crop        {edge}, {crop.size} px{', level' if crop.upright else ''}, "
        f"{mirrored[crop.mirror_side]}, grey values of {crop.low_percentile:g} to "
        f"{crop.high_percentile:g} %"
    )
    if spec.full_range_views:
        yield f"              all grey values of {', '.join(spec.full_range_views)}"
    yield f"  heatmap     {spec.explainer.method.value} of the {spec.explainer.target.value}{signed}"
    yield f"  unlikeness  {spec.distance.method.value}, above {spec.distance.threshold:.2f}"


def _localizer(localizer: Localizer) -> str:
    if not localizer.method.is_network:
        return f"{localizer.method.value}, by rules"
    return (
        f"{localizer.method.value} of {localizer.size} px for {', '.join(localizer.classes)}, from "
        f"{localizer.threshold:g} on: {localizer.file}"
    )


def _training(bundle: Bundle) -> Iterator[str]:
    record = bundle.spec.training
    yield f"learned from {bundle.spec.trained_on.value}"
    yield f"  data        {record.author}: {record.data}. {record.source}"
    yield f"  licence     {record.licence}"
    yield f"  split       {record.split}"
    if record.joints:
        yield f"  joints      {', '.join(f'{count:,} {split}' for split, count in record.joints.items())}"
    yield f"  made by     {record.software}"
    for split, figures in record.metrics.items():
        yield f"figures, {split}"
        for name, value in figures.items():
            yield f"  {name.replace('_', ' ')}: {value:.4g}"
