"""The `nightly` driver: finish what is unfinished, ingest and score what is new, report, commit."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

import pyarrow as pa

from medray.drivers.images.ingest import ingest_archive
from medray.drivers.inputs.reading import read_by
from medray.drivers.job import Job, Result, host_facts, new_plan
from medray.drivers.models.evaluation_page import lineage
from medray.drivers.models.predict import predict
from medray.drivers.models.score_counts import EDGES
from medray.drivers.open_plans import open_plans
from medray.drivers.records.ingest import ingest_records
from medray.drivers.reports import write_report
from medray.planning.accounting import Sum, stored_sum
from medray.recipes.problem import Problem
from medray.recipes.score import ImagesNight, NightlyRecipe
from medray.report.nightly import ScoreCounts, nightly_report
from medray.report.render import render
from medray.report.sections import Sum as ShownSum
from medray.schema.quarantine import QUARANTINE
from medray.storage.commit import Outcome, commit_run
from medray.storage.models import Registered, choose
from medray.storage.plans import Plan, write_plan
from medray.storage.snapshot import Snapshot, newest, snapshot

JOB = "nightly"


def nightly(recipe: NightlyRecipe, job: Job) -> Result:
    """One night. A night without news is committed too; a night that is committed is not repeated.

    Raises:
        ModelError: no model is in production; nothing was touched.
    """
    choose(job.store, recipe.lake, recipe.model.name, recipe.model.version)
    stream = f"nightly {recipe.name}"
    state = snapshot(job.store, recipe.lake)
    plan = new_plan(recipe, JOB, stream, job.run_date, state.versions, {"run_date": job.run_date}, _NO_INPUTS)
    unfinished = [one for one in open_plans(job, recipe.lake, JOB, stream) if one.run_id != plan.run_id]
    for earlier in unfinished:
        job.tell.say(f"the night of {earlier.run_date} was not finished: finishing it first")
        _execute(earlier, recipe, Job(earlier.run_date, job.tell, job.store))
    if plan.run_id in state.run_ids():
        return Result("already", (plan.run_id,), facts={"report": _report_of(state, plan.run_id)})
    return _execute(write_plan(job.store, recipe.lake, plan), recipe, job)


_NO_INPUTS = pa.table({"chunk": pa.array([], pa.int32())})


def _execute(plan: Plan, recipe: NightlyRecipe, job: Job) -> Result:
    started = time.monotonic()
    seconds: dict[str, float] = {}
    if isinstance(recipe, ImagesNight):
        ingested = ingest_archive(recipe.ingest(), job)
    else:
        ingested = ingest_records(recipe.ingest(), job)
    seconds["ingest"] = time.monotonic() - started
    predicted = predict(recipe.predict(), job)
    seconds["prepare and predict"] = time.monotonic() - started - seconds["ingest"]
    model = choose(job.store, recipe.lake, recipe.model.name, recipe.model.version)
    links = _links(snapshot(job.store, recipe.lake), plan, read_by(model, recipe.lake, job).problem)
    sums = _sums(links, (*ingested.sums, *predicted.sums))
    children = tuple(link["run_id"] for link in links)
    page = _page(plan, recipe, model, job, sums, children, predicted.facts, seconds)
    report = write_report(job, recipe.lake, plan.run_id, page)
    outcome = Outcome(
        _counts(sums),
        host_facts=host_facts(started),
        children=children,
        model_sha256=model.sha256,
        report_uri=report,
    )
    commit_run(job.store, recipe.lake, plan, outcome)
    return Result("done", (plan.run_id,), sums, {"report": report, "seconds": seconds})


# The sums that the runs of each job hold.
_TOTALS = {
    "ingest_dicom": ("listed",),
    "ingest_ehr": ("listed", "candidates"),
    "volumes": ("series", "slices"),
    "labels": ("answers",),
    "problem": ("inputs",),
    "prepare": (),
    "predict": ("requested",),
}


def _links(state: Snapshot, plan: Plan, problem: Problem | None) -> list[dict[str, Any]]:
    """The runs of this night in order, those of a killed attempt among them."""
    names = {(job, plan.name) for job in _TOTALS} | {("problem", problem.name if problem else "")}
    runs = [
        row
        for row in state.runs.to_pylist()
        if (row["job"], row["name"]) in names and row["committed_at"] >= plan.planned_at
    ]
    return sorted(runs, key=lambda row: row["committed_at"])


def _sums(links: list[dict[str, Any]], now: tuple[Sum, ...]) -> tuple[Sum, ...]:
    """The accounting of each link; of a stage that found nothing new, what it told now."""
    stored = [stored_sum(dict(link["counts"]), total) for link in links for total in _TOTALS[link["job"]]]
    quiet = [part for part in now if part.total_name not in {one.total_name for one in stored}]
    order = [total for totals in _TOTALS.values() for total in totals]
    return tuple(sorted([*stored, *quiet], key=lambda part: order.index(part.total_name)))


def _counts(sums: tuple[Sum, ...]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for part in sums:
        total.update(
            {f"{part.total_name}/{name}": count for name, count in part.counts().items() if name != part.total_name}
        )
        total[part.total_name] += part.total
    return dict(total)


def _page(
    plan: Plan,
    recipe: NightlyRecipe,
    model: Registered,
    job: Job,
    sums: tuple[Sum, ...],
    children: tuple[str, ...],
    scored: dict[str, Any],
    seconds: dict[str, float],
) -> str:
    state = snapshot(job.store, recipe.lake)
    reference = model.card.get("reference_scores", {})
    return render(
        nightly_report(
            title=f"Night of {plan.run_date}",
            subtitle=f"{recipe.name}: {model.name} version {model.version}",
            facts=(("Run", plan.run_id[:12]), ("Links", ", ".join(run[:12] for run in children) or "nothing new")),
            sums=[shown(part) for part in sums],
            scores={label: ScoreCounts(EDGES, tuple(counts)) for label, counts in scored.get("scores", {}).items()},
            reference={label: ScoreCounts(EDGES, tuple(counts)) for label, counts in reference.items()},
            reasons=_reasons(state, set(children), scored.get("reasons", {})),
            lineage=lineage(plan, model),
            seconds=seconds,
        )
    )


def shown(part: Sum) -> ShownSum:
    """The accounting as a report shows it."""
    return ShownSum(part.total_name.capitalize(), part.total_name, part.total, tuple(part.parts.items()))


def _reasons(state: Snapshot, runs: set[str], abstained: dict[str, int]) -> dict[str, int]:
    """Inputs that these runs did not use, by reason."""
    rows = state.table(QUARANTINE, ("reason", "run_id"))
    counted = Counter(
        reason
        for reason, run in zip(rows["reason"].to_pylist(), rows["run_id"].to_pylist(), strict=True)
        if run in runs
    )
    counted.update(abstained)
    return dict(counted.most_common())


def _report_of(state: Snapshot, run_id: str) -> str | None:
    for row in newest(state.runs).to_pylist():
        if row["run_id"] == run_id:
            return str(row["report_uri"])
    return None
