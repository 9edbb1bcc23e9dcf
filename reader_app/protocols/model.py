"""The protocol: what is graded, as data. All public names of the room's values are here."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from functools import cached_property

from reader_app.errors import GradeError
from reader_app.protocols.rules import (
    AdjudicationRule,
    Arm,
    Comparison,
    Condition,
    CrossCheck,
    ExclusionReason,
    ExclusionScope,
    Presentation,
    ReadingDefaults,
    Resolution,
    Trigger,
    TriggerKind,
)
from reader_app.protocols.scale import Level, Scale

__all__ = [
    "AdjudicationRule",
    "Arm",
    "Combine",
    "Comparison",
    "Condition",
    "CrossCheck",
    "ExclusionReason",
    "ExclusionScope",
    "Feature",
    "Item",
    "JointKind",
    "Level",
    "Presentation",
    "Protocol",
    "ReadingDefaults",
    "Resolution",
    "Scale",
    "Site",
    "Trigger",
    "TriggerKind",
    "Unit",
    "Weights",
]

CANONICAL_FORMAT = 1
"""Raised when the canonical form gains or loses a field, so that hashes never mean two things."""


class JointKind(StrEnum):
    """Which joint a protocol grades."""

    KNEE = "knee"
    HIP = "hip"


class Unit(StrEnum):
    """What one grade belongs to."""

    JOINT = "joint"
    PARTICIPANT = "participant"


class Weights(StrEnum):
    """The disagreement weights of kappa."""

    NONE = "none"
    LINEAR = "linear"
    QUADRATIC = "quadratic"


class Combine(StrEnum):
    """How the sites make the feature's final grade."""

    SEPARATE = "separate"
    MAX = "max"


@dataclass(frozen=True)
class Site:
    """A place at the joint where a feature is graded."""

    id: str
    title: str


@dataclass(frozen=True)
class Item:
    """What one keystroke grades: a feature, at a site if the feature has sites."""

    feature_id: str
    site_id: str | None = None

    @property
    def key(self) -> str:
        """The item as text, ``feature:site`` or ``feature``."""
        return self.feature_id if self.site_id is None else f"{self.feature_id}:{self.site_id}"

    @classmethod
    def parse(cls, text: str) -> Item:
        """Read back what `key` wrote.

        Raises
        ------
        GradeError
            If a part is empty or there are more than two.
        """
        feature_id, colon, site_id = text.partition(":")
        if not feature_id or ":" in site_id or bool(colon) != bool(site_id):
            raise GradeError(
                f"“{text}” does not name a feature.",
                "Write the feature, or the feature, a colon and its site.",
            )
        return cls(feature_id, site_id or None)


@dataclass(frozen=True)
class Feature:
    """Something that is graded on a scale, at one or more sites.

    Parameters
    ----------
    present_from
        The lowest code that counts as "present", or None if presence is not defined by the grade.
    help
        What the reader looks for.
    level_help
        For each level of the scale, in its order, what that grade looks like; may be empty.
    """

    id: str
    title: str
    short_title: str
    scale: Scale
    sites: tuple[Site, ...]
    combine: Combine
    weights: Weights
    present_from: int | None
    unit: Unit
    help: str
    level_help: tuple[str, ...] = ()

    @cached_property
    def items(self) -> tuple[Item, ...]:
        """What is graded by keystroke, in reading order."""
        if not self.sites:
            return (Item(self.id),)
        return tuple(Item(self.id, site.id) for site in self.sites)

    @cached_property
    def final_items(self) -> tuple[Item, ...]:
        """What gets a final grade: the feature where its sites combine, else each site."""
        return (Item(self.id),) if self.combine is Combine.MAX else self.items

    def site(self, site_id: str) -> Site:
        """Return the site with this id.

        Raises
        ------
        GradeError
            If the feature has no such site.
        """
        for site in self.sites:
            if site.id == site_id:
                return site
        known = ", ".join(site.id for site in self.sites) or "none"
        raise GradeError(f"“{self.title}” has no site “{site_id}”.", f"Its sites are: {known}.")

    def help_for(self, code: int) -> str:
        """Return what this grade looks like, or an empty string if the protocol does not say.

        Raises
        ------
        GradeError
            If the scale has no such code.
        """
        position = self.scale.levels.index(self.scale.level(code))
        return self.level_help[position] if self.level_help else ""


