"""Plans that were made and never committed."""

from __future__ import annotations

from medray.drivers.job import Job
from medray.storage.dated import folders
from medray.storage.failures import told
from medray.storage.plans import Plan, planned_runs, read_plan
from medray.storage.snapshot import Snapshot, snapshot
from medray.storage.uri import join

ABANDON = "abandon"


def open_plans(job: Job, lake: str, kind: str, stream: str, claimed: str | None = None) -> list[Plan]:
    """The unfinished plans of a stream, oldest first: they are finished before a new one is made.

    Args:
        claimed: the stream's newest plan where that is known; a listing may lag behind.
    """
    plans = [read_plan(job.store, lake, kind, run_id) for run_id in unfinished(job, lake, kind, claimed)]
    return sorted((plan for plan in plans if plan.stream == stream), key=lambda plan: (plan.planned_at, plan.run_id))


def unfinished(job: Job, lake: str, kind: str, claimed: str | None = None) -> list[str]:
    """Run ids of a job's plans that are neither committed nor given up by a person."""
    planned = sorted({*planned_runs(job.store, lake, kind), *([claimed] if claimed else ())})
    if not planned:
        return []
    state = snapshot(job.store, lake)
    closed = closed_runs(state)
    return [run_id for run_id in planned if run_id not in closed]


def read_open(state: Snapshot) -> list[Plan]:
    """Every plan of the lake, of whatever job, that is neither committed nor given up."""
    return [read_plan(state.store, state.lake, kind, run_id) for kind, run_id in open_run_ids(state)]


def open_run_ids(state: Snapshot) -> list[tuple[str, str]]:
    """(job, run id) of every open plan: names of folders are listed. Where only the inputs were written
    there is no plan: its `plan.json` makes it exist."""
    closed = closed_runs(state)
    with told(state.lake):
        return [
            (kind, run_id)
            for kind in folders(state.store, join(state.lake, "plans"))
            for run_id in folders(state.store, join(state.lake, "plans", kind))
            if run_id not in closed and state.store.exists(join(state.lake, "plans", kind, run_id, "plan.json"))
        ]


def closed_runs(state: Snapshot) -> set[str]:
    """Run ids of plans that are committed, or were given up by a person."""
    closed = state.run_ids()
    for kind, children in zip(state.runs["job"].to_pylist(), state.runs["children"].to_pylist(), strict=True):
        if kind == ABANDON:
            closed.update(children)
    return closed
