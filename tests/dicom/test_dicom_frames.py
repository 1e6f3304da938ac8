"""Native frames to byte planes, fragments to frames, parts of a cell."""

from __future__ import annotations

import struct
from typing import Any

import imagecodecs
import numpy as np
import pyarrow as pa
import pytest
from pydicom import config
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, encapsulate_extended
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ImplicitVRLittleEndian

from medray.dicom.native import pack, unpack
from medray.dicom.pixels import frame_arrays
from medray.dicom.wrap import wrap
from medray.errors import Unusable

RLE = "1.2.840.10008.1.2.5"


def values(row: dict[str, Any]) -> list[Any]:
    return [frame.tolist() for frame in frame_arrays(row)]


def test_planes_are_the_bytes_of_a_sample_in_turn() -> None:
    frame = np.array([0x0102, 0x0304, 0x0506], "<u2").view(np.uint8)
    packed = pack(frame, 2)
    planes = pa.Codec("zstd").decompress(packed, decompressed_size=6, asbytes=True)
    assert planes == bytes([0x02, 0x04, 0x06, 0x01, 0x03, 0x05])
    assert unpack(packed, 6, 2).tolist() == frame.tolist()


def test_broken_planes_are_not_decoded() -> None:
    packed = pack(np.arange(6, dtype=np.uint8), 1)
    with pytest.raises((Unusable, OSError)):
        unpack(packed, 8, 1)
    with pytest.raises((Unusable, OSError)):
        unpack(packed[:-2], 6, 1)


@pytest.mark.parametrize(
    "syntax",
    ["1.2.840.10008.1.2.1", ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian],
)
@pytest.mark.parametrize("dtype", ["u1", "u2", "u4", "i1", "i2", "i4"])
def test_every_width_and_order(dtype: str, syntax: str, instance: Dataset, written: Any, ingest: Any) -> None:
    kind = np.dtype(dtype)
    expected = np.array([[[0, 1, 2], [3, 4, 5]], [[100, 101, 102], [103, 104, np.iinfo(kind).min]]], kind)
    order: Any = ">" if syntax == ExplicitVRBigEndian else "<"
    instance.NumberOfFrames = 2
    instance.BitsAllocated = instance.BitsStored = kind.itemsize * 8
    instance.HighBit = instance.BitsStored - 1
    instance.PixelRepresentation = int(kind.kind == "i")
    instance.PixelData = expected.astype(kind.newbyteorder(order)).tobytes()
    instance["PixelData"].VR = "OB" if kind.itemsize == 1 else "OW"
    row = ingest(written(instance, syntax)).row
    assert row["frame_codec"] == "planes-zstd"
    frames = list(frame_arrays(row))
    assert [frame.dtype for frame in frames] == [kind, kind]
    np.testing.assert_array_equal(frames, expected)


def test_bytes_in_big_endian_words_are_put_in_order(instance: Dataset, written: Any, ingest: Any) -> None:
    instance.BitsAllocated, instance.BitsStored, instance.HighBit = 8, 8, 7
    instance.PixelData = bytes([1, 0, 3, 2, 5, 4])
    instance["PixelData"].VR = "OW"
    assert values(ingest(written(instance, ExplicitVRBigEndian)).row) == [[[0, 1, 2], [3, 4, 5]]]


def test_frames_of_one_bit_that_begin_inside_a_byte(instance: Dataset, written: Any, ingest: Any) -> None:
    frames = [[[1, 0, 1], [1, 0, 0]], [[0, 1, 1], [0, 0, 1]], [[1, 1, 1], [0, 1, 0]]]
    instance.NumberOfFrames = 3
    instance.BitsAllocated, instance.BitsStored, instance.HighBit = 1, 1, 0
    packed = np.packbits(np.array(frames, np.uint8).ravel(), bitorder="little").tobytes()
    instance.PixelData = packed + b"\0" * (len(packed) % 2)
    instance["PixelData"].VR = "OB"
    assert values(ingest(written(instance)).row) == frames


