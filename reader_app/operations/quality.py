"""How the readers of a study keep up with the reference: qualification, and drift since."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from reader_app.agreement.control_chart import Alarm, ControlChart, control_chart, moving_agreement
from reader_app.agreement.result import Result, Undefined
from reader_app.errors import StudyError
from reader_app.operations.calibration_gate import GateOutcome, compared_grades, outcome_of
from reader_app.operations.study import Study
from reader_app.protocols.model import Feature, Protocol
from reader_app.store import calibration_readings, cases, qualifications
from reader_app.store.qualification_records import CalibrationJoint, CalibrationPoint, ReaderQualification
from reader_app.store.records import Actor

WINDOW = 10
"""Over how many cases the share of agreement is taken."""


@dataclass(frozen=True)
class FeatureDrift:
    """How one reader's grades of one feature compare with the reference over time.

    Attributes
    ----------
    base_at, controls_at
        When the calibration cases of the newest attempt, and the controls since, were locked.
    chart
        Undefined where there are too few calibration cases.
    agreement
        Share of grades that are exactly the reference's over the last `WINDOW` cases, at each of the
        calibration cases and then the controls.
    """

    feature_id: str
    title: str
    base_at: tuple[str, ...]
    controls_at: tuple[str, ...]
    chart: ControlChart | Undefined
    agreement: tuple[Result, ...]

    @property
    def alarms(self) -> tuple[Alarm, ...]:
        """The alarms, in the order in which they were raised."""
        return () if isinstance(self.chart, Undefined) else self.chart.alarms


@dataclass(frozen=True)
class ReaderQuality:
    """One reader: the calibration set, its outcome, and what followed.

    Attributes
    ----------
    outcomes
        Of the attempts that were judged, oldest first.
    drift
        By feature in the protocol's order; empty before the first calibration case is locked.
    """

    state: ReaderQualification
    outcomes: tuple[GateOutcome, ...]
    drift: tuple[FeatureDrift, ...]

    @property
    def alarms(self) -> tuple[tuple[str, Alarm], ...]:
        """Every alarm with the title of its feature."""
        return tuple((drift.title, alarm) for drift in self.drift for alarm in drift.alarms)

    @property
    def words(self) -> str:
        """Whether live cases are open to the reader, in words."""
        state = self.state
        if not state.total:
            return "No calibration set"
        if state.locked < state.total:
            return "Reading the calibration set"
        if not state.judged:
            return "Not judged yet"
        return "Passed" if state.qualified else "Not passed"


def quality(study: Study, actor: Actor) -> tuple[ReaderQuality, ...]:
    """Return how every reader stands, by account.

    What it rests on are readings of calibration cases, which are no results of the study: a coordinator may
    see their figures while it is read.

    Raises
    ------
    NotAllowed
        Unless the actor is coordinator or auditor.
    """
    protocol, source = study.protocol, study.design.calibration.source

    def comparing(joint: CalibrationJoint) -> Sequence[tuple[str, int, int]]:
        return compared_grades(protocol, joint)

    points = calibration_readings.calibration_points(study.database, actor, comparing, source=source)
    return tuple(
        ReaderQuality(
            state,
            tuple(outcome_of(stored) for stored in state.attempts),
            _drift(protocol, [point for point in points if point.account_id == state.account_id]),
        )
        for state in qualifications.qualifications(study.database, actor)
    )


def grant_attempt(study: Study, actor: Actor, reader: str, *, reason: str) -> int:
    """Let a reader read the calibration set again; live cases close until it is passed.

    Parameters
    ----------
    reader
        Name of the account, capitals and blanks do not matter.

    Returns
    -------
    int
        How many cases were assigned anew.

    Raises
    ------
    NotAllowed
        Unless the actor is a coordinator.
    StudyError
        If nobody has that name, no reason is given, or the present attempt is not through.
    """
    wanted = " ".join(reader.split()).casefold()
    states = qualifications.qualifications(study.database, actor)
    found = next((state for state in states if state.name.casefold() == wanted), None)
    if found is None:
        known = ", ".join(state.name for state in states) or "none"
        raise StudyError(f"The study has no reader “{reader}”.", f"Its readers are: {known}.")
    entries = qualifications.grant_attempt(study.database, actor, found.account_id, reason=reason)
    cases.assign(study.database, actor, found.account_id, entries)
    return len(entries)


def _drift(protocol: Protocol, points: Sequence[CalibrationPoint]) -> tuple[FeatureDrift, ...]:
    by_feature: Mapping[str, list[CalibrationPoint]] = {feature.id: [] for feature in protocol.features}
    for point in points:
        by_feature[point.feature_id].append(point)
    return tuple(
        _feature_drift(feature, by_feature[feature.id])
        for feature in protocol.features
        if by_feature[feature.id]
    )


def _feature_drift(feature: Feature, points: Sequence[CalibrationPoint]) -> FeatureDrift:
    newest = max(point.attempt for point in points)
    base = [point for point in points if point.attempt == newest] if newest else []
    began = max((point.at for point in base), default="")
    # What came before the newest attempt belongs to the one before it.
    controls = [point for point in points if not point.attempt and point.at > began]
    shown = [*base, *controls]
    grades = [point.grades for point in shown]
    return FeatureDrift(
        feature_id=feature.id,
        title=feature.title,
        base_at=tuple(point.at for point in base),
        controls_at=tuple(point.at for point in controls),
        chart=control_chart(
            [point.mean_difference for point in base],
            [point.mean_difference for point in controls],
            step=_smallest_step(feature) / max(grades, default=1),
        ),
        agreement=moving_agreement([point.agreed for point in shown], grades, window=WINDOW),
    )


def _smallest_step(feature: Feature) -> float:
    codes = feature.scale.codes
    return float(min((high - low for low, high in pairwise(codes)), default=1))
