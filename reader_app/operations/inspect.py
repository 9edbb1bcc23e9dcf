"""Look at image files without a study: what each says, how it would be shown, or why it cannot be."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from reader_app.errors import ImageError
from reader_app.imaging.display import default_voi, to_display
from reader_app.imaging.files import image_format, read_header, read_radiograph
from reader_app.imaging.geometry import Laterality
from reader_app.imaging.radiograph import Radiograph, RadiographHeader, pixel_sha256
from reader_app.imaging.spacing import SpacingKind
from reader_app.imaging.voi import Voi, Window
from reader_app.imaging.workers import MEMORY_BYTES, SECONDS, FileWorkers

AS_STORED, INVERTED = "as stored", "inverted"


@dataclass(frozen=True)
class ShownWindow:
    """The window or table with which a film is shown at first.

    Parameters
    ----------
    name
        What a reader picks it by.
    center, width, function
        Of a window, over modality values; None for a table.
    table_entries, table_bits
        Of a look-up table; None for a window.
    """

    name: str
    center: float | None = None
    width: float | None = None
    function: str | None = None
    table_entries: int | None = None
    table_bits: int | None = None


@dataclass(frozen=True)
class Inspection:
    """What there is to know about one file; None is "the file does not say" or "cannot be known".

    Parameters
    ----------
    path
        The file.
    readable
        Whether it can be shown.
    reason
        One sentence why it cannot; None where it can.
    format
        "DICOM", "PNG", "JPEG", "TIFF" or "WebP".
    modality, body_part, view_position
        As in the file.
    laterality
        "R", "L" or "B" for both.
    rows, columns, bits
        Size, and bits of a stored value.
    transfer_syntax, photometric_interpretation
        Of a DICOM file.
    polarity
        "as stored" or "inverted": whether presentation turns black and white round.
    window
        The first choice, as the file asks or found automatically.
    spacing_kind, spacing_mm, spacing_reason
        Where the millimetres hold, their (row, column), and which tags led to this or why there are none.
    pixel_sha256
        Of the decoded values, row by row, little-endian.
    display_sha256
        Of the 8-bit grays with that window and polarity, row by row.
    burned_in
        Whether the file says that text is burned into its pixels.
    overlays, frames
        How many; only the first frame is shown.
    notes
        Sentences about what was converted, ignored or missing.
    seconds
        For reading, decoding and both checksums; None where the decoder did not come back.
    """

    path: Path
    readable: bool
    reason: str | None = None
    format: str | None = None
    modality: str | None = None
    body_part: str | None = None
    view_position: str | None = None
    laterality: str | None = None
    rows: int | None = None
    columns: int | None = None
    bits: int | None = None
    transfer_syntax: str | None = None
    photometric_interpretation: str | None = None
    polarity: str | None = None
    window: ShownWindow | None = None
    spacing_kind: str | None = None
    spacing_mm: tuple[float, float] | None = None
    spacing_reason: str | None = None
    pixel_sha256: str | None = None
    display_sha256: str | None = None
    burned_in: bool | None = None
    overlays: int | None = None
    frames: int | None = None
    notes: tuple[str, ...] = ()
    seconds: float | None = None


def inspect_files(
    paths: Iterable[Path],
    *,
    workers: int | None = None,
    seconds: float = SECONDS,
    memory_bytes: int = MEMORY_BYTES,
) -> Iterator[Inspection]:
    """Inspect files, and all files in folders, in processes of their own.

    Parameters
    ----------
    paths
        Files or folders, which need not exist.
    workers
        How many processes; None takes the cores that this process may use.
    seconds, memory_bytes
        Limits of one file.

    Yields
    ------
    Inspection
        One for each file, in order; a folder's files by name, links to folders not followed.

    Raises
    ------
    MissingPart
        If the system starts no further process.
    """
    with FileWorkers(
        inspect_file, workers=workers, seconds=seconds, memory_bytes=memory_bytes
    ) as file_workers:
        for result in file_workers.map(files_in(paths)):
            if result.value is None:
                yield Inspection(result.path, readable=False, reason=result.fault)
            else:
                yield result.value


def files_in(paths: Iterable[Path]) -> Iterator[Path]:
    """Return files as they are and folders as all files in them, sorted by name.

    A folder that cannot be listed is returned itself, so that its reason can be told.
    """
    for path in paths:
        if _is_folder(path):
            yield from _files_below(path)
        else:
            yield path


def _files_below(folder: Path) -> Iterator[Path]:
    """Return the files of a folder; a list instead of calls, as folders may be nested deeper than calls."""
    waiting = [folder]
    while waiting:
        path = waiting.pop()
        is_folder = _is_folder(path)
        if is_folder and path is not folder and path.is_symlink():
            continue  # may lead back to where we are
        entries = _entries(path) if is_folder else None
        if entries is None:
            yield path
        else:
            waiting += entries


def _entries(folder: Path) -> list[Path] | None:
    """Return what is in a folder, the last name first; None where it cannot be listed."""
    try:
        return sorted(folder.iterdir(), reverse=True)
    except OSError:
        return None


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):  # out of reach, or no path at all: the reason is told when it is read
        return False


def inspect_file(path: Path) -> Inspection:
    """Inspect one file in this process.

    Raises
    ------
    ImageError
        Only for want of memory: anything else about the file is in the inspection.
    """
    start = time.perf_counter()
    known: dict[str, Any] = {}
    reason = None
    try:
        _refuse_folder(path)
        known["format"] = image_format(path)
        film = read_radiograph(path)
        known |= _of_header(film.header) | _of_film(film)
    except ImageError as error:
        if isinstance(error.__cause__, MemoryError):
            raise
        reason = error.what
        if known.get("format") is not None:
            known |= _header_alone(path)
    return Inspection(
        path, readable=reason is None, reason=reason, **known, seconds=time.perf_counter() - start
    )


def _refuse_folder(path: Path) -> None:
    if not _is_folder(path):
        return
    try:
        next(path.iterdir(), None)
    except OSError as error:
        raise ImageError(f"The folder {path} cannot be listed: {error.strerror or error}.") from error


def _header_alone(path: Path) -> dict[str, Any]:
    """What the header says of a film that cannot be shown."""
    try:
        return _of_header(read_header(path))
    except ImageError:
        return {}


def _of_header(header: RadiographHeader) -> dict[str, Any]:
    spacing = header.spacing
    is_dicom = header.format == "DICOM"
    pair = (
        None if spacing.row_mm is None or spacing.column_mm is None else (spacing.row_mm, spacing.column_mm)
    )
    return {
        "format": header.format,
        "modality": header.modality or None,
        "body_part": header.body_part or None,
        "view_position": header.view_position or None,
        "laterality": None if header.laterality is Laterality.UNKNOWN else header.laterality.value,
        "rows": header.rows,
        "columns": header.columns,
        "bits": header.bits_stored or None,
        "transfer_syntax": header.transfer_syntax or None,
        "photometric_interpretation": (header.photometric or None) if is_dicom else None,
        "spacing_kind": spacing.kind.value,
        "spacing_mm": None if spacing.kind is SpacingKind.UNKNOWN else pair,
        "spacing_reason": spacing.reason,
        "burned_in": header.burned_in,
        "frames": header.frames,
        "notes": header.notes,
    }


def _of_film(film: Radiograph) -> dict[str, Any]:
    voi = default_voi(film)
    return {
        "polarity": INVERTED if film.inverse_polarity else AS_STORED,
        "window": _shown_window(voi),
        "pixel_sha256": film.pixel_sha256,
        "display_sha256": pixel_sha256(to_display(film, window=voi)),
        "overlays": len(film.overlays),
    }


def _shown_window(voi: Voi) -> ShownWindow:
    if isinstance(voi, Window):
        return ShownWindow(voi.name, voi.center, voi.width, voi.function.value)
    return ShownWindow(voi.name, table_entries=int(voi.values.size), table_bits=voi.bits)


def as_record(inspection: Inspection) -> Mapping[str, object]:
    """Return an inspection as plain values for JSON, always with the same keys."""
    record = {field.name: getattr(inspection, field.name) for field in fields(inspection)}
    window, seconds = inspection.window, inspection.seconds
    return record | {
        "path": str(inspection.path),
        "window": None if window is None else _window_record(window),
        "seconds": None if seconds is None else round(seconds, 4),
    }


def _window_record(window: ShownWindow) -> Mapping[str, object]:
    if window.table_entries is None:
        table = None
    else:
        table = {"entries": window.table_entries, "bits": window.table_bits}
    return {
        "name": window.name or None,
        "center": window.center,
        "width": window.width,
        "function": window.function,
        "table": table,
    }
