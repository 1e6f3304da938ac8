"""Giving up an unfinished plan by hand: it is not resumed any more, and its inputs are new again."""

from __future__ import annotations

import pyarrow as pa

from medray.code_version import code_version
from medray.config import JOBS
from medray.drivers.job import Job
from medray.drivers.open_plans import ABANDON, unfinished
from medray.errors import PlanError
from medray.schema.audit import AUDIT
from medray.storage import delta
from medray.storage.audit import Event
from medray.storage.commit import ORDER, Outcome, commit_run
from medray.storage.plans import Plan, now, write_plan

_KINDS = (*JOBS, "volumes", "labels", "problem", "release", "reject", "promote", "relink", "vacuum")


def abandon(lake: str, run_id: str, job: Job) -> str:
    """Close the one unfinished plan whose id begins with `run_id`, in a run of its own. Returns the
    whole id.

    Raises:
        PlanError: no or several such plans, or the plan's commit has begun and must be finished. A
            driver that stands still meanwhile cannot commit the plan when it goes on.
    """
    found = [planned for kind in _KINDS for planned in unfinished(job, lake, kind) if planned.startswith(run_id)]
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
    plan = Plan(
        job=ABANDON,
        name=planned[:12],
        stream=f"{ABANDON} {planned}",
        run_date=job.run_date,
        code_version=code_version(),
        recipe={},
        tables_read={},
        facts={"run_id": planned},
        inputs=pa.table({"chunk": pa.array([], pa.int32())}),
        planned_at=now(),
    )
    outcome = Outcome({}, children=[planned], closes=[planned], events=[Event(ABANDON, planned)])
    commit_run(job.store, lake, write_plan(job.store, lake, plan), outcome)
    return planned
