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
from medray.dicom.codecs.declared import coding_style
from medray.dicom.colour import look_up, rgb_from_palette, rgb_from_ybr
from medray.dicom.decoding import decoded, samples
from medray.dicom.failures import unusable
from medray.dicom.parts import FLOAT_PLANES
from medray.dicom.pixel_header import PixelHeader
from medray.dicom.reduced import Frame, full, reduced
from medray.dicom.syntaxes import SYNTAXES
from medray.errors import MedrayError
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
        floats=row["frame_codec"] == FLOAT_PLANES,
    )


def frame_arrays(row: Row) -> Iterator[Array]:
    """The frames of one row (one part of an instance), decoded one at a time, in order.

    Yields:
        (H, W) stored values, integers or (floating point pixels) floats, or (H, W, 3) RGB, unsigned.

    Raises:
        Unusable: decode_failed, also when a frame has not the form that the header declares, and
            decoder_died. MedrayError: no process for the decoders can be started.
    """
    for frame in _frames(row, None):
        yield frame.values


def small_frames(row: Row, size: tuple[int, int]) -> Iterator[Frame]:
    """The same, each frame at the lowest resolution at which it still has `size` (height, width):
    a sample is then the mean of a square of pixels, as near as its codec comes to that.

    Full resolution where means would say nothing: palettes, bits, floating point.
    """
    yield from _frames(row, size)


def _frames(row: Row, size: tuple[int, int] | None) -> Iterator[Frame]:
    form, offsets, cell = pixel_header(row), row["frame_offsets"], memoryview(row["frames"])
    syntax = SYNTAXES[row["TransferSyntaxUID"]]
    for start, end in pairwise(offsets):
        try:
            data = bytes(cell[start:end])
            found = full(decoded(data, syntax, form)) if size is None else reduced(data, syntax, form, size)
            yield found.with_values(_coloured(found.values, data, row, form))
        except MedrayError:
            raise
        except Exception as error:
            raise unusable(error, otherwise="decode_failed") from None


def _coloured(frame: Array, data: bytes, row: Row, form: PixelHeader) -> Array:
    if form.photometric == "PALETTE COLOR":
        return rgb_from_palette(frame, row["palette"])
    if not form.photometric.startswith(("YBR_FULL", "YBR_PARTIAL")):
        return frame
    # Decoders of these undo the colour transform of the codestream itself.
    kind = SYNTAXES[row["TransferSyntaxUID"]].kind
    if kind in ("jpeg", "jpegxl") or (kind == "jpeg2000" and coding_style(data).transforms):
        return frame
    return rgb_from_ybr(frame, form.stored, partial=form.photometric == "YBR_PARTIAL_422")


def modality_values(frame: Array, row: Row, index: int | None = None) -> Array:
    """Stored values (H, W) -> the modality's quantity as float32: Hounsfield units, dose, counts.

    Modality LUT, else rescale slope and intercept, else the values as they are (PS3.3 C.11.1).
    Colour (H, W, 3) has no modality transform and comes back as float32.

    Args:
        index: of the frame in its row; needed where frames have slopes of their own.
    """
    if frame.ndim == 2 and row["modality_lut"] is not None:
        return look_up(frame, row["modality_lut"]).astype(np.float32)
    slope, intercept = _rescale(row, index)
    if frame.ndim == 3 or slope is None:
        return frame.astype(np.float32)
    if frame.dtype.itemsize > 2:  # more digits than float32 has
        return (frame.astype(np.float64) * slope + intercept).astype(np.float32)
    return frame.astype(np.float32) * np.float32(slope) + np.float32(intercept)


def _rescale(row: Row, index: int | None) -> tuple[float | None, float]:
    each = row.get("frame_rescale")  # tables of version 1 lack it
    if not each:
        return row["RescaleSlope"], row["RescaleIntercept"] or 0.0
    assert index is not None, "frames of this row have slopes of their own: say which frame"
    slope, intercept = each[2 * index : 2 * index + 2]
    return slope, intercept


