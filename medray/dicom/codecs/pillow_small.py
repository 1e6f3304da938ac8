"""JPEG and JPEG 2000 at lower resolutions with Pillow, which carries libjpeg-turbo and OpenJPEG."""

from __future__ import annotations

import struct
from io import BytesIO

import numpy as np
from PIL import Image, ImageFile

from medray.contracts import Array
from medray.dicom.codecs.declared import Declared


def reads(codestream: bytes, told: Declared, levels: int) -> bool:
    """Does Pillow give the values of this JPEG 2000 codestream without its finest `levels`?

    It cuts colours to 8 bits, moves 9 to 16 grey bits to the top of 16, knows no others, and rounds
    sides where the standard takes the ceiling (ISO 15444-1 B-15).
    """
    (origin_x, origin_y) = struct.unpack_from(">2L", codestream, 16)
    signed = codestream[42] & 0x80
    grey = told.samples == 1 and (9 <= told.precision <= 16 or (told.precision == 8 and not signed))
    colour = told.samples == 3 and told.precision == 8 and not signed
    power = 1 << levels
    fits = all((side + power // 2) // power == -(-side // power) for side in (told.rows, told.columns))
    return (grey or colour) and fits and (origin_x, origin_y) == (0, 0)


def decode_jpeg2000(codestream: bytes, levels: int, precision: int) -> Array:
    """The frame without its finest `levels`, every side ceil(side / 2**levels); for streams of which
    `reads` is true. Signed values in two's complement of `precision` bits."""
    image = _opened(codestream)
    image.reduce = levels  # type: ignore[method-assign, assignment]
    values = np.asarray(image)
    if precision <= 8:
        return values
    values = values >> np.uint16(16 - precision)
    if codestream[42] & 0x80:  # Pillow has added half of the range
        values = values ^ np.uint16(1 << (precision - 1))
    return values


def decode_jpeg(codestream: bytes, factor: int, as_stored: int) -> Array:
    """The frame scaled by 1 / `factor` (2, 4, 8) in the cosine transform, sides rounded up.

    Args:
        as_stored: components without a colour transform; else RGB.
    """
    image = _opened(codestream)
    size = (image.width // factor, image.height // factor)
    mode = "YCbCr" if as_stored and image.mode == "RGB" else image.mode
    image.draft(mode, size)
    return np.asarray(image)


def _opened(codestream: bytes) -> ImageFile.ImageFile:
    image = Image.open(BytesIO(codestream), formats=("JPEG", "JPEG2000"))
    assert isinstance(image, ImageFile.ImageFile)
    return image
