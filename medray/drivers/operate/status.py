"""`medray status`: what is open in a lake, how far it is, and what was committed last. From the lake alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from medray.drivers.job import Job
from medray.drivers.open_plans import read_open
from medray.drivers.operate.traces import traces
from medray.planning.progress import Progress, progress
from medray.storage.plans import Plan
from medray.storage.snapshot import newest, snapshot

_NEWEST = 10


@dataclass(frozen=True)
class Open:
    """A plan that is neither committed nor given up."""

    plan: Plan
    progress: Progress

    def advice(self, lake: str) -> str:
        """What the person who reads it may do."""
        if self.progress.state == "moving":
            return "under way"
        again = "run its recipe again: it goes on where it stopped"
        return f"if it is dead, {again}; or `medray abandon {self.plan.run_id[:12]} --lake {lake}`"


@dataclass(frozen=True)
class Status:
    """Attributes:
    open: by when they were planned.
    newest: the newest committed runs, newest first.
    night: the newest nightly run among all, or None.
    waiting: held nights that nobody has decided about, newest first.
    """

    open: tuple[Open, ...]
    newest: tuple[dict[str, Any], ...]
    night: dict[str, Any] | None
    waiting: tuple[dict[str, Any], ...]


def status(lake: str, job: Job, now: datetime) -> Status:
    """The lake as it is at `now` (UTC)."""
    state = snapshot(job.store, lake)
    found = [Open(plan, progress(traces(state, plan), plan.planned_at, now)) for plan in read_open(state)]
    runs = newest(state.runs).to_pylist()
    waiting = state.waiting()
    night = next((run for run in runs if run["job"] == "nightly"), None)
    return Status(
        tuple(sorted(found, key=lambda one: (one.plan.planned_at, one.plan.run_id))),
        tuple(runs[:_NEWEST]),
        night,
        tuple(run for run in runs if run["job"] == "nightly" and run["run_id"] in waiting),
    )
