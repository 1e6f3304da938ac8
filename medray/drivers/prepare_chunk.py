"""One data file's shard of the prepared cache, on a worker."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow.parquet as pq

from medray.contracts import Array, Family
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
    """The rows of one data file to prepare, by (SOPInstanceUID, input_version)."""

    number: int
    data_file: str
    shard: str
    rows: frozenset[tuple[str, int]]


@dataclass(frozen=True)
class PrepareWork:
    """Decodes and shapes the rows of one data file."""

    family: Family
    config: Any
    store: Store
    lake: str

    def __call__(self, chunk: PrepareChunk) -> Facts:
        with told(self.lake):
            if self.store.exists(chunk.shard):
                return read_shard_facts(self.store, chunk.shard)
            keys: list[Key] = []
            values: list[Array] = []
            bad: list[dict[str, Any]] = []
            for row in self._rows(chunk):
                try:
                    examples = self.family.prepare(row, self.config)
                except Unusable as error:
                    bad.append(_refused(row, error))
                    continue
                keys += [Key(row["SOPInstanceUID"], row["input_version"], one.frame_index) for one in examples]
                values += [one.values for one in examples]
            facts = {
                "chunk": chunk.number,
                "data_file": chunk.data_file,
                "inputs": len(chunk.rows),
                "examples": len(keys),
                "bad": bad,
            }
            write_shard(self.store, chunk.shard, keys, values, self.family.layout(self.config), facts)
            return facts

    def _rows(self, chunk: PrepareChunk) -> Iterator[Mapping[str, Any]]:
        """Wanted rows, one row group in memory at a time."""
        columns = sorted({*self.family.prepare_columns, "SOPInstanceUID", "input_version", *_REFUSED})
        uri = join(table_uri(self.lake, IMAGES.name), chunk.data_file)
        with self.store.arrow(uri).open_input_file(self.store.path(uri)) as stream:
            file = pq.ParquetFile(stream)
            for group in range(file.num_row_groups):
                for row in file.read_row_group(group, columns=columns).to_pylist():
                    if (row["SOPInstanceUID"], row["input_version"]) in chunk.rows:
                        yield row


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
