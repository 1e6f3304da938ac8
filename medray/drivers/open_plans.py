"""Plans that were made and never committed."""

from __future__ import annotations

from medray.drivers.job import Job
from medray.storage.plans import Plan, planned_runs, read_plan
from medray.storage.snapshot import snapshot


def open_plans(job: Job, lake: str, kind: str, stream: str) -> list[Plan]:
    """The unfinished plans of a stream, oldest first: they are finished before a new one is made."""
    runs = planned_runs(job.store, lake, kind)
    if not runs:
        return []
    finished = snapshot(job.store, lake).run_ids()
    plans = [read_plan(job.store, lake, kind, run_id) for run_id in runs if run_id not in finished]
    return sorted((plan for plan in plans if plan.stream == stream), key=lambda plan: (plan.planned_at, plan.run_id))
