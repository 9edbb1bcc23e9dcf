"""From plain tables of grades to the report model: the one place where figures are computed."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import numpy as np

from reader_app.agreement.ratings import MISSING
from reader_app.agreement.result import IntervalMethod
from reader_app.report.compare import Comparer
from reader_app.report.grid import GradeGrid
from reader_app.report.inputs import ConsensusRow, ReportInput
from reader_app.report.model import (
    CONSENSUS,
    PREGRADE,
    Comparison,
    ComparisonKind,
    ConsensusLine,
    Distribution,
    ProvenanceCount,
    Report,
    Target,
    UngradedLine,
)


def build_report(given: ReportInput) -> Report:
    """Compute every figure of a report.

    Parameters
    ----------
    given
        The study's facts and its tables of grades.

    Returns
    -------
    Report
        The same for the same input, in whatever order its rows come.

    Raises
    ------
    GradeError
        If a grade, feature or site does not fit the features given.
    ValueError
        If a row names a reader who is not listed, or a rater graded the same thing twice.
    """
    grid = GradeGrid(given)
    targets = grid.targets()
    return Report(
        study=given.study,
        flow=given.flow,
        features=given.features,
        readers=given.readers,
        level=given.level,
        comparisons=_comparisons(given, grid, targets),
        distributions=_distributions(given, grid, targets),
        provenance=_provenance(given, targets),
        consensus=_consensus(given, grid),
        exclusions=given.exclusions,
        amendments=given.amendments,
        ungraded=_ungraded(given),
        methods=_methods(given),
        notes=given.notes,
        flow_numbers=given.flow_numbers,
        within=given.within,
    )


def _comparisons(given: ReportInput, grid: GradeGrid, targets: tuple[Target, ...]) -> tuple[Comparison, ...]:
    comparer = Comparer(grid, (*given.readers, CONSENSUS, PREGRADE), given.level)
    readers = range(len(given.readers))
    consensus, ai = grid.consensus_rater, grid.pregrade_rater
    wanted = [(ComparisonKind.READERS, first, second) for first, second in combinations(readers, 2)]
    if given.consensus:
        wanted += [(ComparisonKind.READER_CONSENSUS, consensus, reader) for reader in readers]
    if given.pregrades and given.consensus:
        wanted.append((ComparisonKind.AI_CONSENSUS, consensus, ai))
    if given.pregrades:
        wanted += [(ComparisonKind.AI_READER, reader, ai) for reader in readers]

    def worth_showing(target: Target, first: int, second: int) -> bool:
        # What the protocol calls final is always reported, if only to say that there is nothing yet.
        # A single site is not, where one of the two never grades sites (a consensus of whole joints).
        return target.final or all(grid.column(target, rater).graded for rater in (first, second))

    return tuple(
        comparer.compare(kind, target, first, second)
        for kind in ComparisonKind
        for target in targets
        for this, first, second in wanted
        if this is kind and worth_showing(target, first, second)
    )


def _distributions(
    given: ReportInput, grid: GradeGrid, targets: tuple[Target, ...]
) -> tuple[Distribution, ...]:
    raters = list(enumerate(given.readers))
    raters += [(grid.consensus_rater, CONSENSUS)] if given.consensus else []
    raters += [(grid.pregrade_rater, PREGRADE)] if given.pregrades else []
    found: list[Distribution] = []
    for target in targets if raters else ():
        size = len(grid.features[target.feature].levels)
        columns = [(label, grid.column(target, rater).positions) for rater, label in raters]
        anybody = np.any([positions != MISSING for _, positions in columns], axis=0)
        for label, positions in columns:
            counts = tuple(int((positions == position).sum()) for position in range(size))
            if target.final or any(counts):
                ungraded = int((anybody & (positions == MISSING)).sum())
                found.append(Distribution(target, label, counts, ungraded))
    return tuple(found)


def _provenance(given: ReportInput, targets: tuple[Target, ...]) -> tuple[ProvenanceCount, ...]:
    counted = Counter((row.feature, row.site, row.method) for row in given.consensus)
    methods = sorted({row.method for row in given.consensus})
    return tuple(
        ProvenanceCount(target, method, counted[target.feature, target.site, method])
        for target in targets
        for method in methods
        if counted[target.feature, target.site, method]
    )


def _consensus(given: ReportInput, grid: GradeGrid) -> tuple[ConsensusLine, ...]:
    by_item = {(target.feature, target.site): target for target in grid.targets()}
    order = {item: number for number, item in enumerate(by_item)}
    rows = sorted(given.consensus, key=lambda row: (grid.place(row), order[row.feature, row.site]))
    columns = {
        item: [grid.column(target, rater).positions.tolist() for rater in range(grid.pregrade_rater + 1)]
        for item, target in by_item.items()
    }

    def line(row: ConsensusRow) -> ConsensusLine:
        place = grid.place(row)
        levels = grid.features[row.feature].levels
        codes = [
            None if column[place] == MISSING else levels[column[place]].code
            for column in columns[row.feature, row.site]
        ]
        return ConsensusLine(
            participant=row.participant,
            visit=row.visit,
            radiograph=row.radiograph,
            side=row.side,
            feature=row.feature,
            site=row.site,
            grades=tuple(codes[: len(given.readers)]),
            pregrade=codes[grid.pregrade_rater],
            final=row.code,
            method=row.method,
            adjudicator=row.adjudicator,
            rationale=row.rationale,
        )

    return tuple(line(row) for row in rows)


def _ungraded(given: ReportInput) -> tuple[UngradedLine, ...]:
    readers = [
        UngradedLine(
            row.participant,
            row.visit,
            row.radiograph,
            row.side,
            row.feature,
            row.site,
            row.reader,
            row.reason,
        )
        for row in given.grades
        if row.code is None
    ]
    consensus = [
        UngradedLine(
            row.participant, row.visit, row.radiograph, row.side, row.feature, row.site, CONSENSUS, row.method
        )
        for row in given.consensus
        if row.code is None
    ]
    return tuple(
        sorted(
            readers + consensus,
            key=lambda line: (
                line.participant,
                line.visit,
                line.radiograph,
                line.side,
                line.feature,
                line.site or "",
                line.rater,
            ),
        )
    )


def _methods(given: ReportInput) -> tuple[str, ...]:
    """Say how the figures came about, as far as they are in this report."""
    percent = f"{100 * given.level:g} %"
    said = [
        f"All intervals are {percent} confidence intervals. Joints of one participant are not independent: "
        "intervals are clustered by participant, over all visits and both sides, unless stated otherwise.",
        f"Kappa is Cohen's, over the full scale of the protocol; its interval is that of the "
        f"{IntervalMethod.CLUSTER_JACKKNIFE_T.describe()}, truncated to [−1, 1].",
        f"Shares of joints (agreement, sensitivity, specificity) have the "
        f"{IntervalMethod.CLUSTER_WILSON.describe()} (Dean and Pagano 2015).",
        "An undefined figure is reported with its reason, never as 0 or 1.",
    ]
    if any(feature.worst_site and feature.sites for feature in given.features):
        said.append(
            "The grade of a feature read by site is the worst of its sites; it is missing unless every site "
            "was graded. Its probability of presence is the highest of its sites."
        )
    if given.consensus:
        said.append(
            "Balanced accuracy is the mean recall over the grades that occur in the reference; its interval "
            f"has the {IntervalMethod.CLUSTER_T.describe()}. Intervals of "
            "recall and precision of single grades are Wilson score intervals and take joints as independent."
        )
        said.append(
            "The consensus is made from the readers' own grades, so their agreement with it is higher than "
            "with an independent reference."
        )
    if given.pregrades:
        said.append(
            "The area under the ROC curve is that of the AI's probability of presence (grades from the "
            f"protocol's cut upwards); its interval has the {IntervalMethod.CLUSTER_DELONG.describe()}."
        )
    if given.study.aided:
        said.append(
            "Readers saw the AI's pre-grades while they graded, so neither their agreement with the AI nor "
            "the AI's with the consensus is independent of it."
        )
    return tuple(said)
