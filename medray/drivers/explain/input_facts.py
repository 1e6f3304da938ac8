"""The input that a prediction answers: where it stands in the lake, and what it was made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from medray.drivers.input import InputKey, record_id
from medray.drivers.inputs.cut import fine_cut
from medray.drivers.inputs.prepare import overlapping
from medray.drivers.inputs.prepare_chunk import PrepareChunk
from medray.drivers.inputs.reading import Reading
from medray.drivers.inputs.windows import read_windows
from medray.drivers.records.read_events import moments, read_subjects
from medray.planning.timelines import MICROSECONDS, STATIC, moment
from medray.schema.events import EVENTS
from medray.schema.images import IMAGES
from medray.schema.labels import LABELS
from medray.storage.commit import run_of
from medray.storage.delta import scan_file, table_uri
from medray.storage.failures import told
from medray.storage.snapshot import Snapshot
from medray.storage.uri import join

_IMAGE = (
    "SOPInstanceUID",
    "input_version",
    "part_index",
    "source_key",
    "source_etag",
    "size_bytes",
    "input_sha256",
    "site_key",
    "scanner_key",
    "Modality",
    "TransferSyntaxUID",
)
_RECORD = ("subject_id", "prediction_time", "label", "input_version", "observed")


@dataclass(frozen=True)
class Given:
    """An input in the lake as its run saw it.

    Attributes:
        state: the lake at the versions that the run's plan read, with the runs committed by then.
        path: the data file of `images` or `labels`.
    """

    state: Snapshot
    reading: Reading
    key: InputKey
    path: str

    def chunk(self, shard: str) -> PrepareChunk:
        """The work of preparing this input alone."""
        rows = self.state.file_rows(EVENTS) if self.reading.problem else {}
        events, fine = overlapping(self.path, sorted(rows)), fine_cut(rows) if rows else 1
        return PrepareChunk(0, self.path, shard, frozenset([self.key]), events, fine)


def input_facts(given: Given, row: Mapping[str, Any]) -> dict[str, Any]:
    """What stands behind the input of a row of `predictions`; `row` is its place in the data file, from 0."""
    about = _image(given) if given.reading.problem is None else _record(given, row)
    table = IMAGES.name if given.reading.problem is None else LABELS.name
    return {**about, "table": table, "data_file": given.path, "written_by_run": run_of(given.path)}


def _image(given: Given) -> dict[str, Any]:
    for place, row in enumerate(_rows(given, IMAGES, _IMAGE)):
        if (row["SOPInstanceUID"], row["input_version"]) == given.key and row["part_index"] == 0:
            return {**{name: row[name] for name in _IMAGE if name != "part_index"}, "row": place}
    return {}


def _record(given: Given, row: Mapping[str, Any]) -> dict[str, Any]:
    """The input of a problem, with the events of its window by the file that they stand in."""
    problem = given.reading.problem
    assert problem is not None
    found: dict[str, Any] = {}
    for place, one in enumerate(_rows(given, LABELS, _RECORD)):
        key = (record_id(one["subject_id"], one["prediction_time"]), one["input_version"])
        if one["label"] == problem.name and key == given.key:
            found = {"problem": problem.name, **{name: one[name] for name in _RECORD if name != "label"}, "row": place}
    chunk = given.chunk("")
    state = given.state
    read = read_windows(state.store, state.lake, given.path, chunk.events, problem, chunk.rows, chunk.fine)
    events = sum(len(window.code) for _, window in read)
    files = _events_by_file(given, row, chunk.events, problem.observe_hours)
    # A row that was corrected by then stands in its file still, and is no event any more.
    return {**found, "events_in_window": events, "rows_in_window_by_file": files}


def _rows(given: Given, contract: Any, columns: tuple[str, ...]) -> list[dict[str, Any]]:
    uri = join(table_uri(given.state.lake, contract.name), given.path)
    with told(given.state.lake):
        batches = list(scan_file(given.state.store, uri, contract, columns))
    return [row for batch in batches for row in batch.to_pylist()]


def _events_by_file(
    given: Given, row: Mapping[str, Any], paths: tuple[str, ...], observe_hours: float | None
) -> dict[str, int]:
    """Rows of `events` of the subject, static facts and those of the observation window, by file."""
    state, at = given.state, moment(row["prediction_time"])
    since = STATIC + 1 if observe_hours is None else at - round(observe_hours * MICROSECONDS)
    counted: dict[str, int] = {}
    for path in paths:
        subject = np.array([row["subject_id"]], np.int64)
        for rows in read_subjects(state.store, state.lake, path, subject, ("subject_id", "time")):
            time = moments(rows["time"])
            inside = (time == STATIC) | ((time >= since) & (time <= at) & (at != STATIC))
            if inside.any():
                counted[path] = counted.get(path, 0) + int(inside.sum())
    return counted
