"""The `nightly` driver: finish what is unfinished, ingest and score what is new, judge, report, commit."""

from __future__ import annotations

import time
from typing import Any

from medray.drivers.images.ingest import ingest_archive
from medray.drivers.job import Job, Result, host_facts, new_plan, no_inputs
from medray.drivers.models.predict import predict
from medray.drivers.night.judging import Judging
from medray.drivers.night.links import counts_of
from medray.drivers.night.nights import JOB, night_document
from medray.drivers.night.page import Told, write_page
from medray.drivers.open_plans import open_plans
from medray.drivers.records.ingest import ingest_records
from medray.errors import UnjudgedError
from medray.recipes.score import ImagesNight, NightlyRecipe
from medray.storage.audit import Event
from medray.storage.commit import Outcome, commit_run
from medray.storage.plans import Plan, write_plan
from medray.storage.promotions import choose
from medray.storage.snapshot import Snapshot, newest, snapshot


def nightly(recipe: NightlyRecipe, job: Job) -> Result:
    """One night. A night without news is committed too; a night that is committed is not repeated,
    unless a person has rejected it.

    Returns:
        "held" where the gate does not let the answers through, until a person decides.

    Raises:
        ModelError: no model is in production; nothing was touched.
    """
    choose(job.store, recipe.lake, recipe.model.name, recipe.model.version)
    stream = f"{JOB} {recipe.name}"
    state = snapshot(job.store, recipe.lake)
    facts = {"run_date": job.run_date, **_rejected(state, recipe, job.run_date)}
    plan = new_plan(recipe, JOB, stream, job.run_date, state.versions, facts, no_inputs())
    _finish_others(plan, recipe, job)
    if plan.run_id in state.run_ids():
        waiting = plan.run_id in state.withheld()
        return Result(
            "held" if waiting else "already", (plan.run_id,), facts={"report": _report_of(state, plan.run_id)}
        )
    plan = write_plan(job.store, recipe.lake, plan)
    try:
        return _execute(plan, recipe, job)
    except UnjudgedError:  # a night that began later has scored meanwhile: it is judged by its own gate
        _finish_others(plan, recipe, job)
        return _execute(plan, recipe, job)


def _finish_others(plan: Plan, recipe: NightlyRecipe, job: Job) -> None:
    """Finish the other open nights, oldest first; one that meets the answers of another comes after it."""
    waiting = [one for one in open_plans(job, recipe.lake, JOB, plan.stream) if one.run_id != plan.run_id]
    put_off: set[str] = set()
    while waiting:
        other = waiting.pop(0)
        job.tell.say(f"the night of {other.run_date} was not finished: finishing it first")
        try:
            _execute(other, recipe, Job(other.run_date, job.tell, job.store))
        except UnjudgedError:
            if other.run_id in put_off:
                raise
            put_off.add(other.run_id)
            waiting.append(other)


def _rejected(state: Snapshot, recipe: NightlyRecipe, run_date: str) -> dict[str, Any]:
    """The runs of this very night that people threw away: the night after them is another run."""
    thrown = state.decided("reject")
    rows = state.runs.select(["run_id", "job", "name", "run_date"]).to_pylist()
    ours = [
        row["run_id"]
        for row in rows
        if (row["job"], row["name"], row["run_date"].isoformat()) == (JOB, recipe.name, run_date)
    ]
    found = sorted(thrown & set(ours))
    return {"rejected": found} if found else {}


def _execute(plan: Plan, recipe: NightlyRecipe, job: Job) -> Result:
    started = time.monotonic()
    seconds: dict[str, float] = {}
    if isinstance(recipe, ImagesNight):
        ingested = ingest_archive(recipe.ingest(), job)
    else:
        ingested = ingest_records(recipe.ingest(), job)
    seconds["ingest"] = time.monotonic() - started
    model = choose(job.store, recipe.lake, recipe.model.name, recipe.model.version)
    judging = Judging(plan, recipe, job, ingested.sums)
    predicted = predict(recipe.predict(model.version), job, judging.gate)
    seconds["prepare and predict"] = time.monotonic() - started - seconds["ingest"]
    judged = judging.judged(model, (*ingested.sums, *predicted.sums))
    # What was scored has been judged already, each run with what the night had scored until then.
    verdicts = [link["verdict"] for link in judged.links if link["job"] == "predict"]
    held = "held" in verdicts if verdicts else judged.verdict.held
    told = Told(plan, recipe, model, job, predicted.facts.get("reasons", {}), seconds, judged, held)
    report = write_page(told)
    commit_run(job.store, recipe.lake, plan, _outcome(told, report, started))
    status: Any = "held" if held else "done"
    for finding in judged.verdict.findings:
        job.tell.warn(("HELD: " if finding.holds else "") + str(finding))
    return Result(status, (plan.run_id,), judged.sums, {"report": report, "seconds": seconds})


def _outcome(told: Told, report: str, started: float) -> Outcome:
    verdict = "held" if told.held else "published"
    findings = told.judged.verdict.document()
    return Outcome(
        counts_of(told.judged.sums),
        host_facts=host_facts(started),
        children=told.judged.children,
        model_sha256=told.model.sha256,
        report_uri=report,
        verdict=verdict,
        facts={"night": night_document(told.judged.night), "findings": findings},
        events=[Event("gate", told.plan.name, None, {"verdict": verdict, "findings": findings})],
    )


def _report_of(state: Snapshot, run_id: str) -> str | None:
    for row in newest(state.runs).to_pylist():
        if row["run_id"] == run_id:
            return str(row["report_uri"])
    return None
