"""Lengths: cuts, nesting, limits, and bytes that are no DICOM."""

from __future__ import annotations

import random
import struct
import tracemalloc
import zlib
from typing import Any

import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import DeflatedExplicitVRLittleEndian, ImplicitVRLittleEndian

from medray.dicom.container import inflate
from medray.dicom.examples import FOLDER
from medray.errors import Unusable

CT = (FOLDER / "CT_small.dcm").read_bytes()
PIXELS_END = 39068  # behind it lies only Data Set Trailing Padding


@pytest.mark.parametrize("cut", [*range(1, len(CT), 197), 131, 132, 133, 6288, 6300, PIXELS_END - 1])
def test_every_cut_is_found(cut: int, ingest: Any) -> None:
    if cut == PIXELS_END:
        pytest.skip("everything that matters is there")
    assert ingest(CT[:cut]).reason in {"truncated", "not_dicom", "no_pixels"}


def test_a_cut_through_the_pixels_or_behind_them_is_called_truncated(ingest: Any) -> None:
    for cut in (6301, 20000, PIXELS_END - 1, PIXELS_END + 1, len(CT) - 1):
        assert ingest(CT[:cut]).reason == "truncated"


@pytest.mark.parametrize("name", ["JPEG2000.dcm", "image_dfl.dcm", "MR_small_bigendian.dcm", "rtdose.dcm"])
def test_cuts_through_other_syntaxes_are_found(name: str, ingest: Any) -> None:
    data = (FOLDER / name).read_bytes()
    for cut in range(400, len(data) - 50, len(data) // 50):  # some end with padding
        assert ingest(data[:cut], subject="image").reason in {"truncated", "no_pixels"}


def test_a_bomb_is_too_large(written: Any, ingest: Any) -> None:
    bomb = Dataset()
    bomb.add_new(0x00091001, "OB", bytes(3_000_000))
    data = written(bomb, DeflatedExplicitVRLittleEndian)
    assert len(data) < 10_000
    assert ingest(data, inflated_bytes=2_000_000).reason == "too_large"
    assert ingest(data, inflated_bytes=4_000_000).reason == "no_pixels"


def test_a_bomb_is_never_inflated() -> None:
    bomb = zlib.compress(bytes(40_000_000), wbits=-15)
    tracemalloc.start()
    with pytest.raises(Unusable, match="too_large"):
        inflate(bomb, 1_000_000)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5_000_000


def test_a_deflated_data_set_without_end_is_truncated() -> None:
    whole = zlib.compress(b"data set", wbits=-15)
    assert inflate(whole, 8) == b"data set"
    with pytest.raises(Unusable, match="truncated"):
        inflate(whole[:-1], 100)


def test_broken_deflate_is_malformed(instance: Dataset, written: Any, ingest: Any) -> None:
    data = bytearray(written(instance, DeflatedExplicitVRLittleEndian))
    (meta_length,) = struct.unpack_from("<L", data, 140)
    data[144 + meta_length] = 0x07  # RFC 1951 3.2.3: block type 3 does not exist
    assert ingest(bytes(data)).reason == "malformed"


@pytest.mark.parametrize("undefined", [False, True])
@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, "1.2.840.10008.1.2.1"])
def test_nesting_has_a_limit(undefined: bool, syntax: str, instance: Dataset, written: Any, ingest: Any) -> None:
    def nested(depth: int) -> bytes:
        item = Dataset()
        for _ in range(depth):
            outer = Dataset()
            outer.RequestAttributesSequence = Sequence([item])
            outer["RequestAttributesSequence"].is_undefined_length = undefined
            item = outer
        data: bytes = written(Dataset({**dict(instance.items()), **dict(item.items())}), syntax)
        return data

    assert ingest(nested(32)).row["Rows"] == 2
    assert ingest(nested(33)).reason == "too_deep"


def test_thousands_of_levels_do_not_exhaust_the_stack(ingest: Any) -> None:
    level = struct.pack("<HH2sHL", 0x0040, 0x0275, b"SQ", 0, 0xFFFFFFFF) + b"\xfe\xff\x00\xe0\xff\xff\xff\xff"
    assert ingest(CT[:6288] + level * 20_000).reason == "too_deep"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"x", "not_dicom"),
        (b"<!DOCTYPE html><html><body>Session expired</body></html>" * 9, "not_dicom"),
        (b"\x89PNG\r\n\x1a\n" + bytes(400), "not_dicom"),
        (b"PK\x03\x04" + bytes(400), "not_dicom"),
        (bytes(128) + b"DICM", "truncated"),
        (bytes(1000), "not_dicom"),
    ],
)
def test_other_files(data: bytes, reason: str, ingest: Any) -> None:
    assert ingest(data).reason == reason


def test_a_data_set_without_preamble_or_meta_group_is_read(instance: Dataset, written: Any, ingest: Any) -> None:
    whole = written(instance)
    assert ingest(whole[132:]).row["Rows"] == 2
    bare = whole[whole.index(b"\x08\x00\x16\x00UI") :]
    assert ingest(bare).row["TransferSyntaxUID"] == "1.2.840.10008.1.2.1"
    implicit = written(instance, ImplicitVRLittleEndian)
    bare = implicit[implicit.index(b"\x08\x00\x16\x00\x1a\x00\x00\x00") :]
    assert ingest(bare).row["TransferSyntaxUID"] == "1.2.840.10008.1.2"


def test_an_element_beyond_its_item_is_malformed(instance: Dataset, written: Any, ingest: Any) -> None:
    item = Dataset()
    item.CodeValue = "123456"
    instance.ProcedureCodeSequence = Sequence([item])
    data = bytearray(written(instance))
    length_at = bytes(data).index(b"\x08\x00\x00\x01SH") + 6
    data[length_at : length_at + 2] = struct.pack("<H", 60)
    assert ingest(bytes(data)).reason == "malformed"


def test_an_item_beyond_its_sequence_is_malformed(instance: Dataset, written: Any, ingest: Any) -> None:
    item = Dataset()
    item.CodeValue = "123456"
    instance.ProcedureCodeSequence = Sequence([item])
    data = bytearray(written(instance))
    at = bytes(data).index(b"\xfe\xff\x00\xe0")
    (length,) = struct.unpack_from("<L", data, at + 4)
    struct.pack_into("<L", data, at - 4, length)  # the sequence forgets the head of its item
    assert ingest(bytes(data)).reason == "malformed"


def test_mutants_end_in_exactly_one_place(ingest: Any) -> None:
    dice = random.Random(20240611)
    names = ["MR_small.dcm", "MR_small_RLE.dcm", "JPEG2000.dcm", "SC_rgb_rle_2frame.dcm", "rtdose.dcm"]
    for name in names:
        original = (FOLDER / name).read_bytes()
        for _ in range(60):
            mutant = bytearray(original)
            for _ in range(dice.randint(1, 8)):
                mutant[dice.randrange(len(mutant))] = dice.randrange(256)
            outcomes = ingest(bytes(mutant), subject="image")
            assert len(outcomes.rows) + len(outcomes.bad) == 1
