"""What the millimetres of a film mean: a table of cases, each with its kind, its value and its reason."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reader_app.imaging.files import read_header
from reader_app.imaging.spacing import Spacing, SpacingKind, SpacingTags, dicom_spacing
from tests.imaging.conftest import MakeDicom

SHAPE = (3000, 2500)
CALIBRATED, GEOMETRY = SpacingKind.CALIBRATED, SpacingKind.GEOMETRY
CORRECTED, DETECTOR = SpacingKind.MAGNIFICATION_CORRECTED, SpacingKind.AT_DETECTOR
NAN, INFINITE = float("nan"), float("inf")


@dataclass(frozen=True)
class Means:
    """A file that says `tags` means `mm` of that kind, for a reason with these words."""

    name: str
    kind: SpacingKind
    mm: float
    words: str
    tags: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Refused:
    """A file that says `tags` gives no millimetres, for a reason with these words."""

    name: str
    words: str
    tags: dict[str, Any] = field(default_factory=dict)


def tags(
    pixel: tuple[float, ...] | None = None,
    imager: tuple[float, ...] | None = None,
    scanned: tuple[float, ...] | None = None,
    **more: Any,
) -> dict[str, Any]:
    return {"pixel_spacing": pixel, "imager_spacing": imager, "scanned_spacing": scanned, **more}


def pair(mm: float) -> tuple[float, float]:
    return mm, mm


def distances(detector: float, patient: float) -> dict[str, Any]:
    return {"source_detector_mm": detector, "source_patient_mm": patient}


FIDUCIAL: dict[str, Any] = {"calibration_type": "FIDUCIAL"}
CORRECTED_GEOMETRY: dict[str, Any] = {"calibration_type": "GEOMETRY"}

MEANT = [
    # PixelSpacing with a calibration type goes before everything else
    Means("fiducial", CALIBRATED, 0.14, "object of known size", tags(pair(0.14), **FIDUCIAL)),
    Means("geometry", GEOMETRY, 0.14, "geometry", tags(pair(0.14), **CORRECTED_GEOMETRY)),
    Means(
        "fiducial beside detector and factor",
        CALIBRATED,
        0.13,
        "object of known size",
        tags(pair(0.13), pair(0.15), magnification=1.1, **FIDUCIAL),
    ),
    # without one it is taken as at the detector, unless it shows that it was corrected
    Means("of unknown origin", DETECTOR, 0.2, "without a calibration type", tags(pair(0.2))),
    Means("a CT image", GEOMETRY, 0.5, "CT image", tags(pair(0.5), modality="CT")),
    Means("equal to the detector's", DETECTOR, 0.15, "at the detector", tags(pair(0.15), pair(0.15))),
    Means("less than the detector's", CORRECTED, 0.125, "divided by 1.200", tags(pair(0.125), pair(0.15))),
    Means(
        "less than the detector's by the stated factor",
        CORRECTED,
        0.125,
        "divided by 1.200",
        tags(pair(0.125), pair(0.15), magnification=1.2),
    ),
    Means(
        "equal to the detector's, with a factor",
        CORRECTED,
        0.125,
        "divided by the magnification 1.200",
        tags(pair(0.15), pair(0.15), magnification=1.2),
    ),
    # at the detector, divided by what the file knows of the magnification
    Means("detector alone", DETECTOR, 0.15, "at the detector", tags(None, pair(0.15))),
    Means("factor", CORRECTED, 0.125, "magnification 1.200", tags(None, pair(0.15), magnification=1.2)),
    Means(
        "SID / SOD", CORRECTED, 0.125, "magnification 1.200", tags(None, pair(0.15), **distances(1800, 1500))
    ),
    Means(
        "factor and SID / SOD that agree",
        CORRECTED,
        0.125,
        "magnification 1.200",
        tags(None, pair(0.15), magnification=1.2, **distances(1800, 1480)),
    ),
    Means("factor of one", CORRECTED, 0.15, "magnification 1.000", tags(None, pair(0.15), magnification=1.0)),
    Means("factor of zero", DETECTOR, 0.1, "at the detector", tags(None, pair(0.1), magnification=0.0)),
    Means("distances of zero", DETECTOR, 0.1, "at the detector", tags(None, pair(0.1), **distances(0, 0))),
    Means("digitised film", DETECTOR, 0.175, "NominalScannedPixelSpacing", tags(scanned=pair(0.175))),
    Means(
        "digitised film beside its detector",
        DETECTOR,
        0.15,
        "ImagerPixelSpacing",
        tags(None, pair(0.15), pair(0.175)),
    ),
    # an aspect ratio that agrees, or says nothing
    Means("ratio that agrees", DETECTOR, 0.2, "", tags(pair(0.2), aspect_ratio=(1, 1))),
    Means("ratio of zeros", DETECTOR, 0.2, "", tags(pair(0.2), aspect_ratio=(0, 0))),
    Means("malformed ratio", DETECTOR, 0.2, "", tags(pair(0.2), aspect_ratio=(1.0,))),
]

REFUSED = [
    Refused("nothing", "gives no pixel spacing"),
    Refused("an aspect ratio alone", "gives no pixel spacing", tags(aspect_ratio=(1, 1))),
    # numbers that cannot be
    Refused("zero", "0 x 0 mm is zero", tags(pair(0.0))),
    Refused("zero in one direction", "is zero", tags((0.0, 0.1), **FIDUCIAL)),
    Refused("zero at the detector", "is zero", tags(None, pair(0.0))),
    Refused("zero beside a good detector", "PixelSpacing: 0 x 0 mm is zero", tags(pair(0.0), pair(0.15))),
    Refused("negative", "is negative", tags(pair(-0.2))),
    Refused("not a number", "is not a number", tags(None, (NAN, 0.2))),
    Refused("infinite", "is not a number", tags(pair(INFINITE))),
    Refused("absurdly fine", "absurd", tags(None, pair(1e-6))),
    Refused("absurdly coarse", "absurd", tags(pair(40.0), **FIDUCIAL)),
    Refused("a film of nine metres", "9000 x 7500 mm", tags(None, pair(3.0))),
    Refused("rows against columns", "contradicts itself", tags(None, (0.1, 0.5))),
    Refused("one number", "does not hold two numbers", tags((0.2,))),
    Refused("three numbers", "does not hold two numbers", tags(None, (0.2, 0.2, 0.2))),
    Refused("malformed", "does not hold two numbers", tags(scanned=())),
    # tags that contradict each other
    Refused("larger than at the detector", "contradict each other", tags(pair(0.2), pair(0.15))),
    Refused("a third of the detector's and less", "contradict each other", tags(pair(0.04), pair(0.15))),
    Refused("corrected in one direction alone", "contradict each other", tags((0.125, 0.14), pair(0.15))),
    Refused(
        "corrected by another factor than stated",
        "they differ by 1.500, but the magnification is 1.100",
        tags(pair(0.1), pair(0.15), magnification=1.1),
    ),
    Refused(
        "factor against SID / SOD",
        "1.500 contradicts SID / SOD = 1.200",
        tags(None, pair(0.15), magnification=1.5, **distances(1800, 1500)),
    ),
    Refused(
        "ratio against spacing", "PixelAspectRatio 2:1 contradicts", tags(pair(0.2), aspect_ratio=(2, 1))
    ),
    Refused(
        "ratio turned round",
        "PixelAspectRatio 1:2 contradicts",
        tags(None, (0.2, 0.1), aspect_ratio=(1, 2)),
    ),
    # magnifications that cannot be
    Refused("factor below one", "of 0.9 is impossible", tags(None, pair(0.15), magnification=0.9)),
    Refused("negative factor", "of -1.2 is impossible", tags(None, pair(0.15), magnification=-1.2)),
    Refused("factor of twelve", "of 12 is impossible", tags(None, pair(0.15), magnification=12.0)),
    Refused("factor that is no number", "is impossible", tags(None, pair(0.15), magnification=NAN)),
    Refused("patient behind the detector", "SID / SOD of", tags(None, pair(0.15), **distances(1000, 1100))),
    Refused("negative distance", "is negative", tags(None, pair(0.15), **distances(-1800, 1500))),
]


@pytest.mark.parametrize("case", MEANT, ids=lambda case: case.name)
def test_what_the_millimetres_mean(case: Means) -> None:
    spacing = dicom_spacing(SpacingTags(**{"modality": "DX", **case.tags}), SHAPE)
    assert spacing.kind is case.kind, spacing.reason
    assert spacing.measurable
    assert case.words in spacing.reason
    assert spacing.row_mm == pytest.approx(case.mm)
    assert spacing.distance_mm(30, 40) == pytest.approx(50 * case.mm)
    assert spacing.unit == ("mm at detector" if case.kind is DETECTOR else "mm")


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.name)
def test_what_is_refused_for_measuring(case: Refused) -> None:
    spacing = dicom_spacing(SpacingTags(**{"modality": "DX", **case.tags}), SHAPE)
    assert spacing.kind is SpacingKind.UNKNOWN, spacing
    assert (spacing.row_mm, spacing.column_mm) == (None, None)
    assert not spacing.measurable
    assert spacing.distance_mm(10, 0) is None
    assert spacing.unit == "px"
    assert case.words in spacing.reason
    assert spacing.reason.endswith("so nothing can be measured in mm.")


def test_a_ratio_that_agrees_keeps_oblong_pixels() -> None:
    spacing = dicom_spacing(SpacingTags("DX", imager_spacing=(0.2, 0.1), aspect_ratio=(2, 1)), (100, 100))
    assert spacing.distance_mm(10, 0) == pytest.approx(1.0)
    assert spacing.distance_mm(0, 10) == pytest.approx(2.0)
    assert spacing.unit == "mm at detector"


anything = st.one_of(st.none(), st.lists(st.floats(), max_size=3))


@given(
    st.sampled_from(["", "FIDUCIAL", "GEOMETRY", "NONSENSE"]),
    st.tuples(anything, anything, anything, anything),
    st.tuples(*[st.one_of(st.none(), st.floats())] * 3),
)
def test_whatever_a_file_says_lengths_are_plausible_or_refused(
    calibration: str, pairs: tuple[Any, ...], single: tuple[Any, ...]
) -> None:
    said = SpacingTags(
        modality="DX",
        pixel_spacing=pairs[0],
        calibration_type=calibration,
        imager_spacing=pairs[1],
        scanned_spacing=pairs[2],
        magnification=single[0],
        source_detector_mm=single[1],
        source_patient_mm=single[2],
        aspect_ratio=pairs[3],
    )
    spacing = dicom_spacing(said, SHAPE)
    assert spacing.reason.endswith(".")
    if spacing.row_mm is not None and spacing.column_mm is not None:
        assert 0.001 < spacing.row_mm <= 5.0
        assert 0.5 <= spacing.row_mm / spacing.column_mm <= 2.0


@pytest.mark.parametrize(
    ("elements", "kind", "words"),
    [
        ({"PixelSpacing": [0.2, 0.2], "PixelAspectRatio": [1, 1]}, DETECTOR, "at the detector"),
        ({"PixelSpacing": [0.2, 0.2], "PixelAspectRatio": [3, 2]}, SpacingKind.UNKNOWN, "3:2 contradicts"),
        ({"NominalScannedPixelSpacing": [0.1, 0.1]}, DETECTOR, "NominalScannedPixelSpacing"),
        (
            {"PixelSpacing": [0.1, 0.1], "PixelSpacingCalibrationType": "FIDUCIAL"},
            CALIBRATED,
            "known size",
        ),
        (
            {
                "ImagerPixelSpacing": [0.2, 0.2],
                "DistanceSourceToDetector": 1800,
                "DistanceSourceToPatient": 1500,
            },
            CORRECTED,
            "1.200",
        ),
    ],
)
def test_files_say_it_in_their_elements(
    make_dicom: MakeDicom, elements: dict[str, Any], kind: SpacingKind, words: str
) -> None:
    spacing = read_header(make_dicom(np.zeros((50, 40), np.uint16), **elements)).spacing
    assert spacing.kind is kind
    assert words in spacing.reason


def test_a_kind_without_its_numbers_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="fit together"):
        Spacing(None, None, SpacingKind.CALIBRATED, "made up")
    with pytest.raises(ValueError, match="fit together"):
        Spacing(0.1, 0.1, SpacingKind.UNKNOWN, "made up")


@pytest.mark.shared
def test_real_films_have_the_millimetres_that_they_can_have(shared: Path) -> None:
    folder = shared / "data" / "dicom" / "radiographs"
    found = {path.stem: read_header(path).spacing for path in sorted(folder.glob("*.dcm"))}
    assert len(found) == 12
    for name, spacing in found.items():
        if name.startswith("RG2"):
            assert (spacing.kind, spacing.row_mm, spacing.unit) == (DETECTOR, 0.2, "mm at detector"), name
        elif name.startswith("RG1"):
            assert not spacing.measurable
            assert "0 x 0 mm is zero, so nothing can be measured in mm." in spacing.reason
        elif name.startswith("RG3"):
            assert not spacing.measurable
            assert spacing.reason.startswith("The file gives no pixel spacing")
        assert spacing.measurable == (spacing.distance_mm(1, 1) is not None), name
        assert spacing.reason.endswith("."), name
