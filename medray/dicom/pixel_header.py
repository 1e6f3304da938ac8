"""The Image Pixel module (PS3.3 C.7.6.3): the form of the frames, checked before any is touched."""

from __future__ import annotations

from dataclasses import dataclass

from medray.dicom.header import Header
from medray.dicom.structure import DOUBLE_PIXEL_DATA, FLOAT_PIXEL_DATA, PIXEL_DATA
from medray.dicom.values import integer, text
from medray.errors import Unusable

BITS_ALLOCATED = (1, 8, 16, 24, 32)
FLOAT_BITS = {FLOAT_PIXEL_DATA: 32, DOUBLE_PIXEL_DATA: 64}
PHOTOMETRICS = {
    1: ("MONOCHROME1", "MONOCHROME2", "PALETTE COLOR"),
    3: ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_PARTIAL_422", "YBR_ICT", "YBR_RCT", "XYB"),
}
CODED = ("YBR_ICT", "YBR_RCT", "XYB")  # colour spaces of a codestream


@dataclass(frozen=True)
class PixelHeader:
    """The form of the frames of one instance; names are the standard's."""

    rows: int
    columns: int
    frames: int
    samples: int
    photometric: str
    planar: int | None
    allocated: int
    stored: int
    high: int
    signed: bool
    floats: bool = False  # IEEE 754 samples; stored, high and signed say nothing then

    @property
    def frame_bits(self) -> int:
        """Bits of one native frame."""
        samples = 2 if self.subsampled else self.samples
        return self.rows * self.columns * samples * self.allocated

    @property
    def frame_bytes(self) -> int:
        """Bytes of one native frame that begins on a byte."""
        return (self.frame_bits + 7) // 8

    @property
    def subsampled(self) -> bool:
        """Native 4:2:2: two pixels share their chrominance, 16 bits a pixel."""
        return self.photometric in ("YBR_FULL_422", "YBR_PARTIAL_422")


def read_pixel_header(header: Header, plain: bool, pixel_bytes: int, tag: int = PIXEL_DATA) -> PixelHeader:
    """The form of the frames.

    Args:
        plain: the frames are samples, not codestreams.
        pixel_bytes: largest volume of all frames, decoded.
        tag: of the element that holds them, Pixel Data or its floating point forms (C.7.6.24, C.7.6.25).

    Raises:
        Unusable: bad_pixel_header, or too_large.
    """
    floats = FLOAT_BITS.get(tag)
    form = PixelHeader(
        rows=_required(header, "Rows"),
        columns=_required(header, "Columns"),
        frames=_frames(header),
        samples=_required(header, "SamplesPerPixel"),
        photometric=text(header, "PhotometricInterpretation"),
        planar=integer(header, "PlanarConfiguration"),
        allocated=_required(header, "BitsAllocated"),
        stored=floats or _required(header, "BitsStored"),
        high=floats - 1 if floats else _required(header, "HighBit"),
        signed=not floats and _required(header, "PixelRepresentation") == 1,
        floats=bool(floats),
    )
    _check_samples(form)
    if floats:
        _check_floats(form, floats, plain)
    else:
        _check_bits(form)
    if plain:
        _check_plain(form)
    volume = form.rows * form.columns * form.samples * form.frames * max(form.allocated // 8, 1)
    if volume > pixel_bytes:
        raise Unusable("too_large", f"{volume} bytes of pixels")
    return form


def _required(header: Header, keyword: str) -> int:
    found = integer(header, keyword)
    if found is None:
        raise Unusable("bad_pixel_header", f"{keyword} absent")
    if not 0 <= found <= 65535:
        raise Unusable("bad_pixel_header", f"{keyword} {found}")
    return found


def _frames(header: Header) -> int:
    found = integer(header, "NumberOfFrames")
    frames = 1 if found is None else found
    if not 1 <= frames < 2**31:
        raise Unusable("bad_pixel_header", f"NumberOfFrames {frames}")
    return frames


def _check_samples(form: PixelHeader) -> None:
    if form.rows == 0 or form.columns == 0:
        raise Unusable("bad_pixel_header", f"Rows {form.rows}, Columns {form.columns}")
    if form.photometric not in PHOTOMETRICS.get(form.samples, ()):
        raise Unusable("bad_pixel_header", f"photometric interpretation of {form.samples} samples")
    if form.planar not in (None, 0, 1):
        raise Unusable("bad_pixel_header", f"PlanarConfiguration {form.planar}")


def _check_bits(form: PixelHeader) -> None:
    fits = form.allocated in BITS_ALLOCATED and 1 <= form.stored <= form.allocated
    if not (fits and form.stored - 1 <= form.high < form.allocated):
        bits = f"{form.allocated} allocated, {form.stored} stored, high bit {form.high}"
        raise Unusable("bad_pixel_header", bits)
    if form.allocated == 1 and form.samples != 1:
        raise Unusable("bad_pixel_header", "one bit allocated for colour")


def _check_floats(form: PixelHeader, bits: int, plain: bool) -> None:
    grey = form.samples == 1 and form.photometric.startswith("MONOCHROME")
    if not (grey and plain and form.allocated == bits):
        raise Unusable("bad_pixel_header", f"floating point pixels of {bits} bits, {form.allocated} allocated")


def _check_plain(form: PixelHeader) -> None:
    if form.photometric in CODED:
        raise Unusable("bad_pixel_header", "the colour space of a codestream around plain samples")
    if form.subsampled and (form.columns % 2 or form.allocated not in (8, 16) or form.planar == 1):
        raise Unusable("bad_pixel_header", "4:2:2 frames of odd width, 24 bits or separate planes")
