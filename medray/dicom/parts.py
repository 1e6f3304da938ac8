"""Frames of one instance -> the cells of one or more rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from medray.dicom.encapsulated import encapsulated_frames
from medray.dicom.header import Instance
from medray.dicom.native import native_frames, pack, stored_bits
from medray.dicom.pixel_header import PixelHeader
from medray.dicom.rle_gaps import without_gaps
from medray.dicom.scrub import scrub
from medray.errors import Unusable

Blob = bytes | memoryview


@dataclass
class Part:
    """Frames that share a cell."""

    frames: list[Blob] = field(default_factory=list)
    size_bytes: int = 0

    def add(self, frame: Blob) -> None:
        self.frames.append(frame)
        self.size_bytes += len(frame)

    def offsets(self) -> list[int]:
        """n + 1 offsets of the n frames in the cell."""
        offsets = [0]
        for frame in self.frames:
            offsets.append(offsets[-1] + len(frame))
        return offsets


def frame_codec(instance: Instance) -> str:
    """How the frames of an instance stand in `images`."""
    return "planes-zstd" if instance.syntax.kind == "native" else "received"


def kept_frames(instance: Instance, form: PixelHeader) -> Iterator[Blob]:
    """Every frame as it is kept: byte planes of a native one, the codestream of any other.

    Raises:
        Unusable: unsupported_syntax, bad_frames, truncated.
    """
    body, pixels, syntax = instance.body, instance.pixels, instance.syntax
    if syntax.kind == "unknown":
        raise Unusable("unsupported_syntax")
    if syntax.kind == "native":
        if pixels.undefined:
            raise Unusable("bad_frames", "native frames in fragments")
        value = memoryview(body)[pixels.start : pixels.end]
        for frame in native_frames(value, form, syntax.little, pixels.vr == b"OW"):
            yield pack(stored_bits(frame, form), max(form.allocated // 8, 1))
        return
    header = instance.header
    for codestream in encapsulated_frames(body, pixels, syntax.kind, form.frames, header):
        if syntax.kind == "rle":
            yield without_gaps(codestream, form.rows * form.columns)
        else:
            yield scrub(codestream, syntax.kind)


def split(frames: Iterable[Blob], part_bytes: int) -> list[Part]:
    """Frames in order, cut at frame borders into parts of at most `part_bytes`.

    Raises:
        Unusable: too_large when a single frame is larger.
    """
    parts = [Part()]
    for frame in frames:
        if len(frame) > part_bytes:
            raise Unusable("too_large", f"a frame of {len(frame)} bytes")
        if parts[-1].size_bytes + len(frame) > part_bytes:
            parts.append(Part())
        parts[-1].add(frame)
    return parts
