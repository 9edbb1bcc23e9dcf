"""Two bundles that pre-graded the same study, side by side: how far they agree, and on which joints not.

It holds bundle against bundle and knows nothing of readers, so that a coordinator may look at it while the
study is read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from reader_app.agreement.kappa import clustered_kappa, clustered_percent_agreement
from reader_app.agreement.ratings import Categories, RatingPairs, Ratings
from reader_app.agreement.result import Result, bounded
from reader_app.agreement.weights import Weights
from reader_app.errors import BundleError
from reader_app.operations.evaluation import result_values
from reader_app.operations.heatmaps import read_heatmap
from reader_app.operations.study import Study
from reader_app.protocols.model import Item, Scale
from reader_app.reading.pregrade import Heatmap, PreGrade
from reader_app.store import bundle_pregrades, pregrades
from reader_app.store.pregrade_records import JointPlace, JointPregrades, PairedPregrade
from reader_app.store.records import Actor, BundleUse

MOST_LISTED = 500
"""Joints that are listed one by one; those on which the bundles differ most."""


@dataclass(frozen=True)
class ItemAgreement:
    """How far two bundles agree on one item.

    Attributes
    ----------
    codes
        The grades of the scale.
    kappa_quadratic, same, within_one
        Clustered by participant.
    matrix
        Joints, a row for each grade of the first bundle, a column for each of the second.
    shift
        By how many grades the second bundle's expected grade lies above the first's, in the mean.
    """

    item: Item
    codes: tuple[int, ...]
    joints: int
    participants: int
    kappa_quadratic: Result
    same: Result
    within_one: Result
    matrix: tuple[tuple[int, ...], ...]
    shift: float


@dataclass(frozen=True)
class JointDifference:
    """One item of one joint on which two bundles differ."""

    place: JointPlace
    item: Item
    first: int
    second: int
    first_expected: float
    second_expected: float

    @property
    def apart(self) -> float:
        """By how many grades the expected grades lie apart."""
        return abs(self.first_expected - self.second_expected)


@dataclass(frozen=True)
class BundleComparison:
    """Two bundles on the joints that both pre-graded.

    Attributes
    ----------
    items
        In the order of the protocol; items that only one of them grades are left out.
    differing
        The items of joints that differ most, at most `MOST_LISTED`, the furthest apart first.
    different
        How many items of joints have different grades.
    """

    first: BundleUse
    second: BundleUse
    joints: int
    items: tuple[ItemAgreement, ...]
    differing: tuple[JointDifference, ...]
    different: int


def bundles_to_compare(study: Study, actor: Actor) -> tuple[BundleUse, ...]:
    """Return the bundles that pre-graded in this study.

    Raises
    ------
    NotAllowed
        Unless the acting account is a coordinator or auditor.
    """
    return pregrades.bundles_used(study.database, actor)


def compare_bundles(study: Study, actor: Actor, first: str, second: str) -> BundleComparison:
    """Hold what one bundle said against what another said.

    Parameters
    ----------
    first, second
        Bundles that pre-graded in this study: an id, ``id@version``, or the beginning of a SHA-256.

    Raises
    ------
    BundleError
        If a name means no bundle or more than one, or both mean the same, or they have no joint in common.
    NotAllowed
        Unless the acting account is a coordinator or auditor.
    """
    used = bundles_to_compare(study, actor)
    one, other = _meant(used, first), _meant(used, second)
    if one == other:
        raise BundleError("A bundle cannot be compared with itself.", f"Name another one: {_known(used)}.")
    rows = bundle_pregrades.paired_pregrades(study.database, actor, one.bundle_sha256, other.bundle_sha256)
    if not rows:
        raise BundleError(
            f"{title(one)} and {title(other)} have no joint in common on which they grade the same.",
            "Pre-grade the rest with both, or choose two bundles that grade the same items.",
        )
    by_item: dict[Item, list[PairedPregrade]] = {}
    for row in rows:
        by_item.setdefault(row.item, []).append(row)
    items = tuple(
        _agreement(item, study.protocol.item_scale(item), by_item[item])
        for item in study.protocol.items
        if item in by_item
    )
    return BundleComparison(
        one,
        other,
        len({row.joint_id for row in rows}),
        items,
        _differing(study, actor, rows),
        sum(row.first != row.second for row in rows),
    )


def title(bundle: BundleUse) -> str:
    """Return how a bundle is called: its id and version."""
    return f"{bundle.bundle_id} {bundle.bundle_version}"


def joint_pregrades(study: Study, actor: Actor, joint_id: int) -> JointPregrades:
    """Return what all bundles said of one joint.

    Raises
    ------
    NotAllowed
        Unless the acting account is a coordinator or auditor.
    """
    return bundle_pregrades.joint_pregrades(study.database, actor, joint_id)


def heatmap(study: Study, said: JointPregrades, pregrade: PreGrade) -> Heatmap | None:
    """Return where the networks looked for one grade; None where the bundle made no map.

    Raises
    ------
    StudyDamaged
        If the file is gone or damaged.
    """
    relative = said.heatmap_files.get(pregrade.provenance.bundle_sha256)
    return read_heatmap(study.folder, relative, pregrade.key.item) if relative is not None else None


def comparison_values(comparison: BundleComparison) -> dict[str, Any]:
    """Return a comparison as plain values for JSON."""
    return {
        "first": _bundle_values(comparison.first),
        "second": _bundle_values(comparison.second),
        "joints": comparison.joints,
        "different": comparison.different,
        "items": [
            {
                "item": each.item.key,
                "codes": list(each.codes),
                "joints": each.joints,
                "participants": each.participants,
                "kappa_quadratic": result_values(each.kappa_quadratic),
                "same": result_values(each.same),
                "within_one": result_values(each.within_one),
                "matrix": [list(row) for row in each.matrix],
                "shift": each.shift,
            }
            for each in comparison.items
        ],
        "differing": [
            {
                "joint": each.place.joint_id,
                "participant": each.place.participant,
                "visit": each.place.visit,
                "side": each.place.side.value,
                "item": each.item.key,
                "first": each.first,
                "second": each.second,
                "first_expected": each.first_expected,
                "second_expected": each.second_expected,
            }
            for each in comparison.differing
        ],
    }


def _bundle_values(bundle: BundleUse) -> dict[str, Any]:
    return {"id": bundle.bundle_id, "version": bundle.bundle_version, "sha256": bundle.bundle_sha256}


def _meant(used: Sequence[BundleUse], name: str) -> BundleUse:
    """Return the one bundle that a name means."""
    found = [
        each
        for each in used
        if name in (each.bundle_id, f"{each.bundle_id}@{each.bundle_version}", each.bundle_sha256)
    ]
    if not found and len(name) >= 6:
        found = [each for each in used if each.bundle_sha256.startswith(name.lower())]
    if len(found) == 1:
        return found[0]
    if not used:
        raise BundleError(
            "No bundle has pre-graded in this study yet.", "Pre-grade it with two bundles first."
        )
    what = "More than one bundle" if found else "No bundle"
    raise BundleError(
        f"{what} that pre-graded in this study is called “{name}”.", f"Name one of these: {_known(used)}."
    )


def _known(used: Sequence[BundleUse]) -> str:
    """Name all bundles so that each name means one."""
    names = [f"{each.bundle_id}@{each.bundle_version}" for each in used]
    return ", ".join(
        name if names.count(name) == 1 else each.bundle_sha256[:12]
        for name, each in zip(names, used, strict=True)
    )


def _agreement(item: Item, scale: Scale, rows: Sequence[PairedPregrade]) -> ItemAgreement:
    ratings = Ratings.from_columns(
        Categories(scale.codes),
        ([row.first for row in rows], [row.second for row in rows]),
        clusters=[row.participant_id for row in rows],
    )
    pairs: RatingPairs = ratings.pair(0, 1)
    return ItemAgreement(
        item=item,
        codes=scale.codes,
        joints=pairs.n,
        participants=pairs.n_clusters,
        kappa_quadratic=bounded(clustered_kappa(pairs, Weights.QUADRATIC), -1, 1),
        same=bounded(clustered_percent_agreement(pairs), 0, 1),
        within_one=bounded(clustered_percent_agreement(pairs, within=1), 0, 1),
        matrix=tuple(tuple(int(count) for count in row) for row in pairs.table.counts),
        shift=sum(row.second_expected - row.first_expected for row in rows) / len(rows),
    )


def _differing(study: Study, actor: Actor, rows: Sequence[PairedPregrade]) -> tuple[JointDifference, ...]:
    """Return the rows that lie furthest apart: by grades first, by expected grades where those are equal."""

    def gravity(row: PairedPregrade) -> tuple[int, float, int]:
        expected = abs(row.first_expected - row.second_expected)
        return -abs(row.first - row.second), -expected, row.joint_id

    furthest = sorted((row for row in rows if row.first != row.second), key=gravity)[:MOST_LISTED]
    places = bundle_pregrades.joint_places(study.database, actor, sorted({row.joint_id for row in furthest}))
    return tuple(
        JointDifference(
            places[row.joint_id], row.item, row.first, row.second, row.first_expected, row.second_expected
        )
        for row in furthest
    )
