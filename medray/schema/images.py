"""`images`: one SOP instance with its frames as received.

Column names in CamelCase are DICOM keywords (PS3.6), with the values of the header. Dates are
shifted and identifiers are keyed hashes unless the lake is marked identified.
"""

from __future__ import annotations

import pyarrow as pa

from medray.schema.contract import TableContract

LOOKUP_TABLE = pa.struct(
    [
        ("first", pa.int32()),  # first stored value mapped
        ("bits", pa.int32()),  # bits per entry, 8 or 16
        ("entries", pa.binary()),  # little-endian uint16, as many as the descriptor says
    ]
)
PALETTE = pa.struct([("red", LOOKUP_TABLE), ("green", LOOKUP_TABLE), ("blue", LOOKUP_TABLE)])

IMAGES = TableContract(
    name="images",
    version=2,
    schema=pa.schema(
        [
            pa.field("subject_id", pa.int64(), nullable=False),
            pa.field("StudyInstanceUID", pa.string(), nullable=False),
            pa.field("SeriesInstanceUID", pa.string(), nullable=False),
            pa.field("SOPInstanceUID", pa.string(), nullable=False),
            pa.field("input_version", pa.int32(), nullable=False),
            pa.field("part_index", pa.int32(), nullable=False),
            pa.field("part_count", pa.int32(), nullable=False),
            pa.field("source_key", pa.string(), nullable=False),
            pa.field("source_etag", pa.string(), nullable=False),
            pa.field("size_bytes", pa.int64(), nullable=False),
            pa.field("input_sha256", pa.string(), nullable=False),
            pa.field("site_key", pa.string()),
            pa.field("scanner_key", pa.string()),
            pa.field("manufacturer", pa.string()),  # class of `vocabulary.MANUFACTURERS`, else OTHER
            pa.field("study_time", pa.timestamp("us")),
            pa.field("acquisition_time", pa.timestamp("us")),
            # where the recipe retains patient characteristics; 90 stands for 90 and above
            pa.field("PatientSex", pa.string()),
            pa.field("age_years", pa.float64()),
            pa.field("SOPClassUID", pa.string()),
            pa.field("TransferSyntaxUID", pa.string(), nullable=False),
            pa.field("Modality", pa.string()),
            pa.field("ImageType", pa.list_(pa.string())),
            pa.field("BodyPartExamined", pa.string()),
            pa.field("ViewPosition", pa.string()),
            pa.field("ImageLaterality", pa.string()),
            pa.field("PatientPosition", pa.string()),
            pa.field("BurnedInAnnotation", pa.string()),
            pa.field("InstanceNumber", pa.int64()),
            pa.field("AcquisitionNumber", pa.int64()),
            pa.field("SeriesNumber", pa.int64()),
            pa.field("TemporalPositionIdentifier", pa.int64()),
            pa.field("EchoTime", pa.float64()),
            pa.field("GantryDetectorTilt", pa.float64()),
            pa.field("FrameOfReferenceUID", pa.string()),
            pa.field("ImagePositionPatient", pa.list_(pa.float64())),
            pa.field("ImageOrientationPatient", pa.list_(pa.float64())),
            # of the frames of this part, 3, 6 and 2 (slope, intercept) numbers each; null where the
            # instance has one frame or all frames share the value above
            pa.field("frame_positions", pa.list_(pa.float64())),
            pa.field("frame_orientations", pa.list_(pa.float64())),
            pa.field("frame_rescale", pa.list_(pa.float64())),
            pa.field("PixelSpacing", pa.list_(pa.float64())),
            pa.field("ImagerPixelSpacing", pa.list_(pa.float64())),
            pa.field("SliceThickness", pa.float64()),
            pa.field("SpacingBetweenSlices", pa.float64()),
            pa.field("SamplesPerPixel", pa.int32(), nullable=False),
            pa.field("PhotometricInterpretation", pa.string(), nullable=False),
            pa.field("PlanarConfiguration", pa.int32()),
            pa.field("NumberOfFrames", pa.int32(), nullable=False),
            pa.field("Rows", pa.int32(), nullable=False),
            pa.field("Columns", pa.int32(), nullable=False),
            pa.field("BitsAllocated", pa.int32(), nullable=False),
            pa.field("BitsStored", pa.int32(), nullable=False),
            pa.field("HighBit", pa.int32(), nullable=False),
            pa.field("PixelRepresentation", pa.int32(), nullable=False),
            pa.field("PixelPaddingValue", pa.int64()),
            pa.field("PixelPaddingRangeLimit", pa.int64()),
            # of floating point pixels, of either width
            pa.field("FloatPixelPaddingValue", pa.float64()),
            pa.field("FloatPixelPaddingRangeLimit", pa.float64()),
            pa.field("RescaleSlope", pa.float64()),
            pa.field("RescaleIntercept", pa.float64()),
            pa.field("RescaleType", pa.string()),
            pa.field("WindowCenter", pa.list_(pa.float64())),
            pa.field("WindowWidth", pa.list_(pa.float64())),
            pa.field("VOILUTFunction", pa.string()),
            pa.field("PresentationLUTShape", pa.string()),
            pa.field("LossyImageCompression", pa.string()),
            pa.field("modality_lut", LOOKUP_TABLE),
            pa.field("voi_lut", LOOKUP_TABLE),
            pa.field("palette", PALETTE),
            # the de-identified data set, explicit little-endian, without its pixels (PS3.15 annex E);
            # as received where the lake is identified
            pa.field("header", pa.binary()),
            # "received": codestreams of TransferSyntaxUID; "planes-zstd": native frames, each
            # little-endian, split in byte planes and compressed on its own; "float-planes-zstd": the
            # same of IEEE 754 samples.
            pa.field("frame_codec", pa.string(), nullable=False),
            # n + 1 offsets into `frames` for the n frames of this part
            pa.field("frame_offsets", pa.list_(pa.int64()), nullable=False),
            pa.field("frames", pa.binary(), nullable=False),
        ]
    ),
    key=("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "input_version", "part_index"),
    statistics=(
        "subject_id",
        "StudyInstanceUID",
        "SeriesInstanceUID",
        "SOPInstanceUID",
        "input_version",
        "source_key",
        "size_bytes",
        "study_time",
    ),
)

PIXEL_COLUMNS = ("frames", "header", "modality_lut", "voi_lut", "palette")
HEADER_COLUMNS = tuple(n for n in IMAGES.schema.names if n not in PIXEL_COLUMNS)
