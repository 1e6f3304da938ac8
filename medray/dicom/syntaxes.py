"""The transfer syntaxes whose frames medray knows (PS3.5 section 10 and annex A)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydicom._uid_dict import UID_dictionary

Kind = Literal["native", "rle", "jpeg", "jpeg_lossless", "jpegls", "jpeg2000", "unknown"]


@dataclass(frozen=True)
class Syntax:
    """How a data set and its frames are written."""

    uid: str
    kind: Kind
    implicit: bool = False
    little: bool = True
    deflated: bool = False


IMPLICIT = Syntax("1.2.840.10008.1.2", "native", implicit=True)
EXPLICIT = Syntax("1.2.840.10008.1.2.1", "native")
BIG_ENDIAN = Syntax("1.2.840.10008.1.2.2", "native", little=False)
DEFLATED = Syntax("1.2.840.10008.1.2.1.99", "native", deflated=True)
RLE = Syntax("1.2.840.10008.1.2.5", "rle")
JPEG_BASELINE = Syntax("1.2.840.10008.1.2.4.50", "jpeg")
JPEG_EXTENDED = Syntax("1.2.840.10008.1.2.4.51", "jpeg")
JPEG_LOSSLESS = Syntax("1.2.840.10008.1.2.4.57", "jpeg_lossless")
JPEG_LOSSLESS_SV1 = Syntax("1.2.840.10008.1.2.4.70", "jpeg_lossless")
JPEG_LS = Syntax("1.2.840.10008.1.2.4.80", "jpegls")
JPEG_LS_NEAR = Syntax("1.2.840.10008.1.2.4.81", "jpegls")
JPEG_2000_LOSSLESS = Syntax("1.2.840.10008.1.2.4.90", "jpeg2000")
JPEG_2000 = Syntax("1.2.840.10008.1.2.4.91", "jpeg2000")
HTJ2K_LOSSLESS = Syntax("1.2.840.10008.1.2.4.201", "jpeg2000")
HTJ2K_LOSSLESS_RPCL = Syntax("1.2.840.10008.1.2.4.202", "jpeg2000")
HTJ2K = Syntax("1.2.840.10008.1.2.4.203", "jpeg2000")

SYNTAXES: dict[str, Syntax] = {
    syntax.uid: syntax
    for syntax in (
        IMPLICIT,
        EXPLICIT,
        BIG_ENDIAN,
        DEFLATED,
        RLE,
        JPEG_BASELINE,
        JPEG_EXTENDED,
        JPEG_LOSSLESS,
        JPEG_LOSSLESS_SV1,
        JPEG_LS,
        JPEG_LS_NEAR,
        JPEG_2000_LOSSLESS,
        JPEG_2000,
        HTJ2K_LOSSLESS,
        HTJ2K_LOSSLESS_RPCL,
        HTJ2K,
    )
}


def syntax_of(uid: str) -> Syntax:
    """The syntax with this UID; one that medray does not know is explicit little-endian around
    frames of kind `unknown` (PS3.5 A.4)."""
    return SYNTAXES.get(uid, Syntax(uid, "unknown"))


def registered(uid: str) -> str | None:
    """The UID when the standard registers it (PS3.6 annex A), else None: a UID that nobody
    registered could carry anything."""
    return uid if uid in UID_dictionary else None
