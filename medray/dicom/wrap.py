"""A grey image -> a DICOM instance: for demonstrations, tests and archives that are drawn.

CR Image (PS3.3 A.2) and Digital X-Ray Image for Presentation (A.26) with every type 1 and type 2
attribute of their modules that medray's images can fill.
"""

from __future__ import annotations

from io import BytesIO
from typing import Literal

import imagecodecs
import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.filewriter import dcmwrite
from pydicom.pixels.encoders.base import RLELosslessEncoder
from pydicom.sequence import Sequence
from pydicom.uid import UID

from medray.contracts import Array
from medray.dicom.syntaxes import (
    DEFLATED,
    EXPLICIT,
    IMPLICIT,
    JPEG_2000_LOSSLESS,
    JPEG_LOSSLESS_SV1,
    JPEG_LS,
    RLE,
    SYNTAXES,
)

SOP_CLASSES = {
    "CR": "1.2.840.10008.5.1.4.1.1.1",
    "DX": "1.2.840.10008.5.1.4.1.1.1.1",
}
WRITABLE = (EXPLICIT, IMPLICIT, RLE, JPEG_LS, JPEG_2000_LOSSLESS, JPEG_LOSSLESS_SV1, DEFLATED)
IMPLEMENTATION = "2.25.144117388420017246184911640230155120061"


def wrap(
    pixels: Array,
    *,
    modality: Literal["CR", "DX"],
    patient_id: str,
    study_uid: str,
    series_uid: str,
    sop_uid: str,
    transfer_syntax: str,
    study_date: str,
    study_time: str,
    photometric: Literal["MONOCHROME1", "MONOCHROME2"] = "MONOCHROME2",
    pixel_spacing_mm: float = 0.2,
) -> bytes:
    """The bytes of a DICOM file whose stored values are `pixels`, exactly.

    Args:
        pixels: stored values, uint8 or uint16 (H, W).
        transfer_syntax: UID of one of `WRITABLE`.
        study_date: YYYYMMDD. study_time: HHMMSS.

    Raises:
        ValueError: another dtype, number of dimensions or transfer syntax.
    """
    if pixels.ndim != 2 or pixels.dtype not in (np.uint8, np.uint16):
        raise ValueError(f"pixels are {pixels.dtype} {pixels.shape}; uint8 or uint16 (H, W) needed")
    if transfer_syntax not in {syntax.uid for syntax in WRITABLE}:
        raise ValueError("the transfer syntax is not one that medray writes")
    instance = Dataset()
    _patient_and_study(instance, patient_id, study_uid, study_date, study_time)
    _series(instance, modality, series_uid)
    _image(instance, modality, sop_uid, pixel_spacing_mm)
    _pixel_form(instance, pixels, photometric)
    _pixel_data(instance, pixels, transfer_syntax)
    return _file(instance, transfer_syntax)


def _patient_and_study(to: Dataset, patient_id: str, study_uid: str, study_date: str, study_time: str) -> None:
    to.PatientName = patient_id
    to.PatientID = patient_id
    to.PatientBirthDate = to.PatientSex = ""
    to.StudyInstanceUID = study_uid
    to.StudyDate, to.StudyTime = study_date, study_time
    to.ReferringPhysicianName = to.StudyID = to.AccessionNumber = ""


def _series(to: Dataset, modality: str, series_uid: str) -> None:
    to.Modality, to.SeriesInstanceUID, to.SeriesNumber = modality, series_uid, 1
    to.Manufacturer = "medray"
    to.ViewPosition = "PA"
    to.BodyPartExamined = "CHEST"
    if modality == "DX":
        to.PresentationIntentType = "FOR PRESENTATION"


def _image(to: Dataset, modality: str, sop_uid: str, pixel_spacing_mm: float) -> None:
    to.SOPClassUID, to.SOPInstanceUID = SOP_CLASSES[modality], sop_uid
    to.InstanceNumber = 1
    to.ImageType = ["DERIVED", "PRIMARY"]
    to.PatientOrientation = ["L", "F"]
    to.BurnedInAnnotation, to.LossyImageCompression = "NO", "00"
    to.ImagerPixelSpacing = [pixel_spacing_mm, pixel_spacing_mm]
    if modality == "DX":
        to.ImageLaterality = "U"
        to.AnatomicRegionSequence = Sequence([_chest()])
        to.AcquisitionContextSequence = Sequence()
        to.DetectorType = to.PositionerType = ""
        to.PixelIntensityRelationship, to.PixelIntensityRelationshipSign = "LOG", 1
        to.RescaleIntercept, to.RescaleSlope, to.RescaleType = 0, 1, "US"


def _chest() -> Dataset:
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "51185008", "SCT", "Chest"
    return code


def _pixel_form(to: Dataset, pixels: Array, photometric: str) -> None:
    bits = pixels.dtype.itemsize * 8
    to.Rows, to.Columns = pixels.shape
    to.SamplesPerPixel, to.PhotometricInterpretation = 1, photometric
    to.BitsAllocated = to.BitsStored = bits
    to.HighBit, to.PixelRepresentation = bits - 1, 0
    to.PresentationLUTShape = "INVERSE" if photometric == "MONOCHROME1" else "IDENTITY"
    to.WindowCenter, to.WindowWidth = 2 ** (bits - 1), 2**bits


def _pixel_data(to: Dataset, pixels: Array, transfer_syntax: str) -> None:
    native = SYNTAXES[transfer_syntax].kind == "native"
    if native:
        to.PixelData = pixels.astype(pixels.dtype.newbyteorder("<")).tobytes()
    else:
        to.PixelData = encapsulate([_codestream(pixels, transfer_syntax)])
    to["PixelData"].VR = "OW" if native and pixels.dtype == np.uint16 else "OB"
    to["PixelData"].is_undefined_length = not native


def _codestream(pixels: Array, transfer_syntax: str) -> bytes:
    if transfer_syntax == RLE.uid:
        return _rle(pixels)
    if transfer_syntax == JPEG_LS.uid:
        encoded = imagecodecs.jpegls_encode(pixels)
    elif transfer_syntax == JPEG_2000_LOSSLESS.uid:
        encoded = imagecodecs.jpeg2k_encode(pixels, level=0, codecformat="J2K", reversible=True, mct=False)
    else:  # selection value 1, which the syntax demands; liblj92 writes 6
        encoded = imagecodecs.jpeg8_encode(pixels, lossless=True, predictor=1)
    return bytes(encoded)


def _rle(pixels: Array) -> bytes:
    return RLELosslessEncoder.encode(
        pixels,
        rows=pixels.shape[0],
        columns=pixels.shape[1],
        number_of_frames=1,
        samples_per_pixel=1,
        photometric_interpretation="MONOCHROME2",
        bits_allocated=pixels.dtype.itemsize * 8,
        bits_stored=pixels.dtype.itemsize * 8,
        pixel_representation=0,
    )


def _file(instance: Dataset, transfer_syntax: str) -> bytes:
    """PS3.10: preamble, meta group, data set (deflated where the syntax says so)."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = instance.SOPClassUID
    meta.MediaStorageSOPInstanceUID = instance.SOPInstanceUID
    meta.TransferSyntaxUID = UID(transfer_syntax)
    meta.ImplementationClassUID = UID(IMPLEMENTATION)
    instance.file_meta = meta
    stream = BytesIO()
    dcmwrite(stream, instance, enforce_file_format=True)
    return stream.getvalue()
