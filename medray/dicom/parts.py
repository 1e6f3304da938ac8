"""Frames of one instance -> the cells of one or more rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from medray.dicom.encapsulated import encapsulated_frames
from medray.dicom.header import Instance
from medray.dicom.native import Bytes, inflated_frame, item_frame, native_frames, pack, stored_bits
from medray.dicom.pixel_header import PixelHeader
from medray.dicom.rle_gaps import without_gaps
from medray.dicom.scrub import scrub
from medray.dicom.structure import PIXEL_DATA
from medray.errors import Unusable

Blob = bytes | memoryview
Frame = list[Blob]  # its pieces, in order
FLOAT_PLANES = "float-planes-zstd"


@dataclass
class Part:
    """Frames that share a cell.

    Attributes:
        pieces: of all frames, in order.
        offsets: n + 1 offsets of the n frames in the cell.
    """

    pieces: list[Blob] = field(default_factory=list)
    offsets: list[int] = field(default_factory=lambda: [0])

    @property
    def size_bytes(self) -> int:
        return self.offsets[-1]

    @property
    def frames(self) -> int:
        return len(self.offsets) - 1

    def add(self, frame: Frame) -> None:
        self.pieces += frame
        self.offsets.append(self.size_bytes + sum(map(len, frame)))


def frame_codec(instance: Instance) -> str:
    """How the frames of an instance stand in `images`."""
    if not instance.syntax.samples:
        return "received"
    return "planes-zstd" if instance.pixels.tag == PIXEL_DATA else FLOAT_PLANES


def kept_frames(instance: Instance, form: PixelHeader) -> Iterator[Frame]:
    """Every frame as it is kept: byte planes of plain samples, the codestream of any other.

    Raises:
        Unusable: unsupported_syntax, bad_frames, truncated.
    """
    syntax = instance.syntax
    if syntax.kind == "unknown":
        raise Unusable("unsupported_syntax")
    if syntax.samples:
        for frame in _plain_frames(instance, form):
            yield [pack(stored_bits(frame, form), max(form.allocated // 8, 1))]
        return
    for codestream in encapsulated_frames(instance.body, instance.pixels, syntax.kind, form.frames, instance.header):
        if syntax.kind == "rle":
            yield [without_gaps(codestream, form.rows * form.columns)]
        else:
            yield scrub(codestream, syntax.kind)


def _plain_frames(instance: Instance, form: PixelHeader) -> Iterator[Bytes]:
    body, pixels, syntax = instance.body, instance.pixels, instance.syntax
    if syntax.kind == "native":
        if pixels.undefined:
            raise Unusable("bad_frames", "native frames in fragments")
        value = memoryview(body)[pixels.start : pixels.end]
        yield from native_frames(value, form, syntax.little, pixels.vr == b"OW")
        return
    for item in encapsulated_frames(body, pixels, syntax.kind, form.frames, instance.header):
        yield inflated_frame(item, form) if syntax.kind == "deflated" else item_frame(item, form)


def split(frames: Iterable[Frame], part_bytes: int) -> list[Part]:
    """Frames in order, cut at frame borders into parts of at most `part_bytes`.

    Raises:
        Unusable: too_large when a single frame is larger.
    """
    parts = [Part()]
    for frame in frames:
        size = sum(map(len, frame))
        if size > part_bytes:
            raise Unusable("too_large", f"a frame of {size} bytes")
        if parts[-1].size_bytes + size > part_bytes:
            parts.append(Part())
        parts[-1].add(frame)
    return parts
