"""One bucket of subjects of a prediction problem, on a worker: events in, rows of `labels` out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from medray.contracts import Array
from medray.drivers.records.read_events import is_among, moments, read_bucket, read_file, read_subjects
from medray.planning.buckets import Bucket
from medray.planning.cohorts import Asked, ask
from medray.planning.outcomes import answer
from medray.planning.timelines import Timelines, instant, moment, nameless, timelines
from medray.planning.windows import count_observed, may_be_known
from medray.recipes.problem import Problem
from medray.schema.labels import INPUT_KEYS, LABELS, VALUES
from medray.storage.chunk_file import ChunkWriter, Facts, read_facts
from medray.storage.commit import data_path, run_of
from medray.storage.delta import scan_file, table_uri
from medray.storage.failures import told
from medray.storage.store import Store
from medray.storage.uri import join

Place = tuple[int, datetime | None, str]  # subject, prediction time, label
_COUNTS = ("asked", "added", "known", "withdrawn", "answers")
_VERSIONS = ("subject_id", "time", "record_key", "input_version")
_EMPTY = dict.fromkeys((*INPUT_KEYS, "prediction_time", *VALUES, "input_version", "observed", "withdrawn"))


class Content(NamedTuple):
    """What stands at a place: an input has a version, an answer a value, what is withdrawn no value."""

    boolean_value: bool | None
    float_value: float | None
    input_version: int | None
    observed: int | None
    withdrawn: bool | None


_STANDING = ("subject_id", "prediction_time", "label", *Content._fields)


@dataclass(frozen=True)
class ProblemChunk:
    """Attributes:
    bucket: of subjects.
    fine: its subjects are taken in parts, of which there are so many in all.
    events: files of `events` that overlap it.
    new: runs whose events the problem has not seen.
    labels: files of `labels` that this problem has written for the bucket's subjects.
    """

    bucket: Bucket
    fine: int
    events: tuple[str, ...]
    new: frozenset[str]
    labels: tuple[str, ...]

    def of(self, part: Bucket) -> ProblemChunk:
        """The same for a part of the bucket's subjects."""
        events, labels = (tuple(path for path in paths if part.overlaps(path)) for paths in (self.events, self.labels))
        return ProblemChunk(part, self.fine, events, self.new, labels)


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
            subjects = self._touched(chunk)
            counts = Counter(dict.fromkeys(_COUNTS, 0))
            with ChunkWriter(self.store, uri, LABELS) as writer:
                for part in chunk.bucket.parts(chunk.fine):
                    own = subjects[part.holds(subjects)]
                    if len(own):
                        writer.write(self._settled(chunk.of(part), own, counts))
                return writer.publish({"path": path, **counts, "rows": writer.rows})

    def _settled(self, chunk: ProblemChunk, subjects: Array, counts: Counter[str]) -> pa.RecordBatch:
        """The rows of touched subjects that say something new; they are counted."""
        before = self._standing(chunk, subjects)
        rows = self._derived(chunk, subjects, before)
        changed = [row for row in rows if before.get(_place(row)) != _content(row)]
        gone = list(_withdrawn(before, {_place(row) for row in rows}))
        asked, added, withdrawn = (sum(map(_is_input, some)) for some in (rows, changed, gone))
        told = (asked, added, asked - added, withdrawn, len(changed) - added + len(gone) - withdrawn)
        counts.update(dict(zip(_COUNTS, told, strict=True)))
        shared = {"labelled_at": self.labelled_at, "run_id": self.run_id}
        return pa.RecordBatch.from_pylist([{**row, **shared} for row in (*changed, *gone)], schema=LABELS.schema)

    def _derived(self, chunk: ProblemChunk, subjects: Array, before: Mapping[Place, Content]) -> list[dict[str, Any]]:
        """All rows of the touched subjects, in order."""
        columns = ("subject_id", "time", "code", "numeric_value")
        events = timelines(read_bucket(self.store, self.lake, chunk.events, chunk.bucket, columns, subjects))
        asked = ask(self.problem, events)
        hours = self.problem.observe_hours
        known = events.where(may_be_known(self.problem, events.names, events.code, events.time))
        observed = count_observed(asked, known, hours)
        # Late events and corrections raise the version of what they touch, and of nothing else.
        touched = np.zeros(len(asked.time), np.int64)
        for changed in self._changes(chunk, subjects):
            touched += count_observed(asked, changed, hours) > 0
        answers = {label: answer(target, asked, events) for label, target in self.problem.targets.items()}
        return list(self._rows(asked, touched, observed, answers, before))

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
        """For each new run, when what it changed happened: its own rows, and all versions of the records
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
        for name in sorted(chunk.new):
            corrected = np.unique(record[(run == name) & later])
            touched = (run == name) | ((record >= 0) & is_among(record, corrected))
            yield nameless(subject[touched], time[touched])

    def _rows(
        self,
        asked: Asked,
        touched: Array,
        observed: Array,
        answers: Mapping[str, Array],
        before: Mapping[Place, Content],
    ) -> Iterator[dict[str, Any]]:
        for row, (subject, time) in enumerate(zip(asked.subject.tolist(), asked.time.tolist(), strict=True)):
            place = {**_EMPTY, "subject_id": subject, "prediction_time": instant(time)}
            standing = before.get((subject, place["prediction_time"], self.problem.name))
            yield {
                **place,
                "label": self.problem.name,
                "input_version": _version(standing, int(touched[row])),
                "observed": int(observed[row]),
            }
            for label, values in answers.items():
                if not np.isnan(values[row]):
                    yield {**place, "label": label, **self._value(label, float(values[row]))}

    def _value(self, label: str, value: float) -> dict[str, Any]:
        if self.problem.targets[label].take == "any":
            return {"boolean_value": bool(value)}
        return {"float_value": value}

    def _standing(self, chunk: ProblemChunk, subjects: Array) -> dict[Place, Content]:
        """What the problem last wrote for each place. Files are in order of their runs' ids, not of
        time, so the newest is found by its `labelled_at`."""
        newest: dict[Place, tuple[datetime, Content]] = {}
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


def _version(standing: Content | None, touched: int) -> int:
    """Of an input that is asked: one more for each new run that changed what was known, and one more
    where it comes back."""
    if standing is None or standing.input_version is None:
        return 1
    return standing.input_version + (1 if standing.withdrawn else touched)


def _withdrawn(before: Mapping[Place, Content], derived: Collection[Place]) -> Iterator[dict[str, Any]]:
    """Rows that take back what stands and was not derived again."""
    for place in sorted(before, key=lambda place: (place[0], moment(place[1]), place[2])):
        if place in derived or before[place].withdrawn:
            continue
        version = before[place].input_version
        yield {
            **_EMPTY,
            **dict(zip(_STANDING, place, strict=False)),
            "input_version": None if version is None else version + 1,
            "withdrawn": True,
        }


def _is_input(row: Mapping[str, Any]) -> bool:
    return row["input_version"] is not None


def _place(row: Mapping[str, Any]) -> Place:
    return (row["subject_id"], row["prediction_time"], row["label"])


def _content(row: Mapping[str, Any]) -> Content:
    return Content(*(row[name] for name in Content._fields))
