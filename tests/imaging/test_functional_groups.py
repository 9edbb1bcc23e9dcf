"""Enhanced multi-frame files: the first frame's own values are the ones that count (PS3.3 C.7.6.16)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from reader_app.imaging.display import named_voi, to_display
from reader_app.imaging.files import read_header, read_radiograph
from reader_app.imaging.geometry import Laterality
from reader_app.imaging.spacing import SpacingKind

MakeDicom = Callable[..., Path]
TWO_FRAMES = np.concatenate([np.full((4, 6), 100, np.uint16), np.full((4, 6), 900, np.uint16)])


def macro(**elements: Any) -> Sequence:
    item = Dataset()
    for keyword, value in elements.items():
        setattr(item, keyword, value)
    return Sequence([item])


def group(**macros: Sequence) -> Dataset:
    item = Dataset()
    for keyword, sequence in macros.items():
        setattr(item, keyword, sequence)
    return item


def enhanced(make_dicom: MakeDicom, *, shared: Dataset | None, frames: list[Dataset], **more: Any) -> Path:
    if shared is not None:
        more["SharedFunctionalGroupsSequence"] = Sequence([shared])
    return make_dicom(
        TWO_FRAMES, Rows=4, NumberOfFrames=2, PerFrameFunctionalGroupsSequence=Sequence(frames), **more
    )


def test_grays_are_those_of_the_first_frame(make_dicom: MakeDicom) -> None:
    def frame(slope: str, center: float) -> Dataset:
        return group(
            PixelValueTransformationSequence=macro(RescaleSlope=slope, RescaleIntercept="50"),
            FrameVOILUTSequence=macro(
                WindowCenter=center,
                WindowWidth=400,
                VOILUTFunction="LINEAR_EXACT",
                WindowCenterWidthExplanation="BONE",
            ),
        )

    film = read_radiograph(
        enhanced(make_dicom, shared=group(), frames=[frame("2", 250.0), frame("7", 9000.0)])
    )
    assert (film.slope, film.intercept) == (2.0, 50.0)
    assert named_voi(film, "BONE") == film.windows[0]
    # 100 * 2 + 50 = 250 is the window's centre.
    assert np.all(to_display(film) == 128)
    assert film.header.notes == ("The file holds 2 frames; the first is shown.",)


def test_millimetres_and_side_are_those_of_the_first_frame(make_dicom: MakeDicom) -> None:
    shared = group(
        PixelMeasuresSequence=macro(PixelSpacing=[0.3, 0.3]),
        FrameAnatomySequence=macro(FrameLaterality="L"),
    )
    alone = read_header(enhanced(make_dicom, shared=shared, frames=[group(), group()]))
    assert (alone.spacing.row_mm, alone.spacing.kind) == (0.3, SpacingKind.AT_DETECTOR)
    assert alone.laterality is Laterality.LEFT
    own = group(PixelMeasuresSequence=macro(PixelSpacing=[0.1, 0.1]))
    header = read_header(enhanced(make_dicom, shared=shared, frames=[own, group()]))
    assert header.spacing.row_mm == 0.1
    zero = group(PixelMeasuresSequence=macro(PixelSpacing=[0.0, 0.0]))
    header = read_header(enhanced(make_dicom, shared=shared, frames=[zero, group()]))
    assert header.spacing.kind is SpacingKind.UNKNOWN
    assert "zero" in header.spacing.reason


def test_a_frame_goes_before_the_top_level(make_dicom: MakeDicom) -> None:
    frame = group(FrameVOILUTSequence=macro(WindowCenter=100, WindowWidth=10))
    path = enhanced(make_dicom, shared=None, frames=[frame], WindowCenter=5000, WindowWidth=10)
    assert [window.center for window in read_radiograph(path).windows] == [100.0]


def test_malformed_groups_are_passed_over(make_dicom: MakeDicom) -> None:
    frame = group(FrameVOILUTSequence=Sequence([]), PixelMeasuresSequence=Sequence([Dataset()]))
    film = read_radiograph(enhanced(make_dicom, shared=None, frames=[frame]))
    assert film.windows == ()
    assert film.header.spacing.kind is SpacingKind.UNKNOWN
    film = read_radiograph(
        make_dicom(TWO_FRAMES, Rows=4, NumberOfFrames=2, PerFrameFunctionalGroupsSequence=Sequence([]))
    )
    assert np.all(film.pixels == 100)
