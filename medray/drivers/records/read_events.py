"""Reading events: one bucket of subjects, corrected, in order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from medray.contracts import Array
from medray.drivers.records.content import pair
from medray.planning.buckets import Bucket
from medray.schema.events import EVENTS
from medray.storage.delta import table_uri
from medray.storage.failures import told
from medray.storage.store import Store
from medray.storage.uri import join

DICTIONARIES = ("code", "unit")
_VERSIONING = ("subject_id", "time", "code", "record_key", "input_version", "withdrawn")
_BEFORE_ALL = np.iinfo(np.int64).min  # where a missing time stands: before every time


def read_bucket(
    store: Store,
    lake: str,
    paths: Sequence[str],
    bucket: Bucket,
    columns: Sequence[str] = EVENTS.schema.names,
    subjects: Array | None = None,
) -> pa.Table:
    """The events of a bucket's subjects that hold now: of each record its highest version, without
    those withdrawn.

    Args:
        paths: of a snapshot's `events` files; those of other buckets are passed over.
        columns: of `EVENTS`.
        subjects: sorted int64; only these, where given.

    Returns:
        Rows by subject, time (static facts first), code; `code` and `unit` are dictionary columns.
    """
    needed = [name for name in EVENTS.schema.names if name in {*_VERSIONING, *columns}]
    pieces: list[pa.Table] = []
    for path in sorted(path for path in paths if bucket.overlaps(path)):
        if subjects is None:
            pieces += read_file(store, lake, path, bucket, needed)
        else:
            pieces += read_subjects(store, lake, path, subjects, needed)
    if not pieces:
        return events_schema(columns).empty_table()
    table = pa.concat_tables(pieces).unify_dictionaries().combine_chunks()
    table = table.filter(pa.array(_holds(table)))
    return in_order(table).select(list(columns))


def read_file(store: Store, lake: str, path: str, bucket: Bucket, columns: Sequence[str]) -> Iterator[pa.Table]:
    """The rows of one file for a bucket's subjects, one table a row group, all versions.

    Args:
        columns: of `EVENTS`, `subject_id` among them.
    """
    with _opened(store, lake, path) as file:
        for group in _row_groups(file, bucket):
            table = _slice(_read(file, group, columns), bucket)
            if table.num_rows:
                yield table


def read_subjects(store: Store, lake: str, path: str, subjects: Array, columns: Sequence[str]) -> Iterator[pa.Table]:
    """The rows of one file for sorted subjects, one table a row group, all versions. Of a row group
    without any of them only `subject_id` is read."""
    with _opened(store, lake, path) as file:
        for group in range(file.num_row_groups):
            found = is_among(_read(file, group, ("subject_id",))["subject_id"].to_numpy(), subjects)
            if found.any():
                yield _read(file, group, columns).filter(pa.array(found))


def is_among(values: Array, wanted: Array) -> Array:
    """bool (N,): whether each value is one of the sorted, wanted ones."""
    if not len(wanted):
        return np.zeros(len(values), bool)
    place = np.minimum(np.searchsorted(wanted, values), len(wanted) - 1)
    found: Array = wanted[place] == values
    return found


def events_schema(columns: Sequence[str]) -> pa.Schema:
    """The columns as they are read: codes and units as dictionaries."""
    return pa.schema(
        [
            EVENTS.schema.field(name).with_type(pa.dictionary(pa.int32(), pa.string()))
            if name in DICTIONARIES
            else EVENTS.schema.field(name)
            for name in columns
        ]
    )


def in_order(table: pa.Table) -> pa.Table:
    """The rows by subject, time (missing first), code; equals stay as they stood."""
    subject = table["subject_id"].to_numpy()
    moment = moments(table["time"])
    code = ranks(table["code"].combine_chunks())
    if _is_sorted(subject, moment, code):
        return table
    return table.take(pa.array(np.lexsort((code, moment, subject))))


def moments(time: pa.ChunkedArray) -> Array:
    """int64 (N,): microseconds since 1970, the smallest number where there is no time."""
    filled: Array = pc.fill_null(time.cast(pa.int64()), _BEFORE_ALL).to_numpy()
    return filled


def ranks(column: pa.DictionaryArray) -> Array:
    """int32 (N,): the place of each row's word among the sorted words."""
    order = pc.sort_indices(column.dictionary).to_numpy()
    rank = np.empty(len(order), np.int32)
    rank[order] = np.arange(len(order), dtype=np.int32)
    by_row: Array = rank[column.indices.to_numpy()]
    return by_row


def _is_sorted(subject: Array, moment: Array, code: Array) -> bool:
    if len(subject) < 2:
        return True
    later = code[1:] >= code[:-1]
    for column in (moment, subject):
        later = (column[1:] > column[:-1]) | ((column[1:] == column[:-1]) & later)
    return bool(later.all())


@contextmanager
def _opened(store: Store, lake: str, path: str) -> Iterator[pq.ParquetFile]:
    uri = join(table_uri(lake, EVENTS.name), path)
    with told(lake), store.arrow(uri).open_input_file(store.path(uri)) as stream:
        yield pq.ParquetFile(stream, read_dictionary=list(DICTIONARIES), pre_buffer=True)


def _read(file: pq.ParquetFile, group: int, columns: Sequence[str]) -> pa.Table:
    table = file.read_row_group(group, columns=list(columns)).combine_chunks()
    for name in (name for name in columns if name not in table.column_names):  # of a later version than the file
        table = table.append_column(EVENTS.schema.field(name), pa.nulls(table.num_rows, EVENTS.schema.field(name).type))
    return table.select(list(columns)).cast(events_schema(columns))


def _row_groups(file: pq.ParquetFile, bucket: Bucket) -> Iterator[int]:
    column = file.schema_arrow.get_field_index("subject_id")
    for group in range(file.num_row_groups):
        known = file.metadata.row_group(group).column(column).statistics
        if known is None or (known.min <= bucket.hi and bucket.lo <= known.max):
            yield group


def _slice(table: pa.Table, bucket: Bucket) -> pa.Table:
    """The bucket's rows of a row group, which is sorted by subject."""
    subjects = table["subject_id"].to_numpy()
    start = int(np.searchsorted(subjects, bucket.lo, "left"))
    return table.slice(start, int(np.searchsorted(subjects, bucket.hi, "right")) - start)


def _holds(table: pa.Table) -> Array:
    """bool (N,): the row is of its record's highest version, which is not withdrawn. A record is told
    by its subject and key.

    Only later versions take anything back, so only they are looked up.
    """
    version = table["input_version"].to_numpy()
    later = np.flatnonzero(version > 1)
    if not len(later):
        return np.ones(len(version), bool)
    record = pair(table["subject_id"].to_numpy(), pc.fill_null(table["record_key"], -1).to_numpy())
    order = later[np.lexsort((version[later], record[later]))]
    keys, highest = record[order], version[order]
    last = np.append(keys[1:] != keys[:-1], True)
    keys, highest = keys[last], highest[last]
    place = np.minimum(np.searchsorted(keys, record), len(keys) - 1)
    newest = (keys[place] != record) | (highest[place] == version)
    holds: Array = newest & ~table["withdrawn"].to_numpy()
    return holds
