"""One frame as it is kept -> its samples as the header means them, before any colour conversion."""

from __future__ import annotations

from medray.contracts import Array
from medray.dicom.child import decode_apart, limits_of
from medray.dicom.codecs import jpeg, jpeg2000, jpeg_lossless, jpegls, jpegxl, native, rle
from medray.dicom.codecs.declared import Declared, declared
from medray.dicom.pixel_header import PixelHeader
from medray.dicom.syntaxes import Kind, Syntax
from medray.errors import Unusable


def decoded(data: bytes, syntax: Syntax, form: PixelHeader) -> Array:
    """The samples of one frame, (H, W) or (H, W, 3), in the signedness of the header.

    Raises:
        Unusable: decode_failed when the frame has not the form of the header, decoder_died. Others
            are mapped by `failures.unusable`.
    """
    if syntax.samples:
        frame = native.decode(data, form)
        return frame if form.floats else samples(frame, form)
    if syntax.kind == "rle":
        return samples(rle.decode(data, form.rows, form.columns, form.samples, form.allocated // 8), form)
    told = agreed(data, syntax.kind, form)
    frame = in_sign(_decompressed(data, syntax.kind, form), told, form)
    check(frame, form, 1)
    return frame


def agreed(data: bytes, kind: Kind, form: PixelHeader) -> Declared:
    """What the codestream says of itself, in agreement with the header."""
    told = declared(data, kind)
    if (told.rows, told.columns, told.samples) != (form.rows, form.columns, form.samples):
        raise Unusable("decode_failed", "a codestream of another size than the header's")
    return told


def in_sign(frame: Array, told: Declared, form: PixelHeader) -> Array:
    """Decoders know no signs: the bits of the codestream's precision hold two's complement."""
    bits = min(told.precision, form.stored)
    return _bits(frame, bits - 1, bits, signed=True) if form.signed else frame


def _decompressed(data: bytes, kind: Kind, form: PixelHeader) -> Array:
    """By decoders that damaged streams can crash: they run in a process of their own."""
    limits = limits_of(form.rows * form.columns * form.samples)
    if kind == "jpeg":
        return decode_apart(jpeg.decode, data, form.photometric, limits=limits)
    if kind == "jpeg_lossless":
        return decode_apart(jpeg_lossless.decode, data, form.samples, limits=limits)
    function = {"jpegls": jpegls.decode, "jpegxl": jpegxl.decode, "jpeg2000": jpeg2000.decode}[kind]
    return decode_apart(function, data, limits=limits)


def samples(cells: Array, form: PixelHeader) -> Array:
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


def check(frame: Array, form: PixelHeader, factor: int) -> None:
    """The decoder's answer has the shape and the width that the header declares.

    Raises:
        Unusable: decode_failed.
    """
    sides = (-(-form.rows // factor), -(-form.columns // factor))
    shape = sides if form.samples == 1 else (*sides, 3)
    if frame.shape != shape:
        raise Unusable("decode_failed", f"shape {frame.shape}, header {shape}")
    if frame.dtype.itemsize * 8 > max(form.allocated, 8) and form.allocated != 24:
        raise Unusable("decode_failed", f"{frame.dtype} in {form.allocated} bits allocated")
