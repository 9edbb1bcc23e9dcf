"""The pixels of a copy: the same values, and nothing written beside or between them."""

from __future__ import annotations

import numpy as np
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, get_frame
from pydicom.tag import Tag
from pydicom.uid import UID, ExplicitVRLittleEndian, RLELossless

from reader_app.imaging.dicom import read_dicom
from reader_app.imaging.dicom.dataset import transfer_syntax, whole
from reader_app.imaging.dicom.pixels import PixelLayout
from reader_app.imaging.radiograph import Radiograph, RadiographHeader
from reader_app.interop.codestreams import without_texts

_GRAY_ONLY = ("RescaleSlope", "RescaleIntercept", "RescaleType", "ModalityLUTSequence", "VOILUTSequence")
_PIXELS = "PixelData"


def take_pixels(
    source: Dataset, clean: Dataset, *, header: RadiographHeader, layout: PixelLayout
) -> tuple[UID, list[str]]:
    """Put the first frame of `source` into `clean`.

    Compressed frames stay compressed as they are, without the texts in them. Uncompressed ones become
    Explicit VR Little Endian, with the bits beside the stored ones cleared: overlays can hide there
    (PS3.5 8.1.1, retired). RLE, big-endian and palette images, images with overlays in their cells, and
    codestreams that cannot be followed, are decoded and stored uncompressed.

    Returns
    -------
    UID, list of str
        Transfer syntax of the copy, and what a coordinator should know.

    Raises
    ------
    ImageError
        If the pixels have to be decoded and cannot be.
    """
    _describe(clean, layout)
    if layout.samples > 1:
        clean.PlanarConfiguration = 1 if whole(source, "PlanarConfiguration") == 1 else 0
    syntax = transfer_syntax(source)
    data = source[_PIXELS].value if _PIXELS in source else None
    _, little = source.original_encoding
    if isinstance(data, bytes) and syntax is not None and layout.photometric != "PALETTE COLOR":
        known = syntax.is_transfer_syntax and not syntax.is_private
        if known and syntax.is_encapsulated and syntax != RLELossless and not _hides_overlays(source):
            frame = without_texts(get_frame(data, 0, number_of_frames=header.frames))
            if frame is not None:
                clean.PixelData = encapsulate([frame])
                clean[_PIXELS].VR = "OB"
                return syntax, []
        elif known and not syntax.is_encapsulated and little is not False:
            _put(clean, _first_frame(data, layout), layout)
            return ExplicitVRLittleEndian, []
    put_gray(clean, read_dicom(header.path), layout)
    notes = [] if layout.is_gray else ["Colours became grays in the copy, as readers see them."]
    return ExplicitVRLittleEndian, [*notes, "The copy holds the pixels uncompressed."]


def _hides_overlays(source: Dataset) -> bool:
    """Whether overlays lie in the cells of the pixels: they name a bit, but bring no data (PS3.3 C.9.2)."""
    planes = [group for group in range(0x6000, 0x6100, 2) if Tag(group, 0x0102) in source]
    return any(Tag(group, 0x3000) not in source for group in planes)


def put_gray(clean: Dataset, film: Radiograph, layout: PixelLayout) -> None:
    """Put decoded grays into a data set, uncompressed, so that they read as the same film again.

    Parameters
    ----------
    clean
        The data set; what it says of its pixels is replaced. Of a colour image, what turned stored values
        into grays before is taken out, since it never applied to colours.
    film
        Its pixels: uint8, uint16 or int16, shape (rows, columns).
    layout
        Of the file that the film was read from.
    """
    bits = 8 * film.pixels.dtype.itemsize
    stored = (
        layout.stored if layout.is_gray else bits if layout.photometric == "PALETTE COLOR" else layout.stored
    )
    gray = PixelLayout(
        rows=film.pixels.shape[0],
        columns=film.pixels.shape[1],
        samples=1,
        allocated=bits,
        stored=min(stored, bits),
        high_bit=min(stored, bits) - 1,
        signed=film.pixels.dtype == np.int16,
        photometric=layout.photometric if layout.is_gray else "MONOCHROME2",
    )
    _describe(clean, gray)
    _put(clean, film.pixels.astype(film.pixels.dtype.newbyteorder("<")).tobytes(), gray)
    if not layout.is_gray:
        for keyword in (*_GRAY_ONLY, "PresentationLUTShape", "PixelPaddingValue", "PixelPaddingRangeLimit"):
            if keyword in clean:
                delattr(clean, keyword)
        window = film.windows[0]
        clean.WindowCenter, clean.WindowWidth = f"{window.center:.10g}", f"{window.width:.10g}"
        clean.VOILUTFunction = window.function.value


def _describe(clean: Dataset, layout: PixelLayout) -> None:
    """Image Pixel module (PS3.3 C.7.6.3) without the pixels."""
    clean.Rows, clean.Columns, clean.SamplesPerPixel = layout.rows, layout.columns, layout.samples
    clean.BitsAllocated, clean.BitsStored, clean.HighBit = layout.allocated, layout.stored, layout.high_bit
    clean.PixelRepresentation = int(layout.signed)
    clean.PhotometricInterpretation = layout.photometric
    if "PlanarConfiguration" in clean and layout.samples == 1:
        del clean.PlanarConfiguration


def _put(clean: Dataset, data: bytes, layout: PixelLayout) -> None:
    clean.PixelData = data + b"\x00" * (len(data) % 2)
    clean[_PIXELS].VR = "OW" if layout.allocated > 8 else "OB"


def _first_frame(data: bytes, layout: PixelLayout) -> bytes:
    """Bytes of the first frame, with bits that are no pixels cleared; fewer where the file is truncated."""
    samples = layout.rows * layout.columns * layout.samples
    if layout.photometric in ("YBR_FULL_422", "YBR_PARTIAL_422"):
        samples = layout.rows * layout.columns * 2  # colours for every second pixel (PS3.3 C.7.6.3.1.2)
    data = data[: -(-samples * layout.allocated // 8)]
    if layout.allocated == 1 or layout.stored == layout.allocated:
        return data
    cell = layout.allocated // 8
    cells = np.frombuffer(data[: len(data) // cell * cell], dtype=f"<u{cell}")
    low = layout.high_bit + 1 - layout.stored
    mask = ((1 << layout.stored) - 1) << low
    if layout.signed:
        # Above the highest bit the sign goes on, as most producers write it.
        above = layout.allocated - 1 - layout.high_bit
        signed = ((cells << above).view(f"<i{cell}") >> above).view(f"<u{cell}")
        cells = signed & cells.dtype.type(((1 << layout.allocated) - 1) & -(1 << low))
    elif bool((cells & cells.dtype.type(~mask & ((1 << layout.allocated) - 1))).any()):
        cells = cells & cells.dtype.type(mask)
    return cells.tobytes()
