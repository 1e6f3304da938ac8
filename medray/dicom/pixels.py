"""Pixels on demand: a row of `images` -> arrays of stored values, quantities, grey levels.

The form of a frame is declared: one sample gives (H, W) stored values in the signedness of the
header; everything coloured, palettes included, gives (H, W, 3) RGB.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any, Literal

import numpy as np

from medray.contracts import Array
from medray.dicom.child import decode_apart, limits_of
from medray.dicom.codecs import declared, jpeg, jpeg2000, jpeg_lossless, jpegls, native, rle
from medray.dicom.colour import look_up, rgb_from_palette, rgb_from_ybr
from medray.dicom.failures import unusable
from medray.dicom.pixel_header import PixelHeader
from medray.dicom.syntaxes import SYNTAXES, Kind
from medray.errors import MedrayError, Unusable
from medray.ops.window import linear, linear_exact, sigmoid

Row = Mapping[str, Any]
Window = Literal["full", "dicom"] | tuple[float, float]
WINDOWS = {"LINEAR": linear, "LINEAR_EXACT": linear_exact, "SIGMOID": sigmoid}


def pixel_header(row: Row) -> PixelHeader:
    """The form of the frames of a row of `images`."""
    return PixelHeader(
        rows=row["Rows"],
        columns=row["Columns"],
        frames=row["NumberOfFrames"],
        samples=row["SamplesPerPixel"],
        photometric=row["PhotometricInterpretation"],
        planar=row["PlanarConfiguration"],
        allocated=row["BitsAllocated"],
        stored=row["BitsStored"],
        high=row["HighBit"],
        signed=row["PixelRepresentation"] == 1,
    )


def frame_arrays(row: Row) -> Iterator[Array]:
    """The frames of one row (one part of an instance), decoded one at a time, in order.

    Yields:
        (H, W) integers of the stored values, or (H, W, 3) RGB, uint8 or uint16.

    Raises:
        Unusable: decode_failed, also when a frame has not the form that the header declares, and
            decoder_died. MedrayError: no process for the decoders can be started.
    """
    form, offsets, cell = pixel_header(row), row["frame_offsets"], memoryview(row["frames"])
    for start, end in pairwise(offsets):
        try:
            frame = _decode(bytes(cell[start:end]), row, form)
            _check(frame, form)
            yield _coloured(frame, row, form)
        except MedrayError:
            raise
        except Exception as error:
            raise unusable(error, otherwise="decode_failed") from None


def _decode(data: bytes, row: Row, form: PixelHeader) -> Array:
    """Samples as the header means them, before any colour conversion."""
    kind = SYNTAXES[row["TransferSyntaxUID"]].kind
    if kind == "native":
        return _samples(native.decode(data, form), form)
    if kind == "rle":
        sample_bytes = form.allocated // 8
        cells = rle.decode(data, form.rows, form.columns, form.samples, sample_bytes)
        return _samples(cells, form)
    told = declared.of_jpeg2000(data) if kind == "jpeg2000" else declared.of_jpeg(data)
    if (told.rows, told.columns, told.samples) != (form.rows, form.columns, form.samples):
        raise Unusable("decode_failed", "a codestream of another size than the header's")
    frame, bits = _decompressed(data, kind, form), min(told.precision, form.stored)
    return _bits(frame, bits - 1, bits, signed=True) if form.signed else frame


def _decompressed(data: bytes, kind: Kind, form: PixelHeader) -> Array:
    """By decoders that damaged streams can crash: they run in a process of their own."""
    limits = limits_of(form.rows * form.columns * form.samples)
    if kind == "jpeg":
        return decode_apart(jpeg.decode, data, form.photometric, limits=limits)
    if kind == "jpeg_lossless":
        return decode_apart(jpeg_lossless.decode, data, form.samples, limits=limits)
    if kind == "jpegls":
        return decode_apart(jpegls.decode, data, limits=limits)
    return decode_apart(jpeg2000.decode, data, limits=limits)


def _samples(cells: Array, form: PixelHeader) -> Array:
    """Stored values out of cells of Bits Allocated (PS3.5 8.1.1): what lies above High Bit, an old
    overlay or nothing, is no part of them."""
    return _bits(cells, form.high, form.stored, form.signed)


def _bits(cells: Array, high: int, stored: int, signed: bool) -> Array:
    """The `stored` bits up to bit `high`, in two's complement where `signed`."""
    width = cells.dtype.itemsize * 8
    typed = cells.view(f"{'i' if signed else 'u'}{cells.dtype.itemsize}")
    if stored >= width:
        return typed
    return (typed << (width - 1 - high)) >> (width - stored)


