"""Turns: the plans of a stream follow each other, so that no two of them hold the same inputs.

`plans/<job>/turns/<stream>/<n>.json` (put if absent) names the stream's n-th plan and holds its
document. Whoever plans asks for the next turn first, sees to it that the plans before it are
committed or given up, looks at the lake then, and takes that very turn: when it is gone, another
driver has planned from the same state of the lake, and this plan must not be.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from medray.storage.failures import told
from medray.storage.plans import Plan, canonical, read_plan, write_document, write_inputs
from medray.storage.store import Store
from medray.storage.uri import join


def newest_turn(store: Store, lake: str, job: str, stream: str) -> tuple[int, str | None]:
    """The number of the stream's newest plan (0 where there is none) and its run id. That plan exists
    afterwards, whoever was killed between taking the turn and writing it."""
    folder = _folder(lake, job, stream)
    with told(lake):
        try:
            names = [item.uri.rsplit("/", 1)[-1] for item in store.walk(folder)]
        except FileNotFoundError:
            return 0, None
        turn = max((int(name.removesuffix(".json")) for name in names if name.endswith(".json")), default=0)
        if not turn:
            return 0, None
        claimed = json.loads(store.read(_uri(folder, turn)))
    write_document(store, lake, job, claimed["run_id"], claimed["plan"])
    return turn, str(claimed["run_id"])


def take_turn(store: Store, lake: str, plan: Plan) -> Plan | None:
    """Freeze the plan as the stream's `plan.turn`-th. Returns the plan that stands, which another attempt
    at the same work may have written; or None where the turn is another plan's."""
    write_inputs(store, lake, plan)
    uri = _uri(_folder(lake, plan.job, plan.stream), plan.turn)
    claimed: dict[str, Any] = {"run_id": plan.run_id, "plan": plan.document()}
    with told(lake):
        if not store.put_if_absent(uri, canonical(claimed)):
            claimed = json.loads(store.read(uri))
    if claimed["run_id"] != plan.run_id:
        return None
    write_document(store, lake, plan.job, plan.run_id, claimed["plan"])
    return read_plan(store, lake, plan.job, plan.run_id)


def _folder(lake: str, job: str, stream: str) -> str:
    return join(lake, "plans", job, "turns", hashlib.sha256(stream.encode()).hexdigest()[:16])


def _uri(folder: str, turn: int) -> str:
    return join(folder, f"{turn:06d}.json")
