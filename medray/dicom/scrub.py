"""Codestreams without what people write beside the image.

Comment and application segments of JPEG and JPEG-LS, comments of JPEG 2000 and the boxes of a JP2
file may hold names and dates. Their contents become zeros; lengths stay, so that no offset inside
the stream moves. The segments that a decoder needs to know the colour space are kept when they have
exactly the form of their standard: there is no room for text in them.
"""

from __future__ import annotations

import struct

import numpy as np

from medray.dicom.encapsulated import JP2_SIGNATURE, JXL_SIGNATURE
from medray.dicom.jpegxl_header import codestream_of, read_jpegxl
from medray.dicom.syntaxes import Kind
from medray.errors import Unusable

Blob = bytes | memoryview
Span = tuple[int, int]

SOS, COMMENT = 0xDA, 0xFE
END_OF_IMAGE = b"\xff\xd9"
J2K_SOT, J2K_SOD, J2K_EOC, J2K_COMMENT = 0xFF90, 0xFF93, 0xFFD9, 0xFF64


def scrub(frame: Blob, kind: Kind) -> list[Blob]:
    """The codestream of `kind` with every comment and application segment blank: the pieces of which it
    consists, in order. What is kept is not copied.

    Raises:
        Unusable: bad_frames when the segments before the image data cannot be followed.
    """
    try:
        if kind == "jpeg2000":
            stream = _codestream(frame) if frame[:8] == JP2_SIGNATURE else frame
            return _blank(stream, _jpeg2000_comments(stream))
        if kind == "jpegxl":
            return [_bare_jpegxl(bytes(frame))]
        if kind in ("jpeg", "jpeg_lossless", "jpegls"):
            return _scrub_jpeg(frame, kind)
    except (struct.error, IndexError) as error:
        raise Unusable("bad_frames", "segments of a codestream reach beyond it") from error
    return [frame]


def _bare_jpegxl(frame: bytes) -> bytes:
    """The codestream without boxes; one whose header leaves room for text is refused."""
    stream = codestream_of(frame) if frame.startswith(JXL_SIGNATURE) else frame
    read_jpegxl(stream)
    return stream


def _blank(frame: Blob, spans: list[Span]) -> list[Blob]:
    pieces: list[Blob] = []
    view, at = memoryview(frame), 0
    for start, end in spans:
        start, end = max(start, at), min(end, len(view))
        if start < end:
            pieces += [view[at:start], bytes(end - start)]
            at = end
    return [*pieces, view[at:]]


def _scrub_jpeg(frame: Blob, kind: Kind) -> list[Blob]:
    """Blank segments, and nothing behind the end of the image."""
    frame = frame[: _image_end(frame)]
    spans: list[Span] = []
    at = 2
    while frame[at + 1] != SOS:
        if frame[at] != 0xFF:
            raise Unusable("bad_frames", "no marker where a segment should begin")
        if frame[at + 1] == 0xFF:  # fill byte
            at += 1
            continue
        span = _jpeg_segment(frame, at)
        spans += [span] if _is_text(frame, at, kind) else []
        at = span[1]
    # Between scans: entropy coded data cannot hold these two bytes, every other segment is a table.
    spans += [_jpeg_segment(frame, place) for place in _later_segments(frame, at)]
    return _blank(frame, spans)


def _later_segments(frame: Blob, start: int) -> list[int]:
    """Where application and comment markers stand from `start`; three times as fast as a pattern."""
    data = np.frombuffer(frame, np.uint8)[start:]
    places = np.flatnonzero(data[:-1] == 0xFF)
    markers = data[places + 1]
    found: list[int] = (places[(markers >= 0xE0) & (markers <= 0xEF) | (markers == COMMENT)] + start).tolist()
    return found


def _image_end(frame: Blob) -> int:
    """Behind the last end-of-image marker, or where the bytes end without one. It is nearly always among
    the last bytes; the rest is copied only when it is not."""
    for tail in (min(64, len(frame)), len(frame)):
        found = bytes(frame[len(frame) - tail :]).rfind(END_OF_IMAGE)
        if found >= 0:
            return len(frame) - tail + found + len(END_OF_IMAGE)
    return len(frame)


def _jpeg_segment(frame: Blob, at: int) -> Span:
    """The contents of the segment whose marker stands at `at`."""
    (length,) = struct.unpack_from(">H", frame, at + 2)
    return at + 4, at + 2 + length


def _is_text(frame: Blob, at: int, kind: Kind) -> bool:
    """A comment or application segment that the decoder of `kind` can do without.

    Only a lossy JPEG may be transformed as its JFIF or Adobe segment says.
    """
    marker, start, end = frame[at + 1], *_jpeg_segment(frame, at)
    if marker != COMMENT and not 0xE0 <= marker <= 0xEF:
        return False
    contents = frame[start:end]
    if kind == "jpegls":  # HP's colour transform
        return not (marker == 0xE8 and contents[:4] == b"mrfx" and len(contents) == 5)
    jfif = marker == 0xE0 and contents[:5] == b"JFIF\0" and contents[12:] == b"\0\0"
    adobe = marker == 0xEE and contents[:5] == b"Adobe" and len(contents) == 12
    return kind != "jpeg" or not (jfif or adobe)


def _jpeg2000_comments(frame: Blob) -> list[Span]:
    """Comments in the main header and in every tile-part header (ISO 15444-1 annex A)."""
    at, spans = _jpeg2000_header(frame, 2)
    while struct.unpack_from(">H", frame, at)[0] == J2K_SOT:
        (length,) = struct.unpack_from(">L", frame, at + 6)
        _, found = _jpeg2000_header(frame, at + 12)
        spans += found
        if length == 0 or at + length + 2 > len(frame):  # the last tile-part runs to the end
            return spans
        at += length
    return [*spans, (at + 2, len(frame))] if len(frame) > at + 3 else spans  # behind its end


def _jpeg2000_header(frame: Blob, at: int) -> tuple[int, list[Span]]:
    """Where the marker segments from `at` end, and the comments among them."""
    spans: list[Span] = []
    while True:
        marker, length = struct.unpack_from(">HH", frame, at)
        if marker in (J2K_SOT, J2K_SOD, J2K_EOC):
            return at, spans
        if marker < 0xFF00:
            raise Unusable("bad_frames", "no marker where a segment should begin")
        if marker == J2K_COMMENT:
            spans.append((at + 6, at + 2 + length))
        at += 2 + length


def _codestream(jp2: Blob) -> Blob:
    """The contents of the first codestream box of a JP2 file (ISO 15444-1 annex I)."""
    at = 0
    while True:
        length, kind = struct.unpack_from(">L4s", jp2, at)
        head = 8
        if length == 1:
            (length,) = struct.unpack_from(">Q", jp2, at + 8)
            head = 16
        if kind == b"jp2c":
            return jp2[at + head : at + length] if length else jp2[at + head :]
        if length < head:
            raise Unusable("bad_frames", "a JP2 file without codestream")
        at += length
