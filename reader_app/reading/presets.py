"""Reading designs that come with the software, and how one is made to fit a study's protocol."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reader_app.errors import DesignError
from reader_app.protocols.checks import trigger_faults
from reader_app.protocols.model import Arm, Feature, Protocol, TriggerKind
from reader_app.protocols.schema import Fault, Key, Pattern, Table, Text, nearest
from reader_app.protocols.toml_file import faults_told, toml_table, toml_text
from reader_app.reading.design import ReadingDesign
from reader_app.reading.design_file import read_design
from reader_app.settings import resource_path

EVERY_FEATURE = "all"
"""As the features of a preset's rule: whatever the protocol grades."""


@dataclass(frozen=True)
class Preset:
    """A design that comes with the software.

    Attributes
    ----------
    about
        What is read how, in sentences.
    """

    id: str
    title: str
    about: str
    path: Path


@dataclass(frozen=True)
class Adapted:
    """A preset made to fit a protocol.

    Attributes
    ----------
    notes
        What of the preset does not apply under this protocol, in sentences.
    """

    design: ReadingDesign
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _AnyTable:
    """The design itself, which is read once it is made to fit."""

    expected: str = "a table"

    def read(self, value: object, key: str, faults: list[Fault]) -> Any:
        if isinstance(value, dict):
            return value
        faults.append(Fault(key, self.expected, "no table"))
        return {}


_HEAD = Table(
    {
        "id": Key(Pattern(r"[a-z][a-z0-9-]{0,39}", "the id of a preset")),
        "title": Key(Text(longest=80)),
        "about": Key(Text(longest=1000, lines=True)),
        "design": Key(_AnyTable()),
    }
)

_ORDER = (
    "hip-oarsi-2020",
    "oai-project-15",
    "median-of-two",
    "single-reader-rereads",
    "unaided-then-aided",
    "mrmc-crossover",
)


def presets() -> tuple[Preset, ...]:
    """Return the presets, those without the AI first.

    Raises
    ------
    MissingPart
        If the software came without presets.
    """
    paths = resource_path("designs").glob("*.toml")
    found = [Preset(head["id"], head["title"], head["about"], path) for path, head in map(_head, paths)]
    place = {id: place for place, id in enumerate(_ORDER)}
    return tuple(sorted(found, key=lambda preset: (place.get(preset.id, len(place)), preset.id)))


def from_preset(preset_id: str, protocol: Protocol, *, seed: int | None = None) -> ReadingDesign:
    """Return the design of a preset, made to fit a protocol; without a seed one is drawn.

    Raises
    ------
    DesignError
        If there is no such preset, or nothing of it fits the protocol.
    """
    return adapt(preset_id, protocol, seed=seed).design


def adapt(preset_id: str, protocol: Protocol, *, seed: int | None = None) -> Adapted:
    """Make a preset fit a protocol.

    The presentation is the protocol's where the preset names none. Features that the protocol does not
    grade, or not on a scale that the preset's rule can be about, are left out and noted; they keep the
    protocol's rules.

    Raises
    ------
    DesignError
        If there is no such preset, or none of the features of its rules is left.
    """
    preset = _find(preset_id)
    table = copy.deepcopy(_head(preset.path)[1]["design"])
    table["preset"] = preset.id
    table.setdefault("presentation", str(protocol.reading.presentation))
    judging = table.get("adjudication", {})
    notes: list[str] = []
    if judging.get("rules"):
        judging["rules"] = _fitting(judging["rules"], protocol, notes)
        if not judging["rules"]:
            raise DesignError(
                f"The preset “{preset.id}” does not fit the protocol “{protocol.id}”: it is about features "
                "that the protocol does not grade.",
                "Choose another preset, or write a design file of your own.",
            )
    design = read_design(table, name=f"The preset “{preset.id}”", protocol=protocol, seed=seed)
    if design.arm is not Arm.UNAIDED and protocol.bundle is None:
        notes.append(
            f"The protocol “{protocol.id}” names no bundle: the readings with the AI show no pre-grade until "
            "the films are pre-graded with a bundle that is named."
        )
    return Adapted(design, tuple(notes))


def _fitting(rules: list[dict[str, Any]], protocol: Protocol, notes: list[str]) -> list[dict[str, Any]]:
    """Return the rules with the features that they can be about; rules without any are left out."""
    graded = {feature.id: feature for feature in protocol.features}
    missing, unfit, fitting = [], [], []
    for rule in rules:
        wanted = list(graded) if rule["features"] == EVERY_FEATURE else rule["features"]
        missing += [name for name in wanted if name not in graded]
        known = [name for name in wanted if name in graded]
        unfit += [name for name in known if not _can_judge(rule, graded[name])]
        kept = [name for name in known if name not in unfit]
        if kept:
            fitting.append({**rule, "features": kept})
    if missing:
        notes.append(f"The protocol “{protocol.id}” does not grade {', '.join(missing)}: left out.")
    if unfit:
        notes.append(f"{', '.join(unfit)}: the preset's rule is about other grades; the protocol's holds.")
    return fitting


def _can_judge(rule: dict[str, Any], feature: Feature) -> bool:
    codes = [level.code for level in feature.scale.levels]
    typed = [{**trigger, "kind": TriggerKind(trigger["kind"])} for trigger in rule["triggers"]]
    return not any(fault for trigger in typed for fault in trigger_faults("", trigger, codes))


def _find(preset_id: str) -> Preset:
    known = {preset.id: preset for preset in presets()}
    if preset_id not in known:
        hint = nearest(preset_id, known)
        suggestion = f" (did you mean “{hint}”?)" if hint else ""
        raise DesignError(
            f"There is no preset “{preset_id}”{suggestion}.", f"Known presets: {', '.join(known)}."
        )
    return known[preset_id]


def _head(path: Path) -> tuple[Path, dict[str, Any]]:
    text = toml_text(path, what="preset", error=DesignError)
    faults: list[Fault] = []
    head = _HEAD.read(toml_table(text, name=str(path), what="preset", error=DesignError), "", faults)
    if faults:
        raise faults_told(faults, name=str(path), error=DesignError)
    return path, head
