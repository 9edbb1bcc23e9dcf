"""What the figures of a report are about: the study, its flow, its features and scales."""

from __future__ import annotations

from dataclasses import dataclass

from reader_app.agreement.weights import Weights


@dataclass(frozen=True, slots=True)
class StudyFacts:
    """Where the figures come from.

    Parameters
    ----------
    title, study_id
        The study's name and identifier.
    protocol_id, protocol_title, protocol_version, protocol_sha256
        The reading protocol, with the hash of its canonical form.
    bundle_id, bundle_version, bundle_sha256
        The model bundle that made the pre-grades; None without pre-grades.
    software
        Name and version of this software.
    design_seed
        Seed of the reading design, None if the design has none.
    design
        The reading design in words, by what it is ("Arm", "Presentation" ...).
    created_at
        When the report was made, ISO 8601 with time zone.
    phantom
        Whether the radiographs are phantoms, which is printed over the report.
    aided
        Whether readers saw the pre-grades while they graded; None if there were none to see.
    """

    title: str
    study_id: str
    protocol_id: str
    protocol_title: str
    protocol_version: str
    protocol_sha256: str
    software: str
    created_at: str
    bundle_id: str | None = None
    bundle_version: str | None = None
    bundle_sha256: str | None = None
    design_seed: int | None = None
    design: tuple[tuple[str, str], ...] = ()
    phantom: bool = False
    aided: bool | None = None


@dataclass(frozen=True, slots=True)
class FlowStep:
    """One number of the study's flow, for example ``("locked", "Readings locked", 120)``."""

    id: str
    label: str
    count: int


@dataclass(frozen=True, slots=True)
class Level:
    """One grade of a scale."""

    code: int
    label: str


@dataclass(frozen=True, slots=True)
class SiteInfo:
    """A place at the joint where a feature is graded."""

    id: str
    title: str


@dataclass(frozen=True, slots=True)
class FeatureInfo:
    """A feature with its scale.

    Parameters
    ----------
    id, title
        As in the protocol.
    levels
        The grades in their order, from least to most severe.
    weights
        The disagreement weights that the protocol asks for.
    present_from
        Lowest code that counts as present; None if the protocol has no such cut.
    sites
        Where it is graded; empty if it has one grade per joint.
    worst_site
        Whether the worst of the sites is the feature's final grade.
    """

    id: str
    title: str
    levels: tuple[Level, ...]
    weights: Weights
    present_from: int | None = None
    sites: tuple[SiteInfo, ...] = ()
    worst_site: bool = False


@dataclass(frozen=True, slots=True)
class Target:
    """What one number is about: a feature, at a site or as a whole.

    Parameters
    ----------
    feature, site
        Identifiers; site None is the whole joint.
    label
        In words, for example "Femoral osteophytes, worst site".
    derived
        Whether the grade is the worst of the sites' grades rather than one that was given.
    final
        Whether this is what the protocol takes as the final grade.
    """

    feature: str
    site: str | None
    label: str
    derived: bool = False
    final: bool = True