def test_colour_by_plane_and_by_pixel(instance: Dataset, written: Any, ingest: Any) -> None:
    instance.SamplesPerPixel, instance.PhotometricInterpretation = 3, "RGB"
    instance.Rows, instance.Columns = 1, 2
    instance.BitsAllocated, instance.BitsStored, instance.HighBit = 8, 8, 7
    instance.PixelData = bytes([1, 2, 3, 4, 5, 6])
    instance["PixelData"].VR = "OB"
    instance.PlanarConfiguration = 0
    assert values(ingest(written(instance)).row) == [[[[1, 2, 3], [4, 5, 6]]]]
    instance.PlanarConfiguration = 1
    assert values(ingest(written(instance)).row) == [[[[1, 3, 5], [2, 4, 6]]]]


def test_shared_chrominance(instance: Dataset, written: Any, ingest: Any) -> None:
    instance.SamplesPerPixel, instance.PhotometricInterpretation = 3, "YBR_FULL_422"
    instance.Rows, instance.Columns, instance.PlanarConfiguration = 1, 2, 0
    instance.BitsAllocated, instance.BitsStored, instance.HighBit = 8, 8, 7
    instance.PixelData = bytes([100, 50, 128, 228])
    instance["PixelData"].VR = "OB"
    # R = Y + 1.402 * 100, G = Y - 0.714136 * 100, B = Y
    assert values(ingest(written(instance)).row) == [[[[240, 29, 100], [190, 0, 50]]]]
    instance.Columns = 1
    assert ingest(written(instance)).reason == "bad_pixel_header"


def test_too_few_native_bytes_are_truncated(instance: Dataset, written: Any, ingest: Any) -> None:
    instance.NumberOfFrames = 2
    assert ingest(written(instance)).reason == "truncated"


def _rle(*levels: int) -> list[bytes]:
    """RLE frames of 2 x 3 bytes, each of one level: one segment, a run of six."""
    return [struct.pack("<16L", 1, 64, *[0] * 14) + bytes([256 - 5, level]) for level in levels]


def _encapsulated(instance: Dataset, value: bytes, frames: int) -> Dataset:
    instance.NumberOfFrames = frames
    instance.BitsAllocated, instance.BitsStored, instance.HighBit = 8, 8, 7
    instance.PixelData = value
    instance["PixelData"].VR = "OB"
    instance["PixelData"].is_undefined_length = True
    return instance


EXPECTED = [[[7] * 3] * 2, [[8] * 3] * 2, [[9] * 3] * 2]


@pytest.mark.parametrize("table", [True, False])
@pytest.mark.parametrize("fragments", [1, 2])
def test_fragments_become_frames(table: bool, fragments: int, instance: Dataset, written: Any, ingest: Any) -> None:
    value = encapsulate(_rle(7, 8, 9), fragments_per_frame=fragments, has_bot=table)
    data = written(_encapsulated(instance, value, 3), RLE)
    if fragments == 2 and not table:
        assert ingest(data).reason == "bad_frames"
        return
    row = ingest(data).row
    assert row["frame_codec"] == "received"
    assert values(row) == EXPECTED


def test_extended_offsets(instance: Dataset, written: Any, ingest: Any) -> None:
    value, offsets, lengths = encapsulate_extended(_rle(7, 8, 9))
    instance.ExtendedOffsetTable, instance.ExtendedOffsetTableLengths = offsets, lengths
    assert values(ingest(written(_encapsulated(instance, value, 3), RLE)).row) == EXPECTED
    instance.ExtendedOffsetTable = struct.pack("<3Q", 0, 4, 8)
    assert ingest(written(_encapsulated(instance, value, 3), RLE)).reason == "bad_frames"


def test_frames_in_several_fragments_without_a_table_begin_at_their_markers(
    instance: Dataset, written: Any, ingest: Any
) -> None:
    image = np.full((2, 3), 7, np.uint8)
    streams = [bytes(imagecodecs.jpegls_encode(image + more)) for more in (0, 1)]
    value = encapsulate(streams, fragments_per_frame=2, has_bot=False)
    row = ingest(written(_encapsulated(instance, value, 2), "1.2.840.10008.1.2.4.80")).row
    assert values(row) == EXPECTED[:2]


