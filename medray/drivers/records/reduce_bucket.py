"""One bucket of a record ingest, on a worker: staged rows in; events, quarantine rows and facts out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from medray.contracts import Array
from medray.drivers.records.bucket import Decided, Rules, decide
from medray.drivers.records.mapped_rows import STAGED
from medray.drivers.records.meet import STANDING
from medray.drivers.records.read_events import read_subjects
from medray.planning.buckets import Bucket
from medray.planning.record_versions import EMPTY, FATES, INGESTED, KNOWN
from medray.schema.events import EVENTS
from medray.schema.quarantine import QUARANTINE
from medray.storage.chunk_file import Facts, write_table
from medray.storage.commit import data_path
from medray.storage.delta import table_uri
from medray.storage.event_file import ROW_GROUP, write_events
from medray.storage.failures import told
from medray.storage.staging import read_staged, staged_uri
from medray.storage.store import Store
from medray.storage.uri import join

_FATE_WORDS = pa.array(FATES, pa.string())


@dataclass(frozen=True)
class StagedBatches:
    """Batches of one chunk's staging file, by number."""

    name: str
    numbers: tuple[int, ...]


@dataclass(frozen=True)
class BucketTask:
    """What is staged for one bucket, in the order of the chunks; without a bucket it is what
    mapping refused."""

    name: str
    staged: tuple[StagedBatches, ...]
    bucket: Bucket | None


@dataclass(frozen=True)
class ReduceWork:
    """Decides over the buckets of one run.

    Attributes:
        files: the plan's files in order of their numbers: `source_key`, `source_etag`, `size_bytes`.
        unusable: numbers of files of which nothing is used.
        standing: the events files that this run compares with.
    """

    store: Store
    lake: str
    run_id: str
    files: pa.Table
    unusable: tuple[int, ...]
    standing: tuple[str, ...]
    rules: Rules

    def __call__(self, task: BucketTask) -> Facts:
        uri = staged_uri(self.lake, self.run_id, f"{task.name}.json")
        with told(self.lake):
            if self.store.exists(uri):
                done: Facts = json.loads(self.store.read(uri))
                return done
            facts = self._refused(task) if task.bucket is None else self._bucket(task, task.bucket)
            self.store.put_if_absent(uri, json.dumps(facts, sort_keys=True).encode())
        return facts

    def _bucket(self, task: BucketTask, bucket: Bucket) -> Facts:
        rows = pa.Table.from_batches(self._staged(task), STAGED).unify_dictionaries().combine_chunks()
        decided = decide(rows, lambda subjects: self._standing(bucket, subjects), self.rules)
        dropped = np.flatnonzero(~np.isin(decided.fate, (INGESTED, KNOWN, EMPTY)))
        reasons = _FATE_WORDS.take(pa.array(decided.fate[dropped]))
        refused = self._quarantine(task.name, rows.take(pa.array(dropped)), reasons)
        return {
            "name": task.name,
            "rows": rows.num_rows,
            "fates": _by_file(rows["file"].to_numpy(), decided.fate),
            "superseded": int((decided.version[decided.kept] > 1).sum()),
            "events": self._events(task.name, rows, decided),
            "quarantine": refused,
        }

    def _refused(self, task: BucketTask) -> Facts:
        rows = pa.Table.from_batches(self._staged(task), STAGED).unify_dictionaries().combine_chunks()
        return {"name": task.name, "quarantine": self._quarantine(task.name, rows, rows["reason"].cast(pa.string()))}

    def _staged(self, task: BucketTask) -> Iterator[pa.RecordBatch]:
        without = pa.array(self.unusable, pa.int32())
        for staged in task.staged:
            uri = staged_uri(self.lake, self.run_id, staged.name)
            for batch in read_staged(self.store, uri, staged.numbers):
                if len(without):
                    batch = batch.filter(pa.array(~np.isin(batch["file"].to_numpy(), without.to_numpy())))
                yield batch

    def _standing(self, bucket: Bucket, subjects: Array) -> Iterator[pa.Table]:
        for path in self.standing:
            if bucket.overlaps(path):
                yield from read_subjects(self.store, self.lake, path, subjects, STANDING)

    def _events(self, name: str, rows: pa.Table, decided: Decided) -> Facts | None:
        if not len(decided.kept):
            return None
        path = data_path(self.run_id, name)
        facts = write_events(self.store, join(table_uri(self.lake, EVENTS.name), path), self._row_groups(rows, decided))
        return {"path": path, "rows": facts["rows"], "file_bytes": facts["file_bytes"]}

    def _row_groups(self, rows: pa.Table, decided: Decided) -> Iterator[pa.Table]:
        for start in range(0, len(decided.kept), ROW_GROUP):
            kept = decided.kept[start : start + ROW_GROUP]
            group = rows.select(_KEPT).take(pa.array(kept))
            columns = {name: group[name] for name in _KEPT}
            columns |= {
                "input_version": pa.array(decided.version[kept]),
                "source_key": self._source_keys(group["file"]),
            }
            yield pa.table([columns[name] for name in EVENTS.schema.names], schema=_WRITTEN)

    def _source_keys(self, file: pa.ChunkedArray) -> pa.DictionaryArray:
        return pa.DictionaryArray.from_arrays(file.combine_chunks(), self.files["source_key"].combine_chunks())

    def _quarantine(self, name: str, rows: pa.Table, reasons: Any) -> Facts | None:
        if not rows.num_rows:
            return None
        count = rows.num_rows
        columns = {
            **{field.name: self.files[field.name].take(rows["file"]) for field in self.files.schema},
            "stage": pa.repeat("ingest", count),
            "reason": reasons,
            "row_index": rows["row"],
            "run_id": pa.repeat(self.run_id, count),
        }
        table = pa.table(
            [columns.get(field.name, pa.nulls(count, field.type)) for field in QUARANTINE.schema],
            schema=QUARANTINE.schema,
        )
        path = data_path(self.run_id, name)
        uri = join(table_uri(self.lake, QUARANTINE.name), path)
        facts = write_table(self.store, uri, QUARANTINE, table.combine_chunks().to_batches(ROW_GROUP), {})
        return {"path": path, "rows": facts["rows"], "file_bytes": facts["file_bytes"]}


_KEPT = ["file", *(name for name in STAGED.names if name in EVENTS.schema.names)]
_WORD = pa.dictionary(pa.int32(), pa.string())
_WRITTEN = pa.schema(
    [field.with_type(_WORD) if field.name in ("code", "unit", "source_key") else field for field in EVENTS.schema]
)


def _by_file(file: Array, fate: Array) -> dict[str, list[int]]:
    """Number of rows of each fate, by file number."""
    numbers, place = np.unique(file, return_inverse=True)
    counts = np.bincount(place * len(FATES) + fate, minlength=len(numbers) * len(FATES)).reshape(-1, len(FATES))
    return {str(number): row for number, row in zip(numbers.tolist(), counts.tolist(), strict=True)}
