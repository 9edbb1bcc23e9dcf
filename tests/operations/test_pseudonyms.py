"""Pseudonyms: the same participant is found again, and nobody finds the participant."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reader_app.errors import StudyDamaged
from reader_app.operations.pseudonyms import KEY_FILE, Pseudonyms, pseudonyms_of


@given(st.text(min_size=1), st.text(min_size=1), st.binary(min_size=32, max_size=32))
def test_the_same_participant_has_the_same_pseudonym_and_others_have_others(
    one: str, other: str, key: bytes
) -> None:
    names = Pseudonyms(key)
    assert names.of(one) == names.of(f" {one}\n")
    assert (names.of(one) == names.of(other)) == (one.strip() == other.strip())
    assert one not in names.of(one) or one in "P-ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


def test_two_studies_give_one_participant_two_pseudonyms(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    first.mkdir()
    second.mkdir()
    names = {pseudonyms_of(folder, may_make=True).of("9003316") for folder in (first, second)}
    assert len(names) == 2


def test_the_key_is_kept_and_only_the_owner_may_read_it(tmp_path: Path) -> None:
    made = pseudonyms_of(tmp_path, may_make=True)
    assert pseudonyms_of(tmp_path, may_make=False) == made
    if os.name != "nt":
        assert stat.S_IMODE((tmp_path / KEY_FILE).stat().st_mode) == 0o600


def test_a_lost_key_is_told_rather_than_made_anew(tmp_path: Path) -> None:
    with pytest.raises(StudyDamaged, match="is gone"):
        pseudonyms_of(tmp_path, may_make=False)
    assert not (tmp_path / KEY_FILE).exists()


@pytest.mark.parametrize("content", ["", "zz", "ab" * 31, "ab" * 33, "ü"])
def test_a_damaged_key_is_told(tmp_path: Path, content: str) -> None:
    (tmp_path / KEY_FILE).write_text(content, encoding="utf-8")
    with pytest.raises(StudyDamaged, match="is damaged"):
        pseudonyms_of(tmp_path, may_make=True)
    assert (tmp_path / KEY_FILE).read_text(encoding="utf-8") == content
