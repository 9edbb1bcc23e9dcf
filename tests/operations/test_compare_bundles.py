"""Two bundles against each other: figures, the joints furthest apart, and nothing of readers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from reader_app.agreement.result import Estimate
from reader_app.errors import BundleError, NotAllowed
from reader_app.operations.compare_bundles import (
    compare_bundles,
    comparison_values,
    heatmap,
    joint_pregrades,
)
from reader_app.operations.log_in import log_in
from reader_app.operations.study import Study, open_study
from reader_app.store import bundle_pregrades
from reader_app.store.pregrades import pending_joints
from reader_app.store.records import Actor
from tests.operations import two_bundles as two


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return two.make_study(tmp_path_factory.mktemp("compared"))


@pytest.fixture
def study(folder: Path) -> Iterator[Study]:
    with open_study(folder) as opened:
        yield opened


@pytest.fixture
def carla(study: Study) -> Actor:
    return log_in(study, two.COORDINATOR, two.PASSWORD)


def test_the_figures_are_those_of_the_two_columns_of_grades(study: Study, carla: Actor) -> None:
    found = compare_bundles(study, carla, "knee-kl@1.0.0", "knee-kl@1.1.0")
    (kl,) = found.items
    old, new = two.GRADES[two.OLD], two.GRADES[two.NEW]
    assert isinstance(kl.kappa_quadratic, Estimate)
    assert kl.kappa_quadratic.value == pytest.approx(cohen_kappa_score(old, new, weights="quadratic"))
    assert isinstance(kl.same, Estimate)
    assert kl.same.value == pytest.approx(10 / 12)
    assert isinstance(kl.within_one, Estimate)
    assert kl.within_one.value == pytest.approx(11 / 12)
    matrix = np.zeros((5, 5), int)
    np.add.at(matrix, (old, new), 1)
    assert np.array_equal(kl.matrix, matrix)
    assert (found.joints, found.different, kl.participants) == (12, 2, 6)


def test_the_joints_furthest_apart_come_first(study: Study, carla: Actor) -> None:
    found = compare_bundles(study, carla, two.OLD, two.NEW[:8])
    joints = [joint.joint_id for joint in pending_joints(study.database, carla, "none")]
    assert [each.place.joint_id for each in found.differing] == [joints[9], joints[10]]
    worst = found.differing[0]
    assert (worst.first, worst.second) == (4, 0)
    assert worst.apart == pytest.approx(4 * (0.9 - 0.025))
    places = bundle_pregrades.joint_places(study.database, carla, joints)
    assert worst.place == places[joints[9]]
    assert compare_bundles(study, carla, two.NEW, two.OLD).differing[0].first == 0


def test_all_that_bundles_said_of_a_joint_is_at_hand_with_their_maps(study: Study, carla: Actor) -> None:
    place = compare_bundles(study, carla, two.OLD, two.NEW).differing[0].place
    said = joint_pregrades(study, carla, place.joint_id)
    assert [(each.provenance.bundle_version, each.code) for each in said.pregrades] == [
        ("1.0.0", 4),
        ("1.1.0", 0),
    ]
    for pregrade in said.pregrades:
        seen = heatmap(study, said, pregrade)
        assert seen is not None
        assert seen.values.shape == (4, 4)


def test_remarks_are_listed_with_their_joints(study: Study, carla: Actor) -> None:
    (remarked,) = bundle_pregrades.remarks(study.database, carla, two.NEW, 10)
    assert remarked.remark == two.MARKER
    first = pending_joints(study.database, carla, "none")[0]
    assert (remarked.place.joint_id, remarked.place.side) == (first.joint_id, first.side)


@pytest.mark.parametrize(
    ("first", "second", "what"),
    [
        ("knee-kl", two.NEW, "More than one bundle .* “knee-kl”"),
        ("hip-oarsi", two.NEW, "No bundle .* “hip-oarsi”"),
        (two.NEW, "knee-kl@1.1.0", "compared with itself"),
    ],
)
def test_a_name_that_means_no_bundle_or_several_is_refused_with_what_there_is(
    study: Study, carla: Actor, first: str, second: str, what: str
) -> None:
    with pytest.raises(BundleError, match=what) as fault:
        compare_bundles(study, carla, first, second)
    assert "knee-kl@1.0.0, knee-kl@1.1.0" in fault.value.next_step


def test_readers_may_not_compare(study: Study) -> None:
    anna = log_in(study, two.READER, two.READER_PASSWORD)
    with pytest.raises(NotAllowed):
        compare_bundles(study, anna, two.OLD, two.NEW)


def test_a_comparison_is_plain_json(study: Study, carla: Actor) -> None:
    values = comparison_values(compare_bundles(study, carla, two.OLD, two.NEW))
    assert json.loads(json.dumps(values, allow_nan=False)) == values
    assert values["items"][0]["item"] == "KL"