@pytest.mark.parametrize(
    ("value", "frames"),
    [
        (encapsulate(_rle(7, 8)), 3),
        (encapsulate(_rle(7, 8), has_bot=False), 3),
        (encapsulate(_rle(7, 8, 9)), 2),
        (encapsulate([b"\xff\xd8\xff\xe0" + bytes(80)]), 1),
        (encapsulate([struct.pack("<16L", 2, 64, 9999, *[0] * 13) + b"\0\0"]), 1),
        (encapsulate([struct.pack("<16L", 0, *[0] * 15)]), 1),
        (encapsulate([b"\0\0"]), 1),
        (encapsulate(_rle(7, 8, 9))[:8] + struct.pack("<3L", 0, 74, 9999) + encapsulate(_rle(7, 8, 9))[20:], 3),
        (bytes.fromhex("feff00e000000000"), 1),
    ],
)
def test_frames_that_contradict_the_header(
    value: bytes, frames: int, instance: Dataset, written: Any, ingest: Any
) -> None:
    assert ingest(written(_encapsulated(instance, value, frames), RLE)).reason == "bad_frames"


def test_a_frame_without_its_start_marker(instance: Dataset, written: Any, ingest: Any) -> None:
    data = written(_encapsulated(instance, encapsulate(_rle(7)), 1), "1.2.840.10008.1.2.4.90")
    assert ingest(data).reason == "bad_frames"


def test_a_decoder_that_disagrees_with_the_header_is_not_believed(instance: Dataset, written: Any, ingest: Any) -> None:
    image = np.full((2, 3), 7, np.uint8)
    value = encapsulate([bytes(imagecodecs.jpegls_encode(image))])
    good = ingest(written(_encapsulated(instance, value, 1), "1.2.840.10008.1.2.4.80")).row
    assert values(good) == EXPECTED[:1]
    for lie in ({"Columns": 4}, {"Rows": 3}, {"SamplesPerPixel": 3}):
        with pytest.raises(Unusable, match="codestream of another size"):
            list(frame_arrays(good | lie))
    with pytest.raises(Unusable, match="decode_failed"):
        list(frame_arrays(good | {"TransferSyntaxUID": RLE}))
    wide = encapsulate([bytes(imagecodecs.jpegls_encode(image.astype(np.uint16) * 256))])
    row = ingest(written(_encapsulated(instance, wide, 1), "1.2.840.10008.1.2.4.80")).row
    with pytest.raises(Unusable, match="uint16 in 8 bits"):
        list(frame_arrays(row))


def test_an_rle_segment_that_is_too_short(instance: Dataset, written: Any, ingest: Any) -> None:
    instance.Columns = 4
    row = ingest(written(_encapsulated(instance, encapsulate(_rle(7)), 1), RLE)).row
    with pytest.raises(Unusable, match="a segment of 6 bytes for 8 pixels"):
        list(frame_arrays(row))


def test_a_large_instance_continues_in_rows(instance: Dataset, written: Any, ingest: Any) -> None:
    levels = (7, 8, 9, 10, 11)
    data = written(_encapsulated(instance, encapsulate(_rle(*levels)), 5), RLE)
    rows = ingest(data, part_bytes=140).rows
    assert [(r["part_index"], r["part_count"], r["NumberOfFrames"]) for r in rows] == [(0, 3, 5), (1, 3, 5), (2, 3, 5)]
    assert [r["frame_offsets"] for r in rows] == [[0, 66, 132], [0, 66, 132], [0, 66]]
    assert [values(r)[i][0][0] for r in rows for i in range(len(r["frame_offsets"]) - 1)] == list(levels)
    assert ingest(data, part_bytes=65).reason == "too_large"


def test_limits_before_and_after_the_bytes(instance: Dataset, written: Any, ingest: Any) -> None:
    data = written(instance)
    assert ingest(data, object_bytes=len(data)).row
    assert ingest(data, object_bytes=len(data) - 1).reason == "too_large"
    assert ingest(data, pixel_bytes=12).row
    assert ingest(data, pixel_bytes=11).reason == "too_large"


