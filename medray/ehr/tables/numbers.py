"""Cells to numbers."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from medray.ehr.tables.cells import read_cells, text_of

_REGULAR = r"^-?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"


def numbers(cells: pa.Array) -> tuple[pa.Array, pa.Array]:
    """float64 numbers, and which cells are no finite number. NaN is a null cell, and no such cell;
    true and false are 1 and 0."""
    kind = cells.type
    if pa.types.is_boolean(kind):
        return cells.cast(pa.uint8()).cast(pa.float64()), pa.repeat(False, len(cells))
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        found = cells.cast(pa.float64(), safe=False)
    else:
        found = read_cells(text_of(cells), pa.float64(), _cast, _REGULAR, _one)
    if found.null_count == cells.null_count and pc.all(pc.is_finite(found)).as_py():
        return found, pa.repeat(False, len(found))
    absent = pc.or_(pc.is_null(cells), pc.is_nan(found).fill_null(False))
    finite = pc.is_finite(found).fill_null(False)
    return pc.if_else(finite, found, pa.scalar(None, pa.float64())), pc.invert(pc.or_(absent, finite))


def _cast(texts: pa.Array) -> pa.Array:
    return texts.cast(pa.float64())


def _one(text: str) -> float | None:
    """Spaces around a number and a plus sign are no harm; 1_000, which Python would read, is no number."""
    try:
        return float(text) if "_" not in text else None
    except ValueError:
        return None
