"""Codestreams without what people write beside the image.

Comment and application segments of JPEG and JPEG-LS, comments of JPEG 2000 and the boxes of a JP2
file may hold names and dates. Their contents become zeros; lengths stay, so that no offset inside
the stream moves. The segments that a decoder needs to know the colour space are kept when they have
exactly the form of their standard: there is no room for text in them.
"""

from __future__ import annotations

import re
import struct

from medray.dicom.encapsulated import JP2_SIGNATURE, JXL_SIGNATURE
from medray.dicom.jpegxl_header import codestream_of, read_jpegxl
from medray.dicom.syntaxes import Kind
from medray.errors import Unusable

Span = tuple[int, int]

SOS, EOI, COMMENT = 0xDA, 0xD9, 0xFE
LATER_SEGMENT = re.compile(rb"\xff[\xe0-\xef\xfe]")
J2K_SOT, J2K_SOD, J2K_EOC, J2K_COMMENT = 0xFF90, 0xFF93, 0xFFD9, 0xFF64


def scrub(frame: bytes | memoryview, kind: Kind) -> bytes | memoryview:
    """The codestream of `kind` with every comment and application segment blank.

    Raises:
        Unusable: bad_frames when the segments before the image data cannot be followed.
    """
    try:
        if kind == "jpeg2000":
            stream = _codestream(bytes(frame)) if bytes(frame[:8]) == JP2_SIGNATURE else frame
            return _blank(stream, _jpeg2000_comments(bytes(stream)))
        if kind == "jpegxl":
            return _bare_jpegxl(bytes(frame))
        if kind in ("jpeg", "jpeg_lossless", "jpegls"):
            return _scrub_jpeg(bytes(frame), kind)
    except (struct.error, IndexError) as error:
        raise Unusable("bad_frames", "segments of a codestream reach beyond it") from error
    return frame


def _bare_jpegxl(frame: bytes) -> bytes:
    """The codestream without boxes; one whose header leaves room for text is refused."""
    stream = codestream_of(frame) if frame.startswith(JXL_SIGNATURE) else frame
    read_jpegxl(stream)
    return stream


def _blank(frame: bytes | memoryview, spans: list[Span]) -> bytes | memoryview:
    if not spans:
        return frame
    clean = bytearray(frame)
    for start, end in spans:
        clean[start:end] = bytes(max(min(end, len(clean)) - start, 0))
    return bytes(clean)


def _scrub_jpeg(frame: bytes, kind: Kind) -> bytes | memoryview:
    """Blank segments, and nothing behind the end of the image."""
    end = frame.rfind(b"\xff\xd9")
    frame = frame if end < 0 else frame[: end + 2]
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
    spans += [_jpeg_segment(frame, found.start()) for found in LATER_SEGMENT.finditer(frame, at)]
    return _blank(frame, spans)


def _jpeg_segment(frame: bytes, at: int) -> Span:
    """The contents of the segment whose marker stands at `at`."""
    (length,) = struct.unpack_from(">H", frame, at + 2)
    return at + 4, at + 2 + length


def _is_text(frame: bytes, at: int, kind: Kind) -> bool:
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


def _jpeg2000_comments(frame: bytes) -> list[Span]:
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


def _jpeg2000_header(frame: bytes, at: int) -> tuple[int, list[Span]]:
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


def _codestream(jp2: bytes) -> bytes:
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
