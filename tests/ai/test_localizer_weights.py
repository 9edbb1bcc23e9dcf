from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from reader_app.ai.bundle_spec import Landmarks, Localizer, LocalizerMethod, TrainedOn
from reader_app.ai.localizer_weights import weights_of
from reader_app.ai.recipe import RecipeLandmarks, RecipeLocalizer, load_bundle_recipe
from reader_app.errors import BundleError
from tests.small_bundles import small_bundle

SSD = LocalizerMethod.SSDLITE
LIGHT = Localizer(SSD, "light.safetensors", size=256, threshold=0.375)
POINTS = Landmarks("points.safetensors", "", 128, 1.2, ("a", "b"))
RULES = load_bundle_recipe("knee-kl")
WANTED = replace(
    RULES,
    localizer=RecipeLocalizer(SSD, 256, recipe="knee-localizer"),
    landmarks=RecipeLandmarks(128, 1.2, ("a", "b"), "knee-landmarks"),
)


def test_rules_need_no_weights(tmp_path: Path) -> None:
    rules = replace(RULES, localizer=RecipeLocalizer(LocalizerMethod.BILATERAL_SPLIT), landmarks=None)
    found = weights_of(rules, [tmp_path])
    assert found.localizer == Localizer(LocalizerMethod.BILATERAL_SPLIT)
    assert found.files == {}


def test_what_another_bundle_has_learned_is_taken_over_with_its_threshold(tmp_path: Path) -> None:
    donor = small_bundle(tmp_path / "d", light_localizer=LIGHT, landmarks=POINTS)
    found = weights_of(WANTED, [tmp_path])
    assert found.localizer == donor.spec.light_localizer
    assert found.localizer.threshold == 0.375
    assert found.landmarks == donor.spec.landmarks
    assert found.files == {name: donor.folder / name for name in ("light.safetensors", "points.safetensors")}


def test_random_weights_and_other_sizes_lend_nothing_and_that_is_told(tmp_path: Path) -> None:
    small_bundle(tmp_path / "n", light_localizer=LIGHT, landmarks=POINTS, trained_on=TrainedOn.NOTHING)
    larger = replace(LIGHT, size=320)
    small_bundle(tmp_path / "l", id="larger", light_localizer=larger, landmarks=POINTS)
    with pytest.raises(BundleError, match="needs for its localizer “ssdlite”") as caught:
        weights_of(WANTED, [tmp_path])
    assert "knee-localizer" in caught.value.next_step
