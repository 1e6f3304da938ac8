"""The whole row of one committed run: a snapshot keeps neither its recipe nor its files."""

from __future__ import annotations

import json
from typing import Any

import pyarrow.compute as pc

from medray.schema.runs import RUNS
from medray.storage import delta
from medray.storage.store import Store


def run_row(store: Store, lake: str, run_id: str) -> dict[str, Any] | None:
    """The run's row of `runs` with `recipe` and `host_facts` as documents and its maps as dicts; None where
    no such run is committed."""
    table = delta.open_table(store, lake, RUNS)
    if table is None:
        return None
    wanted = pc.field("run_id") == run_id
    for batch in delta.scan(store, lake, RUNS, int(table.version()), RUNS.schema.names, wanted):
        for row in batch.to_pylist():
            maps = {name: dict(row[name]) for name in ("counts", "tables_read", "tables_written")}
            documents = {name: json.loads(row[name]) for name in ("recipe", "host_facts")}
            return {**row, **maps, **documents}
    return None
