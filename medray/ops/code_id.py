"""Codes of records as numbers: the same name has the same number on every machine."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from medray.contracts import Array

TEXT_SEPARATOR = "//"  # an event with a text value and no number is the code `code//text`
CODE_TRAIT = "code "  # how the name of a trait begins that is about a code


def code_id(code: str) -> int:
    """63 bits of SHA-256; never 0, which stands for no event."""
    return (int.from_bytes(hashlib.sha256(code.encode()).digest()[:8], "big") >> 1) or 1


def code_trait(identifier: int) -> str:
    """How a family names a trait that is about a code of this number; people are shown the code."""
    return f"{CODE_TRAIT}{identifier}"


def code_ids(codes: Sequence[str]) -> Array:
    """int64 (N,)."""
    return np.array([code_id(code) for code in codes], np.int64)
