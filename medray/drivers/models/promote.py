"""Which version of a model scores at night: promotion and rollback, each a run of its own."""

from __future__ import annotations

from contextlib import suppress

from medray.drivers.job import Job, act_plan
from medray.drivers.models.model_card import refuse_incomplete, write_card
from medray.drivers.open_plans import open_plans
from medray.errors import ModelError
from medray.storage.audit import Event
from medray.storage.commit import Outcome, commit_run
from medray.storage.descriptions import descriptions
from medray.storage.models import Registered, registered
from medray.storage.plans import Plan, write_plan
from medray.storage.promotions import Promotion, before, in_production, promotions
from medray.storage.promotions import promote as put_in_force

JOB = "promote"


def promote(lake: str, name: str, version: int, job: Job) -> Registered:
    """Make a version the one that nightly runs score with; a promotion that was cut off is finished first.

    Raises:
        ModelError: there is no such version, or its card is not complete.
    """
    chosen = registered(job.store, lake, name, version)
    refuse_incomplete(lake, chosen, job)
    return _put(lake, chosen, job)


def rollback(lake: str, name: str, job: Job) -> Registered:
    """Put the version back that was in production before, whatever its card says: nights must go on.

    Raises:
        ModelError: there was no other.
    """
    in_production(job.store, lake, name)
    have = promotions(job.store, lake, name)
    return _put(lake, registered(job.store, lake, name, before(have, lake, name).version), job)


def promoted(lake: str, name: str, version: int, cause: str, job: Job) -> tuple[Promotion, Event]:
    """Put a version in force, once for each cause, and what the auditor is told: with the version that it replaced."""
    made = put_in_force(job.store, lake, name, version, cause)
    earlier = [one.version for one in promotions(job.store, lake, name) if one.number < made.number]
    said = descriptions(job.store, lake, name, made.version)
    detail = {
        "number": made.number,
        "model_sha256": made.model_sha256,
        "replaced": earlier[-1] if earlier else None,
        "description": said[-1].number if said else None,
    }
    return made, Event("promotion", name, made.version, detail)


def _put(lake: str, chosen: Registered, job: Job) -> Registered:
    for plan in open_plans(job, lake, JOB, _stream(chosen.name)):
        _execute(plan, lake, job)
    have = promotions(job.store, lake, chosen.name)
    _execute(write_plan(job.store, lake, _plan(chosen, have, job)), lake, job)
    for version in {chosen.version, *(one.version for one in have[-1:])}:
        with suppress(ModelError):  # a damaged model may be why another takes its place; a page is no part of that
            write_card(lake, chosen.name, version, job)
    return chosen


def _execute(plan: Plan, lake: str, job: Job) -> None:
    made, event = promoted(lake, plan.facts["model"], plan.facts["version"], plan.run_id, job)
    commit_run(job.store, lake, plan, Outcome({}, model_sha256=made.model_sha256, events=[event]))


def _stream(name: str) -> str:
    return f"{JOB} {name}"


def _plan(chosen: Registered, have: list[Promotion], job: Job) -> Plan:
    facts = {"model": chosen.name, "version": chosen.version, "number": len(have) + 1}
    return act_plan(JOB, chosen.name, _stream(chosen.name), job, facts)
