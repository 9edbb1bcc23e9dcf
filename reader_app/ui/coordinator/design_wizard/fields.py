"""The fields of a reading design as the wizard asks for them: on which page, and what each holds."""

from __future__ import annotations

from dataclasses import replace
from enum import Enum, StrEnum
from typing import Any

from reader_app.protocols.schema import Number, Text, Whole
from reader_app.reading.design import ReadingDesign
from reader_app.reading.design_layout import DESIGN, MAX_READERS, Part, ReadersPerCase


class Step(Enum):
    """The pages of the wizard in their order; each value is the page's title."""

    PRESET = "Preset"
    READERS = "Who reads what"
    AI = "What of the AI"
    REPEATS = "Repeats and calibration"
    DISAGREEMENTS = "Disagreements"
    SIGNING = "Signing"
    PREVIEW = "Preview"

    @property
    def number(self) -> int:
        """Where the page stands, 1 for the first."""
        return list(Step).index(self) + 1


class Field(StrEnum):
    """One field; the value is its path in `ReadingDesign`."""

    READERS_PER_CASE = "readers_per_case"
    OVERLAP = "overlap_percent"
    BLOCK_SIZE = "block_size"
    PRESENTATION = "presentation"
    DISTANCE = "participant_distance"
    SEED = "seed"
    ARM = "arm"
    WASHOUT = "washout_days"
    REREADS = "rereads.percent"
    REREAD_CASES = "rereads.min_cases"
    REREAD_DAYS = "rereads.min_days"
    MIRRORED = "rereads.mirrored"
    CALIBRATION = "calibration.cases"
    SOURCE = "calibration.source"
    FEEDBACK = "calibration.feedback"
    GATE_FEATURES = "calibration.features"
    GATE_KAPPA = "calibration.min_kappa"
    CONFIDENCE = "calibration.confidence"
    CONTROLS = "calibration.control_every"
    RULES = "adjudication.rules"
    WITHIN = "adjudication.within"
    THIRD_BLIND = "adjudication.third_blind"
    PREGRADE_SHOWN = "adjudication.pregrade_shown"
    PASSWORD = "signing.password"
    DISPLAY = "signing.display_check"
    MEANING = "signing.meaning"
    SESSION = "session_minutes"


FIELDS_OF: dict[Step, tuple[Field, ...]] = {
    Step.PRESET: (),
    Step.READERS: (
        Field.READERS_PER_CASE,
        Field.OVERLAP,
        Field.BLOCK_SIZE,
        Field.PRESENTATION,
        Field.DISTANCE,
        Field.SEED,
    ),
    Step.AI: (Field.ARM, Field.WASHOUT),
    Step.REPEATS: (
        Field.REREADS,
        Field.REREAD_CASES,
        Field.REREAD_DAYS,
        Field.MIRRORED,
        Field.CALIBRATION,
        Field.SOURCE,
        Field.FEEDBACK,
        Field.GATE_FEATURES,
        Field.GATE_KAPPA,
        Field.CONFIDENCE,
        Field.CONTROLS,
    ),
    Step.DISAGREEMENTS: (Field.RULES, Field.WITHIN, Field.THIRD_BLIND, Field.PREGRADE_SHOWN),
    Step.SIGNING: (Field.PASSWORD, Field.DISPLAY, Field.MEANING, Field.SESSION),
    Step.PREVIEW: (),
}

FIELD_WORDS: dict[Field, str] = {
    Field.READERS_PER_CASE: "readers per case",
    Field.OVERLAP: "cases that they share",
    Field.BLOCK_SIZE: "block size",
    Field.PRESENTATION: "presentation",
    Field.DISTANCE: "distance between cases of a participant",
    Field.SEED: "seed",
    Field.ARM: "arm",
    Field.WASHOUT: "washout",
    Field.REREADS: "re-reads",
    Field.REREAD_CASES: "cases between re-reads",
    Field.REREAD_DAYS: "days between re-reads",
    Field.MIRRORED: "mirrored re-reads",
    Field.CALIBRATION: "calibration cases",
    Field.SOURCE: "source of the reference",
    Field.FEEDBACK: "reference shown after each",
    Field.GATE_FEATURES: "features of the gate",
    Field.GATE_KAPPA: "kappa of the gate",
    Field.CONFIDENCE: "interval of the gate",
    Field.CONTROLS: "controls",
    Field.RULES: "rules of disagreement",
    Field.WITHIN: "what holds within the rule",
    Field.THIRD_BLIND: "blind adjudicator",
    Field.PREGRADE_SHOWN: "pre-grade for the adjudicator",
    Field.PASSWORD: "password",
    Field.DISPLAY: "display check",
    Field.MEANING: "meaning of the signature",
    Field.SESSION: "idle minutes",
}


def bounds(field: Field) -> tuple[float, float]:
    """Return the least and the largest value that a design file may have in a field of numbers.

    Raises
    ------
    TypeError
        If the field holds no number; a bug of the caller.
    """
    reader = _reader(field)
    if isinstance(reader, ReadersPerCase):
        return 0, MAX_READERS
    if isinstance(reader, Whole | Number):
        return reader.low, reader.high
    raise TypeError(f"{field} is no number")


def longest(field: Field) -> int:
    """Return how many characters a design file may have in a field of text.

    Raises
    ------
    TypeError
        If the field holds no text; a bug of the caller.
    """
    reader = _reader(field)
    inner = reader if isinstance(reader, Text) else getattr(reader, "reader", None)
    if isinstance(inner, Text):
        return inner.longest
    raise TypeError(f"{field} is no text")


def field_at(key: str) -> Field | None:
    """Return the field that a key of a design file, such as one that a fault names, belongs to."""
    found = [field for field in Field if key == field or key.startswith((f"{field}.", f"{field}["))]
    return max(found, key=len, default=None)


def _reader(field: Field) -> object:
    table = DESIGN
    *parts, name = field.value.split(".")
    for part in parts:
        inner = table.keys[part].reader
        assert isinstance(inner, Part), field
        table = inner.table
    return table.keys[name].reader


def value_of(design: ReadingDesign, field: Field) -> Any:
    """Return what a design holds in a field."""
    found: Any = design
    for part in field.value.split("."):
        found = getattr(found, part)
    return found


def with_value(design: ReadingDesign, field: Field, value: object) -> ReadingDesign:
    """Return the design with another value in one field."""
    head, _, tail = field.value.partition(".")
    if not tail:
        return replace(design, **{head: value})  # type: ignore[arg-type]
    part = replace(getattr(design, head), **{tail: value})
    return replace(design, **{head: part})
