"""One bucket of subjects of a MEDS export, on a worker: events that hold now in, one shard a split out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from medray.contracts import Array
from medray.drivers.records.read_events import read_bucket
from medray.planning.buckets import Bucket
from medray.planning.splits import SPLITS, hashed_split
from medray.schema.contract import TableContract
from medray.storage.chunk_file import Facts, write_table
from medray.storage.failures import told
from medray.storage.store import Store
from medray.storage.uri import join

DATA = "data"
_ROW_GROUP = 250_000  # rows

SHARD = TableContract(  # `DataSchema` of meds 0.4, then columns of our own
    name=DATA,
    version=1,
    schema=pa.schema(
        [
            pa.field("subject_id", pa.int64(), nullable=False),
            pa.field("time", pa.timestamp("us")),  # null: a static fact
            pa.field("code", pa.string(), nullable=False),
            pa.field("numeric_value", pa.float32()),
            pa.field("text_value", pa.large_string()),
            pa.field("unit", pa.string()),
            pa.field("encounter_key", pa.int64()),
        ]
    ),
    key=("subject_id", "time", "code"),
    statistics=("subject_id", "time"),
)


@dataclass(frozen=True)
class ExportChunk:
    """A bucket of subjects and the files of `events` that overlap it."""

    bucket: Bucket
    events: tuple[str, ...]


@dataclass(frozen=True)
class ExportWork:
    """Writes the shards of buckets. A shard that stands is not written again."""

    store: Store
    lake: str
    target: str
    salt: str
    tuning: float
    held_out: float

    def __call__(self, chunk: ExportChunk) -> Facts:
        """The number of `events`, the `codes` among them, and for each split its
        `rows` and `subjects`, ascending."""
        table = read_bucket(self.store, self.lake, chunk.events, chunk.bucket, SHARD.schema.names)
        subjects, events = np.unique(table["subject_id"].to_numpy(), return_counts=True)
        split = self._splits(subjects)
        by_row = np.repeat(split, events)
        rows = {name: self._write(table, by_row == name, shard_path(name, chunk.bucket)) for name in SPLITS}
        return {
            "events": table.num_rows,
            "codes": pc.unique(table["code"]).cast(pa.string()).to_pylist(),
            "rows": rows,
            "subjects": {name: subjects[split == name].tolist() for name in SPLITS},
        }

    def _splits(self, subjects: Array) -> Array:
        named = [hashed_split(subject, self.salt, self.tuning, self.held_out) for subject in subjects.tolist()]
        return np.array(named, dtype=object)

    def _write(self, table: pa.Table, chosen: Array, path: str) -> int:
        """Publish the chosen rows unless there are none. Returns how many there are."""
        count = int(chosen.sum())
        uri = join(self.target, path)
        with told(self.target):
            if count and not self.store.exists(uri):
                write_table(self.store, uri, SHARD, _row_groups(table.filter(pa.array(chosen))), {})
        return count


def shard_path(split: str, bucket: Bucket) -> str:
    """Where a shard lies in a dataset."""
    return f"{DATA}/{split}/{bucket.name}.parquet"


def _row_groups(rows: pa.Table) -> Iterator[pa.RecordBatch]:
    """The rows in parts; words become plain strings in one part at a time."""
    for start in range(0, rows.num_rows, _ROW_GROUP):
        yield from rows.slice(start, _ROW_GROUP).cast(SHARD.schema).combine_chunks().to_batches()
