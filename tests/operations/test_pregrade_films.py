"""A film on its way to its pre-grades: which millimetres count, which box, which reason, which remark."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from reader_app.ai.bundle import load_bundle
from reader_app.ai.located import JointBox, LeftOut, Located
from reader_app.ai.pipeline import PreparedJoint
from reader_app.errors import ImageError
from reader_app.imaging.correction import FilmCorrection
from reader_app.imaging.files import file_sha256
from reader_app.imaging.geometry import Box
from reader_app.imaging.spacing import Spacing, SpacingKind, unknown_spacing
from reader_app.operations.pregrade import pace_words
from reader_app.operations.pregrading.film_process import ProcessReader
from reader_app.operations.pregrading.film_task import (
    NOT_FOUND,
    DirectReader,
    FilmTask,
    JointTask,
    PlacedJoint,
    millimetres,
    open_film,
    place_joints,
)
from reader_app.store.records import FilmSource
from tests.operations.conftest import dicom_film, leg

BOX = Box(10, 20, 60, 60)
OTHER = Box(5, 5, 50, 50)
PIXELS = "f" * 64
UNKNOWN = unknown_spacing("nobody said")


def task(path: Path = Path("film.png"), *joints: JointTask, laterality: str = "B") -> FilmTask:
    source = FilmSource(str(path), file_sha256(path) if path.exists() else "", FilmCorrection())
    chosen = joints or (JointTask(1, "R", None), JointTask(2, "L", None))
    return FilmTask(1, path, source, PIXELS, laterality, "knee", chosen)


def found(side: str, box: Box = BOX, tilt: float | None = None) -> JointBox:
    return JointBox(box, side, 0.875, "retinanet", tilt)


def png(path: Path) -> Path:
    Image.fromarray(leg(seed=1)).save(path)
    return path


@pytest.mark.parametrize("kind", [kind for kind in SpacingKind if kind is not SpacingKind.UNKNOWN])
def test_millimetres_count_for_crops_also_at_the_detector(kind: SpacingKind) -> None:
    spacing = Spacing(0.125, 0.25, kind, "test")
    assert millimetres(spacing) == (0.125, 0.25)
    (placed, _) = place_joints(task(), Located((found("R"), found("L"))), spacing)
    assert placed.details["spacing"] == f"0.125 x 0.25 mm, {kind.value}"


def test_without_millimetres_the_provenance_says_how_the_crop_was_made() -> None:
    assert millimetres(UNKNOWN) is None
    (placed, _) = place_joints(task(), Located((found("R"), found("L"))), UNKNOWN)
    assert "multiple of the joint's width" in placed.details["spacing"]


def test_each_joint_gets_the_box_and_the_tilt_of_its_side() -> None:
    right, left = place_joints(task(), Located((found("R", BOX, 3.5), found("L", OTHER))), UNKNOWN)
    assert (right.box, right.tilt_degrees, left.box, left.tilt_degrees) == (BOX, 3.5, OTHER, 0.0)
    assert right.details["localizer"] == "retinanet, confidence 0.875"


def test_a_box_that_is_known_goes_before_a_found_one_which_still_tells_the_tilt() -> None:
    known = task(Path("film.png"), JointTask(1, "R", OTHER))
    (placed,) = place_joints(known, Located((found("R", BOX, -4.0),)), UNKNOWN)
    assert (placed.box, placed.tilt_degrees) == (OTHER, -4.0)


def test_a_prosthesis_is_left_out_with_its_reason_and_the_other_joint_is_not() -> None:
    reason = "There is a prosthesis."
    located = Located((found("L"),), left_out=(LeftOut(OTHER, "R", 0.9, reason),))
    right, left = place_joints(task(), located, UNKNOWN)
    assert (right.box, right.reason) == (None, reason)
    assert (left.box, left.reason) == (BOX, "")


def test_a_single_joint_serves_whatever_side_was_told_but_not_beside_a_prosthesis() -> None:
    alone = task(Path("film.png"), JointTask(1, "R", None))
    (placed,) = place_joints(alone, Located((found("L"),)), UNKNOWN)
    assert placed.box == BOX
    beside = Located((found("L"),), left_out=(LeftOut(OTHER, "U", 0.9, "There is a prosthesis."),))
    (placed,) = place_joints(alone, beside, UNKNOWN)
    assert (placed.box, placed.reason) == (None, NOT_FOUND)


def test_a_joint_that_was_not_found_has_a_reason() -> None:
    for placed in place_joints(task(), Located(()), UNKNOWN):
        assert (placed.box, placed.reason) == (None, NOT_FOUND)


def test_a_marker_that_contradicts_is_remarked_with_every_joint_of_the_film() -> None:
    flags = ("The marker says left.", "The position says right.")
    placed = place_joints(task(), Located((found("R"), found("L")), flags=flags), UNKNOWN)
    assert {each.remark for each in placed} == {"The marker says left. The position says right."}


def test_a_film_is_opened_with_its_spacing_and_reduced(tmp_path: Path) -> None:
    path = dicom_film(tmp_path / "film.dcm", seed=1, ImagerPixelSpacing=[0.2, 0.2])
    film = open_film(task(path, JointTask(1, "R", None), laterality="R"))
    assert film.prepared.spacing_mm == (0.2, 0.2)
    assert film.spacing.kind is SpacingKind.AT_DETECTOR
    assert film.pixels.shape == (96, 96)


def test_a_film_that_is_another_file_now_is_refused(tmp_path: Path) -> None:
    one = task(png(tmp_path / "film.png"), JointTask(1, "R", None))
    Image.fromarray(leg(seed=2)).save(tmp_path / "film.png")
    with pytest.raises(ImageError, match="not the one that was imported"):
        open_film(one)


def test_a_process_reads_and_cuts_as_this_one_does_and_survives_bad_films(
    tmp_path: Path, shipped_bundle: Path
) -> None:
    bundle = load_bundle(shipped_bundle)
    one = task(png(tmp_path / "film.png"), JointTask(1, "R", None))
    gone = task(tmp_path / "gone.png", JointTask(1, "R", None))
    places = (PlacedJoint(one.joints[0], BOX), PlacedJoint(one.joints[0], None, reason="a reason"))
    reader, direct = ProcessReader(bundle), DirectReader(bundle)
    try:
        with pytest.raises(ImageError, match="is gone"):
            reader.open(gone)
        prepared, _ = reader.open(one)
        expected, _ = direct.open(one)
        assert np.array_equal(prepared.pixels, expected.pixels)
        (crop, reason), (same, _) = reader.cut(places), direct.cut(places)
        assert isinstance(crop, PreparedJoint)
        assert isinstance(same, PreparedJoint)
        assert np.array_equal(crop.crop, same.crop)
        assert reason == "a reason"
        if sys.platform != "win32":
            assert reader.process_id is not None
            os.kill(reader.process_id, signal.SIGKILL)
            with pytest.raises(ImageError, match="process that read this film ended"):
                reader.open(one)
            assert np.array_equal(reader.open(one)[0].pixels, expected.pixels), "another process took over"
    finally:
        reader.close()
    assert reader.process_id is None


@pytest.mark.parametrize(
    ("rate", "left", "words"),
    [
        (0.0, 10, "starting"),
        (2.0, 0, "2.0 joints per second"),
        (2.0, 20, "2.0 joints per second, 10 s left"),
        (0.25, 60, "0.25 joints per second, 4 min left"),
        (5.0, 100_000, "5.0 joints per second, 5.6 h left"),
    ],
)
def test_the_pace_is_told_in_words(rate: float, left: int, words: str) -> None:
    assert pace_words(rate, left) == words
