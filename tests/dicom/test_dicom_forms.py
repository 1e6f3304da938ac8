"""Every form that samples can have, by values that are put in by hand."""

from __future__ import annotations

import struct
import zlib
from typing import Any

import imagecodecs
import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from medray.dicom.pixels import display_values, frame_arrays, missing, modality_values
from medray.errors import Unusable

RLE, ITEMS, DEFLATED = "1.2.840.10008.1.2.5", "1.2.840.10008.1.2.1.98", "1.2.840.10008.1.2.8.1"
# A 16 x 16 ramp, 8 (x + y), by libjpeg's `jpegtran`: arithmetic, progressive, both.
TABLES = (
    "ffd8ffdb0043000302020302020303030304030304050805050404050a070706080c0a0c0c0b0a0b0b0d0e12100d0e110e0b0b1016"
    "101113141515150c0f171816141812141514"
)
RETIRED = {
    "52": "ffc9000b080010001001011100ffcc000600101005ffda0008010100003f00ff00dc1bd84e849676c7c0a4fe68b3854c7903"
    "e4f559bb7298c0ffd9",
    "55": "ffc2000b080010001001011100ffc4001500010100000000000000000000000000000700ffda00080101000000011f55957f"
    "ffc4001510010100000000000000000000000000000500ffda000801010001050234d8d3634d8d36ffc400161000030000000000"
    "000000000000000000000121ffda0008010100063f0250505050ffc4001410010000000000000000000000000000002 0ffda0008"
    "010100013f2100001fffda00080101000000107fffc4001610000300000000000000000000000000000041a1ffda000801010001"
    "3f109e89e89e89e8ffd9",
    "56": "ffca000b080010001001011100ffcc00040010ffda0008010100000001ff00b7ff00a06640ffcc00041005ffda0008010100"
    "01050216233928f5adcfbc40ffcc00041005ffda0008010100063f020a7b01a0ffcc00041005ffda0008010100013f214c2040ff"
    "da000801010000001018ffcc00041005ffda0008010100013f10d61d95ceab9e90ffd9",
}


def frames_of(row: dict[str, Any]) -> list[Any]:
    return [frame.tolist() for frame in frame_arrays(row)]


def shaped(instance: Dataset, allocated: int, stored: int | None = None, **more: Any) -> Dataset:
    instance.BitsAllocated, instance.BitsStored = allocated, stored or allocated
    instance.HighBit = instance.BitsStored - 1
    for keyword, value in more.items():
        setattr(instance, keyword, value)
    return instance


