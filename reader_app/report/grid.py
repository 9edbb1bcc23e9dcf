"""Long tables of grades as columns: one position on the scale per joint, rater and target."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from reader_app.agreement.ratings import MISSING, Categories, Floats, Positions
from reader_app.errors import GradeError, StudyError
from reader_app.report.inputs import ConsensusRow, GradeRow, PregradeRow, ReportInput
from reader_app.report.model import CONSENSUS, PREGRADE, FeatureInfo, Target

JointKey = tuple[str, str, str, str]
"""Participant, visit, radiograph, side."""

Row = GradeRow | ConsensusRow | PregradeRow


@dataclass(frozen=True)
class Column:
    """Grades of one target by one rater: shape (n joints,), `MISSING` where there is none."""

    positions: Positions

    @property
    def graded(self) -> int:
        """Number of joints with a grade."""
        return int((self.positions != MISSING).sum())


class GradeGrid:
    """All grades of a study on one list of joints.

    Raters are numbered: the readers in their order, then the consensus, then the AI.

    Parameters
    ----------
    given
        The tables.

    Raises
    ------
    GradeError
        If a row names a feature or site that the study does not have, or a grade off its scale.
    StudyError
        If a reader's label is one that the report uses for the consensus or the AI.
    ValueError
        If a reader is not listed, or a rater graded the same site of the same joint twice.
    """

    def __init__(self, given: ReportInput) -> None:
        self.features = {feature.id: feature for feature in given.features}
        self.readers = given.readers
        self.consensus_rater = len(given.readers)
        self.pregrade_rater = len(given.readers) + 1
        tables: tuple[Sequence[Row], ...] = (given.grades, given.consensus, given.pregrades)
        self.joints: tuple[JointKey, ...] = tuple(sorted({_joint(row) for rows in tables for row in rows}))
        self._place = {joint: place for place, joint in enumerate(self.joints)}
        people = {person: number for number, person in enumerate(sorted({joint[0] for joint in self.joints}))}
        self.participants: Positions = np.array([people[joint[0]] for joint in self.joints], dtype=np.intp)
        self._columns: dict[tuple[str, str | None, int], Column] = {}
        self._scores: dict[tuple[str, str | None], Floats] = {}
        number_of = {label: number for number, label in enumerate(given.readers)}
        if len(number_of) != len(given.readers):
            raise ValueError("two readers of the report have the same label")
        for label in (CONSENSUS, PREGRADE):
            if label in number_of:
                raise StudyError(
                    f"A reader is called {label!r}, which is what the report calls something else.",
                    "Make the report without the readers' names.",
                )
        self._fill((number_of[row.reader], row) for row in given.grades)
        self._fill((self.consensus_rater, row) for row in given.consensus)
        self._fill((self.pregrade_rater, row) for row in given.pregrades)
        self._fill_scores(given.pregrades)
        self._derive()

    def targets(self) -> tuple[Target, ...]:
        """What is compared: each feature's final grade, then its sites where they combine."""
        found = []
        for feature in self.features.values():
            if not feature.sites:
                found.append(Target(feature.id, None, feature.title))
                continue
            if feature.worst_site:
                found.append(Target(feature.id, None, f"{feature.title}, worst site", derived=True))
            for site in feature.sites:
                label = f"{feature.title}, {site.title.lower()}"
                found.append(Target(feature.id, site.id, label, final=not feature.worst_site))
        return tuple(found)

    def column(self, target: Target, rater: int) -> Column:
        """Grades of a target by a rater, all missing if there are none."""
        missing = np.full(len(self.joints), MISSING, dtype=np.intp)
        return self._columns.get((target.feature, target.site, rater), Column(missing))

    def score(self, target: Target) -> Floats | None:
        """Probability of presence by the AI, NaN where it has none; None if presence or AI are missing."""
        return self._scores.get((target.feature, target.site))

    def categories(self, feature: str) -> Categories:
        """The scale of a feature."""
        return Categories(tuple(level.code for level in self.features[feature].levels))

    def place(self, row: Row) -> int:
        """Place of a row's joint in `joints`."""
        return self._place[_joint(row)]

    def _fill(self, rows: Iterable[tuple[int, Row]]) -> None:
        gathered: dict[tuple[str, str | None, int], tuple[list[int], list[int | None]]] = {}
        for rater, row in rows:
            places, codes = gathered.setdefault((row.feature, row.site, rater), ([], []))
            places.append(self._place[_joint(row)])
            codes.append(row.code)
        for key, (places, codes) in gathered.items():
            feature = self._known(key[0], key[1])
            if len(set(places)) != len(places):
                raise ValueError(f"a rater graded {feature.id} of the same joint twice")
            positions = np.full(len(self.joints), MISSING, dtype=np.intp)
            positions[places] = self.categories(feature.id).positions(codes)
            self._columns[key] = Column(positions)

    def _fill_scores(self, pregrades: Sequence[PregradeRow]) -> None:
        for row in pregrades:
            feature = self._known(row.feature, row.site)
            if row.probabilities is None or feature.present_from is None:
                continue
            if len(row.probabilities) != len(feature.levels):
                raise ValueError(
                    f"{feature.id} has {len(feature.levels)} grades, not {len(row.probabilities)}"
                )
            cut = self.categories(feature.id).position(feature.present_from)
            scores = self._scores.setdefault((row.feature, row.site), np.full(len(self.joints), np.nan))
            scores[self._place[_joint(row)]] = sum(row.probabilities[cut:])

    def _derive(self) -> None:
        """Fill the whole-joint grades of features whose worst site is final, where none was given."""
        for feature in self.features.values():
            if not (feature.sites and feature.worst_site):
                continue
            for rater in range(self.pregrade_rater + 1):
                sites = [self._columns.get((feature.id, site.id, rater)) for site in feature.sites]
                parts = [site.positions for site in sites if site is not None]
                if len(parts) < len(feature.sites):
                    continue
                stacked = np.stack(parts)
                worst = np.where((stacked == MISSING).any(axis=0), MISSING, stacked.max(axis=0))
                own = self._columns.get((feature.id, None, rater))
                if own is not None:
                    worst = np.where(own.positions == MISSING, worst, own.positions)
                self._columns[feature.id, None, rater] = Column(worst)
            self._derive_score(feature)

    def _derive_score(self, feature: FeatureInfo) -> None:
        if (feature.id, None) in self._scores:
            return
        parts = [self._scores.get((feature.id, site.id)) for site in feature.sites]
        known = [part for part in parts if part is not None]
        if len(known) == len(feature.sites):
            # np.max keeps NaN: no score for the joint unless every site has one.
            self._scores[feature.id, None] = np.max(np.stack(known), axis=0)

    def _known(self, feature_id: str, site_id: str | None) -> FeatureInfo:
        feature = self.features.get(feature_id)
        if feature is None or site_id not in _sites(feature):
            name = feature_id if site_id is None else f"{feature_id}, {site_id}"
            raise GradeError(
                f"There are grades of {name!r}, which the study's protocol does not have.",
                "Make the report with the protocol that the grades were given with.",
            )
        return feature


def _sites(feature: FeatureInfo) -> set[str | None]:
    """Sites that a grade of the feature may name; None is the whole joint."""
    named: set[str | None] = {site.id for site in feature.sites}
    return named | {None} if feature.worst_site or not feature.sites else named


def _joint(row: Row) -> JointKey:
    return (row.participant, row.visit, row.radiograph, row.side)
