"""A localizer against joints that were pointed at: what counts as found, and what the shipped one reaches."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from reader_app.ai.film_image import PreparedFilm, prepare_film
from reader_app.ai.located import JointBox, Landmark, Located
from reader_app.errors import ManifestError
from reader_app.imaging.geometry import Box, Side
from reader_app.operations.evaluate_localizer import compare, evaluate_localizer
from reader_app.operations.localizer_figures import (
    LocalizerFigures,
    localizer_figures,
    localizer_values,
    spread,
    write_localizer_evaluation,
)
from reader_app.operations.localizer_reference import COLUMNS, ReferenceJoint, read_reference
from reader_app.phantom.film import FilmParameters
from reader_app.phantom.knees import render_bilateral_knees
from reader_app.phantom.truth import KneeTruth
from reader_app.settings import resource_path

STRIPS = Path(__file__).parents[1] / "ai" / "strips" / "reference.csv"


def knee(side: Side, x: float, *, y: float = 100.0, fall: float = 0.0, note: str = "") -> ReferenceJoint:
    """A plateau of about 100 pixels whose left end lies at x."""
    return ReferenceJoint(
        image="film.png",
        path=Path("film.png"),
        side=side,
        left=(x, y),
        right=(x + 100.0, y + fall),
        joint_line_y=y - 8.0,
        note=note,
    )


def found(box: Box, side: str, **more: object) -> JointBox:
    return JointBox(box, side, 0.9, "test", **more)  # type: ignore[arg-type]


@pytest.fixture
def film() -> PreparedFilm:
    pixels = np.tile(np.arange(480, dtype=np.uint8), (160, 1))
    return prepare_film(pixels, joint="knee")


def test_the_reference_box_is_the_one_that_the_rules_draw() -> None:
    joint = knee(Side.RIGHT, 50.0)
    assert joint.box.width == joint.box.height == pytest.approx(145.0)
    assert joint.box.centre[0] == pytest.approx(100.0)
    assert joint.box.y + 0.6 * joint.box.height == pytest.approx(92.0)
    assert knee(Side.RIGHT, 50.0, fall=10.0).tilt_degrees == pytest.approx(math.degrees(math.atan(0.1)))


def test_boxes_are_cut_to_the_film_before_they_are_compared(film: PreparedFilm) -> None:
    joint = knee(Side.RIGHT, 50.0)  # its box ends 10 pixels below, and none above
    inside = joint.box.clipped(160, 480)
    (only,) = compare("f", film, [joint], Located((found(inside, "R"),)), seconds=0.0).joints
    assert only.iou == pytest.approx(1.0)
    tall = Box(joint.box.x, joint.box.y - 300.0, joint.box.width, joint.box.height + 600.0)
    (same,) = compare("f", film, [joint], Located((found(tall, "R"),)), seconds=0.0).joints
    assert same.iou < 1.0  # above, the film has more to see


def test_a_joint_without_a_box_or_with_too_little_of_it_is_missed(film: PreparedFilm) -> None:
    right, left = knee(Side.RIGHT, 40.0), knee(Side.LEFT, 320.0)
    shifted = left.box.moved(0.6 * left.box.width, 0.0)
    result = compare("f", film, [right, left], Located((found(shifted, "L"),)), seconds=0.0)
    assert [joint.missed for joint in result.joints] == [True, True]
    assert result.joints[0].found is None
    assert result.joints[0].centre_error is None
    assert result.joints[1].centre_error == pytest.approx(0.6 * 1.45)
    assert len(result.false_boxes) == 1


def test_swapped_sides_are_found_and_called_wrong(film: PreparedFilm) -> None:
    right, left = knee(Side.RIGHT, 40.0), knee(Side.LEFT, 320.0)
    swapped = Located((found(right.box, "L"), found(left.box, "U")))
    result = compare("f", film, [right, left], swapped, seconds=0.0)
    assert [joint.wrong_side for joint in result.joints] == [True, True]
    assert not any(joint.missed for joint in result.joints)
    assert result.false_boxes == ()


def test_each_box_serves_one_joint_the_best_first(film: PreparedFilm) -> None:
    right = knee(Side.RIGHT, 40.0)
    near = found(right.box.moved(4.0, 0.0), "R")
    nearer = found(right.box.moved(2.0, 0.0), "R")
    result = compare("f", film, [right], Located((near, nearer)), seconds=0.0)
    assert result.joints[0].found == nearer
    assert result.false_boxes == (near,)


def test_tilt_and_ends_are_measured_but_not_against_estimates(film: PreparedFilm) -> None:
    marks = (Landmark("plateau_medial", 141.0, 104.0), Landmark("plateau_lateral", 40.0, 103.0))
    told = found(knee(Side.RIGHT, 40.0).box, "R", tilt_degrees=2.5, landmarks=marks)
    sure, estimated = (knee(Side.RIGHT, 40.0, note=note) for note in ("", "outside the picture"))
    (joint,) = compare("f", film, [sure], Located((told,)), seconds=0.0).joints
    assert joint.tilt_error == pytest.approx(2.5)
    assert joint.point_error == pytest.approx((3.0 + math.hypot(1.0, 4.0)) / 200.0)
    (unsure,) = compare("f", film, [estimated], Located((told,)), seconds=0.0).joints
    assert unsure.tilt_error is None
    assert unsure.point_error is None


def test_no_number_has_no_spread_and_one_has_none_around_it() -> None:
    assert spread([]) is None
    one = spread([2.0])
    assert one is not None
    assert (one.median, one.mean, one.deviation) == (2.0, 2.0, 0.0)
    three = spread([1.0, 2.0, 6.0])
    assert three is not None
    assert (three.median, three.mean) == (2.0, 3.0)
    assert three.deviation == pytest.approx(math.sqrt(7.0))


def write_reference(path: Path, rows: Sequence[Sequence[object]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([COLUMNS, *rows])
    return path


def test_a_wrong_table_names_its_lines(tmp_path: Path) -> None:
    Image.new("L", (8, 8)).save(tmp_path / "a.png")
    rows = [
        ("a.png", "R", 1, 2, 30, 2, 1),
        ("a.png", "R", 1, 2, 30, 2, 1),
        ("gone.png", "R", 1, 2, 3, 2, 1),
        ("a.png", "X", 1, 2, 3, 2, 1),
        ("a.png", "L", "one", 2, 3, 2, 1),
        ("a.png", "L", 9, 2, 3, 2, 1),
    ]
    table = write_reference(tmp_path / "joints.csv", rows)
    with pytest.raises(ManifestError) as told:
        read_reference(table, images=tmp_path)
    for part in ("line 4: there is no image", "line 5: the side", "line 6: a coordinate", "line 7: right_x"):
        assert part in str(told.value)
    assert "more than once" in str(told.value)
    with pytest.raises(ManifestError, match="has no rows"):
        read_reference(write_reference(tmp_path / "empty.csv", []), images=tmp_path)
    (tmp_path / "bare.csv").write_text("image,side\na.png,R\n", encoding="utf-8")
    with pytest.raises(ManifestError, match="lacks the column “left_x”"):
        read_reference(tmp_path / "bare.csv", images=tmp_path)


@pytest.fixture
def phantom_films(tmp_path: Path) -> tuple[Path, Path]:
    """One film of both knees, and the table of where they were put."""
    folder = tmp_path / "films"
    folder.mkdir()
    film = render_bilateral_knees(KneeTruth(), KneeTruth(), FilmParameters().reduced(5), seed=3)
    Image.fromarray((film.pixels / 16).astype(np.uint8)).save(folder / "both.png")
    rows = []
    for side, joint in film.joints.items():
        marks = joint.landmarks
        ends = sorted((marks["plateau_lateral"], marks["plateau_medial"]))
        spaces = [
            marks[f"joint_space_{part}_{bone}"][1]
            for part in ("medial", "lateral")
            for bone in ("femur", "tibia")
        ]
        rows.append(
            ("both.png", side.value, *(value + 0.5 for end in ends for value in end), np.mean(spaces))
        )
    return folder, write_reference(tmp_path / "joints.csv", rows)


def test_an_evaluation_is_written_with_every_joint_and_a_picture(
    shipped_bundle: Path, phantom_films: tuple[Path, Path], tmp_path: Path
) -> None:
    images, reference = phantom_films
    evaluation = evaluate_localizer(str(shipped_bundle), images=images, reference=reference, device="cpu")
    figures = localizer_figures(evaluation)
    assert (figures.films, figures.joints, figures.missed, figures.false_boxes) == (1, 2, (), ())
    files = write_localizer_evaluation(evaluation, tmp_path / "out", pictures=True)
    assert json.loads(files[0].read_text(encoding="utf-8")) == json.loads(
        json.dumps(localizer_values(evaluation))
    )
    with files[1].open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["side"] for row in rows] == ["R", "L"]
    assert float(rows[0]["iou"]) == pytest.approx(evaluation.joints[0].iou, abs=1e-4)
    with Image.open(files[2] / "both.png") as picture:
        colours = {colour for _, colour in picture.getcolors(1 << 20) or []}
    assert {(0, 255, 0), (255, 0, 0)} <= colours


def test_a_table_that_is_not_sorted_is_refused(
    shipped_bundle: Path, phantom_films: tuple[Path, Path], tmp_path: Path
) -> None:
    images, _ = phantom_films
    Image.open(images / "both.png").save(images / "again.png")
    plateau = (40, 60, 90, 60, 55)
    rows = [
        (name, side, *plateau) for name, side in (("both.png", "R"), ("again.png", "R"), ("both.png", "L"))
    ]
    with pytest.raises(ManifestError, match="not sorted"):
        evaluate_localizer(
            str(shipped_bundle),
            images=images,
            reference=write_reference(tmp_path / "mixed.csv", rows),
            device="cpu",
        )


@pytest.fixture(scope="module")
def strips() -> list[dict[str, str]]:
    with STRIPS.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_the_strips_have_both_knees_with_plateaus_of_a_sensible_width(strips: list[dict[str, str]]) -> None:
    assert len(strips) == 120
    assert len({row["image"] for row in strips}) == 60
    widths = []
    for right, left in zip(strips[::2], strips[1::2], strict=True):
        assert (right["image"], right["side"], left["side"]) == (left["image"], "R", "L")
        assert float(right["right_x"]) < float(left["left_x"])
        pair = [
            math.dist((float(r["left_x"]), float(r["left_y"])), (float(r["right_x"]), float(r["right_y"])))
            for r in (right, left)
        ]
        assert max(pair) / min(pair) < 1.12  # both knees of one person
        widths += pair
    assert 140 < min(widths) < max(widths) < 205


@pytest.fixture(scope="module")
def on_strips(shared: Path) -> LocalizerFigures:
    """What the localizer that serves waiting people reaches on the real strips."""
    bundle = resource_path("models", "knee-kl")
    images = shared / "data" / "knee-two-experts" / "images"
    return localizer_figures(
        evaluate_localizer(str(bundle), images=images, reference=STRIPS, light=True, device="cpu")
    )


def test_the_shipped_localizer_misses_no_knee_of_the_real_strips(on_strips: LocalizerFigures) -> None:
    assert on_strips.missed == ()
    assert on_strips.wrong_side == ()
    assert on_strips.false_boxes == ()
    assert on_strips.iou is not None
    assert on_strips.iou.mean > 0.85  # 0.881 was seen; the rules reach 0.876
    assert on_strips.centre is not None
    assert on_strips.centre.mean < 0.08  # widths of the plateau; 0.048 was seen


def test_the_shipped_landmarks_tell_the_tilt_of_the_real_strips(on_strips: LocalizerFigures) -> None:
    assert on_strips.tilt is not None
    assert on_strips.points is not None
    assert on_strips.tilt.joints > 110  # of 118 whose tilt is certain; 117 were seen
    assert on_strips.tilt.mean < 1.8  # degrees; 1.4 were seen
    assert on_strips.points.mean < 0.055  # widths of the plateau; 0.043 was seen
