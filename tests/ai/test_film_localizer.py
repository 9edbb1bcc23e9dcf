"""A bundle's localizer finds joints on films that were made small, in the film's own pixels."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from safetensors.torch import save_file

from reader_app.ai.bundle import Bundle, Localizer, LocalizerMethod, load_bundle
from reader_app.ai.film_image import LONGEST_EDGE, prepare_film
from reader_app.ai.localizer import SPLIT
from reader_app.ai.nets.detectors import build_detector
from reader_app.ai.nets.grader import half_state
from reader_app.ai.nets.localizer import FilmLocalizer, by_rules
from reader_app.errors import ImageError
from reader_app.imaging.geometry import Box, Side
from reader_app.phantom.film import FilmParameters
from reader_app.phantom.knees import render_bilateral_knees
from reader_app.phantom.truth import KneeTruth
from reader_app.settings import resource_path

SHIPPED = resource_path("models", "knee-kl")


@pytest.fixture(scope="module")
def phantom() -> npt.NDArray[np.uint16]:
    return render_bilateral_knees(KneeTruth(), KneeTruth(), FilmParameters().reduced(6), seed=5).pixels


def with_network(bundle: Bundle, folder: Path) -> Bundle:
    """The same bundle with a light detector of random weights, written beside nothing else."""
    classes = ("joint", "prosthesis")
    torch.manual_seed(1)
    network = build_detector(LocalizerMethod.SSDLITE, 64, classes)
    save_file(half_state(network.state_dict()), folder / "light.safetensors")
    light = Localizer(LocalizerMethod.SSDLITE, "light.safetensors", "", 64, classes, 0.05)
    return replace(bundle, folder=folder, spec=replace(bundle.spec, light_localizer=light))


@given(st.integers(16, 1500), st.integers(16, 1500))
def test_a_box_of_the_small_film_is_one_of_the_film(rows: int, columns: int) -> None:
    pixels = np.tile(np.arange(columns, dtype=np.uint16), (rows, 1))
    film = prepare_film(pixels, joint="knee")
    assert max(film.pixels.shape) <= LONGEST_EDGE
    assert film.film_shape == pytest.approx((rows, columns))
    whole = film.to_film(Box(0.0, 0.0, film.pixels.shape[1], film.pixels.shape[0]))
    assert (whole.width, whole.height) == pytest.approx((columns, rows))


def test_a_small_film_is_stretched_but_not_enlarged() -> None:
    pixels = np.linspace(-3.0, 5.0, 40 * 50).reshape(40, 50)
    film = prepare_film(pixels, joint="hip", laterality="R", spacing_mm=(0.2, 0.3))
    assert film.pixels.shape == (40, 50)
    assert (film.scale_x, film.scale_y) == (1.0, 1.0)
    assert (film.pixels.min(), film.pixels.max()) == (0, 255)
    assert (film.joint, film.laterality, film.spacing_mm) == ("hip", "R", (0.2, 0.3))


@pytest.mark.parametrize("pixels", [np.zeros((8, 400)), np.zeros((40, 40, 3)), np.full((40, 40), 7.0)])
def test_what_is_no_film_is_refused(pixels: npt.NDArray[np.float64]) -> None:
    with pytest.raises(ImageError):
        prepare_film(pixels, joint="knee")


def test_rules_find_both_knees_of_a_large_film_in_its_own_pixels(phantom: npt.NDArray[np.uint16]) -> None:
    large = np.kron(phantom, np.ones((4, 4), dtype=np.uint16))
    small_found = by_rules(prepare_film(phantom, joint="knee"), LocalizerMethod.BILATERAL_SPLIT)
    large_found = by_rules(prepare_film(large, joint="knee"), LocalizerMethod.BILATERAL_SPLIT)
    assert [joint.side for joint in large_found.joints] == ["R", "L"]
    for small, big in zip(small_found.joints, large_found.joints, strict=True):
        assert big.method == SPLIT
        scaled = Box(
            *(4.0 * value for value in (small.box.x, small.box.y, small.box.width, small.box.height))
        )
        assert big.box.iou(scaled) > 0.9


def test_rules_keep_to_what_is_known_of_the_film(phantom: npt.NDArray[np.uint16]) -> None:
    one = by_rules(prepare_film(phantom, joint="knee", laterality="L"), LocalizerMethod.BILATERAL_SPLIT)
    assert [joint.side for joint in one.joints] == ["L"]
    behind = prepare_film(phantom, joint="knee", laterality="B", image_left=Side.LEFT)
    assert [joint.side for joint in by_rules(behind, LocalizerMethod.BILATERAL_SPLIT).joints] == ["L", "R"]
    whole = by_rules(prepare_film(phantom, joint="knee"), LocalizerMethod.SINGLE_JOINT)
    assert whole.joints[0].box.width == pytest.approx(phantom.shape[1])
    assert whole.joints[0].box.height == pytest.approx(phantom.shape[0])


def test_the_quicker_localizer_is_taken_only_when_asked_for(bundle: Bundle, tmp_path: Path) -> None:
    both = with_network(bundle, tmp_path)
    assert FilmLocalizer(both, device="cpu", light=True).spec.method is LocalizerMethod.SSDLITE
    assert FilmLocalizer(both, device="cpu", light=False).spec.method is LocalizerMethod.BILATERAL_SPLIT
    assert FilmLocalizer(bundle, device="cpu", light=True).spec.method is LocalizerMethod.BILATERAL_SPLIT


def test_a_network_answers_for_every_film_in_order(
    bundle: Bundle, tmp_path: Path, phantom: npt.NDArray[np.uint16]
) -> None:
    localizer = FilmLocalizer(with_network(bundle, tmp_path), device="cpu", light=True)
    films = [prepare_film(phantom[:, : 60 + 40 * n], joint="knee", laterality="R") for n in range(10)]
    found = localizer.locate(films)
    assert len(found) == len(films)
    assert all(joint.side == "R" for each in found for joint in each.joints)
    assert localizer.locate([films[7]]) == [found[7]]


@pytest.fixture(scope="module")
def localizer() -> FilmLocalizer:
    return FilmLocalizer(load_bundle(SHIPPED), device="cpu", light=False)


class TestShipped:
    """The localizer of the bundle that comes with the program."""

    def test_it_is_a_small_network(self, localizer: FilmLocalizer) -> None:
        assert localizer.spec.method is LocalizerMethod.SSDLITE
        assert (SHIPPED / localizer.spec.file).stat().st_size < 10_000_000

    def test_it_finds_both_knees_of_a_phantom(
        self, localizer: FilmLocalizer, phantom: npt.NDArray[np.uint16]
    ) -> None:
        (found,) = localizer.locate([prepare_film(phantom, joint="knee", laterality="B")])
        assert [joint.side for joint in found.joints] == ["R", "L"]
        assert not found.left_out
        assert not found.flags

    def test_a_film_hung_the_wrong_way_round_is_told_by_its_letters(self, localizer: FilmLocalizer) -> None:
        film = render_bilateral_knees(KneeTruth(), KneeTruth(), FilmParameters().reduced(4), seed=8)
        (found,) = localizer.locate([prepare_film(film.pixels, joint="knee", image_left=Side.LEFT)])
        assert any("reversed" in flag for flag in found.flags)

    def test_crops_of_single_knees_are_graded_whole_as_the_networks_learned(
        self, localizer: FilmLocalizer, shared: Path
    ) -> None:
        paths = sorted((shared / "data" / "knee-kl" / "val").iterdir())[::20]
        films = [prepare_film(np.asarray(Image.open(path).convert("L")), joint="knee") for path in paths]
        found = localizer.locate(films)
        assert all([joint.box for joint in each.joints] == [Box(0.0, 0.0, 224.0, 224.0)] for each in found)

    def test_real_strips_show_two_knees_and_real_single_films_one(
        self, localizer: FilmLocalizer, shared: Path
    ) -> None:
        folder = shared / "data" / "knee-two-experts"
        with (folder / "labels.csv").open(newline="") as stream:
            rows = list(csv.DictReader(stream))
        strips = [row["image"] for row in rows if row["view"] == "bilateral"]
        single = [row["image"] for row in rows if row["view"] == "single"][::20]
        films = [
            prepare_film(np.asarray(Image.open(folder / "images" / name).convert("L")), joint="knee")
            for name in (*strips, *single)
        ]
        counts = [len(each.joints) for each in localizer.locate(films)]
        assert counts[: len(strips)].count(2) >= 0.95 * len(strips)
        assert counts[len(strips) :].count(1) >= 0.95 * len(single)
