"""`medray vacuum`: what nothing needs any more is listed, and deleted in an audited run of its own.

A vacuum that was killed is finished by the next one, as far as its objects are garbage still.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa

from medray.drivers.job import Job, act_plan, host_facts
from medray.drivers.open_plans import open_plans, read_open
from medray.drivers.operate.garbage import Garbage, Rules, garbage
from medray.storage.audit import Event
from medray.storage.commit import Outcome, commit_run
from medray.storage.failures import told
from medray.storage.plans import Plan, write_plan
from medray.storage.remove import remove
from medray.storage.snapshot import snapshot
from medray.storage.uri import join

JOB = "vacuum"
_AT_ONCE = 1000  # between two looks at the bar


def find(lake: str, days: int, reports: int | None, job: Job, now: datetime) -> list[Garbage]:
    """What may be deleted at `now` (UTC): nothing that was written in the last `days`.

    Args:
        reports: age in days from which reports go too; None: they stay.
    """
    state = snapshot(job.store, lake)
    cutoff = now - timedelta(days=days)
    rules = Rules(cutoff, None if reports is None else now - timedelta(days=max(reports, days)))
    others = [plan for plan in read_open(state) if plan.job != JOB]  # a vacuum needs nothing
    return garbage(state, others, rules)


def vacuum(lake: str, days: int, reports: int | None, job: Job, now: datetime) -> list[Garbage]:
    """Delete it. Returns what is gone, an earlier attempt's among it."""
    found = find(lake, days, reports, job, now)
    gone: list[Garbage] = []
    for plan in open_plans(job, lake, JOB, JOB):
        begun = set(plan.inputs["path"].to_pylist())
        gone += _delete(plan, lake, [one for one in found if one.path in begun], job)
    done = {one.path for one in gone}
    left = [one for one in found if one.path not in done]
    if left:
        plan = write_plan(job.store, lake, _plan(left, days, reports, job, now, snapshot(job.store, lake).versions))
        gone += _delete(plan, lake, left, job)
    return gone


def tally(found: Sequence[Garbage]) -> dict[str, tuple[int, int]]:
    """Kind -> (objects, bytes)."""
    counted: dict[str, tuple[int, int]] = {}
    for one in found:
        objects, size = counted.get(one.kind, (0, 0))
        counted[one.kind] = (objects + 1, size + one.size_bytes)
    return counted


def _plan(
    found: Sequence[Garbage], days: int, reports: int | None, job: Job, now: datetime, versions: dict[str, int]
) -> Plan:
    columns: dict[str, Any] = {
        "chunk": pa.array([0] * len(found), pa.int32()),
        "path": [one.path for one in found],
        "kind": [one.kind for one in found],
        "size_bytes": [one.size_bytes for one in found],
    }
    facts = {"days": days, "reports_days": reports, "at": now.isoformat(), "kinds": tally(found)}
    return act_plan(JOB, JOB, JOB, job, facts, tables_read=versions, inputs=pa.table(columns), planned_at=now)


def _delete(plan: Plan, lake: str, found: Sequence[Garbage], job: Job) -> list[Garbage]:
    started = time.monotonic()
    with told(lake), job.tell.bar("vacuum", len(found), run_id=plan.run_id) as bar:
        for start in range(0, len(found), _AT_ONCE):
            some = found[start : start + _AT_ONCE]
            remove(job.store, lake, [join(lake, one.path) for one in some])
            bar.advance(len(some))
    counts = {"objects": plan.inputs.num_rows, "bytes": sum(plan.inputs["size_bytes"].to_pylist())}
    event = Event(JOB, JOB, None, {**plan.facts, **counts})
    commit_run(job.store, lake, plan, Outcome(counts, host_facts=host_facts(started), events=[event]))
    return list(found)