def in_items(instance: Dataset, *frames: bytes) -> Dataset:
    instance.NumberOfFrames = len(frames)
    instance.PixelData = encapsulate([frame + b"\0" * (len(frame) % 2) for frame in frames])
    instance["PixelData"].VR, instance["PixelData"].is_undefined_length = "OB", True
    return instance


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("stored", range(1, 33))
def test_every_number_of_stored_bits(stored: int, signed: bool, instance: Dataset, written: Any, ingest: Any) -> None:
    """The ends of the range, 0, and a bit above High Bit that is no part of the value."""
    allocated = -(-stored // 8) * 8
    low, high = (-(1 << stored - 1), (1 << stored - 1) - 1) if signed else (0, (1 << stored) - 1)
    made = [low, high, 0, high, low, min(1, high)]
    noise = (1 << stored) if stored < allocated else 0
    cells = [(value & ((1 << stored) - 1)) | noise for value in made]
    data = b"".join(cell.to_bytes(allocated // 8, "little") for cell in cells)
    shaped(instance, allocated, stored, PixelRepresentation=int(signed), PixelData=data + b"\0" * (len(data) % 2))
    (frame,) = frame_arrays(ingest(written(instance)).row)
    assert frame.ravel().tolist() == made
    assert frame.dtype == np.dtype(f"{'i' if signed else 'u'}{4 if allocated == 24 else allocated // 8}")


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian, RLE])
def test_24_bits_in_every_order(syntax: str, instance: Dataset, written: Any, ingest: Any) -> None:
    made = [-8388608, 8388607, -1, 0, 1, 66051]  # 66051 is 0x010203
    shaped(instance, 24, PixelRepresentation=1)
    order: Any = "big" if syntax == ExplicitVRBigEndian else "little"
    instance.PixelData = b"".join(value.to_bytes(3, order, signed=True) for value in made)
    instance["PixelData"].VR = "OB"
    if syntax == RLE:  # PS3.5 G.2: most significant byte first, a literal run of six each
        planes = [bytes(value.to_bytes(3, "big", signed=True)[byte] for value in made) for byte in range(3)]
        segments = [b"\x05" + plane + b"\x80" for plane in planes]
        in_items(instance, struct.pack("<16L", 3, 64, 72, 80, *[0] * 12) + b"".join(segments))
    (frame,) = frame_arrays(ingest(written(instance, syntax)).row)
    assert (frame.dtype, frame.ravel().tolist()) == (np.int32, made)


@pytest.mark.parametrize(("keyword", "kind"), [("FloatPixelData", "<f4"), ("DoubleFloatPixelData", "<f8")])
@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian])
def test_floating_point_pixels(
    keyword: str, kind: str, syntax: str, instance: Dataset, written: Any, ingest: Any
) -> None:
    """A parametric map (PS3.3 C.7.6.24): -1.5 to 2.5 where it is, padding and not-a-number elsewhere."""
    made = np.array([[-1.5, 0.25, 2.5], [np.nan, -999.0, 0.5]])
    del instance.PixelData, instance.BitsStored, instance.HighBit, instance.PixelRepresentation
    instance.BitsAllocated = np.dtype(kind).itemsize * 8
    order = ">" if syntax == ExplicitVRBigEndian else "<"
    setattr(instance, keyword, made.astype(kind.replace("<", order)).tobytes())
    setattr(instance, keyword.replace("Data", "PaddingValue"), -999.0)
    instance.RescaleSlope, instance.RescaleIntercept = 2, 1
    row = ingest(written(instance, syntax)).row
    assert (row["frame_codec"], row["FloatPixelPaddingValue"]) == ("float-planes-zstd", -999.0)
    (frame,) = frame_arrays(row)
    assert frame.dtype == np.dtype(kind)
    np.testing.assert_array_equal(frame, made)
    absent = missing(frame, row)
    assert absent is not None
    assert absent.tolist() == [[False] * 3, [True, True, False]]
    assert modality_values(frame, row).tolist()[0] == [-2, 1.5, 6]
    # from the smallest, -1.5, to the largest, 2.5
    assert display_values(frame, row, "full").tolist() == [[0, 0.4375, 1], [0, 0, 0.5]]
    assert display_values(frame, row, (2.5, 2.0)).tolist() == [[0, 0, 1], [0, 0, 0.5]]  # 1.5 to 2.5


def test_floating_point_pixels_that_contradict_themselves(instance: Dataset, written: Any, ingest: Any) -> None:
    del instance.PixelData
    instance.FloatPixelData = np.zeros(6, "<f4").tobytes()
    assert ingest(written(instance)).reason == "bad_pixel_header"  # 16 bits allocated
    instance.BitsAllocated, instance.PhotometricInterpretation = 32, "PALETTE COLOR"
    assert ingest(written(instance)).reason == "bad_pixel_header"
    instance.PhotometricInterpretation, instance.NumberOfFrames = "MONOCHROME2", 2
    assert ingest(written(instance)).reason == "truncated"


def _deflated(data: bytes) -> bytes:
    return zlib.compress(data, wbits=-15)


def test_deflated_frames(instance: Dataset, written: Any, ingest: Any) -> None:
    frames = [np.arange(6, dtype="<u2") + 1000 * number for number in range(2)]
    in_items(instance, *[_deflated(frame.tobytes()) for frame in frames])
    row = ingest(written(instance, DEFLATED)).row
    assert (row["frame_codec"], row["TransferSyntaxUID"]) == ("planes-zstd", DEFLATED)
    assert frames_of(row) == [frame.reshape(2, 3).tolist() for frame in frames]


