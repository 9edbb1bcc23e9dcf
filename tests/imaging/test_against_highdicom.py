"""Grays of whole files beside those of highdicom, an independent implementation, where it is right.

Where it departs from the standard, our value is held against one worked out by hand, with the section.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import highdicom
import numpy as np
import numpy.typing as npt
import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from reader_app.imaging.display import apply_table, apply_window, rescaled, to_display
from reader_app.imaging.files import read_radiograph
from reader_app.imaging.voi import LookupTable, VoiFunction, Window
from tests.opened_by_highdicom import opened

MakeDicom = Callable[..., Path]
Elements = dict[str, Any]

STORED = np.linspace(0, 4095, 400).astype(np.uint16).reshape(20, 20)
SIGNED = (STORED.astype(np.int16) - 2048).astype(np.int16)


def _table(first: int, bits: int, entries: npt.NDArray[np.integer[Any]], name: str = "by hand") -> Dataset:
    item = Dataset()
    signed = "SS" if first < 0 else "US"
    item.add_new("LUTDescriptor", signed, [len(entries), first, bits])
    item.LUTExplanation = name
    item.add_new("LUTData", "US", [int(entry) for entry in entries])
    return item


def _curve(count: int, top: int) -> npt.NDArray[np.uint16]:
    """A bent table from 0 to `top`."""
    return np.asarray(np.rint(np.linspace(0, 1, count) ** 1.7 * top), dtype=np.uint16)


def _modality_table(first: int) -> Sequence:
    item = _table(first, 16, _curve(4096, 4095))
    item.ModalityLUTType = "US"
    return Sequence([item])


MODALITY: dict[str, Elements] = {
    "none": {},
    "slope": {"RescaleSlope": "0.5", "RescaleIntercept": "-100", "RescaleType": "US"},
    "table from 0": {"ModalityLUTSequence": _modality_table(0)},
    "table from -2048": {"ModalityLUTSequence": _modality_table(-2048)},
}
VOI: dict[str, Elements] = {
    "LINEAR": {"WindowCenter": 900, "WindowWidth": 1500},
    "LINEAR_EXACT": {"WindowCenter": 900.5, "WindowWidth": 1500, "VOILUTFunction": "LINEAR_EXACT"},
    "SIGMOID": {"WindowCenter": 900, "WindowWidth": 1500, "VOILUTFunction": "SIGMOID"},
    "narrow": {"WindowCenter": 10, "WindowWidth": 2},
    "negative": {"WindowCenter": -300, "WindowWidth": 900},
    # Entries that use the whole range of their bits: see `test_a_table_spans_its_bits`.
    "table": {"VOILUTSequence": Sequence([_table(100, 16, _curve(2000, 65535))])},
}
POLARITY: list[tuple[str, str | None]] = [
    ("MONOCHROME2", None),
    ("MONOCHROME1", None),
    ("MONOCHROME2", "IDENTITY"),
    ("MONOCHROME2", "INVERSE"),
    ("MONOCHROME1", "IDENTITY"),
    ("MONOCHROME1", "INVERSE"),
]


def _by_highdicom(path: Path, **more: Any) -> npt.NDArray[np.float64]:
    """Grays 0 to 255, not rounded."""
    # Its sigmoid meets infinity on the way to 0.
    with np.errstate(over="ignore"), opened(path) as image:
        frame = image.get_frame(1, apply_voi_transform=True, voi_output_range=(0.0, 255.0), **more)
    return np.asarray(frame, dtype=np.float64)


def _by_its_steps(path: Path) -> npt.NDArray[np.float64]:
    """Modality transformation, VOI transformation and polarity one by one, each by highdicom.

    Put together by `get_frame` they come out wrong in two cases. With a slope, LINEAR windows are divided
    by it before one is taken off their width, where PS3.3 C.11.2.1.2.1 takes off one modality value; and
    behind a modality table, or over values that are not whole, VOI tables are not brought to the output
    range at all.
    """
    dataset = pydicom.dcmread(path)
    values = dataset.pixel_array
    if "ModalityLUTSequence" in dataset:
        item = dataset.ModalityLUTSequence[0]
        first = item.LUTDescriptor[1]
        entries = np.array(item.LUTData, dtype=np.uint16)
        # Its own class takes first values from 0 on; the table is the same, moved.
        values = highdicom.ModalityLUT("US", 0, entries).apply(np.maximum(values.astype(int) - first, 0))
    elif "RescaleSlope" in dataset:
        values = highdicom.ModalityLUTTransformation(
            rescale_intercept=float(dataset.RescaleIntercept),
            rescale_slope=float(dataset.RescaleSlope),
            rescale_type="US",
        ).apply(values)
    shape = dataset.get("PresentationLUTShape")
    inverse = shape == "INVERSE" if shape else dataset.PhotometricInterpretation == "MONOCHROME1"
    if "VOILUTSequence" in dataset:
        item = dataset.VOILUTSequence[0]
        entries = np.array(item.LUTData, dtype=np.uint16)
        whole = np.floor(np.maximum(values, 0) + 0.5).astype(int)  # halves go up, as ours do
        voi = highdicom.VOILUTTransformation(voi_luts=[highdicom.VOILUT(item.LUTDescriptor[1], entries)])
        grays = voi.apply(whole, output_range=(0.0, 255.0), invert=inverse)
    else:
        voi = highdicom.VOILUTTransformation(
            window_center=float(dataset.WindowCenter),
            window_width=float(dataset.WindowWidth),
            voi_lut_function=dataset.get("VOILUTFunction", "LINEAR"),
        )
        with np.errstate(over="ignore"):
            grays = voi.apply(values, output_range=(0.0, 255.0), invert=inverse)
    return np.asarray(grays, dtype=np.float64)


def _agree(film: npt.NDArray[np.uint8], peer: npt.NDArray[np.float64]) -> None:
    # Both round the same number, but a value that falls on a half may go either way.
    assert np.abs(film.astype(float) - peer).max() <= 0.5 + 1e-3


@pytest.mark.parametrize("signed", [False, True], ids=["unsigned", "signed"])
@pytest.mark.parametrize("voi", VOI)
@pytest.mark.parametrize("modality", MODALITY)
def test_whole_chain(make_dicom: MakeDicom, modality: str, voi: str, signed: bool) -> None:
    if modality == "table from -2048" and not signed:
        pytest.skip("the first value of a table is signed where the pixels are")
    for photometric, shape in POLARITY:
        elements: Elements = {"PhotometricInterpretation": photometric, **MODALITY[modality]}
        elements |= VOI[voi]
        if shape is not None:
            elements["PresentationLUTShape"] = shape
        path = make_dicom(SIGNED if signed else STORED, BitsStored=12, HighBit=11, **elements)
        shown = to_display(read_radiograph(path))
        _agree(shown, _by_its_steps(path))
        linear = modality == "slope" and "VOILUTFunction" not in elements
        if not linear and (voi != "table" or modality == "none"):
            _agree(shown, _by_highdicom(path))


def test_every_alternative_by_its_name(make_dicom: MakeDicom) -> None:
    path = make_dicom(
        STORED,
        WindowCenter=[500, 1500, 3000],
        WindowWidth=[400, 3000, 100],
        WindowCenterWidthExplanation=["SOFT", "BONE", "METAL"],
    )
    film = read_radiograph(path)
    for place, choice in enumerate(film.choices):
        shown = to_display(film, window=choice)
        _agree(shown, _by_highdicom(path, voi_transform_selector=choice.name))
        _agree(shown, _by_highdicom(path, voi_transform_selector=place))


@pytest.mark.parametrize(
    ("bits", "by_hand"),
    [
        (12, [62, 125, 187]),  # 1000, 2000, 3000 of 4095, times 255: 62.27, 124.54, 186.81
        (16, [4, 8, 12]),  # of 65535: 3.89, 7.78, 11.67
    ],
)
def test_a_table_spans_its_bits(make_dicom: MakeDicom, bits: int, by_hand: list[int]) -> None:
    """highdicom stretches a table from its least to its largest entry over the output.

    PS3.3 C.11.2.1.1: the output range is that of the bits of an entry, 0 to 2**n - 1; a table whose entries
    begin at 1000 never gets black. Entries may have 8 to 16 bits, of which highdicom reads 8 and 16.
    """
    stored = np.array([[0, 1, 2]], dtype=np.uint16)
    entries = np.array([1000, 2000, 3000])
    path = make_dicom(stored, VOILUTSequence=Sequence([_table(0, bits, entries)]))
    assert to_display(read_radiograph(path))[0].tolist() == by_hand
    if bits == 16:
        assert _by_highdicom(path)[0].tolist() == [0.0, 127.5, 255.0]
        return
    with pytest.raises(RuntimeError, match="Invalid LUT descriptor"):
        _by_highdicom(path)


def test_a_window_of_width_one_is_a_step(make_dicom: MakeDicom) -> None:
    """highdicom divides by the width less one, which is 0.

    PS3.3 C.11.2.1.2.1: x <= c - 0.5 is black, anything above white.
    """
    path = make_dicom(np.array([[99, 100, 101]], np.uint16), WindowCenter=100, WindowWidth=1)
    assert to_display(read_radiograph(path))[0].tolist() == [0, 255, 255]


def test_tables_go_before_windows(make_dicom: MakeDicom) -> None:
    path = make_dicom(STORED, **VOI["table"], **VOI["LINEAR"])
    film = read_radiograph(path)
    assert [choice.name for choice in film.choices] == ["by hand", "window 1"]
    _agree(to_display(film), _by_highdicom(path))


windows = st.tuples(st.integers(-3000, 6000), st.integers(2, 9000), st.sampled_from(VoiFunction))


@given(windows)
def test_windows_agree(setting: tuple[int, int, VoiFunction]) -> None:
    center, width, function = setting
    values = np.arange(-4000, 8000, 7)
    transformation = highdicom.VOILUTTransformation(
        window_center=center, window_width=width, voi_lut_function=function.value
    )
    with np.errstate(over="ignore"):
        peer = transformation.apply(values)
    assert apply_window(values, Window(center, width, function)) == pytest.approx(peer, abs=1e-9)


@given(st.lists(st.integers(0, 65535), min_size=2, max_size=40), st.integers(-50, 50))
def test_modality_tables_agree(entries: list[int], first: int) -> None:
    data = np.array(entries, dtype=np.uint16)
    values = np.arange(-100, 120)
    peer = highdicom.ModalityLUT("US", first, data) if first >= 0 else None
    ours = rescaled(values, table=LookupTable(first, data, 16))
    if peer is not None:
        assert np.array_equal(ours, np.asarray(peer.apply(values), dtype=np.float32))
    # C.11.1.1: what lies before the first entry takes it, what lies behind the last one that.
    assert ours[0] == (data[0] if first >= -100 else ours[0])
    assert ours[-1] == data[-1]


@given(st.lists(st.integers(1, 4094), max_size=30), st.integers(0, 50))
def test_voi_tables_over_their_whole_range_agree(middle: list[int], first: int) -> None:
    data = np.array([0, *middle, 4095], dtype=np.uint16)
    values = np.arange(-20, 120)
    peer = highdicom.VOILUT(first, data)
    scaled = np.asarray(peer.get_scaled_lut_data())
    index = np.clip(values - first, 0, data.size - 1)
    assert apply_table(values, LookupTable(first, data, 12)) == pytest.approx(scaled[index], abs=1e-12)
