"""Films that a protocol does not grade are pointed out, and those that it may grade are not."""

from __future__ import annotations

import pytest

from reader_app.operations.importing.graded_films import not_graded, view_words
from reader_app.protocols.loader import find_protocol


@pytest.mark.parametrize(
    ("protocol", "part", "view", "words"),
    [
        ("knee-kl", "KNEE", "PA", ""),
        ("knee-kl", "", "", ""),
        ("knee-kl", "EXTREMITY", "AP", ""),
        ("knee-kl", "Knee region", "AP", ""),
        ("knee-kl", "CHEST", "PA", "A chest film: this protocol grades knees."),
        ("knee-kl", "PELVIS", "AP", "A pelvis film: this protocol grades knees."),
        ("knee-kl", "KNEE", "LATERAL", "The view is LATERAL: this protocol grades AP and PA."),
        ("knee-kl", "KNEE", "skyline", "The view is skyline: this protocol grades AP and PA."),
        ("hip-oarsi", "PELVIS", "AP", ""),
        ("hip-oarsi", "HIP", "LL", "The view is LL: this protocol grades AP."),
        ("hip-oarsi", "KNEE", "AP", "A knee film: this protocol grades hips."),
    ],
)
def test_what_speaks_against_a_film(protocol: str, part: str, view: str, words: str) -> None:
    assert not_graded(find_protocol(protocol), body_part=part, view=view) == words


@pytest.mark.parametrize(
    ("stated", "shown"),
    [
        ("postero-anterior", "PA"),
        ("Antero-posterior projection", "AP"),
        ("AP", "AP"),
        ("Rosenberg", "Rosenberg"),
        ("lateral", "lateral"),
        ("", ""),
    ],
)
def test_a_view_is_written_as_radiologists_do(stated: str, shown: str) -> None:
    assert view_words(stated) == shown
