"""Plans: the frozen list of what a run will do, written before it does anything.

A plan lies in `plans/<job>/<run_id>/`: `inputs.arrow` first, then `plan.json`, which makes it
exist. `run_id` is the hash of what will be done, without clock or randomness: the same work on
another day is the same run. When it was planned, for which date and beside which table versions
stand outside the hash; the first writer's are everybody's.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import pyarrow as pa

from medray.storage.failures import told
from medray.storage.store import Store
from medray.storage.uri import join


@dataclass(frozen=True)
class Plan:
    """What a run will do.

    Attributes:
        job, name, stream: the job, the recipe's name, and what competing plans share: an open plan
            of a stream is finished before a new one is made.
        code_version: of the medray that planned.
        recipe: resolved, JSON.
        facts: other decisions of planning, JSON (counts, model hash, ...).
        inputs: one row per input with its `chunk`; columns are the job's own.
        run_date: ISO date, an argument of the job; not part of the hash.
        tables_read: version of every table that planning read; not part of the hash.
        planned_at: when the plan was first written; not part of the hash.
        turn: its place in the order of the stream's plans (`turns.py`); 0 for one that claims no inputs.
    """

    job: str
    name: str
    stream: str
    run_date: str
    code_version: str
    recipe: dict[str, Any]
    tables_read: dict[str, int]
    facts: dict[str, Any]
    inputs: pa.Table
    planned_at: datetime
    turn: int = 0

    @cached_property
    def run_id(self) -> str:  # cached: every row asks for it, and the inputs may be many
        digest = hashlib.sha256(canonical(self._hashed()))
        digest.update(_ipc(self.inputs))
        return digest.hexdigest()[:32]

    @property
    def recipe_sha256(self) -> str:
        return hashlib.sha256(canonical(self.recipe)).hexdigest()

    @property
    def chunks(self) -> int:
        """Number of chunks; they are numbered from 0."""
        return int(self.inputs["chunk"][-1].as_py()) + 1 if self.inputs.num_rows else 0

    def _hashed(self) -> dict[str, Any]:
        return {
            **({"turn": self.turn} if self.turn else {}),
            "job": self.job,
            "name": self.name,
            "stream": self.stream,
            "code_version": self.code_version,
            "recipe": self.recipe,
            "facts": self.facts,
        }

    def document(self) -> dict[str, Any]:
        """All but the inputs, as JSON."""
        first = {"run_date": self.run_date, "tables_read": self.tables_read, "planned_at": self.planned_at.isoformat()}
        return {**self._hashed(), **first}


def write_plan(store: Store, lake: str, plan: Plan) -> Plan:
    """Freeze the plan. Returns the one that stands, which an earlier attempt may have written."""
    write_inputs(store, lake, plan)
    with told(lake):
        if store.put_if_absent(_document_uri(lake, plan.job, plan.run_id), canonical(plan.document())):
            return plan
    return read_plan(store, lake, plan.job, plan.run_id)


def write_inputs(store: Store, lake: str, plan: Plan) -> None:
    """What goes before the document, which makes the plan exist."""
    with told(lake):
        store.put_if_absent(_inputs_uri(lake, plan.job, plan.run_id), _ipc(plan.inputs))


def write_document(store: Store, lake: str, job: str, run_id: str, document: dict[str, Any]) -> None:
    """Make a plan exist whose inputs stand."""
    with told(lake):
        store.put_if_absent(_document_uri(lake, job, run_id), canonical(document))


def read_plan(store: Store, lake: str, job: str, run_id: str) -> Plan:
    with told(lake):
        document = json.loads(store.read(_document_uri(lake, job, run_id)))
        inputs = pa.ipc.open_file(pa.BufferReader(store.read(_inputs_uri(lake, job, run_id)))).read_all()
    planned_at = datetime.fromisoformat(document.pop("planned_at"))
    return Plan(**document, inputs=inputs, planned_at=planned_at)


def planned_runs(store: Store, lake: str, job: str) -> list[str]:
    """Run ids of every plan of a job, finished or not, in order of their ids."""
    with told(lake):
        try:
            listed = [item for item in store.walk(join(lake, "plans", job)) if item.uri.endswith("/plan.json")]
        except FileNotFoundError:
            return []
        return sorted(item.uri.split("/")[-2] for item in listed)


def now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


def plan_folder(lake: str, job: str, run_id: str) -> str:
    """Where a plan lies."""
    return join(lake, "plans", job, run_id)


def _document_uri(lake: str, job: str, run_id: str) -> str:
    return join(plan_folder(lake, job, run_id), "plan.json")


def _inputs_uri(lake: str, job: str, run_id: str) -> str:
    return join(plan_folder(lake, job, run_id), "inputs.arrow")


def canonical(document: dict[str, Any]) -> bytes:
    """The one text of a document."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _ipc(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table.combine_chunks())
    data: bytes = sink.getvalue().to_pybytes()
    return data
