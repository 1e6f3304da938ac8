"""A frame at the lowest resolution that is enough: wavelet levels of JPEG 2000 left out, the cosine
transform of JPEG scaled, means of squares of pixels for every other codec.

Samples of a wavelet's low band stand at the first pixel of their square, not in its middle: `shift`
says by how many pixels, for the resize to correct. By its roundings the reversible wavelet adds up to
half a stored value with each halving where there is noise: nothing to see in 12 bits, 0.2% of 8.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from medray.contracts import Array
from medray.dicom.child import decode_apart, limits_of
from medray.dicom.codecs import jpeg2000, pillow_small
from medray.dicom.codecs.declared import Declared, coding_style, high_throughput
from medray.dicom.codecs.jpeg import ADOBE
from medray.dicom.decoding import agreed, check, decoded, in_sign
from medray.dicom.pixel_header import PixelHeader
from medray.dicom.syntaxes import Syntax
from medray.errors import Unusable

LARGEST_JPEG_FACTOR = 8
FEWEST_BITS = 8  # means of fewer bits would lose levels


@dataclass(frozen=True)
class Frame:
    """A decoded frame.

    Attributes:
        values: (ceil(H / factor), ceil(W / factor)[, 3]).
        factor: pixels of the full frame along the side of a sample.
        shift: by how many pixels of the full frame a sample stands before the middle of its square.
    """

    values: Array
    factor: int
    shift: float

    def with_values(self, values: Array) -> Frame:
        return replace(self, values=values)

    def box(self, rows: int, columns: int) -> tuple[float, float, float, float]:
        """Top, left, bottom, right of the full frame (rows, columns) in samples of this one."""
        first = self.shift / self.factor
        return first, first, first + rows / self.factor, first + columns / self.factor


def full(values: Array) -> Frame:
    """A frame with every pixel."""
    return Frame(values, 1, 0.0)


def reduced(data: bytes, syntax: Syntax, form: PixelHeader, size: tuple[int, int]) -> Frame:
    """One frame, at the lowest resolution at which it still has `size` (height, width).

    Raises:
        Unusable: as `decoded`.
    """
    halvings = _halvings(form, size)
    if halvings == 0:
        return full(decoded(data, syntax, form))
    try:
        small = _small(data, syntax, form, halvings)
    except Unusable as error:
        if error.reason != "decode_failed":
            raise
        small = None  # a stream that cannot be read at a lower resolution may still be read in full
    if small is not None:
        return small
    return _means(decoded(data, syntax, form), 2**halvings)


def _halvings(form: PixelHeader, size: tuple[int, int]) -> int:
    if form.photometric == "PALETTE COLOR" or form.floats or form.stored < FEWEST_BITS:
        return 0
    most = min(form.rows // size[0], form.columns // size[1])
    return max(most.bit_length() - 1, 0)


def _small(data: bytes, syntax: Syntax, form: PixelHeader, halvings: int) -> Frame | None:
    """The frame as its codec gives it at a lower resolution; None where it cannot."""
    if syntax.kind == "jpeg2000":
        return _small_jpeg2000(data, agreed(data, syntax.kind, form), form, halvings)
    if syntax.kind == "jpeg":
        return _small_jpeg(data, agreed(data, syntax.kind, form), form, halvings)
    return None


def _small_jpeg2000(data: bytes, told: Declared, form: PixelHeader, halvings: int) -> Frame | None:
    levels = min(halvings, coding_style(data).levels)
    limits = limits_of(form.rows * form.columns * form.samples)
    if high_throughput(data):
        if not levels:
            return None
        values = decode_apart(jpeg2000.decode_high_throughput, data, levels, limits=limits)
    else:
        while levels and not pillow_small.reads(data, told, levels):
            levels -= 1
        if not levels:
            return None
        precision = told.precision
        values = decode_apart(pillow_small.decode_jpeg2000, data, levels, precision, limits=limits)
    factor = 2**levels
    values = in_sign(values, told, form)
    check(values, form, factor)
    rest = halvings - levels
    return _shrunk(Frame(values, factor, (factor - 1) / 2), 2**rest)


def _small_jpeg(data: bytes, told: Declared, form: PixelHeader, halvings: int) -> Frame | None:
    """libjpeg guesses RGB from the names of components, and nothing else can tell Pillow otherwise."""
    adobe = ADOBE in data
    if told.precision != 8 or (form.samples == 3 and not adobe and told.names == b"RGB"):
        return None
    factor = min(2**halvings, LARGEST_JPEG_FACTOR)
    as_stored = form.photometric == "RGB" and not adobe
    limits = limits_of(form.rows * form.columns * form.samples)
    values = decode_apart(pillow_small.decode_jpeg, data, factor, int(as_stored), limits=limits)
    values = in_sign(values, told, form)
    check(values, form, factor)
    return _shrunk(Frame(values, factor, 0.0), 2**halvings // factor)


def _shrunk(frame: Frame, factor: int) -> Frame:
    """Means of squares of samples; how far a square's first sample stands from its middle stays."""
    if factor == 1:
        return frame
    return Frame(_means(frame.values, factor).values, frame.factor * factor, frame.shift)


def _means(values: Array, factor: int) -> Frame:
    """Means of `factor` x `factor` squares in the dtype of `values`, rounded half up; squares at the
    lower and right edge that are not whole are filled with the last row and column."""
    rows, columns = values.shape[:2]
    extra = [(0, -rows % factor), (0, -columns % factor), *[(0, 0)] * (values.ndim - 2)]
    whole = np.pad(values, extra, "edge") if any(more for _, more in extra) else values
    wide = np.int64 if values.dtype.itemsize > 2 else np.int32
    bands = _summed([whole[first::factor] for first in range(factor)], wide)
    sums = _summed([bands[:, first::factor] for first in range(factor)], wide)
    count = factor * factor
    sums += count // 2
    sums >>= 2 * (factor.bit_length() - 1)
    return Frame(sums.astype(values.dtype), factor, 0.0)


def _summed(parts: list[Array], wide: type) -> Array:
    """Seven times as fast as numpy's sum along a short axis."""
    total: Array = parts[0].astype(wide)
    for part in parts[1:]:
        total += part
    return total
