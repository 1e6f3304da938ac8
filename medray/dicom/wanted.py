"""The elements that medray reads at all. The rest of a header is skipped by its length: it cannot
leak, cannot break the parser, and costs nothing."""

from __future__ import annotations

from pydicom.datadict import tag_for_keyword

KEYWORDS = (
    "SpecificCharacterSet",
    # who and what (identity.py)
    "PatientID", "IssuerOfPatientID", "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID",
    "InstitutionName", "Manufacturer", "ManufacturerModelName", "StationName", "DeviceSerialNumber",
    "StudyDate", "StudyTime", "AcquisitionDate", "AcquisitionTime", "FrameOfReferenceUID",
    "PatientSex", "PatientAge", "PatientBirthDate",
    # words and numbers (columns.py)
    "SOPClassUID", "Modality", "ImageType", "BodyPartExamined", "ViewPosition", "ImageLaterality",
    "PatientPosition", "BurnedInAnnotation", "LossyImageCompression", "InstanceNumber",
    "AcquisitionNumber", "ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing",
    "ImagerPixelSpacing", "SliceThickness", "SpacingBetweenSlices", "SeriesNumber",
    "TemporalPositionIdentifier", "EchoTime", "GantryDetectorTilt",
    "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence",
    # pixels (pixel_header.py, luts.py, encapsulated.py)
    "SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration", "NumberOfFrames", "Rows",
    "Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation",
    "PixelPaddingValue", "PixelPaddingRangeLimit", "RescaleSlope", "RescaleIntercept",
    "RescaleType", "WindowCenter", "WindowWidth", "VOILUTFunction", "PresentationLUTShape",
    "ModalityLUTSequence", "VOILUTSequence",
    "RedPaletteColorLookupTableDescriptor", "RedPaletteColorLookupTableData",
    "GreenPaletteColorLookupTableDescriptor", "GreenPaletteColorLookupTableData",
    "BluePaletteColorLookupTableDescriptor", "BluePaletteColorLookupTableData",
    "ExtendedOffsetTable",
)  # fmt: skip
WANTED: frozenset[int] = frozenset(filter(None, map(tag_for_keyword, KEYWORDS)))
