"""One bucket of subjects of a prediction problem, on a worker: events in, rows of `labels` out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from medray.contracts import Array
from medray.drivers.records.read_events import is_among, moments, read_bucket, read_file, read_subjects
from medray.planning.buckets import Bucket
from medray.planning.cohorts import Asked, ask
from medray.planning.outcomes import answer
from medray.planning.timelines import Timelines, instant, nameless, timelines
from medray.planning.windows import count_observed
from medray.recipes.problem import Problem
from medray.schema.labels import INPUT_KEYS, LABELS, VALUES
from medray.storage.chunk_file import Facts, read_facts, write_table
from medray.storage.commit import data_path, run_of
from medray.storage.delta import scan_file, table_uri
from medray.storage.failures import told
from medray.storage.store import Store
from medray.storage.uri import join

Place = tuple[int, datetime | None, str]  # subject, prediction time, label
_STANDING = ("subject_id", "prediction_time", "label", "boolean_value", "float_value", "input_version", "observed")
_VERSIONS = ("subject_id", "time", "record_key", "input_version")
_EMPTY = dict.fromkeys((*INPUT_KEYS, "prediction_time", *VALUES, "input_version", "observed"))


@dataclass(frozen=True)
class ProblemChunk:
    """Attributes:
    bucket: of subjects.
    events: files of `events` that overlap it.
    new: runs whose events the problem has not seen.
    labels: files of `labels` that this problem has written for the bucket's subjects.
    """

    bucket: Bucket
    events: tuple[str, ...]
    new: frozenset[str]
    labels: tuple[str, ...]


@dataclass(frozen=True)
class ProblemWork:
    """Asks and answers for buckets of one run."""

    problem: Problem
    store: Store
    lake: str
    run_id: str
    labelled_at: datetime

    def __call__(self, chunk: ProblemChunk) -> Facts:
        path = data_path(self.run_id, chunk.bucket.name)
        uri = join(table_uri(self.lake, LABELS.name), path)
        with told(self.lake):
            standing = read_facts(self.store, uri)
            if standing is not None:
                return standing
            subjects, asked, rows = self._derived(chunk)
            before = self._standing(chunk, subjects)
            changed = [row for row in rows if before.get(_place(row)) != _content(row)]
            added = sum(row["input_version"] is not None for row in changed)
            facts = {
                "path": path,
                "asked": asked,
                "added": added,
                "known": asked - added,
                "answers": len(changed) - added,
            }
            shared = {"labelled_at": self.labelled_at, "run_id": self.run_id}
            table = pa.Table.from_pylist([{**row, **shared} for row in changed], schema=LABELS.schema)
            return write_table(self.store, uri, LABELS, table.to_batches(), facts)

    def _derived(self, chunk: ProblemChunk) -> tuple[Array, int, list[dict[str, Any]]]:
        """The touched subjects, how many inputs they have, and all their rows in order."""
        subjects = self._touched(chunk)
        columns = ("subject_id", "time", "code", "numeric_value")
        events = timelines(read_bucket(self.store, self.lake, chunk.events, chunk.bucket, columns, subjects))
        asked = ask(self.problem, events)
        hours = self.problem.observe_hours
        observed = count_observed(asked, events, hours)
        # Late events and corrections raise the version of what they touch, and of nothing else.
        version = np.zeros(len(asked.time), np.int64)
        for changed in self._changes(chunk, subjects):
            version += count_observed(asked, changed, hours) > 0
        answers = {label: answer(target, asked, events) for label, target in self.problem.targets.items()}
        return subjects, len(asked.time), list(self._rows(asked, np.maximum(version, 1), observed, answers))

    def _touched(self, chunk: ProblemChunk) -> Array:
        """The subjects of the bucket with new events, sorted."""
        new = [path for path in chunk.events if run_of(path) in chunk.new]
        found = [
            piece["subject_id"].unique().to_numpy()
            for path in new
            for piece in read_file(self.store, self.lake, path, chunk.bucket, ("subject_id",))
        ]
        return np.unique(np.concatenate([np.zeros(0, np.int64), *found]))

    def _changes(self, chunk: ProblemChunk, subjects: Array) -> Iterator[Timelines]:
        """For each run, when what it changed happened: its own rows, and all versions of the records
        that it corrected."""
        pieces = [
            (run_of(path), piece)
            for path in chunk.events
            for piece in read_subjects(self.store, self.lake, path, subjects, _VERSIONS)
        ]
        if not pieces:
            return
        rows = pa.concat_tables([piece for _, piece in pieces])
        run = np.repeat([name for name, _ in pieces], [piece.num_rows for _, piece in pieces])
        subject, time = rows["subject_id"].to_numpy(), moments(rows["time"])
        record = pc.fill_null(rows["record_key"], -1).to_numpy()
        later = rows["input_version"].to_numpy() > 1
        for name in np.unique(run):
            corrected = np.unique(record[(run == name) & later])
            touched = (run == name) | ((record >= 0) & is_among(record, corrected))
            yield nameless(subject[touched], time[touched])

    def _rows(
        self, asked: Asked, version: Array, observed: Array, answers: Mapping[str, Array]
    ) -> Iterator[dict[str, Any]]:
        for row, (subject, time) in enumerate(zip(asked.subject.tolist(), asked.time.tolist(), strict=True)):
            place = {**_EMPTY, "subject_id": subject, "prediction_time": instant(time)}
            yield {
                **place,
                "label": self.problem.name,
                "input_version": int(version[row]),
                "observed": int(observed[row]),
            }
            for label, values in answers.items():
                if not np.isnan(values[row]):
                    yield {**place, "label": label, **self._value(label, float(values[row]))}

    def _value(self, label: str, value: float) -> dict[str, Any]:
        if self.problem.targets[label].take == "any":
            return {"boolean_value": bool(value)}
        return {"float_value": value}

    def _standing(self, chunk: ProblemChunk, subjects: Array) -> dict[Place, tuple[Any, ...]]:
        """What the problem last wrote for each place. Files are in order of their runs' ids, not of
        time, so the newest is found by its `labelled_at`."""
        newest: dict[Place, tuple[datetime, tuple[Any, ...]]] = {}
        names = [self.problem.name, *self.problem.targets]
        for path in chunk.labels:
            uri = join(table_uri(self.lake, LABELS.name), path)
            wanted = pc.field("label").isin(names)
            for batch in scan_file(self.store, uri, LABELS, (*_STANDING, "labelled_at"), wanted):
                ours = is_among(batch["subject_id"].to_numpy(), subjects)
                for row in batch.filter(pa.array(ours)).to_pylist():
                    place = _place(row)
                    if place not in newest or newest[place][0] < row["labelled_at"]:
                        newest[place] = (row["labelled_at"], _content(row))
        return {place: content for place, (_, content) in newest.items()}


def _place(row: Mapping[str, Any]) -> Place:
    return (row["subject_id"], row["prediction_time"], row["label"])


def _content(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in _STANDING[3:])
