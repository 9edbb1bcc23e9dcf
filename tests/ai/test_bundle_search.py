from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reader_app.ai.bundle_search import bundles_in, find_bundle, version_order
from reader_app.errors import BundleError, BundleMissing
from tests.small_bundles import small_bundle


def test_the_highest_version_in_the_first_folder_that_has_one_is_taken(tmp_path: Path) -> None:
    own, shipped = tmp_path / "own", tmp_path / "shipped"
    small_bundle(own / "a", version="1.9.0")
    newest = small_bundle(own / "b", version="1.10.0").folder
    small_bundle(own / "c", version="1.10.0-rc1")
    higher = small_bundle(shipped / "d", version="2.0.0").folder
    assert find_bundle("small-knees", own, shipped) == newest
    assert find_bundle("small-knees", tmp_path / "gone", shipped, own) == higher
    assert find_bundle("small-knees@2.0.0", own, shipped) == higher
    assert find_bundle("small-knees@1.9.0", own, shipped) == own / "a"
    assert [placed.version for placed in bundles_in(own)] == ["1.10.0", "1.10.0-rc1", "1.9.0"]


def test_a_version_that_is_not_there_is_told_with_those_that_are(tmp_path: Path) -> None:
    small_bundle(tmp_path / "a", version="1.9.0")
    with pytest.raises(BundleMissing) as caught:
        find_bundle("small-knees@3.0.0", tmp_path)
    assert "not in version 3.0.0" in caught.value.what
    assert "1.9.0" in caught.value.next_step


def test_of_two_copies_the_folder_that_bears_the_id_goes_first(tmp_path: Path) -> None:
    small_bundle(tmp_path / "a-copy")
    small_bundle(tmp_path / "small-knees")
    assert find_bundle("small-knees", tmp_path) == tmp_path / "small-knees"


def test_half_installed_bundles_are_not_seen_and_unreadable_ones_go_by_their_folder(tmp_path: Path) -> None:
    small_bundle(tmp_path / ".incoming-1234")
    with pytest.raises(BundleMissing):
        find_bundle("small-knees", tmp_path)
    broken = tmp_path / "small-knees"
    broken.mkdir()
    (broken / "bundle.toml").write_text("= broken", encoding="utf-8")
    assert find_bundle("small-knees", tmp_path) == broken
    small_bundle(tmp_path / "whole")
    assert find_bundle("small-knees", tmp_path) == tmp_path / "whole", "what can be used goes first"


@given(
    st.lists(st.integers(0, 30), min_size=1, max_size=4), st.lists(st.integers(0, 30), min_size=1, max_size=4)
)
def test_versions_are_ordered_by_their_numbers(one: list[int], other: list[int]) -> None:
    def text(parts: list[int]) -> str:
        return ".".join(map(str, parts))

    def padded(parts: list[int]) -> list[int]:
        return parts + [0] * (4 - len(parts))

    assert (version_order(text(one)) < version_order(text(other))) == (padded(one) < padded(other))
    assert version_order(text(one) + "-rc1") < version_order(text(one))
    assert version_order("newest") < version_order(text(one))


def test_an_unknown_bundle_says_where_it_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="not installed") as caught:
        find_bundle("other", tmp_path)
    assert str(tmp_path) in caught.value.what
