"""Modality and VOI transformations as a file states them."""

from __future__ import annotations

from itertools import zip_longest
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset

from reader_app.errors import ImageError
from reader_app.imaging.dicom.dataset import is_present, items, number, numbers, text, value
from reader_app.imaging.voi import LookupTable, VoiFunction, Window, named_apart

_MOST_CHOICES = 32  # windows or tables of one film; more is noise


def modality_of(dataset: Dataset, path: Path) -> tuple[LookupTable | None, float, float, list[str]]:
    """Read the modality transformation (PS3.3 C.11.1): (table, slope, intercept, notes).

    Raises
    ------
    ImageError
        If there is a table that cannot be used: the grays would be wrong without it.
    """
    notes: list[str] = []
    slope, intercept = _rescale(dataset, notes)
    sequence = items(dataset, "ModalityLUTSequence")
    if not sequence:
        if is_present(dataset, "ModalityLUTSequence"):
            notes.append("The file's Modality LUT Sequence is empty or malformed and was not applied.")
        return None, slope, intercept, notes
    try:
        table = _table(dataset, sequence[0], "Modality LUT")
    except ValueError as error:
        raise ImageError(
            f"{path} has a Modality LUT that cannot be used ({error}).",
            "Export the film again from its source.",
        ) from error
    if (slope, intercept) != (1.0, 0.0):
        notes.append("The file has a Modality LUT beside a rescale slope; the table was applied.")
    return table, 1.0, 0.0, notes


def _rescale(dataset: Dataset, notes: list[str]) -> tuple[float, float]:
    slope, intercept = number(dataset, "RescaleSlope"), number(dataset, "RescaleIntercept")
    if slope is not None and (slope == 0 or not np.isfinite(slope)):
        notes.append(f"The rescale slope {slope:g} is impossible; stored values are shown as they are.")
        return 1.0, 0.0
    if intercept is not None and not np.isfinite(intercept):
        notes.append("The rescale intercept is not a number; stored values are shown as they are.")
        return 1.0, 0.0
    return (1.0 if slope is None else slope), (0.0 if intercept is None else intercept)


def voi_of(dataset: Dataset) -> tuple[tuple[LookupTable, ...], tuple[Window, ...], list[str]]:
    """Read all VOI look-up tables and windows (PS3.3 C.11.2): (tables, windows, notes).

    A malformed one is left out and noted: the film can be looked at without it.
    """
    notes: list[str] = []
    tables: list[LookupTable] = []
    for place, item in enumerate(items(dataset, "VOILUTSequence")[:_MOST_CHOICES], start=1):
        try:
            table = _table(dataset, item, text(item, "LUTExplanation") or f"VOI LUT {place}")
        except ValueError as error:
            notes.append(f"VOI LUT {place} was left out ({error}).")
            continue
        if int(table.values.max()) < 1 << (table.bits - 1):
            notes.append(
                f"{table.name} says {table.bits} bits but its values use less than half of the range."
            )
        tables.append(table)
    # A reader picks them by name, whatever the file repeats or leaves empty.
    named = named_apart((*tables, *_windows(dataset, notes)))
    return (
        tuple(choice for choice in named if isinstance(choice, LookupTable)),
        tuple(choice for choice in named if isinstance(choice, Window)),
        notes,
    )


def _windows(dataset: Dataset, notes: list[str]) -> tuple[Window, ...]:
    centers, widths = numbers(dataset, "WindowCenter"), numbers(dataset, "WindowWidth")
    if not centers or not widths:
        if centers is not None or widths is not None:
            notes.append("The file's window is incomplete and was left out.")
        return ()
    stated = text(dataset, "VOILUTFunction").upper().replace(" ", "_") or VoiFunction.LINEAR
    try:
        function = VoiFunction(stated)
    except ValueError:
        notes.append(f"The VOI LUT function {stated!r} is unknown; LINEAR was used.")
        function = VoiFunction.LINEAR
    explanations = value(dataset, "WindowCenterWidthExplanation") or ()
    if isinstance(explanations, str):
        explanations = (explanations,)
    windows: list[Window] = []
    choices = zip_longest(
        centers[:_MOST_CHOICES], widths[:_MOST_CHOICES], tuple(explanations)[: len(centers)]
    )
    for place, (center, width, explanation) in enumerate(choices, start=1):
        name = " ".join(str(explanation or "").split())[:64] or f"window {place}"
        try:
            windows.append(Window(center, width, function, name))
        except (ValueError, TypeError):
            notes.append(f"Window {place} (center {center}, width {width}) is not allowed and was left out.")
    return tuple(windows)


def _table(dataset: Dataset, item: Dataset, name: str) -> LookupTable:
    """Make a table of LUT Descriptor (0028,3002) and LUT Data (0028,3006); PS3.3 C.11.1.1.

    Raises
    ------
    ValueError
        If descriptor and data do not fit together.
    """
    descriptor = numbers(item, "LUTDescriptor")
    if descriptor is None or len(descriptor) != 3:
        raise ValueError("its descriptor is missing")
    count, first, bits = (int(part) for part in descriptor)
    # The count is unsigned, whatever the sign of the first value made of it; 0 stands for 65,536.
    count = count % 65536 or 65536
    if number(dataset, "PixelRepresentation") == 1 and first > 32767:
        first -= 65536  # written as unsigned although the pixels are signed
    if not 1 <= bits <= 16:
        raise ValueError(f"it says {bits} bits")
    return LookupTable(first, _entries(dataset, item, count, bits), bits, name)


def _entries(dataset: Dataset, item: Dataset, count: int, bits: int) -> npt.NDArray[np.uint16]:
    data = value(item, "LUTData")
    if isinstance(data, bytes):
        _, little = dataset.original_encoding
        packed = bits <= 8 and count <= len(data) <= count + 1  # two 8-bit entries in one word
        dtype = np.dtype(np.uint8) if packed else np.dtype("<u2" if little is not False else ">u2")
        entries = np.frombuffer(data[: len(data) // dtype.itemsize * dtype.itemsize], dtype)
    else:
        parts = data if data is not None and hasattr(data, "__iter__") else [data]
        try:
            entries = np.array([int(part) & 0xFFFF for part in parts], dtype=np.uint16)
        except (TypeError, ValueError) as error:
            raise ValueError("it has no data") from error
    if entries.size < count:
        raise ValueError(f"it should have {count} entries and has {entries.size}")
    table = entries[:count].astype(np.uint16)
    if int(table.max()) >= 1 << bits:
        raise ValueError(f"an entry does not fit into {bits} bits")
    return table
