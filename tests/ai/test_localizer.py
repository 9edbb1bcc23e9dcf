from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from reader_app.ai.localizer import SINGLE, SPLIT, locate_joints
from reader_app.errors import ImageError
from reader_app.imaging.geometry import Box, Side
from reader_app.phantom.film import FilmParameters
from reader_app.phantom.knees import render_bilateral_knees
from reader_app.phantom.truth import KneeTruth, Pose


@pytest.fixture(scope="module")
def phantom() -> tuple[npt.NDArray[np.uint16], dict[str, Box]]:
    film = render_bilateral_knees(
        KneeTruth(),
        KneeTruth(pose=Pose(tilt_deg=3.0, shift_mm=(8.0, -12.0))),
        FilmParameters().reduced(6),
        seed=5,
    )
    boxes = {
        side.value: Box(
            joint.box.left, joint.box.top, joint.box.right - joint.box.left, joint.box.bottom - joint.box.top
        )
        for side, joint in film.joints.items()
    }
    return film.pixels, boxes


def test_both_knees_of_a_phantom_are_found_where_they_were_put(
    phantom: tuple[npt.NDArray[np.uint16], dict[str, Box]],
) -> None:
    pixels, truth = phantom
    right, left = locate_joints(pixels)
    assert (right.side, left.side) == ("R", "L")
    for found in (right, left):
        assert found.method == SPLIT
        assert 0.5 < found.confidence <= 1.0
        expected = truth[found.side]
        assert found.box.centre == pytest.approx(expected.centre, abs=0.12 * expected.width)
        assert (
            found.box.iou(expected) > 0.45
        )  # the planted box is 140 mm, the crops of the training are tighter


def test_the_convention_of_sides_can_be_told(phantom: tuple[npt.NDArray[np.uint16], dict[str, Box]]) -> None:
    found = locate_joints(phantom[0], image_left=Side.LEFT)
    assert [joint.side for joint in found] == ["L", "R"]


def test_grey_values_and_size_do_not_matter(phantom: tuple[npt.NDArray[np.uint16], dict[str, Box]]) -> None:
    pixels = phantom[0]
    one = locate_joints(pixels)
    other = locate_joints(pixels.astype(np.float32) * 0.01 - 7.0)
    for a, b in zip(one, other, strict=True):
        assert a.box.iou(b.box) > 0.98


def test_half_a_film_is_one_joint(phantom: tuple[npt.NDArray[np.uint16], dict[str, Box]]) -> None:
    half = phantom[0][:, : phantom[0].shape[1] // 2]
    (found,) = locate_joints(half)
    assert found.side == "U"
    assert found.method == SINGLE


def test_too_little_film_is_told() -> None:
    with pytest.raises(ImageError):
        locate_joints(np.zeros((5, 5), dtype=np.uint8))


def test_real_strips_are_split_and_real_single_knees_are_not(shared: Path) -> None:
    folder = shared / "data" / "knee-two-experts"
    with (folder / "labels.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    bilateral = [row for row in rows if row["view"] == "bilateral"]
    single = [row for row in rows if row["view"] == "single"][::10]
    for row in bilateral:
        pixels = np.asarray(Image.open(folder / "images" / row["image"]).convert("L"))
        right, left = locate_joints(pixels)
        assert right.box.centre[0] < pixels.shape[1] / 2 < left.box.centre[0]
        assert 150 < right.box.width < 360
    assert all(
        len(locate_joints(np.asarray(Image.open(folder / "images" / row["image"]).convert("L")))) == 1
        for row in single
    )


def test_single_joint_crops_are_taken_as_they_are(shared: Path) -> None:
    folder = shared / "data" / "knee-kl" / "val"
    found = [
        locate_joints(np.asarray(Image.open(path).convert("L"))) for path in sorted(folder.iterdir())[::8]
    ]
    whole = [joints for joints in found if len(joints) == 1 and joints[0].box == Box(0, 0, 224, 224)]
    # A few crops of inverted films look split; where the side is known, the caller says bilateral=False.
    assert len(whole) >= 0.95 * len(found)
