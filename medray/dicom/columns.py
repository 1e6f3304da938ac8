"""The allow-list: which header values become columns of `images`, and in what form."""

from __future__ import annotations

from typing import Any

from medray.dicom import vocabulary
from medray.dicom.groups import holder, numbers_of_frames, shared_numbers
from medray.dicom.header import Header
from medray.dicom.luts import palette, sequence_lut
from medray.dicom.pixel_header import PixelHeader
from medray.dicom.syntaxes import registered
from medray.dicom.values import integer, number, term, terms, text
from medray.errors import Unusable

INT32 = 2**31


def header_columns(header: Header, form: PixelHeader, little: bool) -> dict[str, Any]:
    """Columns from DICOM elements, keyed by their keyword.

    Raises:
        Unusable: bad_pixel_header when a value that changes the meaning of pixels is unreadable.
    """
    return {
        **_coded(header),
        **_geometry(header, form.frames),
        **_form(form),
        **_meaning(header, form),
        **_tables(header, form, little),
    }


def _coded(header: Header) -> dict[str, Any]:
    v = vocabulary
    voi = holder(header, "VOILUTFunction")
    return {
        "SOPClassUID": registered(text(header, "SOPClassUID")),
        "Modality": term(header, "Modality", v.MODALITIES),
        "manufacturer": v.manufacturer(text(header, "Manufacturer")),
        "ImageType": terms(header, "ImageType", v.IMAGE_TYPES),
        "BodyPartExamined": term(header, "BodyPartExamined", v.BODY_PARTS),
        "ViewPosition": term(header, "ViewPosition", v.VIEW_POSITIONS),
        "ImageLaterality": term(header, "ImageLaterality", v.LATERALITIES),
        "PatientPosition": term(header, "PatientPosition", v.PATIENT_POSITIONS),
        "BurnedInAnnotation": term(header, "BurnedInAnnotation", v.YES_NO),
        "LossyImageCompression": term(header, "LossyImageCompression", v.LOSSY),
        "PresentationLUTShape": term(header, "PresentationLUTShape", v.LUT_SHAPES),
        "VOILUTFunction": term(voi, "VOILUTFunction", v.VOI_FUNCTIONS),
        "RescaleType": term(holder(header, "RescaleType"), "RescaleType", v.RESCALE_TYPES),
    }


def _geometry(header: Header, frames: int) -> dict[str, Any]:
    """Numbers that say where the image lies; an unreadable one is null."""
    return {
        "InstanceNumber": _count(header, "InstanceNumber"),
        "AcquisitionNumber": _count(header, "AcquisitionNumber"),
        "SeriesNumber": _count(header, "SeriesNumber"),
        "TemporalPositionIdentifier": _count(header, "TemporalPositionIdentifier"),
        "EchoTime": _first(_vector(header, "EchoTime", 1)),
        "GantryDetectorTilt": _first(_vector(header, "GantryDetectorTilt", 1)),
        "ImagePositionPatient": _vector(header, "ImagePositionPatient", 3),
        "ImageOrientationPatient": _vector(header, "ImageOrientationPatient", 6),
        "PixelSpacing": _vector(header, "PixelSpacing", 2),
        "ImagerPixelSpacing": _vector(header, "ImagerPixelSpacing", 2),
        "SliceThickness": _first(_vector(header, "SliceThickness", 1)),
        "SpacingBetweenSlices": _first(_vector(header, "SpacingBetweenSlices", 1)),
        "frame_positions": _of_frames(header, "ImagePositionPatient", 3, frames),
        "frame_orientations": _of_frames(header, "ImageOrientationPatient", 6, frames),
        **_window(header),
    }


def _window(header: Header) -> dict[str, Any]:
    """Window centres and widths, as many of one as of the other, or neither."""
    try:
        centres = shared_numbers(header, "WindowCenter")
        widths = shared_numbers(header, "WindowWidth")
    except Unusable:
        centres, widths = (), ()
    paired = bool(centres) and len(centres) == len(widths)
    return {
        "WindowCenter": list(centres) if paired else None,
        "WindowWidth": list(widths) if paired else None,
    }


