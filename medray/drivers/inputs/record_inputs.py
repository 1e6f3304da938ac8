"""Subjects at prediction times as inputs: rows of `labels` under a problem's name."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pyarrow.compute as pc

from medray.drivers.input import Input, InputKey, record_id
from medray.drivers.inputs.reading import Reading
from medray.recipes.problem import Problem
from medray.schema.labels import LABELS
from medray.storage.delta import scan_file, table_uri
from medray.storage.failures import told
from medray.storage.snapshot import Snapshot
from medray.storage.store import Store
from medray.storage.uri import join

COLUMNS = ("subject_id", "prediction_time", "input_version", "observed", "withdrawn")


def newest(state: Snapshot, problem: Problem) -> dict[InputKey, str]:
    """The newest version of every input that is still asked, and the file of `labels` it stands in."""
    found: dict[tuple[int, datetime | None], tuple[int, str | None]] = {}
    for path in state.files(LABELS):
        for row in read_rows(state.store, state.lake, path, problem.name):
            place = (row["subject_id"], row["prediction_time"])
            if place not in found or found[place][0] < row["input_version"]:
                found[place] = (row["input_version"], None if row["withdrawn"] else path)
    return {(record_id(*place), version): path for place, (version, path) in found.items() if path is not None}


def read(state: Snapshot, path: str, reading: Reading) -> list[Input]:
    """The inputs in one file of `labels` with the family's verdicts."""
    assert reading.problem is not None
    inputs = []
    for row in read_rows(state.store, state.lake, path, reading.problem.name):
        if row["withdrawn"]:
            continue
        refusal = reading.family.accepts(row, reading.config)
        inputs.append(
            Input(
                record_id(row["subject_id"], row["prediction_time"]),
                row["input_version"],
                row["subject_id"],
                None,
                None,
                row["prediction_time"],
                refusal.reason if refusal else None,
            )
        )
    return inputs


def read_rows(store: Store, lake: str, path: str, name: str) -> Iterator[dict[str, Any]]:
    """The rows of a file of `labels` that are inputs of the problem of this name, in order, with those
    that say that an input is no longer asked."""
    uri = join(table_uri(lake, LABELS.name), path)
    ours = (pc.field("label") == name) & pc.field("input_version").is_valid()
    with told(lake):
        for batch in scan_file(store, uri, LABELS, COLUMNS, ours):
            yield from batch.to_pylist()