def _check(frame: Array, form: PixelHeader) -> None:
    """The decoder's answer has the shape and the width that the header declares."""
    shape = (form.rows, form.columns) if form.samples == 1 else (form.rows, form.columns, 3)
    if frame.shape != shape:
        raise Unusable("decode_failed", f"shape {frame.shape}, header {shape}")
    if frame.dtype.itemsize * 8 > max(form.allocated, 8):
        raise Unusable("decode_failed", f"{frame.dtype} in {form.allocated} bits allocated")


def _coloured(frame: Array, row: Row, form: PixelHeader) -> Array:
    kind = SYNTAXES[row["TransferSyntaxUID"]].kind
    if form.photometric == "PALETTE COLOR":
        return rgb_from_palette(frame, row["palette"])
    # JPEG and JPEG 2000 decoders have undone their own colour transform already.
    if form.photometric.startswith("YBR_FULL") and kind not in ("jpeg", "jpeg2000"):
        return rgb_from_ybr(frame)
    return frame


def modality_values(frame: Array, row: Row) -> Array:
    """Stored values (H, W) -> the modality's quantity as float32: Hounsfield units, dose, counts.

    Modality LUT, else rescale slope and intercept, else the values as they are (PS3.3 C.11.1).
    Colour (H, W, 3) has no modality transform and comes back as float32.
    """
    if frame.ndim == 2 and row["modality_lut"] is not None:
        return look_up(frame, row["modality_lut"]).astype(np.float32)
    values = frame.astype(np.float32)
    if frame.ndim == 3 or row["RescaleSlope"] is None:
        return values
    return values * np.float32(row["RescaleSlope"]) + np.float32(row["RescaleIntercept"] or 0)


def display_values(frame: Array, row: Row, window: Window) -> Array:
    """A frame as `frame_arrays` yields it -> grey levels or colours, float32 in [0, 1].

    Grey goes through the modality's quantity and the window, 1 being the brightest: MONOCHROME1 and
    an INVERSE presentation are turned over, and padding is 0 on every window. Colour is only scaled.

    Args:
        window: "full" (the range that the stored bits can hold), "dicom" (the header's first
            window or VOI LUT, "full" without either; PS3.3 C.11.2), or (centre, width) in the
            modality's unit, LINEAR.
    """
    if frame.ndim == 3:
        return frame.astype(np.float32) / np.float32(_colour_maximum(row))
    levels = _windowed(modality_values(frame, row), row, window)
    if row["PhotometricInterpretation"] == "MONOCHROME1" or row["PresentationLUTShape"] == "INVERSE":
        levels = 1 - levels
    padding = padding_mask(frame, row)
    if padding is not None:
        levels[padding] = 0
    return levels


def _windowed(values: Array, row: Row, window: Window) -> Array:
    if not isinstance(window, str):
        return linear(values, *window)
    if window == "dicom" and row["WindowCenter"]:
        function = WINDOWS[row["VOILUTFunction"] or "LINEAR"]
        return function(values, row["WindowCenter"][0], row["WindowWidth"][0])
    if window == "dicom" and row["voi_lut"] is not None:
        table = row["voi_lut"]
        levels: Array = look_up(np.rint(values), table) / np.float32(2 ** table["bits"] - 1)
        return np.clip(levels, 0, 1).astype(np.float32)
    low, high = _stored_range(row)
    return linear_exact(values, (low + high) / 2, max(high - low, 1e-6))


def _stored_range(row: Row) -> tuple[float, float]:
    """Smallest and largest quantity that the stored bits can hold."""
    if row["modality_lut"] is not None:
        return 0.0, float(2 ** row["modality_lut"]["bits"] - 1)
    bits, signed = row["BitsStored"], row["PixelRepresentation"] == 1
    ends = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    low, high = sorted(float(v) for v in modality_values(np.array([ends]), row)[0])
    return low, high


def padding_mask(frame: Array, row: Row) -> Array | None:
    """Where stored values are padding (PS3.3 C.7.5.1.1.2); None without a padding value."""
    first, last = row["PixelPaddingValue"], row["PixelPaddingRangeLimit"]
    if first is None:
        return None
    ends = np.array([first, first if last is None else last]).astype(f"u{frame.dtype.itemsize}")
    low, high = sorted(_samples(ends, pixel_header(row)).tolist())
    padding: Array = (frame >= low) & (frame <= high)
    return padding


def _colour_maximum(row: Row) -> int:
    table = row["palette"]
    bits: int = row["BitsStored"] if table is None else table["red"]["bits"]
    return (1 << bits) - 1
