"""One data file's shard of the prepared cache, on a worker."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow.parquet as pq

from medray.contracts import Array
from medray.drivers.input import InputKey
from medray.drivers.inputs.reading import Reading
from medray.drivers.inputs.windows import read_windows
from medray.errors import Unusable
from medray.schema.images import IMAGES
from medray.storage.chunk_file import Facts
from medray.storage.delta import table_uri
from medray.storage.failures import told
from medray.storage.shards import Key, read_shard_facts, write_shard
from medray.storage.store import Store
from medray.storage.uri import join


@dataclass(frozen=True)
class PrepareChunk:
    """The inputs of one data file to prepare.

    Attributes:
        events: files of `events` that the inputs may need; none for images.
        fine: their subjects are taken in parts, of which there are so many in all.
    """

    number: int
    data_file: str
    shard: str
    rows: frozenset[InputKey]
    events: tuple[str, ...] = ()
    fine: int = 1


@dataclass(frozen=True)
class PrepareWork:
    """Decodes and shapes the inputs of one data file."""

    reading: Reading
    store: Store
    lake: str

    def __call__(self, chunk: PrepareChunk) -> Facts:
        with told(self.lake):
            if self.store.exists(chunk.shard):
                return read_shard_facts(self.store, chunk.shard)
            family, config = self.reading.family, self.reading.config
            keys: list[Key] = []
            values: list[Array] = []
            bad: list[dict[str, Any]] = []
            for key, row in self._rows(chunk):
                try:
                    examples = family.prepare(row, config)
                except Unusable as error:
                    bad.append(_refused(row, error))
                    continue
                keys += [Key(*key, one.frame_index) for one in examples]
                values += [one.values for one in examples]
            facts = {
                "chunk": chunk.number,
                "data_file": chunk.data_file,
                "inputs": len(chunk.rows),
                "examples": len(keys),
                "bad": bad,
            }
            write_shard(self.store, chunk.shard, keys, values, family.layout(config), facts)
            return facts

    def _rows(self, chunk: PrepareChunk) -> Iterator[tuple[InputKey, Any]]:
        problem = self.reading.problem
        if problem is None:
            return self._images(chunk)
        return read_windows(self.store, self.lake, chunk.data_file, chunk.events, problem, chunk.rows, chunk.fine)

    def _images(self, chunk: PrepareChunk) -> Iterator[tuple[InputKey, Mapping[str, Any]]]:
        """Wanted rows, one row group in memory at a time."""
        columns = sorted({*self.reading.family.prepare_columns, "SOPInstanceUID", "input_version", *_REFUSED})
        uri = join(table_uri(self.lake, IMAGES.name), chunk.data_file)
        with self.store.arrow(uri).open_input_file(self.store.path(uri)) as stream:
            file = pq.ParquetFile(stream)
            for group in range(file.num_row_groups):
                for row in file.read_row_group(group, columns=columns).to_pylist():
                    key = (row["SOPInstanceUID"], row["input_version"])
                    if key in chunk.rows:
                        yield key, row


_REFUSED = (
    "source_key",
    "source_etag",
    "size_bytes",
    "TransferSyntaxUID",
    "SOPInstanceUID",
    "input_version",
    "input_sha256",
)


def _refused(row: Mapping[str, Any], error: Unusable) -> dict[str, Any]:
    return {**{name: row[name] for name in _REFUSED}, "reason": error.reason, "detail": error.detail or None}
