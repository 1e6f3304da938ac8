"""Which version of a model scores at night: promotion and rollback, each a run of its own."""

from __future__ import annotations

import pyarrow as pa

from medray.code_version import code_version
from medray.drivers.job import Job
from medray.drivers.open_plans import open_plans
from medray.storage.audit import Event
from medray.storage.commit import Outcome, commit_run
from medray.storage.models import Registered, registered
from medray.storage.plans import Plan, now, write_plan
from medray.storage.promotions import Promotion, before, in_production, promotions
from medray.storage.promotions import promote as put_in_force

JOB = "promote"


def promote(lake: str, name: str, version: int, job: Job) -> Registered:
    """Make a version the one that nightly runs score with; a promotion that was cut off is finished first.

    Raises:
        ModelError: there is no such version.
    """
    chosen = registered(job.store, lake, name, version)
    for plan in open_plans(job, lake, JOB, _stream(name)):
        _execute(plan, lake, job)
    have = promotions(job.store, lake, name)
    _execute(write_plan(job.store, lake, _plan(chosen, have, job)), lake, job)
    return chosen


def rollback(lake: str, name: str, job: Job) -> Registered:
    """Put the version back that was in production before.

    Raises:
        ModelError: there was no other.
    """
    in_production(job.store, lake, name)
    have = promotions(job.store, lake, name)
    return promote(lake, name, before(have, lake, name).version, job)


def promotion_event(name: str, made: Promotion, have: list[Promotion]) -> Event:
    """A promotion for the auditor, with the version that it replaced."""
    earlier = [one.version for one in have if one.number < made.number]
    detail = {"number": made.number, "model_sha256": made.model_sha256, "replaced": earlier[-1] if earlier else None}
    return Event("promotion", name, made.version, detail)


def _execute(plan: Plan, lake: str, job: Job) -> None:
    name = plan.facts["model"]
    made = put_in_force(job.store, lake, name, plan.facts["version"], plan.run_id)
    event = promotion_event(name, made, promotions(job.store, lake, name))
    commit_run(job.store, lake, plan, Outcome({}, model_sha256=made.model_sha256, events=[event]))


def _stream(name: str) -> str:
    return f"{JOB} {name}"


def _plan(chosen: Registered, have: list[Promotion], job: Job) -> Plan:
    return Plan(
        job=JOB,
        name=chosen.name,
        stream=_stream(chosen.name),
        run_date=job.run_date,
        code_version=code_version(),
        recipe={},
        tables_read={},
        facts={"model": chosen.name, "version": chosen.version, "number": len(have) + 1},
        inputs=pa.table({"chunk": pa.array([], pa.int32())}),
        planned_at=now(),
    )
