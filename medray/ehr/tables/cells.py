"""Cells of text to values: whole columns where they are regular, cell by cell where they are not.

What a cell becomes never depends on its neighbours: a regular column takes the fast way; in any
other, cells of the regular form still do, and each distinct text of the rest is read alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

Fast = Callable[[pa.Array], pa.Array]


def read_cells(
    texts: pa.Array, kind: pa.DataType, fast: Fast, regular: str | None, one: Callable[[str], Any]
) -> pa.Array:
    """Values of the texts; null where the text is null or cannot be read.

    Args:
        texts: strings.
        kind: type of the values.
        fast: strings -> values; raises `pa.ArrowInvalid` when one of them cannot be read.
        regular: RE2 pattern of texts that `fast` reads the way that `one` does; None: there is none.
        one: a text -> its value, or None.
    """
    try:
        return fast(texts)
    except pa.ArrowInvalid:
        return _each(texts, kind, one) if regular is None else _mixed(texts, kind, fast, regular, one)


def _mixed(texts: pa.Array, kind: pa.DataType, fast: Fast, regular: str, one: Callable[[str], Any]) -> pa.Array:
    is_regular = pc.match_substring_regex(texts, regular)
    nothing = pa.scalar(None, texts.type)
    try:
        values = fast(pc.if_else(is_regular, texts, nothing))
    except pa.ArrowInvalid:  # of the form, but no value: a 30th of February
        return _each(texts, kind, one)
    return pc.coalesce(values, _each(pc.if_else(is_regular, nothing, texts), kind, one))


def _each(texts: pa.Array, kind: pa.DataType, one: Callable[[str], Any]) -> pa.Array:
    distinct = texts.dictionary_encode()
    values = pa.array([one(text) for text in distinct.dictionary.to_pylist()], kind)
    return values.take(distinct.indices)


def text_of(cells: pa.Array) -> pa.Array:
    """Any column as strings, the same for a number of any type: 7.0 is "7". NaN is null."""
    kind = cells.type
    if pa.types.is_dictionary(kind):
        return text_of(cells.dictionary).take(cells.indices)
    if not pa.types.is_floating(kind):
        return cells.cast(pa.string())
    whole = pc.and_(pc.equal(cells, pc.floor(cells)), pc.less(pc.abs(cells), 2.0**53))
    integers = pc.if_else(whole, cells, pa.scalar(None, kind)).cast(pa.int64())
    fractions = pc.if_else(pc.is_nan(cells), pa.scalar(None, kind), cells)
    return pc.coalesce(integers.cast(pa.string()), fractions.cast(pa.string()))
