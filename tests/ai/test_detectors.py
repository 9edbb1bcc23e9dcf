"""Detectors take a film on a square and say where things are, in the film's own pixels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file

from reader_app.ai.bundle_spec import LocalizerMethod
from reader_app.ai.nets.detectors import (
    FILM_SHARE,
    Detector,
    build_detector,
    detections_on,
    load_detector,
    on_square,
)
from reader_app.ai.nets.grader import half_state
from reader_app.errors import BundleError
from reader_app.imaging.geometry import Box

SIZE = 96
CLASSES = ("joint", "prosthesis", "marker-R", "marker-L")
NETWORKS = [method for method in LocalizerMethod if method.is_network]


@pytest.fixture(scope="module")
def detector() -> Detector:
    torch.manual_seed(3)
    return build_detector(LocalizerMethod.SSDLITE, SIZE, CLASSES).eval()


@given(st.integers(20, 700), st.integers(20, 700), st.sampled_from([96, 256, 320]))
def test_a_place_on_the_square_is_found_again_on_the_film(rows: int, columns: int, size: int) -> None:
    film = np.full((rows, columns), 40, dtype=np.uint8)
    film[rows // 4 : rows // 2, columns // 3 : columns * 2 // 3] = 200
    square, place = on_square(film, size)
    bright = square > 0.5
    if not bright.any():  # thinner than a pixel of the square
        return
    at_rows, at_columns = np.nonzero(bright)
    found = place.to_film(at_columns.min(), at_rows.min(), at_columns.max() + 1.0, at_rows.max() + 1.0)
    pixel = place.scale
    assert found.x == pytest.approx(columns // 3, abs=1.5 * pixel + 1.0)
    assert found.right == pytest.approx(columns * 2 // 3, abs=1.5 * pixel + 1.0)


@given(st.integers(16, 500), st.integers(16, 500))
def test_a_film_lies_centred_with_a_rim_around(rows: int, columns: int) -> None:
    rng = np.random.default_rng(rows * 1000 + columns)
    square, place = on_square(rng.integers(0, 256, (rows, columns), dtype=np.uint8), SIZE)
    whole = place.to_film(
        place.left, place.top, place.left + columns / place.scale, place.top + rows / place.scale
    )
    assert whole.iou(Box(0.0, 0.0, columns, rows)) == pytest.approx(1.0, abs=1e-6)
    used = np.argwhere(square != 0.0)
    longest = (used.max(axis=0) - used.min(axis=0) + 1).max()
    assert longest <= round(FILM_SHARE * SIZE)
    assert np.abs(square[[0, -1]]).max() == 0.0
    assert np.abs(square[:, [0, -1]]).max() == 0.0


def test_brightness_and_contrast_of_a_film_do_not_matter() -> None:
    film = np.random.default_rng(0).integers(0, 100, (60, 90), dtype=np.uint8)
    assert on_square(film, SIZE)[0] == pytest.approx(
        on_square(film * 2 + 31, SIZE)[0], abs=0.1
    )  # whole grey values


@pytest.mark.parametrize("method", NETWORKS)
def test_every_network_learns_and_answers(method: LocalizerMethod) -> None:
    torch.manual_seed(0)
    network = build_detector(method, SIZE, CLASSES)
    squares = torch.randn(2, 1, SIZE, SIZE)
    target = {
        "boxes": torch.tensor([[20.0, 20.0, 60.0, 60.0], [70.0, 10.0, 78.0, 22.0]]),
        "labels": torch.tensor([1, 3]),
    }
    loss = network.train().losses(squares, [target, target])
    loss.backward()  # type: ignore[no-untyped-call]
    first = next(parameter for parameter in network.parameters() if parameter.ndim == 4)
    assert first.grad is not None
    assert bool((first.grad != 0.0).any())
    for found in network.eval()(squares):
        assert found["boxes"].shape[1] == 4
        assert bool(((found["labels"] >= 1) & (found["labels"] <= len(CLASSES))).all())


def test_rules_are_no_network() -> None:
    with pytest.raises(BundleError, match="no network"):
        build_detector(LocalizerMethod.BILATERAL_SPLIT, SIZE, CLASSES)


@pytest.mark.parametrize(("size", "classes"), [(8, CLASSES), (256, ())])
def test_sizes_and_classes_that_make_no_sense_are_refused(size: int, classes: tuple[str, ...]) -> None:
    with pytest.raises(BundleError, match="64 to 2048"):
        build_detector(LocalizerMethod.SSDLITE, size, classes)


def test_weights_in_half_precision_give_the_same_answer(detector: Detector, tmp_path: Path) -> None:
    file = tmp_path / "localizer.safetensors"
    save_file(half_state(detector.state_dict()), file)
    assert file.stat().st_size < 10_000_000
    loaded = load_detector(file, LocalizerMethod.SSDLITE, size=SIZE, classes=CLASSES)
    film = np.random.default_rng(1).integers(0, 256, (80, 120), dtype=np.uint8)
    (before,), (after,) = (
        detections_on(each, [film], size=SIZE, classes=CLASSES, device="cpu") for each in (detector, loaded)
    )
    assert before
    assert [each.label for each in before[:5]] == [each.label for each in after[:5]]
    assert [each.confidence for each in before[:5]] == pytest.approx(
        [each.confidence for each in after[:5]], abs=0.01
    )


def test_a_film_is_seen_alike_alone_and_beside_others(detector: Detector) -> None:
    rng = np.random.default_rng(2)
    films = [rng.integers(0, 256, shape, dtype=np.uint8) for shape in ((80, 120), (200, 60), (30, 300))]
    together = detections_on(detector, films, size=SIZE, classes=CLASSES, device="cpu")
    for film, beside in zip(films, together, strict=True):
        (alone,) = detections_on(detector, [film], size=SIZE, classes=CLASSES, device="cpu")
        assert [each.confidence for each in alone[:5]] == pytest.approx(
            [each.confidence for each in beside[:5]], abs=1e-4
        )
    assert detections_on(detector, [], size=SIZE, classes=CLASSES, device="cpu") == []


def test_weights_of_another_network_are_refused(detector: Detector, tmp_path: Path) -> None:
    file = tmp_path / "localizer.safetensors"
    save_file(half_state(detector.state_dict()), file)
    with pytest.raises(BundleError, match="do not fit a ssdlite with 1 classes"):
        load_detector(file, LocalizerMethod.SSDLITE, size=SIZE, classes=("joint",))


def test_a_file_that_is_no_safetensors_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "localizer.safetensors"
    file.write_bytes(b"not tensors")
    with pytest.raises(BundleError, match=r"localizer\.safetensors cannot be read"):
        load_detector(file, LocalizerMethod.SSDLITE, size=SIZE, classes=CLASSES)
