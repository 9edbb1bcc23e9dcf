"""The qualification gate: what the calibration readings of a reader are worth, feature by feature."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field

from reader_app.agreement.gate import gate_kappa, passes
from reader_app.agreement.ratings import Categories, RatingPairs, Ratings
from reader_app.agreement.result import Estimate, Undefined
from reader_app.agreement.weights import Weights
from reader_app.protocols.model import Feature, Item, Protocol
from reader_app.reading.consensus import reader_finals
from reader_app.reading.design import Calibration
from reader_app.store.qualification_records import CalibrationJoint, Judgement, Qualification


@dataclass(frozen=True)
class FeatureOutcome:
    """What the gate found of one feature.

    Attributes
    ----------
    kappa, low, high
        With its interval; None where undefined.
    agreement
        Share of grades that are exactly the reference's, 0 to 1; None without any.
    grades, excluded
        How many grades were compared, and how many joints the reader had excluded instead.
    bound
        What the lower end had to reach; None without a gate.
    words
        All of it in one clause, without a grade.
    """

    feature_id: str
    title: str
    passed: bool
    kappa: float | None
    low: float | None
    high: float | None
    agreement: float | None
    grades: int
    excluded: int
    bound: float | None
    words: str


@dataclass(frozen=True)
class GateOutcome:
    """What came of one attempt at the calibration set."""

    attempt: int
    passed: bool
    at: str
    features: tuple[FeatureOutcome, ...]


@dataclass
class _Compared:
    """The grades of one feature, joint after joint."""

    reference: list[int] = field(default_factory=list)
    given: list[int] = field(default_factory=list)
    clusters: list[int] = field(default_factory=list)
    excluded: int = 0

    def pairs(self, feature: Feature) -> RatingPairs:
        """Return the grades on the full scale of the feature."""
        columns = [self.reference, self.given]
        scale = Categories(feature.scale.codes)
        return Ratings.from_columns(scale, columns, clusters=self.clusters).pair(0, 1)


def judging(
    protocol: Protocol, calibration: Calibration
) -> Callable[[Sequence[CalibrationJoint]], Judgement]:
    """Return the function that judges the joints of all calibration cases of a reader.

    Kappa has the protocol's weights, categories from the scale, and an interval that knows which joints share
    a participant. Sites that make one final grade are compared by it; where they stay separate each counts.
    What is undefined does not pass.
    """

    def judge(joints: Sequence[CalibrationJoint]) -> Judgement:
        found = _by_feature(protocol, joints)
        asked = calibration.features or tuple(f.id for f in protocol.features if f.id in found)
        outcomes = [
            _outcome(protocol.feature(feature_id), found.get(feature_id, _Compared()), calibration)
            for feature_id in asked
        ]
        passed = calibration.min_kappa is None or (bool(outcomes) and all(one.passed for one in outcomes))
        return Judgement(passed, {one.feature_id: _told(one) for one in outcomes})

    return judge


def compared_grades(protocol: Protocol, joint: CalibrationJoint) -> tuple[tuple[str, int, int], ...]:
    """Return (feature id, reference, given) of every final grade that both have."""
    if joint.given is None:
        return ()
    reference = reader_finals(protocol, joint.side, joint.reference)
    given = reader_finals(protocol, joint.side, joint.given)
    return tuple((item.feature_id, code, given[item]) for item, code in reference.items() if item in given)


def outcome_of(stored: Qualification) -> GateOutcome:
    """Return a stored outcome as it was judged."""
    return GateOutcome(
        stored.attempt,
        stored.passed,
        stored.at,
        tuple(
            FeatureOutcome(feature_id, **told)
            for feature_id, told in stored.result.items()
            if isinstance(told, dict)
        ),
    )


def _by_feature(protocol: Protocol, joints: Sequence[CalibrationJoint]) -> Mapping[str, _Compared]:
    found: dict[str, _Compared] = defaultdict(_Compared)
    for joint in joints:
        if joint.given is None:
            features = {_feature(item) for item in reader_finals(protocol, joint.side, joint.reference)}
            for feature_id in features:
                found[feature_id].excluded += 1
        for feature_id, reference, given in compared_grades(protocol, joint):
            one = found[feature_id]
            one.reference.append(reference)
            one.given.append(given)
            one.clusters.append(joint.cluster)
    return found


def _feature(item: Item) -> str:
    return item.feature_id


def _outcome(feature: Feature, found: _Compared, calibration: Calibration) -> FeatureOutcome:
    bound, level = calibration.min_kappa, calibration.confidence
    kappa = gate_kappa(found.pairs(feature), Weights(feature.weights.value), level=level)
    agreed = sum(one == other for one, other in zip(found.reference, found.given, strict=True))
    value = low = high = None
    words = f"{feature.title}: "
    if isinstance(kappa, Undefined):
        words += f"kappa is undefined, as {kappa.sentence}"
    else:
        value = kappa.value
        words += f"kappa {value:.2f}"
        if isinstance(kappa.interval, Undefined):
            words += f" without an interval, as {kappa.interval.sentence}"
        else:
            # The interval is symmetric; no kappa is above 1.
            low, high = kappa.interval.low, min(kappa.interval.high, 1.0)
            words += f" ({100 * level:.4g} % interval {low:.2f} to {high:.2f})"
    passed = bound is None or passes(kappa, bound)
    if bound is not None:
        words += f", and the lower end must reach {bound:.2f}"
    return FeatureOutcome(
        feature_id=feature.id,
        title=feature.title,
        passed=passed,
        kappa=value if isinstance(kappa, Estimate) else None,
        low=low,
        high=high,
        agreement=agreed / len(found.given) if found.given else None,
        grades=len(found.given),
        excluded=found.excluded,
        bound=bound,
        words=words,
    )


def _told(one: FeatureOutcome) -> dict[str, object]:
    told = asdict(one)
    del told["feature_id"]
    return told
