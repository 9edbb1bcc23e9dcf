"""The design of a reading study as data: who reads what, with what of the AI, how often, by which rules."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from reader_app.protocols.model import AdjudicationRule, Arm, Presentation, Resolution, Trigger, TriggerKind

CANONICAL_FORMAT = 1
"""Raised when the canonical form gains or loses a field, so that hashes never mean two things."""

ALL_READERS = 0
"""As `readers_per_case`: every reader reads every case."""


class WithinRule(StrEnum):
    """What becomes final of grades that differ, but not so far that the rule calls the adjudicator."""

    WORST = "worst"
    MEDIAN = "median"
    OPEN = "open"
    """They stand side by side and there is no final grade."""


class PasswordPolicy(StrEnum):
    """When a reader types the password to sign."""

    NEVER = "never"
    FIRST_OF_SESSION = "first-of-session"
    EACH_LOCK = "each-lock"


class DisplayPolicy(StrEnum):
    """How often a reader looks at the test pattern of their screen before reading."""

    NEVER = "never"
    DAILY = "daily"
    EACH_SESSION = "each-session"


@dataclass(frozen=True)
class Rereads:
    """Hidden second readings by the same reader.

    Attributes
    ----------
    percent
        Of a reader's cases, 0 to 100.
    min_cases
        How many other cases lie between, at least.
    min_days
        How many days after the first reading was locked, at least.
    mirrored
        Whether they are shown mirrored. As many first readings are then mirrored too, so that a mirrored
        film tells nothing.
    """

    percent: int = 0
    min_cases: int = 20
    min_days: float = 0.0
    mirrored: bool = False


@dataclass(frozen=True)
class Calibration:
    """Cases with reference grades that show how a reader compares.

    Attributes
    ----------
    cases
        How many every reader reads before live reading; 0 for none. They are drawn by the seed from the cases
        that have reference grades, and never part of the results.
    source
        Whose reference grades count; empty takes any.
    feedback
        Whether the reader sees the reference after locking such a case.
    features
        Whose kappa counts for the gate; empty takes all that have a reference.
    min_kappa
        The lower bound of kappa that must be reached before live reading opens; None for no gate.
    confidence
        Of the interval that the lower bound belongs to.
    control_every
        After so many live cases a calibration case comes back unannounced, for control charts; 0 for never.
    """

    cases: int = 0
    source: str = ""
    feedback: bool = True
    features: tuple[str, ...] = ()
    min_kappa: float | None = None
    confidence: float = 0.95
    control_every: int = 0


@dataclass(frozen=True)
class Adjudicating:
    """How disagreements are resolved.

    Attributes
    ----------
    rules
        In place of the protocol's for the features that they name.
    within
        What becomes final of differences that call nobody.
    third_blind
        Whether the adjudicator grades before seeing what the readers gave.
    pregrade_shown
        Whether the adjudicator may see the AI's grade.
    """

    rules: tuple[AdjudicationRule, ...] = ()
    within: WithinRule = WithinRule.WORST
    third_blind: bool = False
    pregrade_shown: bool = False


@dataclass(frozen=True)
class Signing:
    """What locking a reading asks.

    Attributes
    ----------
    meaning
        What the signature says, in the first person.
    """

    password: PasswordPolicy = PasswordPolicy.NEVER
    display_check: DisplayPolicy = DisplayPolicy.NEVER
    meaning: str = "I have read this case myself and stand by its grades."


@dataclass(frozen=True)
class ReadingDesign:
    """The design of a study.

    Attributes
    ----------
    seed
        From which, with the names of the readers, everything random follows.
    readers_per_case
        How many readers read a case; `ALL_READERS` crosses readers and cases fully.
    overlap_percent
        The share of cases that so many readers read; each of the others is read by one.
    block_size
        Cases are dealt into blocks of so many, the same and in the same order for all readers: a block can
        be adjudicated once all are through; 0 for one block.
    participant_distance
        How many other cases lie between two cases of one participant, at least where it can be done.
    washout_days
        Of a crossover: how many days after a case was locked its second reading opens.
    session_minutes
        After so many minutes without a key or a move the screen locks itself; 0 for never.
    preset
        From which preset the design was made; empty for none.
    """

    presentation: Presentation
    arm: Arm
    seed: int
    readers_per_case: int = ALL_READERS
    overlap_percent: int = 100
    block_size: int = 0
    participant_distance: int = 0
    washout_days: float = 0.0
    rereads: Rereads = field(default_factory=Rereads)
    calibration: Calibration = field(default_factory=Calibration)
    adjudication: Adjudicating = field(default_factory=Adjudicating)
    signing: Signing = field(default_factory=Signing)
    session_minutes: int = 15
    preset: str = ""

    def canonical(self) -> str:
        """Return the design as JSON that is the same for the same content."""
        content = {"format": CANONICAL_FORMAT, "design": asdict(self)}
        return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)

    @property
    def sha256(self) -> str:
        """SHA-256 of the canonical form, in hexadecimal: stamped on readings and reports."""
        return hashlib.sha256(self.canonical().encode("ascii")).hexdigest()

    @classmethod
    def from_canonical(cls, text: str) -> ReadingDesign:
        """Read back what `canonical` wrote.

        Raises
        ------
        ValueError
            If it is of another format, or not what `canonical` writes.
        """
        try:
            content = json.loads(text)
            if content["format"] != CANONICAL_FORMAT:
                raise ValueError(f"a design of format {content['format']}")
            return _design(content["design"])
        except (KeyError, TypeError) as fault:
            raise ValueError(f"not a design: {fault}") from fault


def before_designs_sha256(design: ReadingDesign, *, readers_per_case: int) -> str:
    """Return the hash that readings were stamped with before the design was kept with the study."""
    text = f"{design.presentation.value}|{design.arm.value}|{design.seed}|{readers_per_case}"
    return hashlib.sha256(text.encode()).hexdigest()


def _design(table: dict[str, Any]) -> ReadingDesign:
    values = dict(table)
    values["presentation"] = Presentation(values["presentation"])
    values["arm"] = Arm(values["arm"])
    values["rereads"] = Rereads(**values["rereads"])
    calibration = dict(values["calibration"])
    values["calibration"] = Calibration(**{**calibration, "features": tuple(calibration["features"])})
    judging = dict(values["adjudication"])
    judging["rules"] = tuple(_rule(rule) for rule in judging["rules"])
    judging["within"] = WithinRule(judging["within"])
    values["adjudication"] = Adjudicating(**judging)
    signing = dict(values["signing"])
    signing["password"] = PasswordPolicy(signing["password"])
    signing["display_check"] = DisplayPolicy(signing["display_check"])
    values["signing"] = Signing(**signing)
    return ReadingDesign(**values)


def _rule(table: dict[str, Any]) -> AdjudicationRule:
    triggers = tuple(
        Trigger(TriggerKind(each["kind"]), above=each["above"], cut=each["cut"]) for each in table["triggers"]
    )
    return AdjudicationRule(tuple(table["feature_ids"]), triggers, Resolution(table["resolution"]))
