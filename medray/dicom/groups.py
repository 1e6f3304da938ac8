"""Functional groups of enhanced multi-frame objects (PS3.3 C.7.6.16): shared values as if they stood
at the top level, and those of each frame where frames differ."""

from __future__ import annotations

from collections.abc import Sequence

from medray.dicom.header import Header
from medray.dicom.values import numbers

MACROS = {
    "PixelSpacing": "PixelMeasuresSequence",
    "SliceThickness": "PixelMeasuresSequence",
    "SpacingBetweenSlices": "PixelMeasuresSequence",
    "ImageOrientationPatient": "PlaneOrientationSequence",
    "ImagePositionPatient": "PlanePositionSequence",
    "RescaleSlope": "PixelValueTransformationSequence",
    "RescaleIntercept": "PixelValueTransformationSequence",
    "RescaleType": "PixelValueTransformationSequence",
    "WindowCenter": "FrameVOILUTSequence",
    "WindowWidth": "FrameVOILUTSequence",
    "VOILUTFunction": "FrameVOILUTSequence",
}


def holder(header: Header, keyword: str) -> Header:
    """The data set that holds `keyword` for every frame: the top level, the shared group, or the
    per-frame group when all frames agree; the top level again when nothing holds it for all."""
    macro = MACROS.get(keyword)
    if macro is None or keyword in header or "SharedFunctionalGroupsSequence" not in header:
        return header
    shared = _macros(header, "SharedFunctionalGroupsSequence", macro)
    if shared and keyword in shared[0]:
        return shared[0]
    frames = _macros(header, "PerFrameFunctionalGroupsSequence", macro)
    if not frames or keyword not in frames[0]:
        return header
    return frames[0] if _agree(frames, keyword) else header


def numbers_of_frames(header: Header, keyword: str) -> list[tuple[float, ...]]:
    """`values.numbers` of every frame, in order; [] where all frames share one or nothing says more."""
    if "PerFrameFunctionalGroupsSequence" not in header or holder(header, keyword) is not header:
        return []
    frames = _macros(header, "PerFrameFunctionalGroupsSequence", MACROS[keyword])
    if keyword in header or not any(keyword in frame for frame in frames):
        return []
    return [numbers(frame, keyword) for frame in frames]


def _agree(frames: Sequence[Header], keyword: str) -> bool:
    return all(frame.values(keyword) == frames[0].values(keyword) for frame in frames)


def _macros(header: Header, groups: str, macro: str) -> Sequence[Header]:
    """First item of `macro` in every item of `groups`."""
    items = [group.values(macro) for group in header.values(groups) if isinstance(group, Header)]
    return [item[0] for item in items if item and isinstance(item[0], Header)]


def shared_numbers(header: Header, keyword: str) -> tuple[float, ...]:
    """`values.numbers` of the data set that holds `keyword`."""
    return numbers(holder(header, keyword), keyword)