def display_values(frame: Array, row: Row, window: Window, index: int | None = None) -> Array:
    """A frame as `frame_arrays` yields it -> grey levels or colours, float32 in [0, 1].

    Grey goes through the modality's quantity and the window, 1 being the brightest: MONOCHROME1 and
    an INVERSE presentation are turned over, and what is missing is 0 on every window. Colour is only
    scaled.

    Args:
        window: "full" (the range that the stored bits can hold; of floating point pixels, from the
            frame's smallest to its largest), "dicom" (the header's first window or VOI LUT, "full"
            without either; PS3.3 C.11.2), or (centre, width) in the modality's unit, LINEAR.
        index: of the frame in its row; needed where frames have slopes of their own.
    """
    if frame.ndim == 3:
        return frame.astype(np.float32) / np.float32(_colour_maximum(row))
    absent, values = missing(frame, row), modality_values(frame, row, index)
    if window == "full" or (window == "dicom" and not row["WindowCenter"] and row["voi_lut"] is None):
        ends = _stored_range(row, index) if frame.dtype.kind != "f" else _range(values, absent)
        levels = linear_exact(values, sum(ends) / 2, max(ends[1] - ends[0], 1e-6))
    else:
        levels = _windowed(values, row, window)
    if row["PhotometricInterpretation"] == "MONOCHROME1" or row["PresentationLUTShape"] == "INVERSE":
        levels = 1 - levels
    if absent is not None:
        levels[absent] = 0
    return levels


def _windowed(values: Array, row: Row, window: Window) -> Array:
    if not isinstance(window, str):
        return linear(values, *window)
    if row["WindowCenter"]:
        function = WINDOWS[row["VOILUTFunction"] or "LINEAR"]
        return function(values, row["WindowCenter"][0], row["WindowWidth"][0])
    table = row["voi_lut"]
    levels: Array = look_up(np.rint(values), table) / np.float32(2 ** table["bits"] - 1)
    return np.clip(levels, 0, 1).astype(np.float32)


def _stored_range(row: Row, index: int | None) -> tuple[float, float]:
    """Smallest and largest quantity that the stored bits can hold."""
    if row["modality_lut"] is not None:
        return 0.0, float(2 ** row["modality_lut"]["bits"] - 1)
    bits, signed = row["BitsStored"], row["PixelRepresentation"] == 1
    ends = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    low, high = sorted(float(v) for v in modality_values(np.array([ends]), row, index)[0])
    return low, high


def _range(values: Array, absent: Array | None) -> tuple[float, float]:
    """Smallest and largest value that is there."""
    there = values if absent is None else values[~absent]
    return (float(there.min()), float(there.max())) if there.size else (0.0, 0.0)


def missing(frame: Array, row: Row) -> Array | None:
    """Where a grey frame has no value: its padding (PS3.3 C.7.5.1.1.2), and what is no finite number;
    bool (H, W), None where nothing can be missing."""
    if frame.dtype.kind == "f":
        first, last = row.get("FloatPixelPaddingValue"), row.get("FloatPixelPaddingRangeLimit")
        absent: Array = ~np.isfinite(frame)
        return absent if first is None else absent | _between(frame, first, first if last is None else last)
    first, last = row["PixelPaddingValue"], row["PixelPaddingRangeLimit"]
    if first is None:
        return None
    ends = np.array([first, first if last is None else last]).astype(f"u{frame.dtype.itemsize}")
    return _between(frame, *samples(ends, pixel_header(row)).tolist())


def _between(frame: Array, one: float, other: float) -> Array:
    low, high = sorted(frame.dtype.type(end) for end in (one, other))
    found: Array = (frame >= low) & (frame <= high)
    return found


def _colour_maximum(row: Row) -> int:
    table = row["palette"]
    bits: int = row["BitsStored"] if table is None else table["red"]["bits"]
    return (1 << bits) - 1