@dataclass(frozen=True)
class Protocol:
    """What is graded in a study, and by which rules."""

    id: str
    version: str
    title: str
    joint: JointKind
    views: tuple[str, ...]
    features: tuple[Feature, ...]
    exclusion_reasons: tuple[ExclusionReason, ...]
    cross_checks: tuple[CrossCheck, ...]
    bundle: str | None
    adjudication: tuple[AdjudicationRule, ...]
    reading: ReadingDefaults
    source: str

    @cached_property
    def items(self) -> tuple[Item, ...]:
        """All items in reading order."""
        return tuple(item for feature in self.features for item in feature.items)

    def feature(self, feature_id: str) -> Feature:
        """Return the feature with this id.

        Raises
        ------
        GradeError
            If the protocol has no such feature.
        """
        for feature in self.features:
            if feature.id == feature_id:
                return feature
        known = ", ".join(feature.id for feature in self.features)
        raise GradeError(
            f"The protocol “{self.id}” has no feature “{feature_id}”.", f"Its features are: {known}."
        )

    def item_scale(self, item: Item) -> Scale:
        """Return the scale on which an item, or a final grade, is given.

        Raises
        ------
        GradeError
            If the protocol grades no such item.
        """
        feature = self.feature(item.feature_id)
        if item not in feature.items and item not in feature.final_items:
            known = ", ".join(known.key for known in feature.items)
            raise GradeError(
                f"The protocol “{self.id}” does not grade “{item.key}”.",
                f"“{feature.title}” is graded as: {known}.",
            )
        return feature.scale

    def rule_for(self, feature_id: str) -> AdjudicationRule | None:
        """Return the adjudication rule of a feature; None means that its readings stand side by side.

        Raises
        ------
        GradeError
            If the protocol has no such feature.
        """
        feature = self.feature(feature_id)
        return next((rule for rule in self.adjudication if feature.id in rule.feature_ids), None)

    def check(self, grades: Mapping[Item, int]) -> tuple[CrossCheck, ...]:
        """Return the cross-checks that warn about these grades of one joint.

        A condition on an item that has no grade yet does not hold.
        """
        return tuple(
            check
            for check in self.cross_checks
            if all(self._holds(part, grades) for part in check.conditions)
        )

    def _holds(self, condition: Condition, grades: Mapping[Item, int]) -> bool:
        if condition.site_id is None:
            code = self.combined(condition.feature_id, grades)
        else:
            code = grades.get(Item(condition.feature_id, condition.site_id))
        return code is not None and condition.holds(code)

    def combined(self, feature_id: str, grades: Mapping[Item, int]) -> int | None:
        """Return the one final grade of a feature from the grades of one reading of a joint.

        The worst of the sites where they combine, the grade itself where there are no sites; None where
        a site is not graded yet, or where the sites stay separate and there is no one final grade.

        Raises
        ------
        GradeError
            If the protocol has no such feature.
        """
        feature = self.feature(feature_id)
        if feature.sites and feature.combine is Combine.SEPARATE:
            return None
        codes = [grades.get(item) for item in feature.items]
        known = [code for code in codes if code is not None]
        return max(known) if len(known) == len(codes) else None

    def canonical(self) -> str:
        """Return the protocol as JSON that is the same for the same content, however the file was written."""
        content = {"format": CANONICAL_FORMAT, "protocol": asdict(self)}
        return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of the canonical form, in hexadecimal: stamped on readings, pre-grades and reports."""
        return hashlib.sha256(self.canonical().encode("ascii")).hexdigest()