def _form(form: PixelHeader) -> dict[str, Any]:
    return {
        "SamplesPerPixel": form.samples,
        "PhotometricInterpretation": form.photometric,
        "PlanarConfiguration": form.planar,
        "NumberOfFrames": form.frames,
        "Rows": form.rows,
        "Columns": form.columns,
        "BitsAllocated": form.allocated,
        "BitsStored": form.stored,
        "HighBit": form.high,
        "PixelRepresentation": int(form.signed),
    }


def _meaning(header: Header, form: PixelHeader) -> dict[str, Any]:
    """What turns a stored value into a quantity; an unreadable one is no image."""
    return {
        "RescaleSlope": _first(shared_numbers(header, "RescaleSlope")),
        "RescaleIntercept": _first(shared_numbers(header, "RescaleIntercept")),
        "frame_rescale": _rescale_of_frames(header, form.frames),
        "PixelPaddingValue": _stored(integer(header, "PixelPaddingValue"), form),
        "PixelPaddingRangeLimit": _stored(integer(header, "PixelPaddingRangeLimit"), form),
        "FloatPixelPaddingValue": _float_padding(header, "FloatPixelPaddingValue", form),
        "FloatPixelPaddingRangeLimit": _float_padding(header, "FloatPixelPaddingRangeLimit", form),
    }


def _tables(header: Header, form: PixelHeader, little: bool) -> dict[str, Any]:
    coloured = form.photometric == "PALETTE COLOR"
    modality = sequence_lut(header, "ModalityLUTSequence", little, form.signed)
    voi = sequence_lut(header, "VOILUTSequence", little, form.signed)
    return {
        "modality_lut": modality,
        "voi_lut": voi,
        "palette": palette(header, little, form.signed) if coloured else None,
    }


def _stored(value: int | None, form: PixelHeader) -> int | None:
    """A stored value that some writers give in the other signedness, as the pixels have it."""
    if value is None:
        return None
    value %= 1 << form.allocated
    return value - (1 << form.allocated) if form.signed and value >> (form.allocated - 1) else value


def _float_padding(header: Header, keyword: str, form: PixelHeader) -> float | None:
    if not form.floats:
        return None
    return number(header, keyword if form.allocated == 32 else f"Double{keyword}")


def _vector(header: Header, keyword: str, length: int) -> list[float] | None:
    try:
        found = shared_numbers(header, keyword)
    except Unusable:
        return None
    return list(found) if len(found) == length else None


def _of_frames(header: Header, keyword: str, length: int, frames: int) -> list[float] | None:
    """The values of all frames, one after the other; None where they share one, or lack one."""
    try:
        found = numbers_of_frames(header, keyword)
    except Unusable:
        return None
    if len(found) != frames or any(len(values) != length for values in found):
        return None
    return [value for values in found for value in values]


def _rescale_of_frames(header: Header, frames: int) -> list[float] | None:
    """Slope and intercept of every frame where they differ between frames.

    Raises:
        Unusable: bad_pixel_header when some frames have none.
    """
    found = {keyword: numbers_of_frames(header, keyword) for keyword in ("RescaleSlope", "RescaleIntercept")}
    if not any(found.values()):
        return None
    slopes, intercepts = (values or [shared_numbers(header, keyword)] * frames for keyword, values in found.items())
    if len(slopes) != frames or len(intercepts) != frames or not all((*slopes, *intercepts)):
        raise Unusable("bad_pixel_header", "frames without the rescale that others have")
    return [value for slope, intercept in zip(slopes, intercepts, strict=True) for value in (slope[0], intercept[0])]


def _count(header: Header, keyword: str) -> int | None:
    try:
        found = integer(header, keyword)
    except Unusable:
        return None
    return found if found is not None and -INT32 <= found < INT32 else None


def _first(found: tuple[float, ...] | list[float] | None) -> float | None:
    return found[0] if found else None
