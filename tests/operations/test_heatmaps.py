"""Heatmaps on disk: 8 bits a value, signed or not, files of before still read, damage said in a sentence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from reader_app.errors import StudyDamaged
from reader_app.operations.heatmaps import heatmap_file, read_heatmap, write_heatmaps
from reader_app.protocols.model import Item
from reader_app.reading.pregrade import Heatmap

KL, JSN = Item("KL"), Item("JSN", "medial")
TURNED = np.array([[8.0, -3.0, 120.5], [3.0, 8.0, 40.25]])
FILE = heatmap_file(12, "ab" * 32, "cd" * 32)


@given(values=arrays(np.float32, (3, 5), elements=st.floats(-1, 1, width=32)))
def test_a_signed_map_comes_back_to_half_a_step(
    tmp_path_factory: pytest.TempPathFactory, values: np.ndarray
) -> None:
    folder = tmp_path_factory.mktemp("maps")
    write_heatmaps(folder, FILE, {KL: Heatmap(values, TURNED, signed=True)})
    found = read_heatmap(folder, FILE, KL)
    assert found is not None
    assert found.signed
    assert np.abs(found.values - values).max() <= 0.5 / 127 + 1e-6
    write_heatmaps(folder, FILE, {KL: Heatmap(-values, TURNED, signed=True)})
    opposite = read_heatmap(folder, FILE, KL)
    assert opposite is not None
    assert np.array_equal(opposite.values, -found.values), "for and against are kept alike"


def test_maps_of_both_kinds_lie_in_one_file_with_the_turn_of_their_crop(tmp_path: Path) -> None:
    plain = Heatmap(np.array([[0.0, 0.25], [0.5, 1.0]], np.float32), TURNED)
    signed = Heatmap(np.array([[-1.0, 0.5]], np.float32), TURNED, signed=True)
    write_heatmaps(tmp_path, FILE, {KL: plain, JSN: signed})
    first, second = read_heatmap(tmp_path, FILE, KL), read_heatmap(tmp_path, FILE, JSN)
    assert first is not None
    assert second is not None
    assert (first.signed, second.signed) == (False, True)
    assert np.allclose(first.values, plain.values, atol=0.5 / 255)
    assert np.array_equal(first.to_film, TURNED)
    assert read_heatmap(tmp_path, FILE, Item("osteophytes")) is None


def test_a_file_from_before_there_were_signed_maps_is_read_as_it_was_meant(tmp_path: Path) -> None:
    path = tmp_path / FILE
    path.parent.mkdir(parents=True)
    np.savez_compressed(
        path, allow_pickle=False, **{KL.key: np.array([[0, 255]], np.uint8), "to_film": TURNED}
    )
    found = read_heatmap(tmp_path, FILE, KL)
    assert found is not None
    assert (found.values.tolist(), found.signed) == ([[0.0, 1.0]], False)


@pytest.mark.parametrize("damage", ["gone", "empty", "cut off", "flipped", "other"])
def test_damage_is_one_sentence(tmp_path: Path, damage: str) -> None:
    write_heatmaps(tmp_path, FILE, {KL: Heatmap(np.full((9, 9), 0.5, np.float32), TURNED)})
    path = tmp_path / FILE
    whole = path.read_bytes()
    match damage:
        case "gone":
            path.unlink()
        case "empty":
            path.write_bytes(b"")
        case "cut off":
            path.write_bytes(whole[: len(whole) // 2])
        case "flipped":
            path.write_bytes(whole[:60] + bytes(255 - byte for byte in whole[60:90]) + whole[90:])
        case "other":
            np.savez_compressed(
                path, allow_pickle=False, **{KL.key: np.zeros((2, 2), np.float64), "to_film": TURNED}
            )
    with pytest.raises(StudyDamaged, match="cannot be read"):
        read_heatmap(tmp_path, FILE, KL)
