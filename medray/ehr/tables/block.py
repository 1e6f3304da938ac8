"""A block: some rows of a file, its columns by the names that the recipe gives them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from medray.ehr.tables.cells import text_of
from medray.ehr.tables.header import Columns


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

    def without(self, missing: Mapping[str, Sequence[str]]) -> Block:
        """The block with null for the cells of these columns that hold one of their texts."""
        if not missing:
            return self
        cells = dict(self.cells)
        for name, texts in missing.items():
            absent = pc.is_in(text_of(cells[name]), pa.array(texts, pa.string()))
            cells[name] = pc.if_else(absent, pa.scalar(None, cells[name].type), cells[name])
        words = {name: words for name, words in self._words.items() if name not in missing}
        return Block(self.rows, cells, self.malformed, words)

    def with_integers(self, columns: Collection[str]) -> Block:
        """The block, texts such as "10.0" in these of its columns as "10"."""
        own = {name: _integers(self.cells[name]) for name in columns if name in self.cells}
        return Block(self.rows, {**self.cells, **own}, self.malformed) if own else self

    def kept(self, mask: pa.Array, columns: Collection[str]) -> Block:
        """The rows of the mask, with these columns only."""
        return Block(
            self.rows.filter(mask),
            {name: self.cells[name].filter(mask) for name in columns},
            self.malformed,
            {name: words.filter(mask) for name, words in self._words.items() if name in columns},
        )


def _integers(cells: pa.Array) -> pa.Array:
    texts = text_of(cells)
    if not pc.any(pc.ends_with(texts, ".0")).as_py():
        return texts
    return pc.replace_substring_regex(texts, r"^(-?[0-9]+)\.0$", r"\1")


def named(batch: pa.RecordBatch, columns: Columns) -> dict[str, pa.Array]:
    """The batch's columns by the names of the recipe; nulls for a column that the file lacks."""
    absent = pa.nulls(batch.num_rows, pa.string())
    return {name: absent if found is None else batch[found] for name, found in columns.items()}
