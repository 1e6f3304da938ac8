"""A block: some rows of a file, its columns by the names that the recipe gives them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from medray.ehr.tables.cells import text_of


@dataclass(frozen=True, eq=False)
class Block:
    """Rows of a file.

    Attributes:
        rows: int64, their numbers in the file, from 0; ascending.
        cells: column -> cells, as the file has them.
        malformed: int64, numbers of the rows up to the last of these that could not be read at all.
    """

    rows: pa.Array
    cells: Mapping[str, pa.Array]
    malformed: pa.Array
    _words: dict[str, pa.DictionaryArray] = field(default_factory=dict)

    def words(self, column: str) -> pa.DictionaryArray:
        """The column as texts, each distinct text once; encoded when first asked for."""
        if column not in self._words:
            self._words[column] = text_of(self.cells[column]).dictionary_encode()
        return self._words[column]

    def without(self, texts: Collection[str], columns: Collection[str]) -> Block:
        """The block with null for the cells of these columns that hold one of the texts."""
        if not texts:
            return self
        unwanted = pa.array(list(texts), pa.string())
        cells = dict(self.cells)
        for name in columns:
            nothing = pa.scalar(None, cells[name].type)
            cells[name] = pc.if_else(pc.is_in(text_of(cells[name]), unwanted), nothing, cells[name])
        return Block(self.rows, cells, self.malformed)

    def kept(self, mask: pa.Array, columns: Collection[str]) -> Block:
        """The rows of the mask, with these columns only."""
        if pc.all(mask).as_py():
            return self
        return Block(
            self.rows.filter(mask),
            {name: self.cells[name].filter(mask) for name in columns},
            self.malformed,
            {name: words.filter(mask) for name, words in self._words.items() if name in columns},
        )


def named(batch: pa.RecordBatch, columns: Mapping[str, str | None]) -> dict[str, pa.Array]:
    """The batch's columns by the names of the recipe; nulls for an absent column and empty texts."""
    absent = pa.nulls(batch.num_rows, pa.string())
    return {name: absent if found is None else _cells(batch[found]) for name, found in columns.items()}


def _cells(column: pa.Array) -> pa.Array:
    if pa.types.is_dictionary(column.type):
        column = text_of(column)
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        texts = column.cast(pa.string())
        return pc.if_else(pc.equal(texts, ""), pa.scalar(None, pa.string()), texts)
    return column
