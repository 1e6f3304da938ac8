"""Nights that overlap share no run: the sums of all nights count each run once."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pyarrow as pa
import story

from medray.drivers.night.links import links_of
from medray.schema.runs import RUNS
from medray.storage.snapshot import snapshot
from medray.storage.store import Store

BEGIN = datetime(2026, 1, 2, 2)


def row(job: str, run_id: str, hour: int, children: tuple[str, ...] = ()) -> dict[str, Any]:
    when = datetime(2026, 1, 2, hour)
    return {"job": job, "name": "night", "run_id": run_id, "committed_at": when, "children": list(children)}


def test_a_run_that_another_night_has_counted_is_not_counted_again(store: Store, lake: str) -> None:
    rows = [
        row("ingest_dicom", "before", 1),
        row("ingest_dicom", "late", 3),
        row("nightly", "the late night", 4, ("late",)),
        row("ingest_dicom", "ours", 5),
    ]
    empty = snapshot(store, lake)
    runs = pa.Table.from_pylist(rows, schema=pa.schema([RUNS.schema.field(name) for name in empty.runs.schema.names]))
    state = type(empty)(store, lake, runs, {})
    plan = story.plan("night", kind="nightly", inputs=(), planned_at=BEGIN)
    assert [one["run_id"] for one in links_of(state, plan, None)] == ["ours"]