def test_deflated_frames_of_one_bit_begin_on_a_byte(instance: Dataset, written: Any, ingest: Any) -> None:
    shaped(instance, 1)
    in_items(instance, _deflated(bytes([0b101101])), _deflated(bytes([0b010010])))  # lowest bit first
    row = ingest(written(instance, DEFLATED)).row
    assert frames_of(row) == [[[1, 0, 1], [1, 0, 1]], [[0, 1, 0], [0, 1, 0]]]


def test_deflated_frames_that_lie(instance: Dataset, written: Any, ingest: Any) -> None:
    whole = _deflated(bytes(range(12)))
    for frame, reason in ((_deflated(bytes(10)), "truncated"), (_deflated(bytes(10**6)), "bad_frames")):
        assert ingest(written(in_items(instance, frame), DEFLATED)).reason == reason
    assert ingest(written(in_items(instance, whole[:8]), DEFLATED)).reason == "truncated"
    assert ingest(written(in_items(instance, b"\x07" + whole[1:]), DEFLATED)).reason == "malformed"


def test_native_frames_in_items(instance: Dataset, written: Any, ingest: Any) -> None:
    frames = [np.arange(6, dtype="<u2") + 7 * number for number in range(3)]
    in_items(instance, *[frame.tobytes() for frame in frames])
    assert frames_of(ingest(written(instance, ITEMS)).row) == [frame.reshape(2, 3).tolist() for frame in frames]
    assert ingest(written(in_items(instance, bytes(10)), ITEMS)).reason == "truncated"


@pytest.mark.parametrize("syntax", ["201", "202", "203"])
@pytest.mark.parametrize(("kind", "signed"), [("u1", 0), ("u2", 0), ("i2", 1)])
def test_high_throughput_jpeg_2000(
    syntax: str, kind: str, signed: int, instance: Dataset, written: Any, ingest: Any
) -> None:
    made = (np.arange(35).reshape(5, 7) * (3 if kind == "u1" else 900) - (16000 if signed else 0)).astype(kind)
    shaped(instance, made.itemsize * 8, Rows=5, Columns=7, PixelRepresentation=signed)
    in_items(instance, bytes(imagecodecs.htj2k_encode(made, reversible=True)))
    row = ingest(written(instance, f"1.2.840.10008.1.2.4.{syntax}")).row
    (frame,) = frame_arrays(row)
    assert frame.dtype == made.dtype
    np.testing.assert_array_equal(frame, made)


@pytest.mark.parametrize("syntax", ["110", "112"])
@pytest.mark.parametrize(("shape", "kind"), [((5, 7), "u1"), ((300, 5), "u2"), ((6, 9, 3), "u1"), ((6, 9, 3), "u2")])
def test_jpeg_xl(syntax: str, shape: Any, kind: str, instance: Dataset, written: Any, ingest: Any) -> None:
    made = (np.arange(np.prod(shape)).reshape(shape) * 37 % 251).astype(kind)
    shaped(instance, made.itemsize * 8, Rows=shape[0], Columns=shape[1])
    if len(shape) == 3:
        instance.SamplesPerPixel, instance.PhotometricInterpretation, instance.PlanarConfiguration = 3, "RGB", 0
    in_items(instance, bytes(imagecodecs.jpegxl_encode(made, lossless=True)))
    (frame,) = frame_arrays(ingest(written(instance, f"1.2.840.10008.1.2.4.{syntax}")).row)
    assert frame.dtype == made.dtype
    np.testing.assert_array_equal(frame, made)


