"""Staged rows: what a chunk of records hands to the buckets of its run.

One Arrow IPC file a chunk: many record batches, each of one bucket, then an empty one whose
metadata holds the facts (which batch is of which bucket among them). The file appears whole or not
at all under a name that follows from the plan; it is removed once the run is committed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from medray.contracts import Array
from medray.storage.chunk_file import Facts
from medray.storage.store import Store
from medray.storage.uri import is_s3, join

FACTS = b"medray.facts"
_FLUSH_BYTES = 96 * 2**20  # rows of all buckets that wait in memory
_SHORT_RUN = 64  # rows


class StagingWriter:
    """Sorts batches into buckets and writes them; `publish` makes the file appear.

    Use as a context manager: left without `publish`, nothing remains.

    Args:
        schema: of the rows; its dictionary columns share one growing dictionary over the file.
        buckets: their number; rows go to buckets 0 to `buckets` - 1.
    """

    def __init__(self, store: Store, uri: str, schema: pa.Schema, buckets: int) -> None:
        self._store, self._uri, self._schema, self._buckets = store, uri, schema, buckets
        self._words = {field.name: _Words() for field in schema if pa.types.is_dictionary(field.type)}
        self._waiting: list[tuple[pa.RecordBatch, Array]] = []
        self._waiting_bytes = 0
        self._written: list[tuple[int, int]] = []
        self._spooled = store.spool(uri)
        self._sink = pa.OSFile(self._spooled, "wb")
        options = pa.ipc.IpcWriteOptions(compression="lz4", emit_dictionary_deltas=True)
        self._writer = pa.ipc.new_file(self._sink, schema, options=options)

    def __enter__(self) -> StagingWriter:
        return self

    def __exit__(self, *error: object) -> None:
        try:
            if not self._sink.closed:
                self._sink.close()
        finally:
            Path(self._spooled).unlink(missing_ok=True)

    def add(self, rows: pa.RecordBatch, buckets: Array) -> None:
        """Take rows, each for the bucket (uint16) beside it."""
        columns = [
            self._words[field.name].numbers(column) if field.name in self._words else column
            for field, column in zip(self._schema, rows.columns, strict=True)
        ]
        batch = pa.RecordBatch.from_arrays(columns, schema=self._numbered())
        self._waiting.append((batch, buckets))
        self._waiting_bytes += batch.nbytes
        if self._waiting_bytes >= _FLUSH_BYTES:
            self._flush()

    def publish(self, facts: Facts) -> Facts:
        """Close with the facts and `batches`, the (bucket, rows) of each batch in order. Returns the
        facts of the file that stands there now."""
        self._flush()
        facts = {**facts, "batches": self._written}
        last = self._named(self._numbered().empty_table())
        self._writer.write_batch(
            pa.RecordBatch.from_arrays([column.combine_chunks() for column in last.columns], schema=self._schema),
            custom_metadata={FACTS: json.dumps(facts, sort_keys=True)},
        )
        self._writer.close()
        self._sink.close()
        if self._store.publish(self._spooled, self._uri):
            return facts
        return read_staged_facts(self._store, self._uri) or facts

    def _flush(self) -> None:
        if not self._waiting:
            return
        rows = pa.Table.from_batches([batch for batch, _ in self._waiting])
        buckets = np.concatenate([numbers for _, numbers in self._waiting])
        self._waiting, self._waiting_bytes = [], 0
        ends = np.cumsum(np.bincount(buckets, minlength=self._buckets))
        (sorted_rows,) = self._named(_by_bucket(rows, buckets).combine_chunks()).to_batches()
        for bucket, (start, end) in enumerate(zip([0, *ends[:-1]], ends, strict=True)):
            if end > start:
                self._writer.write_batch(sorted_rows.slice(start, end - start))
                self._written.append((bucket, int(end - start)))

    def _numbered(self) -> pa.Schema:
        """The schema of waiting rows: numbers in place of words."""
        return pa.schema(
            [field.with_type(pa.int32()) if field.name in self._words else field for field in self._schema]
        )

    def _named(self, rows: pa.Table) -> pa.Table:
        """The rows with words in place of their numbers."""
        for name, words in self._words.items():
            numbers = rows[name].combine_chunks()
            column = pa.DictionaryArray.from_arrays(numbers, words.array())
            rows = rows.set_column(rows.schema.get_field_index(name), self._schema.field(name), column)
        return rows.cast(self._schema)


def _by_bucket(rows: pa.Table, buckets: Array) -> pa.Table:
    """The rows of each bucket together, in their order. A subject's rows mostly come together: runs
    are copied whole unless they are short."""
    starts = np.flatnonzero(np.append(True, buckets[1:] != buckets[:-1]))
    if len(buckets) < _SHORT_RUN * len(starts):
        return rows.take(pa.array(np.argsort(buckets, kind="stable")))
    lengths = np.diff(starts, append=len(buckets))
    order = np.argsort(buckets[starts], kind="stable")
    return pa.concat_tables(rows.slice(int(starts[run]), int(lengths[run])) for run in order)


class _Words:
    """A dictionary that only grows: what was written stays a part of what will be."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._array = pa.array([], pa.string())

    def numbers(self, column: pa.DictionaryArray) -> pa.Array:
        """The column's words as numbers of this dictionary; int32 with nulls."""
        known = self._numbers
        own = [known.setdefault(word, len(known)) for word in column.dictionary.to_pylist()]
        return pa.array(own, pa.int32()).take(column.indices)

    def array(self) -> pa.Array:
        """The words; the same object as long as none is added."""
        if len(self._array) < len(self._numbers):
            self._array = pa.array(list(self._numbers), pa.string())
        return self._array


def staged_uri(lake: str, run_id: str, name: str) -> str:
    """Where a file of a run's staging lies."""
    return join(lake, "staging", run_id, name)


def read_staged_facts(store: Store, uri: str) -> Facts | None:
    """The facts of a finished file, or None where no file stands."""
    if not store.exists(uri):
        return None
    with _opened(store, uri) as stream:
        reader = pa.ipc.open_file(stream)
        _, metadata = reader.get_batch_with_custom_metadata(reader.num_record_batches - 1)
        facts: Facts = json.loads(metadata[FACTS])
        return facts


def read_staged(store: Store, uri: str, batches: Sequence[int]) -> Iterator[pa.RecordBatch]:
    """The batches of those numbers."""
    with _opened(store, uri) as stream:
        reader = pa.ipc.open_file(stream)
        for number in batches:
            yield reader.get_batch(number)


def sweep_staging(store: Store, lake: str, run_ids: Iterable[str]) -> None:
    """Remove the staging of those runs, as far as there is any."""
    folder = join(lake, "staging")
    try:
        runs = {item.uri.removeprefix(folder + "/").split("/")[0] for item in store.walk(folder)}
    except FileNotFoundError:
        return
    for run_id in sorted(runs & set(run_ids)):
        store.arrow(folder).delete_dir(store.path(join(folder, run_id)))


def _opened(store: Store, uri: str) -> pa.NativeFile:
    return store.arrow(uri).open_input_file(store.path(uri)) if is_s3(uri) else pa.memory_map(uri)
