"""Series of slices for tests: rows of `images` without pixels, and DICOM files whose pixels are a known field."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filewriter import dcmwrite
from pydicom.sequence import Sequence as Items
from pydicom.uid import ExplicitVRLittleEndian

from medray.contracts import Array
from medray.planning.volumes.slices import COLUMNS
from medray.recipes.ingest import Volumes

AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
CT, ENHANCED_CT = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.2.1"
LENIENT = {
    "modalities": ["CT"], "min_slices": 3, "settle_nights": 0, "several_acquisitions": "split",
    "duplicate_positions": "first", "missing_slices": "resample", "uneven_spacing": "resample",
    "gantry_tilt": "correct",
}  # fmt: skip
STRICT = {
    **LENIENT, "several_acquisitions": "reject", "duplicate_positions": "reject", "missing_slices": "reject",
    "uneven_spacing": "reject", "gantry_tilt": "reject",
}  # fmt: skip


def policy(document: dict[str, Any] = LENIENT, **changes: Any) -> Volumes:
    return Volumes.model_validate({**document, **changes})


def row(number: int, position: Sequence[float] | None, **changes: Any) -> dict[str, Any]:
    """Header columns of a single-frame slice of 4 x 6 pixels, 2 mm between rows and 1 mm between columns."""
    return dict.fromkeys(COLUMNS) | {
        "subject_id": 1, "StudyInstanceUID": "1.2", "SeriesInstanceUID": "1.2.3", "SOPInstanceUID": f"1.2.3.{number}",
        "input_version": 1, "part_index": 0, "Modality": "CT", "InstanceNumber": number, "ImageType": ["ORIGINAL"],
        "FrameOfReferenceUID": "1.9", "ImagePositionPatient": position and list(position),
        "ImageOrientationPatient": list(AXIAL), "PixelSpacing": [2.0, 1.0], "Rows": 4, "Columns": 6,
        "PhotometricInterpretation": "MONOCHROME2", "NumberOfFrames": 1, "frame_offsets": [0, 24], **changes,
    }  # fmt: skip


def at(heights: Sequence[float], first: int = 1, **changes: Any) -> list[dict[str, Any]]:
    """Axial slices at some heights, in that order."""
    return [row(number, (0.0, 0.0, float(z)), **changes) for number, z in enumerate(heights, first)]


def field(points: Array) -> Array:
    """(..., 3) LPS mm -> a quantity that is linear in space: linear interpolation must give it back."""
    return np.asarray(points @ np.array([3.0, -2.0, 5.0]) + 100.0)


def places(position: Sequence[float], size: tuple[int, int], spacing: tuple[float, float], orientation: Any) -> Array:
    """(H, W, 3): where the pixels of a slice are."""
    down, right = np.mgrid[: size[0], : size[1]]
    along_row, along_column = np.array(orientation[:3]), np.array(orientation[3:])
    across = right[..., None] * spacing[1] * along_row + down[..., None] * spacing[0] * along_column
    return np.asarray(np.array(position) + across)


def ct(
    number: int,
    position: Sequence[float],
    size: tuple[int, int] = (8, 10),
    series: str = "1.2.3",
    patient: str = "P1",
    orientation: Sequence[float] = AXIAL,
    **changes: Any,
) -> Dataset:
    """A CT slice whose pixels hold `field`, in steps of 0.01."""
    made = Dataset()
    made.SOPClassUID, made.Modality, made.PatientID = CT, "CT", patient
    made.StudyInstanceUID, made.SeriesInstanceUID, made.SOPInstanceUID = "1.2", series, f"{series}.{number}"
    made.StudyDate, made.FrameOfReferenceUID, made.InstanceNumber = "20200101", "1.9", number
    made.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    made.ImagePositionPatient, made.ImageOrientationPatient = list(position), list(orientation)
    made.PixelSpacing = [2.0, 1.0]
    made.RescaleSlope, made.RescaleIntercept = 0.01, -300
    values = field(places(position, size, (2.0, 1.0), orientation))
    _pixels(made, np.rint((values + 300) / 0.01).astype("<u2")[None])
    for keyword, value in changes.items():
        setattr(made, keyword, value)
    return made


def enhanced(positions: Sequence[Sequence[float]], slopes: Sequence[float], stored: Array) -> Dataset:
    """One enhanced multi-frame CT: a position and a rescale slope for each frame of `stored` (N, H, W)."""
    made = ct(1, (0, 0, 0), size=(stored.shape[1], stored.shape[2]))
    made.SOPClassUID = ENHANCED_CT
    for keyword in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "RescaleSlope",
                    "RescaleIntercept"):  # fmt: skip
        delattr(made, keyword)
    made.SharedFunctionalGroupsSequence = Items([
        _item(PixelMeasuresSequence=Items([_item(PixelSpacing=[2.0, 1.0])]),
              PlaneOrientationSequence=Items([_item(ImageOrientationPatient=list(AXIAL))]))
    ])  # fmt: skip
    made.PerFrameFunctionalGroupsSequence = Items([
        _item(PlanePositionSequence=Items([_item(ImagePositionPatient=list(position))]),
              PixelValueTransformationSequence=Items([_item(RescaleSlope=slope, RescaleIntercept=0)]))
        for position, slope in zip(positions, slopes, strict=True)
    ])  # fmt: skip
    _pixels(made, stored.astype("<u2"))
    return made


def written(data: Dataset) -> bytes:
    """The bytes of a DICOM file."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = data.SOPClassUID, data.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.file_meta = meta
    stream = BytesIO()
    dcmwrite(stream, data, enforce_file_format=True)
    return stream.getvalue()


def _item(**elements: Any) -> Dataset:
    made = Dataset()
    for keyword, value in elements.items():
        setattr(made, keyword, value)
    return made


def _pixels(to: Dataset, stored: Array) -> None:
    to.NumberOfFrames = len(stored)
    to.Rows, to.Columns = stored.shape[1:]
    to.SamplesPerPixel, to.PhotometricInterpretation = 1, "MONOCHROME2"
    to.BitsAllocated, to.BitsStored, to.HighBit, to.PixelRepresentation = 16, 16, 15, 0
    to.PixelData = stored.tobytes()
    to["PixelData"].VR = "OW"
