"""The prepared cache: one Arrow IPC file per data file of a table, memory-mapped by its readers.

A shard is one record batch: the keys of its examples and their values as fixed-size binary, so
that a batch of training is a vectorised gather without a copy of the rest.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from medray.contracts import Array, Layout
from medray.storage.store import Store
from medray.storage.uri import is_s3, join

FACTS = b"medray.facts"


@dataclass(frozen=True)
class Key:
    """Which example of which input."""

    uid: str
    input_version: int
    frame_index: int


@dataclass(frozen=True)
class Shard:
    """An open shard.

    Attributes:
        keys: table with `uid`, `input_version`, `frame_index`.
        values: (N, *layout.shape), a view of the mapped file.
        facts: counts and refused inputs of the preparation.
    """

    keys: pa.Table
    values: Array
    facts: dict[str, Any]


def shard_uri(lake: str, family: str, prepare_hash: str, data_file: str, accepted: Sequence[tuple[str, int]]) -> str:
    """Where the shard of a data file lies; it follows from file, preparation and accepted rows."""
    digest = hashlib.sha256(json.dumps([data_file, *sorted(accepted)]).encode()).hexdigest()[:24]
    return join(lake, "cache", family, prepare_hash, f"{digest}.arrow")


def prepare_hash(family: str, key: Any) -> str:
    """16 hex digits of what prepared values depend on."""
    return hashlib.sha256(json.dumps([family, key], sort_keys=True).encode()).hexdigest()[:16]


def write_shard(
    store: Store, uri: str, keys: Sequence[Key], values: Sequence[Array], layout: Layout, facts: dict[str, Any]
) -> None:
    """Publish a shard unless it stands."""
    width = int(np.prod(layout.shape)) * np.dtype(layout.dtype).itemsize
    block = np.empty((len(values), *layout.shape), layout.dtype)
    for row, value in enumerate(values):
        block[row] = value
    # from_buffers: arrays built from views would keep the viewed memory for ever
    column = pa.Array.from_buffers(pa.binary(width), len(values), [None, pa.py_buffer(block)])
    batch = pa.record_batch(
        {
            "uid": pa.array([key.uid for key in keys], pa.string()),
            "input_version": pa.array([key.input_version for key in keys], pa.int32()),
            "frame_index": pa.array([key.frame_index for key in keys], pa.int32()),
            "values": column,
        }
    )
    metadata = {FACTS: json.dumps({**facts, "shape": layout.shape, "dtype": layout.dtype}, sort_keys=True)}
    spooled = store.spool(uri)
    try:
        with pa.OSFile(spooled, "wb") as sink, pa.ipc.new_file(sink, batch.schema.with_metadata(metadata)) as writer:
            writer.write_batch(batch)
        store.publish(spooled, uri)
    finally:
        Path(spooled).unlink(missing_ok=True)


def open_shard(store: Store, uri: str) -> Shard:
    """Map a shard; one in a bucket is first copied to this node, once."""
    reader = pa.ipc.open_file(pa.memory_map(local_path(store, uri)))
    batch = reader.get_batch(0)
    facts = json.loads(reader.schema.metadata[FACTS])
    column = batch["values"]
    flat = np.frombuffer(column.buffers()[1] or b"", facts["dtype"])
    return Shard(
        pa.Table.from_batches([batch.drop_columns(["values"])]), flat.reshape(len(column), *facts["shape"]), facts
    )


def read_shard_facts(store: Store, uri: str) -> dict[str, Any]:
    """The facts without the values."""
    with store.arrow(uri).open_input_file(store.path(uri)) as stream:
        facts: dict[str, Any] = json.loads(pa.ipc.open_file(stream).schema.metadata[FACTS])
        return facts


def local_path(store: Store, uri: str) -> str:
    """A path on this node with the bytes of an immutable object; S3 objects are copied once."""
    if not is_s3(uri):
        return uri
    folder = Path(tempfile.gettempdir()) / f"medray-cache-{os.getuid()}"  # other users of the node have their own
    folder.mkdir(mode=0o700, exist_ok=True)
    path = folder / hashlib.sha256(uri.encode()).hexdigest()
    if not path.exists():
        store.replace(str(path), store.read(uri))  # several workers may copy at once: each a whole file
    return str(path)