def test_pixels_beyond_any_integer_are_counted(instance: Dataset, written: Any, ingest: Any) -> None:
    instance.Rows = instance.Columns = 65535
    instance.NumberOfFrames = 2**31 - 1
    assert ingest(written(instance)).reason == "too_large"


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("Rows", 0), ("Columns", 0), ("SamplesPerPixel", 2), ("SamplesPerPixel", 4),
        ("PhotometricInterpretation", "RGB"), ("PhotometricInterpretation", "CMYK"),
        ("BitsAllocated", 12), ("BitsAllocated", 64), ("BitsStored", 0), ("BitsStored", 17),
        ("HighBit", 3), ("HighBit", 16), ("NumberOfFrames", 0), ("NumberOfFrames", -1),
        ("RescaleSlope", "nan"),
    ],
)  # fmt: skip
def test_headers_that_contradict_themselves(
    keyword: str, value: Any, instance: Dataset, written: Any, ingest: Any
) -> None:
    vrs = {"NumberOfFrames": "IS", "PhotometricInterpretation": "CS", "RescaleSlope": "DS"}
    with config.disable_value_validation():
        instance.add_new(keyword, vrs.get(keyword, "US"), value)
    assert ingest(written(instance)).reason == "bad_pixel_header"


@pytest.mark.parametrize("keyword", ["Rows", "Columns", "BitsAllocated", "BitsStored", "PixelRepresentation"])
def test_headers_that_lack_what_pixels_need(keyword: str, instance: Dataset, written: Any, ingest: Any) -> None:
    del instance[keyword]
    assert ingest(written(instance)).reason == "bad_pixel_header"


def test_only_the_stored_bits_are_values(instance: Dataset, written: Any, ingest: Any) -> None:
    """12 bits in 16: overlays above them, signs inside them, and a high bit that is not the last."""
    instance.BitsStored, instance.HighBit = 12, 11
    instance.PixelData = np.array([0xF001, 0x0FFF, 0x8800, 0x07FF, 0, 0xF7FF], "<u2").tobytes()
    assert values(ingest(written(instance)).row) == [[[1, 4095, 2048], [2047, 0, 2047]]]
    instance.PixelRepresentation = 1
    assert values(ingest(written(instance)).row) == [[[1, -1, -2048], [2047, 0, 2047]]]
    instance.HighBit = 15
    assert values(ingest(written(instance)).row) == [[[-256, 255, -1920], [127, 0, -129]]]


def test_signed_values_are_extended_from_the_stored_bits(ingest: Any) -> None:
    """12 bits in JPEG-LS: the codec gives 0..4095, the header says two's complement."""
    made = np.array([[0x000, 0x7FF], [0x800, 0xFFF]], np.uint16)
    data = wrap(
        made, modality="CR", patient_id="P", study_uid="1.2", series_uid="1.3", sop_uid="1.4",
        transfer_syntax="1.2.840.10008.1.2.4.80", study_date="", study_time="",
    )  # fmt: skip
    row = ingest(data).row | {"BitsStored": 12, "HighBit": 11, "PixelRepresentation": 1}
    assert values(row) == [[[0, 2047], [-2048, -1]]]


def test_a_codestream_knows_its_precision_better_than_the_header(instance: Dataset, written: Any, ingest: Any) -> None:
    """12 bits in JPEG 2000 under a header that says 16."""
    made = np.array([[0x000, 0x7FF, 1], [0x800, 0xFFF, 2]], np.uint16)
    stream = imagecodecs.jpeg2k_encode(made, level=0, codecformat="J2K", reversible=True, bitspersample=12)
    instance.PixelRepresentation = 1
    instance.PixelData = encapsulate([bytes(stream)])
    instance["PixelData"].VR = "OB"
    instance["PixelData"].is_undefined_length = True
    row = ingest(written(instance, "1.2.840.10008.1.2.4.90")).row
    assert values(row) == [[[0, 2047, 1], [-2048, -1, 2]]]


def test_lossless_colour_is_not_converted_by_its_label(instance: Dataset, written: Any, ingest: Any) -> None:
    """A JFIF segment calls the components YCbCr; the header, which decides, calls them RGB."""
    made = np.arange(18, dtype=np.uint8).reshape(2, 3, 3)
    options: dict[str, Any] = {"lossless": True, "predictor": 1, "colorspace": "YCBCR", "outcolorspace": "YCBCR"}
    stream = bytes(imagecodecs.jpeg8_encode(made, **options))
    assert b"JFIF" in stream
    instance.SamplesPerPixel, instance.PhotometricInterpretation, instance.PlanarConfiguration = 3, "RGB", 0
    _encapsulated(instance, encapsulate([stream]), 1)
    row = ingest(written(instance, "1.2.840.10008.1.2.4.70")).row
    assert values(row) == [made.tolist()]
