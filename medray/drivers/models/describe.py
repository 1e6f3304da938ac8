"""What people say of a model's version, said anew: a run of its own. Weights and record stay as they are."""

from __future__ import annotations

from medray.drivers.job import Job, act_plan
from medray.drivers.models.model_card import write_card
from medray.drivers.open_plans import open_plans
from medray.errors import RecipeError
from medray.recipes.card import CardText
from medray.storage.audit import Event
from medray.storage.commit import Outcome, commit_run
from medray.storage.descriptions import Description, descriptions
from medray.storage.descriptions import describe as put_description
from medray.storage.models import registered
from medray.storage.plans import Plan, write_plan

JOB = "describe"


def describe(lake: str, name: str, version: int, words: CardText, job: Job) -> Description:
    """Say this of a version from now on; a description that was cut off is finished first.

    Raises:
        ModelError: there is no such version.
        RecipeError: a field is empty.
    """
    if empty := words.empty():
        raise RecipeError(
            "the card's text", f"nothing in: {', '.join(empty)}", "all four fields", "write a sentence or two for each"
        )
    chosen = registered(job.store, lake, name, version)
    stream = f"{JOB} {name} {version}"
    for plan in open_plans(job, lake, JOB, stream):
        _execute(plan, lake, job)
    have = descriptions(job.store, lake, name, version)
    facts = {"model": name, "version": version, "number": len(have) + 1, "words": words.model_dump()}
    plan = write_plan(job.store, lake, act_plan(JOB, name, stream, job, facts))
    made = _execute(plan, lake, job)
    write_card(lake, name, chosen.version, job)
    return made


def _execute(plan: Plan, lake: str, job: Job) -> Description:
    name, version = plan.facts["model"], plan.facts["version"]
    made = put_description(job.store, lake, name, version, plan.facts["words"], plan.run_id)
    sha256 = registered(job.store, lake, name, version).sha256
    event = Event("description", name, version, {"number": made.number, "model_sha256": sha256, "words": made.words})
    commit_run(job.store, lake, plan, Outcome({}, model_sha256=sha256, events=[event]))
    return made
