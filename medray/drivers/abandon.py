"""Giving up an unfinished plan by hand: it is not resumed any more, and its inputs are new again."""

from __future__ import annotations

from medray.drivers.job import Job, act_plan
from medray.drivers.open_plans import ABANDON, open_run_ids
from medray.errors import PlanError
from medray.schema.audit import AUDIT
from medray.storage import delta
from medray.storage.audit import Event
from medray.storage.commit import ORDER, Outcome, commit_run
from medray.storage.plans import write_plan
from medray.storage.snapshot import snapshot


def abandon(lake: str, run_id: str, job: Job) -> str:
    """Close the one unfinished plan whose id begins with `run_id`, in a run of its own. Returns the
    whole id.

    Raises:
        PlanError: no or several such plans, or the plan's commit has begun and must be finished. A
            driver that stands still meanwhile cannot commit the plan when it goes on.
    """
    open_runs = (planned for _, planned in open_run_ids(snapshot(job.store, lake)))
    found = [planned for planned in open_runs if planned.startswith(run_id)]
    if len(found) != 1:
        raise PlanError(
            f"lake {lake}",
            f"{len(found)} unfinished plans that begin with {run_id!r}",
            "exactly one",
            "give more of the run id",
        )
    planned = found[0]
    for contract in (*ORDER, AUDIT):
        table = delta.open_table(job.store, lake, contract)
        if table is not None and table.transaction_version(planned) is not None:
            raise PlanError(
                f"run {planned[:12]}",
                f"a commit to {contract.name}",
                "a plan without commits",
                "run the job again: it finishes the commit",
            )
    plan = act_plan(ABANDON, planned[:12], f"{ABANDON} {planned}", job, {"run_id": planned})
    outcome = Outcome({}, children=[planned], closes=[planned], events=[Event(ABANDON, planned)])
    commit_run(job.store, lake, write_plan(job.store, lake, plan), outcome)
    return planned
