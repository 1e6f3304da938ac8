"""Templates to dictionary columns: strings are joined once for each distinct name, never for a row."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from medray.ehr.tables.block import Block
from medray.ehr.tables.template import Piece, Template

Indices = npt.NDArray[np.int64]
_DENSE = 2**20  # combinations that are looked up in an array; more are sorted


def names(template: Template, block: Block) -> pa.DictionaryArray:
    """dictionary<int32, string>, one name a row; null where a cell without a stand-in is null, and
    everywhere for an empty template."""
    count = len(block.rows)
    words, indices, absent = [""], np.zeros(count, np.int64), np.full(count, not template)
    for piece in template:
        if piece.column is None:
            words = [word + (piece.text or "") for word in words]
            continue
        cells, cell_indices, cell_absent = _cells(piece, block)
        words, indices = _joined(words, indices, cells, cell_indices)
        absent |= cell_absent
    return pa.DictionaryArray.from_arrays(
        pa.array(indices.astype(np.int32), mask=absent), pa.array(words, pa.string())
    )


def _cells(piece: Piece, block: Block) -> tuple[list[str], Indices, npt.NDArray[np.bool_]]:
    encoded = block.words(str(piece.column))
    cells: list[str] = encoded.dictionary.to_pylist()
    absent = encoded.indices.is_null().to_numpy(zero_copy_only=False)
    indices = encoded.indices.fill_null(len(cells)).to_numpy().astype(np.int64)
    stand_in = piece.text is not None
    return [*cells, piece.text or ""], indices, absent & (not stand_in)


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
