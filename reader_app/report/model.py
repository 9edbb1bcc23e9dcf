"""The report as values: everything that any rendering prints, computed once by `report.build`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from reader_app.agreement.result import Result
from reader_app.agreement.weights import Weights
from reader_app.report.amendments import AmendmentLine
from reader_app.report.facts import FeatureInfo, FlowStep, Level, SiteInfo, StudyFacts, Target
from reader_app.report.flow import FlowNumbers

__all__ = [
    "CONSENSUS",
    "PREGRADE",
    "SCHEMA_VERSION",
    "AmendmentLine",
    "Comparison",
    "ComparisonKind",
    "ConfusionMatrix",
    "ConsensusLine",
    "Distribution",
    "ExclusionLine",
    "FeatureInfo",
    "FlowStep",
    "GradeFigures",
    "Level",
    "OperatingPoint",
    "Performance",
    "ProvenanceCount",
    "Report",
    "RocPoint",
    "SiteInfo",
    "StudyFacts",
    "Target",
    "UngradedLine",
    "WithinLine",
]

SCHEMA_VERSION = "1.0"
"""Version of the JSON form; the first number changes when a field changes its meaning or goes."""

CONSENSUS = "Consensus"
PREGRADE = "AI"
"""Names of the two raters that are no readers, as printed."""


class ComparisonKind(StrEnum):
    """Who is compared with whom."""

    READERS = "readers"
    READER_CONSENSUS = "reader_consensus"
    AI_CONSENSUS = "ai_consensus"
    AI_READER = "ai_reader"


@dataclass(frozen=True, slots=True)
class ConfusionMatrix:
    """Counts over the full scale.

    Parameters
    ----------
    levels
        The grades, in order, of rows and columns.
    counts
        Row = `Comparison.first`, column = `Comparison.second`.
    row_percent
        Counts as percentages of their row; None throughout an empty row.
    """

    levels: tuple[Level, ...]
    counts: tuple[tuple[int, ...], ...]
    row_percent: tuple[tuple[float | None, ...], ...]


@dataclass(frozen=True, slots=True)
class GradeFigures:
    """Precision, recall and F1 of one grade against all others."""

    code: int
    support: int
    recall: Result
    precision: Result
    f1: Result


@dataclass(frozen=True, slots=True)
class RocPoint:
    """One corner of a ROC curve; threshold None is where nothing is called present."""

    threshold: float | None
    false_positive_rate: float
    true_positive_rate: float


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """Where a reader, who has no threshold to move, stands in the plane of the ROC curve."""

    label: str
    false_positive_rate: float
    true_positive_rate: float


@dataclass(frozen=True, slots=True)
class Performance:
    """Second rater judged by the first, which is taken as the reference.

    Parameters
    ----------
    balanced_accuracy
        Mean recall over the grades that occur in the reference.
    grades
        Figures per grade; their intervals take joints as independent.
    sensitivity, specificity
        Of presence at the protocol's cut; None if it has no cut.
    auc
        Area under the ROC curve of presence by the pre-grade's probability; None for readers.
    roc
        The curve, empty where `auc` is None or undefined.
    operating_points
        Readers against the same reference, drawn beside the curve.
    """

    balanced_accuracy: Result
    grades: tuple[GradeFigures, ...]
    sensitivity: Result | None = None
    specificity: Result | None = None
    auc: Result | None = None
    roc: tuple[RocPoint, ...] = ()
    operating_points: tuple[OperatingPoint, ...] = ()


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two raters on one target.

    Parameters
    ----------
    kind
        Who is compared with whom.
    target
        What was graded.
    first, second
        The raters; the first gives the rows of the matrix and is the reference where there is one.
    weights
        The weights that the protocol asks for on this feature.
    n_joints, n_participants
        Joints that both graded, and whose they are.
    percent_agreement, within_one
        Share of joints with equal grades, and with grades at most one step apart.
    kappa, kappa_linear, kappa_quadratic
        Cohen's kappa without and with weights.
    two_or_more_apart
        Number of joints whose grades are not even neighbours.
    matrix
        The counts.
    performance
        How the second does against the first; None between readers.
    """

    kind: ComparisonKind
    target: Target
    first: str
    second: str
    weights: Weights
    n_joints: int
    n_participants: int
    percent_agreement: Result
    within_one: Result
    kappa: Result
    kappa_linear: Result
    kappa_quadratic: Result
    two_or_more_apart: int
    matrix: ConfusionMatrix
    performance: Performance | None = None

    @property
    def protocol_kappa(self) -> Result:
        """The kappa with the weights that the protocol asks for."""
        match self.weights:
            case Weights.NONE:
                return self.kappa
            case Weights.LINEAR:
                return self.kappa_linear
            case Weights.QUADRATIC:
                return self.kappa_quadratic


