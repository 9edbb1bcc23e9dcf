"""Enhanced multi-frame files: what they say of their first frame, brought to where plain files say it."""

from __future__ import annotations

from pydicom.dataset import Dataset

from reader_app.imaging.dicom.dataset import is_present, items, text

_MACROS: dict[str, tuple[str, ...]] = {
    # PS3.3 C.7.6.16.2.1
    "PixelMeasuresSequence": ("PixelSpacing", "PixelSpacingCalibrationType"),
    # C.7.6.16.2.9
    "PixelValueTransformationSequence": ("RescaleIntercept", "RescaleSlope"),
    # C.7.6.16.2.10
    "FrameVOILUTSequence": (
        "WindowCenter",
        "WindowWidth",
        "WindowCenterWidthExplanation",
        "VOILUTFunction",
        "VOILUTSequence",
    ),
    # C.7.6.16.2.8
    "FrameAnatomySequence": ("FrameLaterality",),
    # C.8.19.6.4, X-ray angiography and fluoroscopy
    "FramePixelDataPropertiesSequence": ("ImagerPixelSpacing",),
    # Frame Display Shutter, C.7.6.16.2
    "FrameDisplayShutterSequence": (
        "ShutterShape",
        "ShutterLeftVerticalEdge",
        "ShutterRightVerticalEdge",
        "ShutterUpperHorizontalEdge",
        "ShutterLowerHorizontalEdge",
    ),
}
"""Functional group macros that bear on grays, millimetres and sides, with their attributes."""

FUNCTIONAL_GROUPS = ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")


def bring_up_first_frame(dataset: Dataset) -> None:
    """Copy the first frame's functional groups to the top level of a data set (PS3.3 C.7.6.16).

    What is stated for the frame goes before what all frames share, and both before the top level, which an
    enhanced file should leave empty. A file without functional groups is left as it is.

    Parameters
    ----------
    dataset
        Freshly read; changed in place.
    """
    for groups in FUNCTIONAL_GROUPS:
        if groups not in dataset:
            continue
        for group in items(dataset, groups)[:1]:
            for macro, keywords in _MACROS.items():
                for item in items(group, macro)[:1]:
                    _copy(item, dataset, keywords)


def _copy(item: Dataset, dataset: Dataset, keywords: tuple[str, ...]) -> None:
    for keyword in keywords:
        if not is_present(item, keyword):
            continue
        if keyword == "FrameLaterality":  # CS like Image Laterality, with the same R, L, B and U
            dataset.ImageLaterality = text(item, keyword)
        else:
            dataset.add(item[keyword])
