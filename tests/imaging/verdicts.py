"""What must come of any bytes at all: a film that can be shown, or one sentence."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from reader_app.errors import ImageError
from reader_app.imaging.display import gray_bone_bright, to_display, voi_choices
from reader_app.imaging.files import read_header, read_radiograph
from reader_app.imaging.radiograph import Radiograph

_LONGEST = 600
_CODE = re.compile(r"Traceback|File \"|0x[0-9a-f]{8}|site-packages")


def film_or_sentence(path: Path) -> Radiograph | ImageError:
    """Read a file in every way that the program does.

    Returns
    -------
    Radiograph or ImageError
        Either is right, whatever the file.

    Raises
    ------
    AssertionError
        If a film cannot be shown as it is, or a refusal is not one sentence for a person.
    Exception
        Anything else is a fault of ours.
    """
    try:
        read_header(path)
    except ImageError as error:
        check_sentence(error, path)
    try:
        film = read_radiograph(path)
    except ImageError as error:
        check_sentence(error, path)
        return error
    # Not compared with the header alone, which is read up to the pixels: damaged files may say other things
    # behind them.
    header = film.header
    assert film.pixels.shape == (header.rows, header.columns)
    assert film.pixels.size > 0
    for voi in voi_choices(film):
        shown = to_display(film, window=voi)
        assert shown.dtype == np.uint8
        assert shown.shape == film.pixels.shape
    assert np.isfinite(gray_bone_bright(film)).all()
    for overlay in film.overlays:
        assert overlay.mask.shape == film.pixels.shape
    for text in (header.participant_id, header.body_part, header.view_position, *header.notes):
        assert "\n" not in text
        assert "\x1b" not in text
    return film


def check_sentence(error: ImageError, path: Path) -> None:
    """Fail if an error is not one sentence with a next step, or names another file."""
    said = error.what
    assert str(path) in said, said
    assert said.endswith("."), said
    assert error.next_step, said
    assert len(said) - len(str(path)) < _LONGEST, said
    assert "\n" not in f"{said.replace(str(path), '')}{error.next_step}", said
    assert not _CODE.search(said.replace(str(path), "")), said
