"""Which objects are archives: by their first bytes, and only where their name says so too."""

from __future__ import annotations

from typing import Literal

Kind = Literal["zip", "tar", "gz", "bz2", "xz"]
HEAD_BYTES = 512
_NAMES = (".zip", ".tar", ".tgz", ".tbz", ".tbz2", ".txz", ".tar.gz", ".tar.bz2", ".tar.xz")
_MAGIC: dict[bytes, Kind] = {b"PK\3\4": "zip", b"PK\5\6": "zip", b"\x1f\x8b": "gz", b"BZh": "bz2", b"\xfd7zXZ\0": "xz"}


def archive_name(name: str) -> bool:
    """Whether the name is one of an archive of objects."""
    return name.lower().endswith(_NAMES)


def archive_kind(head: bytes) -> Kind | None:
    """What the first 512 bytes of an object begin; None where that is no archive. What a DICOM
    preamble ends (PS3.10 7.1) is DICOM, whatever stands in the preamble."""
    if head[128:132] == b"DICM":
        return None
    if head[257:262] == b"ustar":  # POSIX.1-1988, and GNU's
        return "tar"
    return next((kind for magic, kind in _MAGIC.items() if head.startswith(magic)), None)
