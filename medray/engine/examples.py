"""The examples of a training: where their prepared values lie, and their targets.

Written once by the driver as an Arrow file; every worker maps it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from medray.contracts import Array
from medray.storage.shards import Shard, local_path, open_shard
from medray.storage.store import Store


@dataclass(frozen=True)
class Examples:
    """N examples.

    Attributes:
        shards: URIs of prepared shards.
        shard, row: int32 (N,), where each example's values lie.
        split: int8 (N,), 0 train and 1 tuning; 2 neither, in a fold of a cross-validation.
        targets: float32 (N, T), NaN where missing.
    """

    shards: tuple[str, ...]
    shard: Array
    row: Array
    split: Array
    targets: Array

    def take(self, rows: Array) -> Examples:
        """Those at `rows`: numbers, or a mask."""
        columns = (column[rows] for column in (self.shard, self.row, self.split, self.targets))
        return Examples(self.shards, *columns)


def write_examples(store: Store, uri: str, examples: Examples) -> None:
    """Publish the examples unless they stand."""
    table = pa.table(
        {
            "shard": pa.array(examples.shard, pa.int32()),
            "row": pa.array(examples.row, pa.int32()),
            "split": pa.array(examples.split, pa.int8()),
            "targets": pa.FixedSizeListArray.from_arrays(
                pa.array(examples.targets.ravel().astype(np.float32)), examples.targets.shape[1]
            ),
        }
    ).replace_schema_metadata({"shards": "\n".join(examples.shards)})
    spooled = store.spool(uri)
    try:
        with pa.OSFile(spooled, "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table.combine_chunks())
        store.publish(spooled, uri)
    finally:
        Path(spooled).unlink(missing_ok=True)


def read_examples(store: Store, uri: str) -> Examples:
    table = pa.ipc.open_file(pa.memory_map(local_path(store, uri))).read_all()
    column = table["targets"].combine_chunks()
    width = column.type.list_size
    return Examples(
        tuple(table.schema.metadata[b"shards"].decode().split("\n")),
        table["shard"].to_numpy(),
        table["row"].to_numpy(),
        table["split"].to_numpy(),
        np.asarray(column.flatten()).reshape(-1, width),
    )


class Values:
    """Prepared values of examples, gathered from mapped shards."""

    def __init__(self, store: Store, examples: Examples) -> None:
        self._examples = examples
        self._shards: list[Shard] = [open_shard(store, uri) for uri in examples.shards]

    def gather(self, index: Array) -> Array:
        """(len(index), *layout.shape) in the order of `index`; one copy."""
        shards, rows = self._examples.shard[index], self._examples.row[index]
        if len(self._shards) == 1:
            return np.asarray(self._shards[0].values[rows])
        first = self._shards[0].values
        out = np.empty((len(index), *first.shape[1:]), first.dtype)
        for number in np.unique(shards):
            here = shards == number
            out[here] = self._shards[number].values[rows[here]]
        return out