@dataclass(frozen=True, slots=True)
class Distribution:
    """How often a rater gave each grade of a target.

    Parameters
    ----------
    target, rater
        What was graded, by whom.
    counts
        In the order of the scale.
    ungraded
        Joints that another rater graded and this one did not.
    """

    target: Target
    rater: str
    counts: tuple[int, ...]
    ungraded: int


@dataclass(frozen=True, slots=True)
class ProvenanceCount:
    """How many final grades of a target came about by a method."""

    target: Target
    method: str
    count: int


@dataclass(frozen=True, slots=True)
class ConsensusLine:
    """One final grade with what led to it.

    Parameters
    ----------
    participant
        Pseudonym.
    visit, radiograph, side
        Which joint.
    feature, site
        What was graded; site None is the whole joint.
    grades
        The readers' grades in the order of `Report.readers`; None where a reader gave none.
    pregrade
        The AI's grade, None if it made none.
    final
        The final grade, None if it is open or the joint cannot be graded.
    method
        How it came about, in words.
    adjudicator
        Who settled it, if anybody had to.
    rationale
        The adjudicator's reason, as written.
    """

    participant: str
    visit: str
    radiograph: str
    side: str
    feature: str
    site: str | None
    grades: tuple[int | None, ...]
    pregrade: int | None
    final: int | None
    method: str
    adjudicator: str | None = None
    rationale: str = ""


@dataclass(frozen=True, slots=True)
class ExclusionLine:
    """A radiograph or joint that a reader excluded; `status` says what the second reader made of it."""

    participant: str
    visit: str
    radiograph: str
    side: str
    reason: str
    reader: str
    status: str = ""


@dataclass(frozen=True, slots=True)
class UngradedLine:
    """A grade that is missing; `rater` is a reader or the consensus."""

    participant: str
    visit: str
    radiograph: str
    side: str
    feature: str
    site: str | None
    rater: str
    reason: str


@dataclass(frozen=True, slots=True)
class WithinLine:
    """One reader's hidden re-reads against the first readings, in one feature.

    Parameters
    ----------
    reader
        Label of the reader.
    feature, label
        Identifier, and in words.
    weights
        Those of `kappa`, as the protocol asks for.
    n_grades, n_participants
        How many grades were given twice, and of how many participants.
    percent_agreement, kappa
        With intervals clustered by participant.
    """

    reader: str
    feature: str
    label: str
    weights: Weights
    n_grades: int
    n_participants: int
    percent_agreement: Result
    kappa: Result


@dataclass(frozen=True, slots=True)
class Report:
    """The whole report.

    Parameters
    ----------
    study, flow, features, readers
        What was done, on what scales, by whom (names or "Reader 1", as the asking role may see).
    level
        Confidence level of all intervals.
    comparisons, distributions
        The figures.
    provenance, consensus
        How the final grades came about, in counts and grade by grade.
    exclusions, ungraded
        What is left out, and why.
    methods
        How the figures were computed, one sentence each.
    notes
        Remarks of the study, one sentence each.
    flow_numbers
        How far joints and radiographs came, level by level; None where nobody counted.
    within
        Agreement within readers; empty where nothing was read again.
    amendments
        What readers changed after they had signed, oldest first.
    """

    study: StudyFacts
    flow: tuple[FlowStep, ...]
    features: tuple[FeatureInfo, ...]
    readers: tuple[str, ...]
    level: float
    comparisons: tuple[Comparison, ...]
    distributions: tuple[Distribution, ...]
    provenance: tuple[ProvenanceCount, ...]
    consensus: tuple[ConsensusLine, ...]
    exclusions: tuple[ExclusionLine, ...]
    ungraded: tuple[UngradedLine, ...]
    methods: tuple[str, ...]
    notes: tuple[str, ...]
    schema_version: str = SCHEMA_VERSION
    flow_numbers: FlowNumbers | None = None
    within: tuple[WithinLine, ...] = ()
    amendments: tuple[AmendmentLine, ...] = ()

    def of_kind(self, kind: ComparisonKind) -> tuple[Comparison, ...]:
        """Comparisons of one kind, in their order."""
        return tuple(comparison for comparison in self.comparisons if comparison.kind is kind)
