"""Templates to dictionary columns: strings are joined once for each distinct name, never for a row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from medray.ehr.tables.block import Block
from medray.ehr.tables.template import Piece, Template

Indices = npt.NDArray[np.int64]
_DENSE = 2**20  # combinations that are looked up in an array; more are sorted


def names(templates: Sequence[Template], block: Block) -> pa.DictionaryArray:
    """dictionary<int32, string>, one name a row: of the first template whose cells are not null, a
    stand-in counting as a cell; null where there is none."""
    if len(templates) == 1 and templates[0] == (Piece(None, templates[0][0].column),):
        return block.words(str(templates[0][0].column))  # the cells as they are
    words, indices = list[str](), np.full(len(block.rows), -1)
    for template in templates:
        more, places = _named(template, block)
        indices = np.where((indices < 0) & (places >= 0), places + len(words), indices)
        words += more
        if indices.min(initial=0) >= 0:
            break
    return pa.DictionaryArray.from_arrays(
        pa.array(indices.astype(np.int32), mask=indices < 0), pa.array(words, pa.string())
    )


def _named(template: Template, block: Block) -> tuple[list[str], Indices]:
    """Names, and each row's place among them, -1 where it has none."""
    count = len(block.rows)
    words, places, absent = [""], np.zeros(count, np.int64), np.zeros(count, bool)
    for piece in template:
        if piece.column is None:
            words = [word + (piece.text or "") for word in words]
            continue
        cells, at, cell_absent = _cells(piece, block)
        words, places = _joined(words, places, cells, at)
        absent |= cell_absent
    return words, np.where(absent, -1, places)


def _cells(piece: Piece, block: Block) -> tuple[list[str], Indices, npt.NDArray[np.bool_]]:
    """The column's words, each row's place among them, and which rows have none."""
    encoded = block.words(str(piece.column))
    words: list[str] = encoded.dictionary.to_pylist()
    if encoded.null_count == 0:
        return words, encoded.indices.to_numpy().astype(np.int64), np.zeros(len(encoded), bool)
    absent = encoded.indices.is_null().to_numpy(zero_copy_only=False)
    places = encoded.indices.fill_null(len(words)).to_numpy().astype(np.int64)
    return [*words, piece.text or ""], places, absent & (piece.text is None)


def _joined(left: list[str], at: Indices, right: list[str], right_at: Indices) -> tuple[list[str], Indices]:
    """The distinct pairs that occur, and each row's number among them."""
    if len(left) == 1:
        return [left[0] + word for word in right], right_at
    pairs, places = _distinct(at * len(right) + right_at, len(left) * len(right))
    return [left[pair // len(right)] + right[pair % len(right)] for pair in pairs.tolist()], places


def _distinct(pairs: Indices, below: int) -> tuple[Indices, Any]:
    if below > _DENSE:
        found, places = np.unique(pairs, return_inverse=True)
        return found, places
    seen = np.zeros(below, bool)
    seen[pairs] = True
    found = np.flatnonzero(seen)
    order = np.zeros(below, np.int64)
    order[found] = np.arange(len(found))
    return found, order[pairs]
