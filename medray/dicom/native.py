"""Native frames (PS3.5 8.1.1): one run of bytes -> little-endian frames, as byte planes under zstd.

Samples of N bytes give N planes: plane k holds byte k (least significant first) of every sample in
the order of the frame. High bytes of neighbours are nearly equal, so the planes compress to 0.39 of
the size where the interleaved bytes reach 0.52. Every frame is one zstd frame of its own.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from medray.dicom.pixel_header import PixelHeader
from medray.errors import Unusable

Bytes = npt.NDArray[np.uint8]
ZSTD_LEVEL = 1


def native_frames(value: memoryview, form: PixelHeader, little: bool, words: bool) -> Iterator[Bytes]:
    """The frames as little-endian bytes; frames of one bit a pixel begin on a byte of their own.

    Args:
        value: the value of Pixel Data.
        little: byte order of the data set.
        words: its VR is OW, so that a big-endian writer has swapped the bytes of 8-bit samples too.

    Raises:
        Unusable: truncated when `value` holds less than the frames need.
    """
    needed = (form.frame_bits * form.frames + 7) // 8
    if len(value) < needed:
        raise Unusable("truncated", f"{len(value)} bytes of pixels, {needed} needed")
    data = np.frombuffer(value, np.uint8)
    if not little:
        data = _swapped(data, 2 if form.allocated < 16 and words else form.allocated // 8)
    if form.frame_bits % 8:
        yield from _bit_frames(data, form)
        return
    for index in range(form.frames):
        yield data[index * form.frame_bytes : (index + 1) * form.frame_bytes]


def _swapped(data: Bytes, width: int) -> Bytes:
    """Bytes in reverse order inside every word of `width` bytes."""
    if width < 2:
        return data
    whole = len(data) // width * width
    return np.ascontiguousarray(data[:whole].reshape(-1, width)[:, ::-1]).reshape(-1)


def _bit_frames(data: Bytes, form: PixelHeader) -> Iterator[Bytes]:
    """Frames that begin inside a byte, moved to a byte's beginning; first pixel in the lowest bit."""
    for index in range(form.frames):
        first = index * form.frame_bits
        last = first + form.frame_bits
        bits = np.unpackbits(data[first // 8 : (last + 7) // 8], bitorder="little")
        yield np.packbits(bits[first % 8 :][: form.frame_bits], bitorder="little")


def item_frame(item: bytes | memoryview, form: PixelHeader) -> Bytes:
    """The frame in one item of Encapsulated Uncompressed Explicit VR Little Endian (PS3.5 A.4.11).

    Raises:
        Unusable: truncated.
    """
    if len(item) < form.frame_bytes:
        raise Unusable("truncated", f"{len(item)} bytes in a frame, {form.frame_bytes} needed")
    return np.frombuffer(item, np.uint8, form.frame_bytes)


def inflated_frame(item: bytes | memoryview, form: PixelHeader) -> Bytes:
    """A frame of Deflated Image Frame Compression (PS3.5 8.2.16), raw deflate of RFC 1951.

    Raises:
        Unusable: truncated, or bad_frames when it inflates to more than the frame. zlib.error.
    """
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    frame = stream.decompress(item, form.frame_bytes + 2)  # a byte of padding is allowed, two are a lie
    if len(frame) > form.frame_bytes + 1:
        raise Unusable("bad_frames", f"a frame that inflates beyond its {form.frame_bytes} bytes")
    if not stream.eof:
        raise Unusable("truncated", "a deflated frame has no end")
    return item_frame(frame, form)


def stored_bits(frame: Bytes, form: PixelHeader) -> Bytes:
    """The frame with zero in every bit that is no part of a stored value: old scanners drew graphics
    and text there (overlays in pixel data, PS3.5 8.1.2)."""
    if form.stored == form.allocated:
        return frame
    mask = ((1 << form.stored) - 1) << (form.high + 1 - form.stored)
    if form.allocated == 24:  # no dtype of numpy's
        stored: Bytes = frame.reshape(-1, 3) & np.frombuffer(mask.to_bytes(3, "little"), np.uint8)
    else:
        cells = frame.view(f"<u{form.allocated // 8}")
        stored = (cells & cells.dtype.type(mask)).view(np.uint8)
    return stored.reshape(-1)


def pack(frame: Bytes, sample_bytes: int) -> memoryview:
    """The byte planes of a little-endian frame, compressed."""
    # Without `asbytes`, which costs a copy; the buffer's own memoryview has the size before compression.
    return np.frombuffer(_zstd().compress(_split(frame, sample_bytes)), np.uint8).data


def _split(frame: Bytes, sample_bytes: int) -> Bytes:
    """The inverse of `joined`."""
    if sample_bytes not in (2, 4):
        return np.ascontiguousarray(frame.reshape(-1, sample_bytes).T)
    samples = frame.view(f"<u{sample_bytes}")
    planes = np.empty((sample_bytes, samples.size), np.uint8)
    for place, plane in enumerate(planes):  # twice as fast as copying every second byte
        np.right_shift(samples, 8 * place, out=plane, casting="unsafe")
    return planes


def unpack(packed: bytes | memoryview, frame_bytes: int, sample_bytes: int) -> Bytes:
    """The inverse of `pack`: the little-endian frame, uint8 (frame_bytes,).

    Raises:
        Unusable: decode_failed when the planes have another size. OSError: broken zstd.
    """
    planes = _zstd().decompress(packed, decompressed_size=frame_bytes)
    if planes.size != frame_bytes:
        raise Unusable("decode_failed", f"{planes.size} bytes in a frame of {frame_bytes}")
    flat = np.frombuffer(planes, np.uint8)
    return joined(flat.reshape(sample_bytes, -1))


def joined(planes: Bytes) -> Bytes:
    """Byte planes (N, samples), least significant first -> the bytes of the samples in turn."""
    if len(planes) == 1:
        return planes.reshape(-1)
    if len(planes) == 2:  # ten times as fast as the transposition
        pairs = planes[1].astype("<u2")
        pairs <<= 8
        pairs |= planes[0]
        found: Bytes = pairs.view(np.uint8)
        return found
    return np.ascontiguousarray(planes.T).reshape(-1)


def _zstd() -> pa.Codec:
    return pa.Codec("zstd", compression_level=ZSTD_LEVEL)
