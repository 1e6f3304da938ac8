"""What people decide about a held night: its answers are published as they are, or thrown away."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Literal

from medray.drivers.job import Job, act_plan
from medray.drivers.open_plans import open_plans
from medray.errors import PlanError
from medray.schema.held import HELD
from medray.schema.predictions import PREDICTIONS
from medray.storage.audit import Event
from medray.storage.commit import Outcome, commit_run, new_file, run_of
from medray.storage.delta import NewFile, table_uri
from medray.storage.failures import told
from medray.storage.plans import Plan, write_plan
from medray.storage.snapshot import Snapshot, snapshot
from medray.storage.uri import join

Decision = Literal["release", "reject"]
_OTHER: dict[str, Decision] = {"release": "reject", "reject": "release"}


@dataclass(frozen=True)
class Decided:
    """Attributes:
    night: the run id of the night.
    answers: rows that were published or thrown away; None when it was decided before.
    """

    night: str
    answers: int | None


def decide(lake: str, run: str, decision: Decision, reason: str, job: Job) -> Decided:
    """Release or reject the held night whose run id begins with `run`. What was rejected is asked again
    by the next run that scores.

    Args:
        reason: for the audit; nothing about a patient.

    Raises:
        PlanError: no or several such nights, or somebody has decided otherwise.
    """
    state = snapshot(job.store, lake)
    night = _night(state, run, lake)
    stream = f"decide {night['run_id']}"
    for kind in _OTHER:
        for plan in open_plans(job, lake, kind, stream):
            _execute(plan, lake, job)
    state = snapshot(job.store, lake)
    if night["run_id"] in state.decided(_OTHER[decision]):
        raise PlanError(
            f"night {night['run_id'][:12]}",
            f"a night that somebody has decided to {_OTHER[decision]}",
            "one decision about a night",
            "look at `medray runs`",
        )
    if night["run_id"] in state.decided(decision):
        return Decided(night["run_id"], None)
    members = [night["run_id"], *(run for run in night["children"] if run in state.held())]
    facts = {"night": night["run_id"], "runs": members, "reason": reason}
    plan = act_plan(decision, night["name"], stream, job, facts, tables_read=state.versions)
    return Decided(night["run_id"], _execute(write_plan(job.store, lake, plan), lake, job))


def _night(state: Snapshot, run: str, lake: str) -> dict[str, Any]:
    held = state.held()
    every: list[dict[str, Any]] = state.runs.to_pylist()
    rows = [row for row in every if row["job"] == "nightly" and row["run_id"] in held]
    found = [row for row in rows if row["run_id"].startswith(run)]
    if len(found) != 1:
        waiting = state.waiting()
        names = ", ".join(f"{row['run_id'][:12]} ({row['run_date']})" for row in rows if row["run_id"] in waiting)
        raise PlanError(
            f"lake {lake}",
            f"{len(found)} held nights that begin with {run!r}",
            f"one of the nights that wait: {names or 'none'}",
            "give the run id that the report and `medray runs` show",
        )
    return found[0]


def _execute(plan: Plan, lake: str, job: Job) -> int:
    """Commit a decision. What the lake held when it was planned is what is decided about."""
    state = snapshot(job.store, lake).at(plan.tables_read)
    files = _held_files(state, set(plan.facts["runs"]), plan, job)
    detail = {"runs": plan.facts["runs"], "reason": plan.facts["reason"]}
    outcome = Outcome(
        {"answers": sum(file.rows for file in files)},
        {PREDICTIONS.name: files} if plan.job == "release" else {},
        children=plan.facts["runs"],
        taken_out={HELD.name: [file.path for file in files]},
        events=[Event(plan.job, plan.facts["night"], None, detail)],
    )
    commit_run(job.store, lake, plan, outcome)
    return sum(file.rows for file in files)


def _held_files(state: Snapshot, runs: Collection[str], plan: Plan, job: Job) -> list[NewFile]:
    """The files of answers that these runs have written: the very ones, where scoring left them."""
    root = table_uri(state.lake, PREDICTIONS.name)
    found = []
    with told(state.lake):
        for path, rows in sorted(state.file_rows(HELD).items()):
            if run_of(path) in runs:
                found.append(new_file(plan, path, {"file_bytes": job.store.size(join(root, path)), "rows": rows}))
    return found
