"""How large a film may be: checked before anything is decoded."""

from __future__ import annotations

from pathlib import Path

from reader_app.errors import ImageError

MOST_SAMPLES = 200_000_000
"""Rows x columns x samples; a 43 x 130 cm whole-leg film at 0.1 mm has 56 million."""


def check_size(path: Path, *, rows: int, columns: int, samples: int = 1) -> None:
    """Refuse a film of no or of absurd size.

    Raises
    ------
    ImageError
        If a number is not positive or the product is above `MOST_SAMPLES`.
    """
    if rows <= 0 or columns <= 0 or samples <= 0:
        raise ImageError(
            f"{path} says that its image has {rows} rows and {columns} columns.",
            "The file is damaged: export it again from its source.",
        )
    if rows * columns * samples > MOST_SAMPLES:
        raise ImageError(
            f"{path} would need {rows * columns * samples / 1e6:.0f} million values ({rows} x {columns}), "
            f"more than the {MOST_SAMPLES / 1e6:.0f} million that are allowed.",
            "The file is damaged or no radiograph: export it again at its original size.",
        )
