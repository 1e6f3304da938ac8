"""Bytes around and inside frames that no image needs: overlays in unused bits, gaps between segments."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.pixels.encoders.base import RLELosslessEncoder

from medray.dicom.native import unpack
from medray.dicom.pixels import frame_arrays
from medray.dicom.rle_gaps import without_gaps

GREY = np.arange(64, dtype=np.uint16).reshape(8, 8) * 37


def rle(pixels: Any) -> bytes:
    return bytes(
        RLELosslessEncoder.encode(
            pixels, rows=8, columns=8, number_of_frames=1, samples_per_pixel=1, bits_allocated=16, bits_stored=16,
            photometric_interpretation="MONOCHROME2", pixel_representation=0,
        )
    )  # fmt: skip


def with_gaps(frame: bytes) -> bytes:
    """The frame with text between its segments, behind the last, and in the unused header."""
    count, first, second = struct.unpack_from("<3L", frame)
    assert count == 2
    gap = b"CANARY TEXT IN A GAP "
    header = struct.pack("<3L", 2, first, second + len(gap)) + b"CANARY".ljust(52, b"!")
    return header + frame[first:second] + gap + frame[second:] + gap


@pytest.mark.parametrize("gap", [b"CANARY", b"\x05CANARY", b"\x80CANARY" * 30, b"\xf0C\xf0A\xf0N" * 20])
def test_what_stands_behind_the_pixels_of_a_segment_goes(gap: bytes) -> None:
    frame = rle(GREY)
    marked = bytes(without_gaps(frame + gap, 64))
    assert marked[: len(frame)] == frame
    assert set(marked[len(frame) :]) <= {0x80}
    assert without_gaps(frame, 64) == frame


def test_a_run_that_goes_on_behind_the_pixels_ends_with_them() -> None:
    plane = bytes([63, *range(64)])
    longer = bytes([79, *range(64)]) + b"CANARY OF 16 BYT"
    header = struct.pack("<3L", 2, 64, 64 + len(longer)).ljust(64, b"\0")
    clean = bytes(without_gaps(header + longer + plane, 64))
    assert b"CANARY" not in clean
    assert clean[64 + 65 : 64 + 81] == bytes(16)
    assert clean[:129] == (header + longer)[:129]


def test_rle_frames_are_the_same_without_gaps(instance: Dataset, written: Any, ingest: Any) -> None:
    def row(frame: bytes) -> dict[str, Any]:
        instance.Rows = instance.Columns = 8
        instance.PixelData = encapsulate([frame])
        instance["PixelData"].VR = "OB"
        instance["PixelData"].is_undefined_length = True
        found: dict[str, Any] = ingest(written(instance, "1.2.840.10008.1.2.5")).row
        return found

    marked = row(with_gaps(rle(GREY)))
    assert b"CANARY" not in marked["frames"]
    (frame,) = frame_arrays(marked)
    np.testing.assert_array_equal(frame, GREY)


@pytest.mark.parametrize(("high", "signed"), [(11, 0), (11, 1), (13, 0), (15, 1)])
def test_unused_bits_are_blank_and_the_image_is_the_same(
    high: int, signed: int, instance: Dataset, written: Any, ingest: Any
) -> None:
    stored = (GREY & 0xFFF) << (high - 11)
    mask = 0xFFF << (high - 11)
    instance.Rows = instance.Columns = 8
    instance.BitsStored, instance.HighBit, instance.PixelRepresentation = 12, high, signed
    found = []
    for hidden in (0, 0xFFFF & ~mask):
        instance.PixelData = (stored | hidden).astype("<u2").tobytes() + b"CANARY"
        row = ingest(written(instance)).row
        found.append(row["frames"])
        cells = unpack(row["frames"], 128, 2).view("<u2")
        assert not np.any(cells & ~np.uint16(mask))
        values = (GREY & 0xFFF).astype(int)
        expected = np.where(values >= 2048, values - 4096, values) if signed else values
        np.testing.assert_array_equal(next(iter(frame_arrays(row))), expected)
    assert found[0] == found[1]
