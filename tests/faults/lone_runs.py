"""Small runs that change a lake in every way there is, and what must hold whatever interrupts them."""

from __future__ import annotations

import shutil
from collections import Counter
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pyarrow as pa
import story
from racing import commit_some

from medray.drivers.job import Result
from medray.drivers.turns import in_turn
from medray.schema.audit import AUDIT
from medray.schema.contract import TableContract
from medray.schema.held import HELD
from medray.storage import delta, together
from medray.storage.commit import ORDER, Outcome, commit_run, data_path, write_rows
from medray.storage.models import load_model, register, save_model, versions
from medray.storage.plans import Plan
from medray.storage.promotions import choose, promote
from medray.storage.snapshot import snapshot
from medray.storage.store import LAKE, TEMPORARY
from medray.storage.uri import join

ROWS = 3
NAME = "kill"


def every_table(lake: str) -> None:
    """A run that is planned, writes every table and is committed; an earlier attempt has left a part of a file."""
    in_turn(story.job(), lake, "predict", "same", lambda plan: _commit(lake, plan), lambda: _look(lake))


def look_at_tables(lake: str, complete: bool) -> list[str]:
    """What is lost, doubled or seen in part, also by who reads the tables at their newest versions, as a
    run that was committed a moment later makes everybody do."""
    state = snapshot(LAKE, lake)
    tables = {contract.name: delta.open_table(LAKE, lake, contract) for contract in ORDER}
    state = state.at({name: int(table.version()) for name, table in tables.items() if table is not None})
    found = ["the run is not there once"] if complete and state.runs.num_rows != 1 else []
    for contract in ORDER:
        rows = sum(batch.num_rows for batch in state.scan(contract, contract.schema.names[:1]))
        shown = 0 if contract.name == HELD.name else ROWS  # of a run that no gate has held
        if rows != state.runs.num_rows * shown:
            found.append(f"{contract.name} has {rows} rows of {state.runs.num_rows} runs of {ROWS}")
    return found


def a_model(lake: str) -> None:
    """A model that is stored, gets its version and goes into production."""
    sha256 = save_model(LAKE, lake, {"w": np.arange(4, dtype=np.float32)}, {"family": "image"}, _SUBJECTS)
    made = register(LAKE, lake, NAME, sha256, {"run_id": "one"})
    promote(LAKE, lake, NAME, made.version, "one")


def look_at_models(lake: str, complete: bool) -> list[str]:
    known = versions(LAKE, lake, NAME)
    for one in known:
        load_model(LAKE, lake, one.sha256)  # raises where a part is missing
    if not complete:
        return []
    found = [] if [one.version for one in known] == [1] else [f"{len(known)} versions of one model"]
    found += [] if choose(LAKE, lake, NAME, "production").version == 1 else ["another version is in production"]
    return found


def few_files(lake: str) -> None:
    """The files of two runs in `runs` and `audit` are brought together."""
    if not Path(lake).exists():
        aside = Path(lake).with_name("aside")
        commit_some(LAKE, str(aside), 2)
        shutil.copytree(aside, lake)
    with patch.object(together, "FILES", 2):
        together.bring_together(LAKE, lake)


def look_at_few_files(lake: str, complete: bool) -> list[str]:
    """Each run once, with all that it told the auditor, also in the newest version of `audit`."""
    state = snapshot(LAKE, lake)
    newest = delta.open_table(LAKE, lake, AUDIT)
    states = [state] if newest is None else [state, state.at({AUDIT.name: int(newest.version())})]
    found = ["the runs are not there once"] if complete and state.runs.num_rows != 2 else []
    for one in states:
        told = Counter(one.table(AUDIT, ("run_id",))["run_id"].to_pylist())
        if state.runs.num_rows != len(state.run_ids()) or told != dict.fromkeys(state.run_ids(), 2):
            found.append(f"{state.runs.num_rows} runs told the auditor {sorted(told.values())}")
    return found


_SUBJECTS = {"train": np.array([1], np.int64)}


def _look(lake: str) -> Plan | Result:
    state = snapshot(LAKE, lake)
    if state.runs.num_rows:
        return Result("nothing")
    inputs = pa.table({"chunk": pa.array([0] * ROWS, pa.int32()), "key": [f"k{number}" for number in range(ROWS)]})
    return replace(story.plan(planned_at=datetime(2026, 1, 1)), stream="same", inputs=inputs)


def _commit(lake: str, plan: Plan) -> Result:
    half = Path(join(delta.table_uri(lake, ORDER[0].name), data_path(plan.run_id, "0"))).with_name(f"{TEMPORARY}half")
    if plan.run_id not in snapshot(LAKE, lake).run_ids():
        half.parent.mkdir(parents=True, exist_ok=True)
        half.write_bytes(b"half")
    files = {contract.name: write_rows(LAKE, lake, plan, contract, _rows(contract, plan), "0") for contract in ORDER}
    commit_run(LAKE, lake, plan, Outcome({"listed": ROWS}, files))
    return Result("done", (plan.run_id,))


def _rows(contract: TableContract, plan: Plan) -> pa.Table:
    """Rows of a table, whatever its columns are."""
    rows = [{field.name: _value(field.type, number) for field in contract.schema} for number in range(ROWS)]
    if "run_id" in contract.schema.names:
        rows = [row | {"run_id": plan.run_id} for row in rows]
    return pa.Table.from_pylist(rows, schema=contract.schema)


def _value(kind: pa.DataType, number: int) -> Any:
    if pa.types.is_map(kind):
        return [(_value(kind.key_type, number), _value(kind.item_type, number))]
    if pa.types.is_list(kind):
        return [_value(kind.value_type, number)]
    if pa.types.is_struct(kind):
        return {field.name: _value(field.type, number) for field in kind}
    for is_kind, value in _VALUES:
        if is_kind(kind):
            return value(number)
    raise AssertionError(f"no value for {kind}")


_VALUES = (
    (pa.types.is_string, lambda number: f"v{number}"),
    (pa.types.is_boolean, lambda number: number % 2 == 0),
    (pa.types.is_integer, lambda number: number),
    (pa.types.is_floating, float),
    (pa.types.is_timestamp, lambda _: datetime(2026, 1, 1)),
    (pa.types.is_date, lambda _: date(2026, 1, 1)),
    (lambda kind: pa.types.is_binary(kind) or pa.types.is_large_binary(kind), lambda number: b"%d" % number),
)
