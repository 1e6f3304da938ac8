"""The one place where what a reader or decoder raises becomes a reason."""

from __future__ import annotations

import struct
import zlib

from pydicom.errors import InvalidDicomError

from medray.errors import Unusable

# First match wins. MemoryError and RecursionError come from inputs that pass every declared limit.
_REASONS: tuple[tuple[type[BaseException], str], ...] = (
    (MemoryError, "too_large"),
    (RecursionError, "too_deep"),
    (InvalidDicomError, "not_dicom"),
    (EOFError, "truncated"),
    (struct.error, "truncated"),
    (zlib.error, "malformed"),
)


def unusable(error: Exception, otherwise: str = "malformed") -> Unusable:
    """`error` as `Unusable`; only the name of its class is kept, its message may quote the input."""
    if isinstance(error, Unusable):
        return error
    for kind, reason in _REASONS:
        if isinstance(error, kind):
            return Unusable(reason, type(error).__name__)
    return Unusable(otherwise, type(error).__name__)
