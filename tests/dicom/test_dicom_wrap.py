"""Instances that medray writes: exact, valid, and read by others."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import numpy as np
import pydicom
import pytest

from medray.dicom.pixels import display_values, frame_arrays
from medray.dicom.syntaxes import JPEG_LOSSLESS_SV1, JPEG_LS, Syntax
from medray.dicom.wrap import WRITABLE, wrap

TYPE_1 = {
    "CR": "SOPClassUID SOPInstanceUID StudyInstanceUID SeriesInstanceUID Modality",
    "DX": """SOPClassUID SOPInstanceUID StudyInstanceUID SeriesInstanceUID Modality ImageType
        PresentationIntentType ImageLaterality AnatomicRegionSequence PixelIntensityRelationship
        PixelIntensityRelationshipSign RescaleIntercept RescaleSlope RescaleType WindowCenter
        WindowWidth PresentationLUTShape LossyImageCompression BurnedInAnnotation PatientOrientation
        ImagerPixelSpacing""",
}
TYPE_2 = """PatientName PatientID PatientBirthDate PatientSex StudyDate StudyTime StudyID
    ReferringPhysicianName AccessionNumber SeriesNumber Manufacturer InstanceNumber ViewPosition
    BodyPartExamined"""
TYPE_2_OF_DX = "AcquisitionContextSequence DetectorType PositionerType"
WORDS: dict[str, Any] = {
    "patient_id": "SYNTHETIC-000001", "study_uid": "2.25.1", "series_uid": "2.25.2",
    "sop_uid": "2.25.3", "study_date": "20240301", "study_time": "081500",
}  # fmt: skip


def image(dtype: str) -> Any:
    """Odd sides, noise over the whole range, both ends of it."""
    values = np.random.default_rng(1).integers(0, np.iinfo(dtype).max, (33, 41), endpoint=True)
    values[0, :2] = 0, np.iinfo(dtype).max
    return values.astype(dtype)


@pytest.mark.parametrize("dtype", ["u1", "u2"])
@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("syntax", WRITABLE, ids=lambda syntax: syntax.uid)
def test_what_is_written_is_read(syntax: Syntax, photometric: Any, dtype: str, ingest: Any) -> None:
    pixels = image(dtype)
    data = wrap(pixels, modality="CR", transfer_syntax=syntax.uid, photometric=photometric, **WORDS)
    row = ingest(data).row
    assert (row["TransferSyntaxUID"], row["PhotometricInterpretation"]) == (syntax.uid, photometric)
    (frame,) = frame_arrays(row)
    assert frame.dtype == pixels.dtype
    np.testing.assert_array_equal(frame, pixels)
    top = np.iinfo(dtype).max
    shown = pixels / top if photometric == "MONOCHROME2" else 1 - pixels / top
    for window in ("full", "dicom"):
        np.testing.assert_allclose(display_values(frame, row, window), shown, atol=1e-6)


@pytest.mark.parametrize("syntax", [s for s in WRITABLE if s not in (JPEG_LS, JPEG_LOSSLESS_SV1)], ids=lambda s: s.uid)
def test_pydicom_reads_it_too(syntax: Syntax) -> None:
    pixels = image("u2")
    data = wrap(pixels, modality="DX", transfer_syntax=syntax.uid, **WORDS)
    np.testing.assert_array_equal(pydicom.dcmread(BytesIO(data)).pixel_array, pixels)


def test_first_order_prediction_is_declared_and_used() -> None:
    data = wrap(image("u1"), modality="CR", transfer_syntax=JPEG_LOSSLESS_SV1.uid, **WORDS)
    scan = data.index(b"\xff\xda\x00\x08\x01")
    assert data[scan + 7] == 1  # ISO 10918-1 H.1.2.1: selection value


@pytest.mark.parametrize("modality", ["CR", "DX"])
def test_required_attributes_are_there(modality: Any) -> None:
    data = wrap(image("u1"), modality=modality, transfer_syntax=WRITABLE[0].uid, **WORDS)
    header = pydicom.dcmread(BytesIO(data))
    for keyword in TYPE_1[modality].split():
        assert header.get(keyword) not in (None, ""), keyword
    for keyword in (TYPE_2 + " " + (TYPE_2_OF_DX if modality == "DX" else "")).split():
        assert keyword in header, keyword
    assert header.file_meta.MediaStorageSOPClassUID == header.SOPClassUID
    assert header.file_meta.MediaStorageSOPInstanceUID == header.SOPInstanceUID == "2.25.3"


def test_same_arguments_same_bytes() -> None:
    first, second = (wrap(image("u1"), modality="CR", transfer_syntax=WRITABLE[2].uid, **WORDS) for _ in range(2))
    assert first == second


@pytest.mark.parametrize("pixels", [np.zeros((2, 2, 3), np.uint8), np.zeros((2, 2), np.float32)])
def test_other_pixels_are_refused(pixels: Any) -> None:
    with pytest.raises(ValueError, match="needed"):
        wrap(pixels, modality="CR", transfer_syntax=WRITABLE[0].uid, **WORDS)


def test_other_syntaxes_are_refused() -> None:
    with pytest.raises(ValueError, match="transfer syntax"):
        wrap(image("u1"), modality="CR", transfer_syntax="1.2.840.10008.1.2.4.50", **WORDS)
