"""The ends of a knee's plateau: where they are placed, when they are not told, and how that is learned."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file

from reader_app.ai.bundle import Bundle, load_bundle
from reader_app.ai.bundle_spec import Landmarks
from reader_app.ai.film_image import PreparedFilm, prepare_film
from reader_app.ai.located import JointBox
from reader_app.ai.nets.landmarks import (
    LandmarkNet,
    load_landmarks,
    mean_and_spread,
    place_landmarks,
    tilt_of,
)
from reader_app.errors import BundleError
from reader_app.imaging.geometry import Box, Side
from reader_app.phantom.film import FilmParameters, PhantomFilm
from reader_app.phantom.knees import render_bilateral_knees
from reader_app.phantom.truth import KneeTruth, Pose

SPEC = Landmarks(
    file="landmarks.safetensors",
    sha256="",
    size=64,
    margin=1.15,
    points=("plateau_lateral", "plateau_medial"),
)
Point = tuple[float, float]


@pytest.fixture(scope="module")
def phantom() -> PhantomFilm:
    """Both knees, the left one turned by 6 degrees."""
    return render_bilateral_knees(
        KneeTruth(),
        KneeTruth(pose=Pose(rotation_deg=6.0, shift_mm=(6.0, -8.0))),
        FilmParameters().reduced(5),
        seed=11,
    )


def prepared(pixels: npt.NDArray[np.generic], **known: object) -> PreparedFilm:
    return prepare_film(pixels, joint="knee", **known)  # type: ignore[arg-type]


def ends(film: PhantomFilm, side: Side) -> tuple[Point, Point]:
    """The lateral and the medial end, in coordinates where pixel i covers [i, i + 1]."""
    marks = film.joints[side].landmarks
    lateral, medial = marks["plateau_lateral"], marks["plateau_medial"]
    return (lateral[0] + 0.5, lateral[1] + 0.5), (medial[0] + 0.5, medial[1] + 0.5)


def boxed(film: PhantomFilm, side: Side) -> JointBox:
    """The joint as a localizer would box it: 1.45 plateaus wide, the joint line at 0.6 of the height."""
    lateral, medial = ends(film, side)
    edge = 1.45 * math.dist(lateral, medial)
    x, y = (lateral[0] + medial[0]) / 2.0, (lateral[1] + medial[1]) / 2.0
    return JointBox(Box(x - edge / 2.0, y - 0.6 * edge, edge, edge), side.value, 1.0, "test")


@pytest.fixture
def shipped(shipped_bundle: Path) -> tuple[LandmarkNet, Landmarks]:
    bundle: Bundle = load_bundle(shipped_bundle)
    assert bundle.spec.landmarks is not None, "the bundle that comes with the software lost its landmarks"
    return load_landmarks(bundle.folder, bundle.spec.landmarks), bundle.spec.landmarks


def test_the_shipped_network_finds_the_ends_of_both_plateaus_of_a_phantom(
    phantom: PhantomFilm, shipped: tuple[LandmarkNet, Landmarks]
) -> None:
    net, spec = shipped
    film = prepared(phantom.pixels)
    placed = place_landmarks(net, spec, film, [boxed(phantom, side) for side in Side])
    for joint, side in zip(placed, Side, strict=True):
        lateral, medial = ends(phantom, side)
        width = math.dist(lateral, medial)
        assert [mark.name for mark in joint.landmarks] == ["plateau_lateral", "plateau_medial"]
        for mark, place in zip(joint.landmarks, (lateral, medial), strict=True):
            assert math.dist((mark.x, mark.y), place) < 0.05 * width
        assert joint.tilt_degrees == pytest.approx(tilt_of(lateral, medial), abs=1.5)


def test_a_film_in_a_mirror_has_the_opposite_tilt(
    phantom: PhantomFilm, shipped: tuple[LandmarkNet, Landmarks]
) -> None:
    net, spec = shipped
    joint = boxed(phantom, Side.LEFT)
    columns = phantom.pixels.shape[1]
    (one,) = place_landmarks(net, spec, prepared(phantom.pixels), [joint])
    mirrored = prepared(phantom.pixels[:, ::-1], image_left=Side.LEFT)
    (other,) = place_landmarks(net, spec, mirrored, [replace(joint, box=joint.box.mirrored(columns))])
    assert one.tilt_degrees is not None
    assert other.tilt_degrees == pytest.approx(-one.tilt_degrees, abs=0.05)
    for mark, mark_mirrored in zip(one.landmarks, other.landmarks, strict=True):
        assert mark.name == mark_mirrored.name
        assert mark_mirrored.x == pytest.approx(columns - mark.x, abs=0.2)
        assert mark_mirrored.y == pytest.approx(mark.y, abs=0.2)


def test_the_size_of_the_film_does_not_move_the_points(
    phantom: PhantomFilm, shipped: tuple[LandmarkNet, Landmarks]
) -> None:
    net, spec = shipped
    joint = boxed(phantom, Side.RIGHT)
    (small,) = place_landmarks(net, spec, prepared(phantom.pixels), [joint])
    larger = np.kron(phantom.pixels, np.ones((3, 3), dtype=phantom.pixels.dtype))
    box = Box(joint.box.x * 3, joint.box.y * 3, joint.box.width * 3, joint.box.height * 3)
    (large,) = place_landmarks(net, spec, prepared(larger), [replace(joint, box=box)])
    width = math.dist(*ends(phantom, Side.RIGHT))
    for mark, mark_large in zip(small.landmarks, large.landmarks, strict=True):
        assert math.dist((mark.x, mark.y), (mark_large.x / 3, mark_large.y / 3)) < 0.02 * width


def test_pixels_that_are_not_square_give_the_tilt_on_the_body(
    phantom: PhantomFilm, shipped: tuple[LandmarkNet, Landmarks]
) -> None:
    net, spec = shipped
    joint = boxed(phantom, Side.LEFT)
    flat = phantom.pixels[::2]  # rows are twice as far apart as columns
    box = Box(joint.box.x, joint.box.y / 2, joint.box.width, joint.box.height / 2)
    film = prepared(flat, spacing_mm=(2 * phantom.spacing_mm, phantom.spacing_mm))
    (placed,) = place_landmarks(net, spec, film, [replace(joint, box=box)])
    assert placed.tilt_degrees == pytest.approx(tilt_of(*ends(phantom, Side.LEFT)), abs=1.5)


def test_where_the_side_is_not_known_the_points_are_named_by_the_image(
    phantom: PhantomFilm, shipped: tuple[LandmarkNet, Landmarks]
) -> None:
    net, spec = shipped
    joint = replace(boxed(phantom, Side.RIGHT), side="U")
    (placed,) = place_landmarks(net, spec, prepared(phantom.pixels), [joint])
    assert [mark.name for mark in placed.landmarks] == ["image_left", "image_right"]
    assert placed.landmarks[0].x < placed.landmarks[1].x


def test_unclear_points_are_not_told(phantom: PhantomFilm) -> None:
    torch.manual_seed(0)
    net = LandmarkNet(2).eval()  # knows nothing: its maps are as wide as the square
    joint = boxed(phantom, Side.RIGHT)
    assert place_landmarks(net, SPEC, prepared(phantom.pixels), [joint]) == [joint]


def test_a_box_beside_the_film_is_left_as_it_is(
    phantom: PhantomFilm, shipped: tuple[LandmarkNet, Landmarks]
) -> None:
    net, spec = shipped
    beside = JointBox(Box(-500.0, 10.0, 100.0, 100.0), "R", 1.0, "test")
    joints = [beside, boxed(phantom, Side.LEFT)]
    left_alone, placed = place_landmarks(net, spec, prepared(phantom.pixels), joints)
    assert left_alone == beside
    assert placed.tilt_degrees is not None
    assert place_landmarks(net, spec, prepared(phantom.pixels), []) == []


def test_a_sharp_map_is_its_peak_and_a_flat_one_says_that_it_does_not_know() -> None:
    maps = torch.full((1, 2, 16, 16), -50.0)
    maps[0, 0, 3, 12] = 0.0
    maps[0, 1] = 0.0
    points, spread = mean_and_spread(maps)
    assert points[0, 0].tolist() == pytest.approx([12.5 / 16, 3.5 / 16])
    assert points[0, 1].tolist() == pytest.approx([0.5, 0.5])
    assert spread[0, 0] < 1e-3
    assert spread[0, 1] == pytest.approx(math.sqrt(1.0 / 12.0), rel=0.01)


@given(st.floats(-80.0, 80.0), st.floats(1.0, 500.0), st.floats(-900.0, 900.0), st.floats(0.1, 3.0))
def test_a_tilt_is_that_of_its_line_on_the_body_whichever_end_comes_first(
    degrees: float, length: float, start: float, ratio: float
) -> None:
    across, down = length * math.cos(math.radians(degrees)), length * math.sin(math.radians(degrees))
    one, other = (start, -start), (start + across, -start + down / ratio)
    found = tilt_of(one, other, spacing_mm=(ratio, 1.0))
    assert found == pytest.approx(degrees, abs=1e-6)
    assert tilt_of(other, one, spacing_mm=(ratio, 1.0)) == found


def test_two_ends_in_one_place_have_no_tilt() -> None:
    assert tilt_of((3.0, 4.0), (3.0, 4.0)) is None


def test_weights_that_do_not_fit_are_refused_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="cannot be read"):
        load_landmarks(tmp_path, SPEC)
    save_file({"foreign": torch.zeros(3)}, tmp_path / SPEC.file)
    with pytest.raises(BundleError, match="do not fit"):
        load_landmarks(tmp_path, SPEC)
    with pytest.raises(BundleError, match="two points"):
        load_landmarks(tmp_path, replace(SPEC, points=("one", "two", "three")))
