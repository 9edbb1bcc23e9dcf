"""What a report is built from: plain rows that the caller has fetched for a role that may see them."""

from __future__ import annotations

from dataclasses import dataclass

from reader_app.report.amendments import AmendmentLine
from reader_app.report.flow import FlowNumbers
from reader_app.report.model import ExclusionLine, FeatureInfo, FlowStep, StudyFacts, WithinLine


@dataclass(frozen=True, slots=True)
class GradeRow:
    """One grade of one reader.

    Parameters
    ----------
    reader
        Label of the reader, one of `ReportInput.readers`. A reader who read the same joints twice (with
        and without the AI, or a hidden re-read) is two readers here, for example "Reader 1, aided".
    participant, visit, radiograph, side
        Which joint; the participant is the cluster of all intervals.
    feature, site
        Which feature, at which site (None: the joint has one grade).
    code
        The grade, or None where the reader gave none.
    reason
        Why there is none, in words; empty if there is a grade or no reason was given.
    """

    reader: str
    participant: str
    visit: str
    radiograph: str
    side: str
    feature: str
    site: str | None
    code: int | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ConsensusRow:
    """One final grade; `method` in words, `adjudicator` None if nobody had to settle it."""

    participant: str
    visit: str
    radiograph: str
    side: str
    feature: str
    site: str | None
    code: int | None
    method: str
    adjudicator: str | None = None
    rationale: str = ""


@dataclass(frozen=True, slots=True)
class PregradeRow:
    """One grade of the AI with the probability of each grade of the scale, in the scale's order."""

    participant: str
    visit: str
    radiograph: str
    side: str
    feature: str
    site: str | None
    code: int
    probabilities: tuple[float, ...] | None = None


@dataclass(frozen=True, slots=True)
class ReportInput:
    """Everything a report is built from.

    Parameters
    ----------
    study, flow, features
        Printed as they are; the features also say how grades are compared.
    readers
        Labels of the readers in the order in which they are printed.
    grades, consensus, pregrades
        Long tables, in any order.
    exclusions
        What readers left out.
    amendments
        What readers changed after they had signed, oldest first.
    notes
        Remarks of the caller, one sentence each.
    level
        Confidence level of the intervals.
    flow_numbers
        The whole flow, for the drawing; None leaves it out.
    """

    study: StudyFacts
    flow: tuple[FlowStep, ...]
    features: tuple[FeatureInfo, ...]
    readers: tuple[str, ...]
    grades: tuple[GradeRow, ...]
    consensus: tuple[ConsensusRow, ...] = ()
    pregrades: tuple[PregradeRow, ...] = ()
    exclusions: tuple[ExclusionLine, ...] = ()
    notes: tuple[str, ...] = ()
    level: float = 0.95
    flow_numbers: FlowNumbers | None = None
    within: tuple[WithinLine, ...] = ()
    amendments: tuple[AmendmentLine, ...] = ()
