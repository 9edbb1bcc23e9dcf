"""What must be true when the simulated study has ended."""

from __future__ import annotations

from collections.abc import Iterator

from scipy.stats import norm

from reader_app.agreement.result import Undefined
from reader_app.report.flow import total
from reader_app.report.model import Comparison
from tests.simulation.population import FILMS, MODEL_OF, RITA, ROLF, planted_kappa
from tests.simulation.study import Outcome

PUBLISHED_SHARE = 0.35
NEAR = 0.03


def adjudicated_share(outcome: Outcome) -> float:
    """Return the share of the radiographs that readers did not grade alike."""
    return outcome.flow.disagreed.radiographs / outcome.flow.imported.radiographs


def told(outcome: Outcome) -> Iterator[str]:
    """Say what came out."""
    flow = outcome.flow
    yield (
        f"{flow.imported.radiographs:,} films, {flow.imported.joints:,} joints; {outcome.acknowledged:,} "
        f"acknowledged grades and locks, {len(outcome.lost)} lost; {outcome.kills} kills; "
        f"{outcome.rereads:,} joints graded twice in hidden re-reads"
    )
    for part in (*flow.excluded, *flow.read, *flow.adjudicated, *flow.waiting):
        yield f"  {part.label}: {part.count.radiographs:,} films, {part.count.joints:,} joints"
    yield (
        f"  agreed {flow.agreed.joints:,}, disagreed {flow.disagreed.joints:,}, rejected exclusions "
        f"{flow.rejected.joints:,}, final {flow.final.joints:,} joints"
    )
    yield (
        f"adjudicated: {adjudicated_share(outcome):.1%} of the radiographs, "
        f"{outcome.settled:,} grades settled"
    )
    for each in outcome.between_readers:
        yield f"  {_kappa_words(each)}"
    yield f"verify: {len(outcome.verified.faults)} faults, {len(outcome.verified.checked)} checks passed"
    yield f"{outcome.seconds:.0f} s in all"


def faults(outcome: Outcome) -> Iterator[str]:
    """Say what is not as it must be."""
    yield from outcome.verified.faults
    yield from outcome.lost[:10]
    flow = outcome.flow
    if (flow.imported.radiographs, flow.imported.joints) != (outcome.films, outcome.joints):
        yield f"{flow.imported} imported of {outcome.films} films and {outcome.joints} joints"
    if (
        flow.checking.joints
        or flow.ungraded.joints
        or total(flow.waiting).joints
        or total(flow.unread).joints
    ):
        yield f"not everything came to its end: {flow}"
    if flow.final.joints + total(flow.excluded).joints != flow.imported.joints:
        yield "final and excluded joints do not add up to those imported"
    if outcome.films == FILMS and abs(adjudicated_share(outcome) - PUBLISHED_SHARE) > NEAR:
        yield f"{adjudicated_share(outcome):.1%} of the radiographs adjudicated, not {PUBLISHED_SHARE:.0%}"
    if not outcome.rereads:
        yield "no reader read anything twice"
    if len(outcome.between_readers) != len(MODEL_OF):
        yield f"{len(outcome.between_readers)} kappas for {len(MODEL_OF)} features"
    for each in outcome.between_readers:
        # In a small study what is rare is too rare for an interval to mean much.
        if outcome.films == FILMS and not _matches(each):
            yield f"the planted kappa is outside the interval: {_kappa_words(each)}"


def _matches(each: Comparison) -> bool:
    interval = None if isinstance(each.kappa_linear, Undefined) else each.kappa_linear.interval
    if interval is None or isinstance(interval, Undefined):
        return False
    planted = planted_kappa(MODEL_OF[each.target.feature], RITA, ROLF)
    # All of the intervals are to hold at once, in 95 % of such studies (Bonferroni): each is that much wider.
    wider = norm.ppf(1 - 0.025 / len(MODEL_OF)) / norm.ppf(1 - 0.025)
    middle, half = (interval.low + interval.high) / 2, (interval.high - interval.low) / 2
    return bool(abs(planted - middle) <= wider * half)


def _kappa_words(each: Comparison) -> str:
    planted = planted_kappa(MODEL_OF[each.target.feature], RITA, ROLF)
    found = each.kappa_linear
    if isinstance(found, Undefined):
        return f"{each.target.feature}: planted {planted:.3f}, {found.sentence}"
    interval = found.interval
    width = "no interval" if isinstance(interval, Undefined) else f"{interval.low:.3f} to {interval.high:.3f}"
    return f"{each.target.feature}: kappa {found.value:.3f} ({width}), planted {planted:.3f}"
