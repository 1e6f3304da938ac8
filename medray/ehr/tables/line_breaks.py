"""Cells that name something hold no line break: a stray quote may have swallowed rows there."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import pyarrow as pa
import pyarrow.compute as pc

from medray.ehr.tables.block import Block
from medray.ehr.tables.config import Table
from medray.ehr.tables.mapping import MappedEvent
from medray.ehr.tables.template import columns_of


def naming_columns(table: Table, events: Sequence[MappedEvent]) -> frozenset[str]:
    """The columns of subject, record, encounter, codes and units."""
    templates = [template for event in events for template in (*event.codes, *event.units)]
    ids = {table.subject, *table.record, *((table.encounter,) if table.encounter else ())}
    return frozenset(ids.union(*map(columns_of, templates)))


def without_line_breaks(block: Block, columns: frozenset[str]) -> Block:
    """The block, its rows with a line break in one of these columns malformed."""
    torn = reduce(pc.or_, (_torn(block.words(name)) for name in sorted(columns)))
    if not pc.any(torn).as_py():
        return block
    kept = block.kept(pc.invert(torn), block.cells)
    malformed = pa.concat_arrays([block.malformed, block.rows.filter(torn)])
    return Block(kept.rows, kept.cells, malformed.take(pc.sort_indices(malformed)))


def _torn(words: pa.DictionaryArray) -> pa.Array:
    return pc.match_substring_regex(words.dictionary, r"[\r\n]").take(words.indices).fill_null(False)