def test_a_recompressed_jpeg_is_as_near_as_two_decoders_are(instance: Dataset, written: Any, ingest: Any) -> None:
    made = np.add.outer(np.arange(16), np.arange(16)).astype(np.uint8) * 8
    jpeg = bytes(imagecodecs.jpeg8_encode(np.stack([made, made // 2, 255 - made], -1), level=90))
    shaped(instance, 8, Rows=16, Columns=16, SamplesPerPixel=3, PlanarConfiguration=0)
    instance.PhotometricInterpretation = "YBR_FULL_422"
    in_items(instance, bytes(imagecodecs.jpegxl_encode_jpeg(jpeg)))
    (frame,) = frame_arrays(ingest(written(instance, "1.2.840.10008.1.2.4.111")).row)
    assert np.abs(frame.astype(int) - imagecodecs.jpeg8_decode(jpeg)).max() <= 3


def test_a_jpeg_xl_frame_leaves_its_boxes_behind(instance: Dataset, written: Any, ingest: Any) -> None:
    made = np.arange(1500, dtype=np.uint16).reshape(300, 5)
    stream = bytes(imagecodecs.jpegxl_encode(made, lossless=True))  # 16 bits: with boxes
    assert stream.startswith(b"\0\0\0\x0cJXL ")
    text = struct.pack(">L4s", 16, b"xml ") + b"DOE JOHN"
    shaped(instance, 16, Rows=300, Columns=5)
    row = ingest(written(in_items(instance, stream[:32] + text + stream[32:]), "1.2.840.10008.1.2.4.110")).row
    assert b"DOE" not in row["frames"]
    assert frames_of(row) == [made.tolist()]
    extra = np.zeros((6, 9, 4), np.uint8)  # its fourth channel could have a name
    in_items(shaped(instance, 8, Rows=6, Columns=9), bytes(imagecodecs.jpegxl_encode(extra, lossless=True)))
    assert ingest(written(instance, "1.2.840.10008.1.2.4.110")).reason == "bad_frames"


@pytest.mark.parametrize("process", RETIRED)
def test_retired_jpeg_processes(process: str, instance: Dataset, written: Any, ingest: Any) -> None:
    stream = bytes.fromhex(TABLES + RETIRED[process].replace(" ", ""))
    in_items(shaped(instance, 8, Rows=16, Columns=16), stream)
    (frame,) = frame_arrays(ingest(written(instance, f"1.2.840.10008.1.2.4.{process}")).row)
    ramp = np.add.outer(np.arange(16), np.arange(16)) * 8
    assert np.abs(frame.astype(int) - ramp).max() <= 3


@pytest.mark.parametrize("uid", ["4.58", "4.66", "4.93", "4.94", "4.100", "4.102", "4.107", "6.1", "99.9"])
def test_other_syntaxes_have_no_frames(uid: str, instance: Dataset, written: Any, ingest: Any) -> None:
    in_items(instance, b"\0\0")
    assert ingest(written(instance, f"1.2.840.10008.1.2.{uid}")).reason == "unsupported_syntax"


def _palette(instance: Dataset, bits: int, count: int, **data: bytes) -> Dataset:
    instance.PhotometricInterpretation = "PALETTE COLOR"
    for colour in ("Red", "Green", "Blue"):
        instance.add_new(f"{colour}PaletteColorLookupTableDescriptor", "US", [count, 0, bits])
        instance.add_new(f"Segmented{colour}PaletteColorLookupTableData", "OW", data[colour.lower()])
    return instance


def test_segmented_palettes_of_words(instance: Dataset, written: Any, ingest: Any) -> None:
    """Six entries: discrete 10, 20; linear in two steps to 40; then the first segment once more."""
    red = struct.pack("<11H", 0, 2, 10, 20, 1, 2, 40, 2, 1, 0, 0)
    green = struct.pack("<8H", 0, 6, 1, 2, 3, 4, 5, 60000)
    blue = struct.pack("<6H", 0, 1, 100, 1, 5, 0)  # from 100 in five steps down to 0
    row = ingest(written(_palette(instance, 16, 6, red=red, green=green, blue=blue))).row
    (frame,) = frame_arrays(row)
    assert frame.dtype == np.uint16
    assert frame.reshape(6, 3).T.tolist() == [
        [10, 20, 30, 40, 10, 20],
        [1, 2, 3, 4, 5, 60000],
        [100, 80, 60, 40, 20, 0],
    ]


def test_segmented_palettes_of_bytes(instance: Dataset, written: Any, ingest: Any) -> None:
    red = bytes([0, 1, 7, 1, 5, 12])
    green = bytes([0, 2, 1, 2, 2, 2, 0, 0, 0, 0])  # "2 2 0 0 0 0": the first two segments: only one is there
    blue = bytes([0, 3, 9, 8, 7, 2, 1, 0, 0, 0, 0, 0])
    made = _palette(instance, 8, 6, red=red, green=bytes([0, 6, 1, 2, 3, 4, 5, 6]), blue=blue)
    (frame,) = frame_arrays(ingest(written(made)).row)
    assert frame.dtype == np.uint8
    assert frame.reshape(6, 3).T.tolist() == [[7, 8, 9, 10, 11, 12], [1, 2, 3, 4, 5, 6], [9, 8, 7, 9, 8, 7]]
    for broken in (green, b"\1\5\x0c\0", b"\0\7" + bytes(8), b"\3\1\1\1", bytes([0, 1, 5, 2, 9, 0, 0, 0, 0, 0])):
        made = _palette(instance, 8, 6, red=red, green=broken, blue=blue)
        assert ingest(written(made)).reason == "bad_pixel_header"


def _colour(instance: Dataset, photometric: str, allocated: int, data: bytes) -> Dataset:
    shaped(instance, allocated, Rows=1, Columns=2, SamplesPerPixel=3, PlanarConfiguration=0)
    instance.PhotometricInterpretation, instance.PixelData = photometric, data
    instance["PixelData"].VR = "OB" if allocated == 8 else "OW"
    return instance


def test_luminance_of_16_bits(instance: Dataset, written: Any, ingest: Any) -> None:
    """Chrominance is 0 at 32768; R = Y + 1.402 * 10000."""
    data = struct.pack("<6H", 30000, 32768, 32768, 20000, 32768, 42768)
    row = ingest(written(_colour(instance, "YBR_FULL", 16, data))).row
    assert frames_of(row) == [[[[30000] * 3, [34020, 12859, 20000]]]]


def test_partial_luminance(instance: Dataset, written: Any, ingest: Any) -> None:
    """PS3.3 C.7.6.3.1.2: black is 16, white 235."""
    row = ingest(written(_colour(instance, "YBR_PARTIAL_422", 8, bytes([16, 235, 128, 128])))).row
    assert frames_of(row) == [[[[0] * 3, [255] * 3]]]
    # Y 100: 97.81; CR 40 above: R = 97.81 + 63.84, G = 97.81 - 32.52, B = 97.81
    row = ingest(written(_colour(instance, "YBR_PARTIAL_422", 8, bytes([100, 100, 128, 168])))).row
    assert frames_of(row) == [[[[162, 65, 98], [162, 65, 98]]]]


@pytest.mark.parametrize(("transform", "pixel"), [(False, [240, 29, 100]), (True, [100, 128, 228])])
def test_jpeg_2000_under_a_luminance_label(
    transform: bool, pixel: list[int], instance: Dataset, written: Any, ingest: Any
) -> None:
    """What the codestream has not transformed itself is luminance and chrominance, as the header says."""
    made = np.array([[[100, 128, 228]] * 3] * 2, np.uint8)
    stream = imagecodecs.jpeg2k_encode(made, level=0, codecformat="J2K", reversible=True, mct=transform)
    _colour(instance, "YBR_FULL", 8, b"")
    in_items(shaped(instance, 8, Rows=2, Columns=3), bytes(stream))
    (frame,) = frame_arrays(ingest(written(instance, "1.2.840.10008.1.2.4.90")).row)
    assert frame[1, 2].tolist() == pixel


def _scaled(slope: float, intercept: float) -> Dataset:
    inner, outer = Dataset(), Dataset()
    inner.RescaleSlope, inner.RescaleIntercept, inner.RescaleType = slope, intercept, "US"
    outer.PixelValueTransformationSequence = Sequence([inner])
    return outer


def test_frames_with_slopes_of_their_own(instance: Dataset, written: Any, ingest: Any) -> None:
    instance.NumberOfFrames = 3
    instance.PixelData = np.tile(np.arange(6, dtype="<u2"), 3).tobytes()
    instance.SharedFunctionalGroupsSequence = Sequence([Dataset()])
    slopes = [(1, 0), (2, -1), (0.5, 10)]
    instance.PerFrameFunctionalGroupsSequence = Sequence([_scaled(*pair) for pair in slopes])
    row = ingest(written(instance)).row
    frames = list(frame_arrays(row))
    found = [modality_values(frame, row, index).ravel().tolist() for index, frame in enumerate(frames)]
    assert found == [[slope * value + intercept for value in range(6)] for slope, intercept in slopes]
    shown = [float(display_values(frame, row, (5.5, 11.0), index)[0, 1]) for index, frame in enumerate(frames)]
    assert shown == pytest.approx([0.1, 0.1, 1.0])  # 1, 1 and 10.5 in a window from 0 to 10
    with pytest.raises(AssertionError, match="say which frame"):
        modality_values(frames[0], row)
    old = {name: value for name, value in row.items() if name != "frame_rescale"} | {"RescaleSlope": 3.0}
    assert modality_values(frames[0], old).ravel().tolist() == [0, 3, 6, 9, 12, 15]  # a row of version 1


def test_parts_of_an_instance_keep_the_slopes_of_their_frames(instance: Dataset, written: Any, ingest: Any) -> None:
    instance.NumberOfFrames = 3
    instance.PixelData = np.random.default_rng(3).integers(0, 65536, 18).astype("<u2").tobytes()
    instance.SharedFunctionalGroupsSequence = Sequence([Dataset()])
    instance.PerFrameFunctionalGroupsSequence = Sequence([_scaled(number + 1, 0) for number in range(3)])
    rows = ingest(written(instance), part_bytes=50).rows
    assert len(rows) > 1
    slopes = []
    for row in rows:
        for index, frame in enumerate(frame_arrays(row)):
            values = modality_values(frame, row, index)
            slopes.append(round(float(values.max() / frame.max()), 3))
    assert slopes == [1, 2, 3]


def test_voi_table_of_implicit_files(instance: Dataset, written: Any, ingest: Any) -> None:
    """Without a VR the descriptor is words as well: 3 entries from 2 on."""
    item = Dataset()
    item.add_new("LUTDescriptor", "US", [3, 2, 16])
    item.add_new("LUTData", "OW", struct.pack("<3H", 0, 32768, 65535))
    instance.VOILUTSequence = Sequence([item])
    row = ingest(written(instance, ImplicitVRLittleEndian)).row
    assert row["voi_lut"]["first"] == 2
    (frame,) = frame_arrays(row)
    assert display_values(frame, row, "dicom").ravel().tolist() == pytest.approx([0, 0, 0, 0.50001, 1, 1], abs=1e-4)


def test_many_digits_survive_the_rescale(instance: Dataset, written: Any, ingest: Any) -> None:
    """16777217 and 16777219 are one number in float32; minus an offset they are not."""
    shaped(instance, 32, PixelData=np.array([16777217, 16777219, 0, 0, 0, 0], "<u4").tobytes())
    instance.RescaleSlope, instance.RescaleIntercept = 1, -16777216
    row = ingest(written(instance)).row
    (frame,) = frame_arrays(row)
    assert modality_values(frame, row).ravel()[:2].tolist() == [1, 3]


def test_frames_of_another_size_are_not_believed(instance: Dataset, written: Any, ingest: Any) -> None:
    stream = bytes(imagecodecs.jpegxl_encode(np.zeros((64, 64), np.uint8), lossless=True))
    row = ingest(written(in_items(shaped(instance, 8), stream), "1.2.840.10008.1.2.4.110")).row
    with pytest.raises(Unusable, match="another size"):
        list(frame_arrays(row))
