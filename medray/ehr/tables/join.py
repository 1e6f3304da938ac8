"""Columns of small tables beside the rows of a large one, found by key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from medray.contracts import Array
from medray.ehr.tables.block import Block
from medray.ehr.tables.config import Join, Table
from medray.errors import Unusable


@dataclass(frozen=True, eq=False)
class Lookup:
    """Rows of another table by key.

    Attributes:
        keys: bytes (N,), ascending, each once.
        columns: name in that table -> N texts.
    """

    keys: Array
    columns: Mapping[str, pa.Array]


Lookups = Mapping[Join, Lookup]


def lookup(keys: pa.Array, columns: Mapping[str, pa.Array]) -> Lookup:
    """The first row of each key that is not null."""
    known = keys.is_valid()
    distinct, first = np.unique(_bytes(keys.filter(known)), return_index=True)
    return Lookup(distinct, {name: column.filter(known).take(pa.array(first)) for name, column in columns.items()})


def joined(block: Block, table: Table, lookups: Lookups) -> Block:
    """The block with the columns that the table's joins add. Raises `Unusable` "no_columns" when a
    join's table is not among the lookups."""
    if not table.joins:
        return block
    cells = dict(block.cells)
    for join in table.joins:
        if join not in lookups:
            raise Unusable("no_columns", f"the table that gives {', '.join(join.columns)} was not read")
        places = _places(block.words(join.on), lookups[join])
        cells |= {name: lookups[join].columns[other].take(places) for name, other in join.adds.items()}
    return Block(block.rows, cells, block.malformed)


def _places(words: pa.DictionaryArray, found: Lookup) -> pa.Array:
    """Each row's place in the lookup, null where it has none."""
    wanted = _bytes(words.dictionary)
    at = np.searchsorted(found.keys, wanted)
    known = at < len(found.keys)
    known[known] = found.keys[at[known]] == wanted[known]
    return pa.array(at, mask=~known).take(words.indices)


def _bytes(texts: pa.Array) -> Array:
    """UTF-8 bytes, one fixed-size item a text."""
    return np.array(pc.cast(texts, pa.binary()).to_pylist(), np.bytes_)
