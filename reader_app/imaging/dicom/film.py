"""From an open data set to a radiograph: pixels, transformations, polarity, padding, collimation."""

from __future__ import annotations

from dataclasses import replace

from pydicom.dataset import Dataset

from reader_app.imaging.dicom.dataset import number, text, whole
from reader_app.imaging.dicom.luts import modality_of, voi_of
from reader_app.imaging.dicom.overlays import overlays_of
from reader_app.imaging.dicom.pixels import layout_of, stored_frame
from reader_app.imaging.geometry import Box
from reader_app.imaging.radiograph import FileStamp, Radiograph, RadiographHeader
from reader_app.imaging.voi import VoiFunction, Window

_SMALLEST_FIELD = 0.05  # of the film; a smaller collimated field is a wrong tag


def film_of(dataset: Dataset, header: RadiographHeader, stamp: FileStamp) -> Radiograph:
    """Decode a data set into a radiograph.

    Raises
    ------
    ImageError
        If pixels or a transformation that decides the grays cannot be used.
    """
    layout = layout_of(dataset, header)
    frame = stored_frame(dataset, header, layout)
    pixels, notes = frame.values, list(frame.notes)
    lowest = layout.high_bit + 1 - layout.stored
    overlays, overlay_notes = overlays_of(
        dataset,
        (header.rows, header.columns),
        frame.cells,
        stored_bits=range(lowest, layout.high_bit + 1),
    )
    notes += overlay_notes
    if not layout.is_gray:
        top = float(
            (1 << (8 * pixels.dtype.itemsize if layout.photometric == "PALETTE COLOR" else layout.stored)) - 1
        )
        full_range = Window(top / 2, top, VoiFunction.LINEAR_EXACT, "full range")
        # Modality, VOI and polarity are defined for grays alone (PS3.3 C.7.6.3.1.2).
        header = replace(header, notes=(*header.notes, *notes))
        return Radiograph(header=header, pixels=pixels, windows=(full_range,), overlays=overlays, stamp=stamp)
    table, slope, intercept, modality_notes = modality_of(dataset, header.path)
    voi_luts, windows, voi_notes = voi_of(dataset)
    inverse, polarity_notes = inverse_polarity(
        photometric=layout.photometric, presentation_lut_shape=text(dataset, "PresentationLUTShape")
    )
    notes += modality_notes + voi_notes + polarity_notes
    return Radiograph(
        header=replace(header, notes=(*header.notes, *notes)),
        pixels=pixels,
        slope=slope,
        intercept=intercept,
        modality_lut=table,
        windows=windows,
        voi_luts=voi_luts,
        inverse_polarity=inverse,
        padding=padding_of(dataset, stored=layout.stored, signed=layout.signed),
        collimated=_collimated(dataset, header),
        overlays=overlays,
        stamp=stamp,
    )


def inverse_polarity(*, photometric: str, presentation_lut_shape: str) -> tuple[bool, list[str]]:
    """Decide once whether presentation turns black and white round: (inverse, notes).

    Presentation LUT Shape (2050,0020), where it has a defined value, says what the output of the VOI step
    means and decides alone; only without it does MONOCHROME1 invert
    (PS3.3 C.7.6.3.1.2, C.11.6, C.8.11.3.1.2).
    """
    shape = presentation_lut_shape.upper()
    if shape in ("IDENTITY", "INVERSE"):
        return shape == "INVERSE", []
    notes = [f"The presentation LUT shape {shape!r} is unknown and was left out."] if shape else []
    return photometric == "MONOCHROME1", notes


def padding_of(dataset: Dataset, *, stored: int, signed: bool) -> tuple[int, int] | None:
    """Stored values that are no image: Pixel Padding Value and Range Limit (PS3.3 C.7.5.1.1.2).

    Some files write them with the sign that the pixels have not, or with the unused bits of the cell set;
    what does not fit into the stored bits is therefore read by those bits alone, as the pixels are.

    Parameters
    ----------
    dataset
        The open file.
    stored, signed
        Bits stored and whether they are two's complement.

    Returns
    -------
    tuple of int or None
        Lowest and highest such value, inclusive; None where all values are image.
    """
    stated = whole(dataset, "PixelPaddingValue")
    if stated is None:
        return None
    limit = whole(dataset, "PixelPaddingRangeLimit")
    edges = [_in_stored_bits(edge, stored, signed) for edge in (stated, stated if limit is None else limit)]
    return min(edges), max(edges)


def _in_stored_bits(edge: int, stored: int, signed: bool) -> int:
    lowest = -(1 << (stored - 1)) if signed else 0
    return (edge - lowest) % (1 << stored) + lowest


def _collimated(dataset: Dataset, header: RadiographHeader) -> Box | None:
    """Rectangular collimator (PS3.3 C.8.7.3, C.8.11.1) or display shutter (C.7.6.11), in film pixels."""
    for group in ("Collimator", "Shutter"):
        if "RECTANGULAR" not in text(dataset, f"{group}Shape").upper():
            continue
        edges = [
            number(dataset, f"{group}{edge}")
            for edge in (
                "LeftVerticalEdge",
                "RightVerticalEdge",
                "UpperHorizontalEdge",
                "LowerHorizontalEdge",
            )
        ]
        left, right, top, bottom = (float("nan") if edge is None else edge for edge in edges)
        if not (left < right and top < bottom):
            continue
        box = Box(left, top, right - left, bottom - top).clipped(header.rows, header.columns)
        if box.area >= _SMALLEST_FIELD * header.rows * header.columns:
            return box
    return None
