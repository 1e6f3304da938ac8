"""The whole row of one committed run: a snapshot keeps neither its recipe nor its files."""

from __future__ import annotations

import json
from typing import Any

from medray.schema.runs import RUNS
from medray.storage.commit import data_path
from medray.storage.delta import scan_file, table_uri
from medray.storage.failures import told
from medray.storage.snapshot import Snapshot
from medray.storage.uri import join


def run_row(state: Snapshot, run_id: str) -> dict[str, Any] | None:
    """The run's row of `runs` with `recipe` and `host_facts` as documents and its maps as dicts; None where
    no such run is committed. A run's row is a file of its own: only that one is read."""
    if run_id not in state.run_ids():
        return None
    uri = join(table_uri(state.lake, RUNS.name), data_path(run_id, "run"))
    with told(state.lake):
        (row,) = (row for batch in scan_file(state.store, uri, RUNS, RUNS.schema.names) for row in batch.to_pylist())
    maps = {name: dict(row[name]) for name in ("counts", "tables_read", "tables_written")}
    documents = {name: json.loads(row[name]) for name in ("recipe", "host_facts")}
    return {**row, **maps, **documents}
