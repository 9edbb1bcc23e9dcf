"""Exporting what is seen: a picture of a view, without a word about whose it is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from reader_app.errors import ImageError

SUFFIXES = (".png", ".dcm")
"""What a view can be exported as: a plain picture, or a DICOM Secondary Capture image."""

_TITLE = "View export"


def export_view(
    pixels: npt.NDArray[np.uint8],
    target: Path,
    *,
    phantom: bool,
    mm_per_pixel: tuple[float, float] | None,
) -> Path:
    """Write a picture of a view as PNG or as DICOM Secondary Capture, by the suffix of its name.

    A PNG holds pixels and nothing else. The DICOM image has new UIDs, no identifiers and no dates. What is in
    the picture itself (a ruler, marks, a name burned into the film) is in the export too.

    Parameters
    ----------
    pixels
        RGB as on screen, shape (rows, columns, 3); without colour they are written as grays.
    target
        The file, ending in .png or .dcm; one of that name must not be there yet.
    phantom
        Whether no person was imaged.
    mm_per_pixel
        Millimetres from row to row and from column to column of the exported picture; None where nothing
        may be measured.

    Returns
    -------
    Path
        The file that was written.

    Raises
    ------
    ImageError
        If the suffix is another one, the folder is missing, the file is there already, or it cannot be
        written.
    """
    target = target.expanduser()
    suffix = target.suffix.lower()
    if suffix not in SUFFIXES:
        raise ImageError(
            f"A view cannot be exported as “{target.name}”.", "Choose a name that ends in .png or .dcm."
        )
    try:
        missing, taken = not target.parent.is_dir(), target.exists()
    except (OSError, ValueError) as error:  # a name that no file can have
        reason = getattr(error, "strerror", None) or str(error)
        raise ImageError(f"{target} cannot be written: {reason}.", "Choose another name.") from error
    if missing:
        raise ImageError(f"The folder {target.parent} does not exist.", "Choose a folder that is there.")
    if taken:
        raise ImageError(f"{target} is there already.", "Choose another name.")
    # Pillow and pydicom are loaded with the first export, not with the window.
    if suffix == ".png":
        from reader_app.interop.clean_raster import write_png

        gray = bool((pixels == pixels[..., :1]).all())
        write_png(pixels[..., 0] if gray else pixels, target)
    else:
        from reader_app.interop.dicom_files import write_dicom
        from reader_app.interop.secondary_capture import secondary_capture

        made = secondary_capture(pixels, title=_TITLE, phantom=phantom, mm_per_pixel=mm_per_pixel)
        write_dicom(made, target)
    return target
