from __future__ import annotations

from typing import Any

import pytest

from reader_app.imaging.spacing import Spacing, SpacingKind, SpacingTags, dicom_spacing

SHAPE = (3000, 2500)

CASES: list[tuple[str, dict[str, Any], SpacingKind, float | None]] = [
    (
        "fiducial",
        {"pixel_spacing": (0.14, 0.14), "calibration_type": "FIDUCIAL"},
        SpacingKind.CALIBRATED,
        0.14,
    ),
    ("geometry", {"pixel_spacing": (0.14, 0.14), "calibration_type": "GEOMETRY"}, SpacingKind.GEOMETRY, 0.14),
    (
        "a calibration goes before the detector and its factor",
        {
            "pixel_spacing": (0.13, 0.13),
            "calibration_type": "FIDUCIAL",
            "imager_spacing": (0.15, 0.15),
            "magnification": 1.1,
        },
        SpacingKind.CALIBRATED,
        0.13,
    ),
    (
        "detector and factor",
        {"imager_spacing": (0.15, 0.15), "magnification": 1.2},
        SpacingKind.MAGNIFICATION_CORRECTED,
        0.125,
    ),
    (
        "detector and distances",
        {"imager_spacing": (0.15, 0.15), "source_detector_mm": 1800.0, "source_patient_mm": 1500.0},
        SpacingKind.MAGNIFICATION_CORRECTED,
        0.125,
    ),
    ("detector alone", {"imager_spacing": (0.15, 0.15)}, SpacingKind.AT_DETECTOR, 0.15),
    (
        "a factor of zero says nothing",
        {"imager_spacing": (0.1, 0.1), "magnification": 0.0},
        SpacingKind.AT_DETECTOR,
        0.1,
    ),
    ("digitised film", {"scanned_spacing": (0.175, 0.175)}, SpacingKind.AT_DETECTOR, 0.175),
    ("pixel spacing of unknown origin", {"pixel_spacing": (0.2, 0.2)}, SpacingKind.AT_DETECTOR, 0.2),
    (
        "equal to the detector's: not corrected",
        {"pixel_spacing": (0.15, 0.15), "imager_spacing": (0.15, 0.15)},
        SpacingKind.AT_DETECTOR,
        0.15,
    ),
    (
        "smaller than the detector's: corrected",
        {"pixel_spacing": (0.125, 0.125), "imager_spacing": (0.15, 0.15)},
        SpacingKind.MAGNIFICATION_CORRECTED,
        0.125,
    ),
    ("a CT image", {"modality": "CT", "pixel_spacing": (0.5, 0.5)}, SpacingKind.GEOMETRY, 0.5),
    ("nothing", {}, SpacingKind.UNKNOWN, None),
    ("zero", {"pixel_spacing": (0.0, 0.0)}, SpacingKind.UNKNOWN, None),
    (
        "zero although calibrated",
        {"pixel_spacing": (0.0, 0.1), "calibration_type": "FIDUCIAL"},
        SpacingKind.UNKNOWN,
        None,
    ),
    ("negative", {"pixel_spacing": (-0.2, -0.2)}, SpacingKind.UNKNOWN, None),
    ("not a number", {"imager_spacing": (float("nan"), 0.2)}, SpacingKind.UNKNOWN, None),
    ("absurdly fine", {"imager_spacing": (1e-6, 1e-6)}, SpacingKind.UNKNOWN, None),
    ("a film of nine metres", {"imager_spacing": (3.0, 3.0)}, SpacingKind.UNKNOWN, None),
    ("rows against columns", {"imager_spacing": (0.1, 0.5)}, SpacingKind.UNKNOWN, None),
    ("one number", {"pixel_spacing": (0.2,)}, SpacingKind.UNKNOWN, None),
    ("malformed", {"imager_spacing": ()}, SpacingKind.UNKNOWN, None),
    (
        "larger than at the detector",
        {"pixel_spacing": (0.2, 0.2), "imager_spacing": (0.15, 0.15)},
        SpacingKind.UNKNOWN,
        None,
    ),
    (
        "two factors",
        {
            "imager_spacing": (0.15, 0.15),
            "magnification": 1.5,
            "source_detector_mm": 1800.0,
            "source_patient_mm": 1500.0,
        },
        SpacingKind.UNKNOWN,
        None,
    ),
    (
        "corrected by another factor than stated",
        {"pixel_spacing": (0.1, 0.1), "imager_spacing": (0.15, 0.15), "magnification": 1.1},
        SpacingKind.UNKNOWN,
        None,
    ),
    (
        "patient behind the detector",
        {"imager_spacing": (0.15, 0.15), "source_detector_mm": 1000.0, "source_patient_mm": 1100.0},
        SpacingKind.UNKNOWN,
        None,
    ),
]


@pytest.mark.parametrize(
    ("tags", "kind", "mm"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_what_the_millimetres_mean(tags: dict[str, Any], kind: SpacingKind, mm: float | None) -> None:
    spacing = dicom_spacing(SpacingTags(**{"modality": "DX", **tags}), SHAPE)
    assert spacing.kind is kind, spacing.reason
    if mm is None:
        assert (spacing.row_mm, spacing.column_mm) == (None, None)
        assert not spacing.measurable
        assert spacing.distance_mm(10, 0) is None
        assert spacing.unit == "px"
        assert "nothing can be measured" in spacing.reason
    else:
        assert spacing.row_mm == pytest.approx(mm)
        assert spacing.distance_mm(30, 40) == pytest.approx(50 * mm)


def test_oblong_pixels_measure_differently_in_each_direction() -> None:
    spacing = dicom_spacing(SpacingTags("DX", imager_spacing=(0.2, 0.1)), (100, 100))
    assert spacing.distance_mm(10, 0) == pytest.approx(1.0)
    assert spacing.distance_mm(0, 10) == pytest.approx(2.0)
    assert spacing.unit == "mm at detector"


def test_a_kind_without_its_numbers_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="fit together"):
        Spacing(None, None, SpacingKind.CALIBRATED, "made up")
    with pytest.raises(ValueError, match="fit together"):
        Spacing(0.1, 0.1, SpacingKind.UNKNOWN, "made up")
