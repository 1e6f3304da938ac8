"""Frames at the lowest resolution that is enough: nothing moves, and grey levels stay near."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import imagecodecs
import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.pixels.encoders.base import RLELosslessEncoder

from medray.dicom.examples import FOLDER
from medray.dicom.pixels import display_values, frame_arrays, small_frames
from medray.ops.resize import resize

SIZE = (48, 64)


def _rle(made: Any) -> bytes:
    bits = made.itemsize * 8
    return RLELosslessEncoder.encode(
        made, rows=len(made), columns=made.shape[1], number_of_frames=1, samples_per_pixel=1, bits_allocated=bits,
        photometric_interpretation="MONOCHROME2", bits_stored=bits, pixel_representation=int(made.dtype.kind == "i"),
    )  # fmt: skip


def _j2k(made: Any, **options: Any) -> bytes:
    options = {"level": 0, "reversible": True, "mct": False, "bitspersample": made.itemsize * 8, **options}
    return bytes(imagecodecs.jpeg2k_encode(made, codecformat="J2K", **options))


CODECS: dict[str, tuple[str, Callable[[Any], bytes]]] = {
    "native": ("1", lambda made: made.tobytes()),
    "RLE": ("5", _rle),
    "JPEG-LS": ("4.80", lambda made: bytes(imagecodecs.jpegls_encode(made))),
    "JPEG lossless": ("4.70", lambda made: bytes(imagecodecs.jpeg8_encode(made, lossless=True, predictor=1))),
    "JPEG XL": ("4.110", lambda made: bytes(imagecodecs.jpegxl_encode(made, lossless=True))),
    "JPEG 2000": ("4.90", _j2k),
    "JPEG 2000 12 bit": ("4.90", lambda made: _j2k(made, bitspersample=12)),
    "JPEG 2000 lossy": ("4.91", lambda made: _j2k(made, reversible=False, level=60)),
    "HTJ2K": ("4.201", lambda made: bytes(imagecodecs.htj2k_encode(made, reversible=True))),
    "JPEG 12 bit": ("4.51", lambda made: bytes(imagecodecs.jpeg8_encode(made, level=98, bitspersample=12))),
    "JPEG": ("4.50", lambda made: bytes(imagecodecs.jpeg8_encode((made >> 4).astype(np.uint8), level=98))),
    "JPEG colour": ("4.50", lambda made: bytes(imagecodecs.jpeg8_encode(_colours(made), level=98))),
    "JPEG 2000 colour": ("4.90", lambda made: _j2k(_colours(made), mct=True)),
}


def _colours(made: Any) -> Any:
    return np.repeat((made >> 4).astype(np.uint8)[..., None], 3, axis=2)


@pytest.fixture
def row_of(instance: Dataset, written: Any, ingest: Any) -> Callable[..., dict[str, Any]]:
    """(codec, values of 12 bits, **attributes) -> the row of an image."""

    def run(codec: str, made: Any, **attributes: Any) -> dict[str, Any]:
        uid, encode = CODECS[codec]
        stream = encode(made)
        instance.Rows, instance.Columns = made.shape
        bits = 8 if codec in ("JPEG", "JPEG colour", "JPEG 2000 colour") else 12
        instance.BitsAllocated, instance.BitsStored, instance.HighBit = 8 if bits == 8 else 16, bits, bits - 1
        instance.PixelRepresentation = int(made.dtype.kind == "i")
        if codec.endswith("colour"):
            instance.SamplesPerPixel, instance.PlanarConfiguration = 3, 0
            instance.PhotometricInterpretation = "YBR_RCT" if "2000" in codec else "YBR_FULL_422"
        for keyword, value in attributes.items():
            setattr(instance, keyword, value)
        instance.PixelData = stream if codec == "native" else encapsulate([stream])
        instance["PixelData"].VR = "OW" if codec == "native" else "OB"
        instance["PixelData"].is_undefined_length = codec != "native"
        row: dict[str, Any] = ingest(written(instance, f"1.2.840.10008.1.2.{uid}")).row
        return row

    return run


def small(row: dict[str, Any]) -> Any:
    """Grey levels, prepared at reduced resolution; and the factor."""
    (frame,) = small_frames(row, SIZE)
    display = display_values(frame.values, row, "full")
    found = resize(display, SIZE, box=frame.box(row["Rows"], row["Columns"]))
    return (found if found.ndim == 2 else found[..., 1]), frame.factor


def whole(row: dict[str, Any]) -> Any:
    """The same from every pixel."""
    (frame,) = frame_arrays(row)
    found = resize(display_values(frame, row, "full"), SIZE)
    return found if found.ndim == 2 else found[..., 1]


def change_of(row: dict[str, Any]) -> float:
    """Mean change inside the image, in values of 12 bits; and the factor is as large as it may be."""
    found, factor = small(row)
    assert factor in (4, 8)
    return float((found - whole(row))[4:-4, 4:-4].mean()) * 4095


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize(("rows", "columns"), [(384, 512), (387, 517), (480, 500)])
def test_a_ramp_stays_in_place(codec: str, rows: int, columns: int, row_of: Any) -> None:
    """A shift of a pixel changes each value by the slope of the ramp: up on a rising one, down on a falling
    one. What rounding adds to both is no shift."""
    noise = np.random.default_rng(8).uniform(0, 32, (rows, columns))
    across, down = np.meshgrid(np.arange(columns), np.arange(rows))
    for place in (across, down):
        slope = 3771 / place.max()
        rising, falling = place * slope, (place.max() - place) * slope
        changes = [change_of(row_of(codec, (made + noise).astype(np.uint16))) for made in (rising, falling)]
        shift = (changes[0] - changes[1]) / 2 / slope
        assert abs(shift) < 0.05, f"{codec}: {shift:.3f} pixels of the full frame"


@pytest.mark.parametrize("codec", CODECS)
def test_grey_levels_stay_near_those_of_the_full_decode(codec: str, row_of: Any) -> None:
    """Structure of 20 pixels and more, with noise of 1% of the range. Means of squares change by less than
    half a level of 256, as does the low band of 12 bits; of 8 bits it may gain half a level with each
    halving, by the roundings of the reversible wavelet."""
    y, x = np.mgrid[0:384, 0:512]
    noise = np.random.default_rng(5).normal(0, 40, (384, 512))
    made = np.clip(2048 + 900 * np.sin(x / 25) + 700 * np.cos(y / 31) + noise, 0, 4095).astype(np.uint16)
    row = row_of(codec, made)
    change = np.abs(small(row)[0] - whole(row)).mean() * 255
    print(f"{codec}: mean absolute change {change:.2f} of 255")
    assert change < (2.0 if codec == "JPEG 2000 colour" else 0.6)


def test_the_low_band_of_signed_values(row_of: Any) -> None:
    made = np.add.outer(np.zeros(384), np.arange(512) * 7 - 2048).astype(np.int16)
    for codec in ("JPEG 2000", "JPEG 2000 12 bit", "HTJ2K"):
        row = row_of(codec, made)
        (frame,) = small_frames(row, SIZE)
        assert frame.factor == 8
        assert frame.values.dtype == np.int16
        assert np.abs(frame.values[4:-4, 4:-4] - made[::8, ::8][4:-4, 4:-4]).max() <= 1


def test_what_pillow_cannot_give_is_made_from_the_full_decode(row_of: Any) -> None:
    """More than 8 bits of colour, too few levels, 7 bits: means of squares, with nothing to correct."""
    made = np.random.default_rng(1).integers(0, 4096, (96, 128)).astype(np.uint16)
    CODECS["shallow"] = ("4.90", lambda values: _j2k(values, resolutions=1))
    try:
        row = row_of("shallow", made)
    finally:
        del CODECS["shallow"]
    (frame,) = small_frames(row, SIZE)
    assert (frame.factor, frame.shift) == (2, 0.0)
    expected = np.floor(made.reshape(48, 2, 64, 2).mean((1, 3)) + 0.5)
    np.testing.assert_array_equal(frame.values, expected)


def test_colours_of_16_bits_are_not_cut_to_8(row_of: Any) -> None:
    made = np.random.default_rng(1).integers(0, 65536, (96, 128, 3)).astype(np.uint16)
    CODECS["deep colour"] = ("4.90", lambda _: _j2k(made))
    try:
        row = row_of(
            "deep colour", made[..., 0], SamplesPerPixel=3, PhotometricInterpretation="RGB", BitsStored=16, HighBit=15
        )
    finally:
        del CODECS["deep colour"]
    (frame,) = small_frames(row, SIZE)
    expected = np.floor(made.reshape(48, 2, 64, 2, 3).mean((1, 3)) + 0.5)
    np.testing.assert_array_equal(frame.values, expected)


def test_means_of_squares_by_hand(row_of: Any) -> None:
    made = np.arange(96 * 130, dtype=np.uint16).reshape(96, 130) % 4096
    (frame,) = small_frames(row_of("native", made), (48, 64))
    assert (frame.factor, frame.values.shape) == (2, (48, 65))
    assert frame.values[0, 0] == 66  # (0 + 1 + 130 + 131) / 4 = 65.5
    assert frame.values[0, 64] == 194  # (128 + 129 + 258 + 259) / 4 = 193.5
    assert frame.box(96, 130) == (0, 0, 48, 65)


def test_a_frame_that_is_small_already_is_decoded_in_full(row_of: Any) -> None:
    made = np.arange(95 * 127, dtype=np.uint16).reshape(95, 127) % 4096
    (frame,) = small_frames(row_of("native", made), SIZE)
    assert frame.factor == 1
    np.testing.assert_array_equal(frame.values, made)


def test_indices_and_bits_are_never_averaged(instance: Dataset, written: Any, ingest: Any) -> None:
    instance.Rows = instance.Columns = 256
    instance.BitsAllocated = instance.BitsStored = 8
    instance.HighBit, instance.PhotometricInterpretation = 7, "PALETTE COLOR"
    indices = np.random.default_rng(2).integers(0, 2, (256, 256)).astype(np.uint8)
    instance.PixelData = indices.tobytes()
    for colour in ("Red", "Green", "Blue"):
        instance.add_new(f"{colour}PaletteColorLookupTableDescriptor", "US", [2, 0, 8])
        instance.add_new(f"{colour}PaletteColorLookupTableData", "OW", bytes([10, 200]))
    (frame,) = small_frames(ingest(written(instance)).row, SIZE)
    assert frame.factor == 1
    assert set(np.unique(frame.values)) == {10, 200}


def test_damage_that_only_a_lower_resolution_minds_is_decoded_in_full(row_of: Any, monkeypatch: Any) -> None:
    made = np.random.default_rng(1).integers(0, 4096, (96, 128)).astype(np.uint16)
    row = row_of("JPEG 2000", made)
    monkeypatch.setattr("medray.dicom.reduced.jpeg2000.decode_high_throughput", imagecodecs.jpegls_decode)
    monkeypatch.setattr("medray.dicom.reduced.high_throughput", lambda _: True)
    (frame,) = small_frames(row, SIZE)
    assert (frame.factor, frame.shift) == (2, 0.0)


REAL = (
    "SC_rgb_jpeg_dcmtk.dcm", "SC_rgb_jpeg_gdcm.dcm", "SC_rgb_jpeg_lossy_gdcm.dcm", "SC_jpeg_no_color_transform.dcm",
    "SC_jpeg_no_color_transform_2.dcm", "SC_rgb_jpeg_app14_dcmd.dcm", "SC_rgb_jpeg.dcm", "SC_rgb_dcmtk_+eb+cr.dcm",
    "SC_rgb_dcmtk_+eb+cy+n1.dcm", "SC_rgb_dcmtk_+eb+cy+n2.dcm", "SC_rgb_dcmtk_+eb+cy+np.dcm", "JPEG2000.dcm",
    "SC_rgb_dcmtk_+eb+cy+s2.dcm", "SC_rgb_dcmtk_+eb+cy+s4.dcm", "JPGExtended.dcm", "SC_rgb_gdcm_KY.dcm",
    "examples_jpeg2k.dcm", "693_J2KI.dcm", "J2K_pixelrep_mismatch.dcm", "GDCMJ2K_TextGBR.dcm", "CT_small.dcm",
)  # fmt: skip


@pytest.mark.parametrize("name", REAL)
def test_real_images_keep_their_colours_and_levels(name: str, ingest: Any) -> None:
    """Whatever a codestream's markers say of its colours, it is read as at full resolution: edges are
    sharper by a part of 5%, another colour space would be a third away."""
    row = ingest((FOLDER / name).read_bytes(), subject="image").row
    size = (row["Rows"] // 4, row["Columns"] // 4)
    (frame,) = small_frames(row, size)
    (values,) = frame_arrays(row)
    assert frame.values.dtype == values.dtype
    assert frame.factor == 4
    found = resize(frame.values, size, box=frame.box(row["Rows"], row["Columns"]))
    expected = resize(values, size)
    span = float(expected.max() - expected.min())
    assert float(np.abs(found - expected).mean()) < 0.05 * span
