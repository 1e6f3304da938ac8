"""The transfer syntaxes whose frames medray knows (PS3.5 section 10 and annex A)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydicom._uid_dict import UID_dictionary

Kind = Literal[
    "native", "native_items", "deflated", "rle", "jpeg", "jpeg_lossless", "jpegls", "jpeg2000", "jpegxl", "unknown"
]


@dataclass(frozen=True)
class Syntax:
    """How a data set and its frames are written."""

    uid: str
    kind: Kind
    implicit: bool = False
    little: bool = True
    deflated: bool = False

    @property
    def samples(self) -> bool:
        """The frames are plain samples, be they in one run, in items or deflated."""
        return self.kind in ("native", "native_items", "deflated")


IMPLICIT = Syntax("1.2.840.10008.1.2", "native", implicit=True)
EXPLICIT = Syntax("1.2.840.10008.1.2.1", "native")
BIG_ENDIAN = Syntax("1.2.840.10008.1.2.2", "native", little=False)
ITEMS = Syntax("1.2.840.10008.1.2.1.98", "native_items")
DEFLATED = Syntax("1.2.840.10008.1.2.1.99", "native", deflated=True)
DEFLATED_FRAMES = Syntax("1.2.840.10008.1.2.8.1", "deflated")
RLE = Syntax("1.2.840.10008.1.2.5", "rle")
JPEG_BASELINE = Syntax("1.2.840.10008.1.2.4.50", "jpeg")
JPEG_EXTENDED = Syntax("1.2.840.10008.1.2.4.51", "jpeg")
# Retired; libjpeg-turbo decodes the processes without hierarchy: arithmetic, progressive, both.
JPEG_ARITHMETIC = Syntax("1.2.840.10008.1.2.4.52", "jpeg")
JPEG_SPECTRAL = Syntax("1.2.840.10008.1.2.4.53", "jpeg")
JPEG_SPECTRAL_ARITHMETIC = Syntax("1.2.840.10008.1.2.4.54", "jpeg")
JPEG_PROGRESSIVE = Syntax("1.2.840.10008.1.2.4.55", "jpeg")
JPEG_PROGRESSIVE_ARITHMETIC = Syntax("1.2.840.10008.1.2.4.56", "jpeg")
JPEG_LOSSLESS = Syntax("1.2.840.10008.1.2.4.57", "jpeg_lossless")
JPEG_LOSSLESS_SV1 = Syntax("1.2.840.10008.1.2.4.70", "jpeg_lossless")
JPEG_LS = Syntax("1.2.840.10008.1.2.4.80", "jpegls")
JPEG_LS_NEAR = Syntax("1.2.840.10008.1.2.4.81", "jpegls")
JPEG_2000_LOSSLESS = Syntax("1.2.840.10008.1.2.4.90", "jpeg2000")
JPEG_2000 = Syntax("1.2.840.10008.1.2.4.91", "jpeg2000")
HTJ2K_LOSSLESS = Syntax("1.2.840.10008.1.2.4.201", "jpeg2000")
HTJ2K_LOSSLESS_RPCL = Syntax("1.2.840.10008.1.2.4.202", "jpeg2000")
HTJ2K = Syntax("1.2.840.10008.1.2.4.203", "jpeg2000")
JPEG_XL_LOSSLESS = Syntax("1.2.840.10008.1.2.4.110", "jpegxl")
JPEG_XL_RECOMPRESSED = Syntax("1.2.840.10008.1.2.4.111", "jpegxl")
JPEG_XL = Syntax("1.2.840.10008.1.2.4.112", "jpegxl")

SYNTAXES: dict[str, Syntax] = {
    syntax.uid: syntax
    for syntax in (
        IMPLICIT,
        EXPLICIT,
        BIG_ENDIAN,
        ITEMS,
        DEFLATED,
        DEFLATED_FRAMES,
        RLE,
        JPEG_BASELINE,
        JPEG_EXTENDED,
        JPEG_ARITHMETIC,
        JPEG_SPECTRAL,
        JPEG_SPECTRAL_ARITHMETIC,
        JPEG_PROGRESSIVE,
        JPEG_PROGRESSIVE_ARITHMETIC,
        JPEG_LOSSLESS,
        JPEG_LOSSLESS_SV1,
        JPEG_LS,
        JPEG_LS_NEAR,
        JPEG_2000_LOSSLESS,
        JPEG_2000,
        HTJ2K_LOSSLESS,
        HTJ2K_LOSSLESS_RPCL,
        HTJ2K,
        JPEG_XL_LOSSLESS,
        JPEG_XL_RECOMPRESSED,
        JPEG_XL,
    )
}


def syntax_of(uid: str) -> Syntax:
    """The syntax with this UID; one that medray does not know is explicit little-endian around
    frames of kind `unknown` (PS3.5 A.4)."""
    return SYNTAXES.get(uid, Syntax(uid, "unknown"))


def registered(uid: str) -> str | None:
    """The UID when the standard registers it (PS3.6 annex A), else None: a UID that nobody
    registered could carry anything. pydicom's list lacks the newest transfer syntaxes."""
    return uid if uid in UID_dictionary or uid in SYNTAXES else None


# PS3.6 annex A: what pydicom's list lacks.
_NEWEST = {
    DEFLATED_FRAMES.uid: "Deflated Image Frame Compression",
    JPEG_XL_LOSSLESS.uid: "JPEG XL Lossless",
    JPEG_XL_RECOMPRESSED.uid: "JPEG XL JPEG Recompression",
    JPEG_XL.uid: "JPEG XL",
}


def name_of(uid: str) -> str:
    """The name that the standard gives to a registered UID; any other is its own."""
    return _NEWEST.get(uid) or str(UID_dictionary.get(uid, (uid,))[0])
