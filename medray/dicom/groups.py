"""Functional groups of enhanced multi-frame objects (PS3.3 C.7.6.16): shared values as if they stood
at the top level."""

from __future__ import annotations

from collections.abc import Sequence

from pydicom.dataset import Dataset

from medray.dicom.values import numbers, values
from medray.errors import Unusable

MACROS = {
    "PixelSpacing": "PixelMeasuresSequence",
    "SliceThickness": "PixelMeasuresSequence",
    "SpacingBetweenSlices": "PixelMeasuresSequence",
    "ImageOrientationPatient": "PlaneOrientationSequence",
    "RescaleSlope": "PixelValueTransformationSequence",
    "RescaleIntercept": "PixelValueTransformationSequence",
    "RescaleType": "PixelValueTransformationSequence",
    "WindowCenter": "FrameVOILUTSequence",
    "WindowWidth": "FrameVOILUTSequence",
    "VOILUTFunction": "FrameVOILUTSequence",
}


def holder(header: Dataset, keyword: str) -> Dataset:
    """The data set that holds `keyword` for every frame: the top level, the shared group, or the
    per-frame group when all frames agree; the top level again when nothing holds it.

    Raises:
        Unusable: bad_pixel_header when frames differ in their rescale, which no column could carry.
    """
    macro = MACROS.get(keyword)
    if macro is None or keyword in header or "SharedFunctionalGroupsSequence" not in header:
        return header
    shared = _macros(header, "SharedFunctionalGroupsSequence", macro)
    if shared and keyword in shared[0]:
        return shared[0]
    frames = _macros(header, "PerFrameFunctionalGroupsSequence", macro)
    if not frames or keyword not in frames[0]:
        return header
    if all(frame.get(keyword) == frames[0].get(keyword) for frame in frames):
        return frames[0]
    if keyword in ("RescaleSlope", "RescaleIntercept"):
        raise Unusable("bad_pixel_header", f"{keyword} differs between frames")
    return header


def _macros(header: Dataset, groups: str, macro: str) -> Sequence[Dataset]:
    """First item of `macro` in every item of `groups`."""
    items = [values(group, macro) for group in values(header, groups) if isinstance(group, Dataset)]
    return [item[0] for item in items if item and isinstance(item[0], Dataset)]


def shared_numbers(header: Dataset, keyword: str) -> tuple[float, ...]:
    """`values.numbers` of the data set that holds `keyword`."""
    return numbers(holder(header, keyword), keyword)
