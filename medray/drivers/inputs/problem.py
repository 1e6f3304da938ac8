"""The first link of every job on records: a prediction problem becomes rows of `labels`.

Only subjects with new events are looked at again; their inputs and answers are written where they
differ from what stands.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pyarrow as pa

from medray.drivers.inputs.claim import claim
from medray.drivers.inputs.cut import fine_cut
from medray.drivers.inputs.problem_chunk import ProblemChunk, ProblemWork
from medray.drivers.job import Job, Result, host_facts, new_plan
from medray.drivers.turns import in_turn
from medray.engine.chunks import run_chunks
from medray.errors import RecipeError
from medray.planning.accounting import Sum
from medray.planning.buckets import bucket_count, buckets
from medray.recipes.problem import Problem
from medray.recipes.recipe import Recipe
from medray.schema.events import EVENTS
from medray.schema.labels import LABELS
from medray.storage.commit import Outcome, commit_run, new_file, run_of
from medray.storage.plans import Plan
from medray.storage.snapshot import Snapshot, snapshot

JOB = "problem"
_NEW_EVENTS = 1 << 14  # that are worth a chunk, and a file of its inputs and answers


def derive(problem: Problem | None, recipe: Recipe, job: Job) -> Result:
    """Bring a problem's inputs and answers up to date with the events of the lake.

    Raises:
        RecipeError: the lake holds no events, or `claim` refuses the problem.
    """
    if problem is None:
        return Result("nothing")
    lake = recipe.lake
    state = snapshot(job.store, lake)
    if not state.files(EVENTS):
        raise RecipeError(f"lake {lake}", "no events", "an ingested record archive", "run an ingest_ehr recipe first")
    claim(problem, state, {row["run_id"] for row in _runs(state, problem)})

    def look() -> Plan | Result:
        state = snapshot(job.store, lake)
        new = sorted({run_of(path) for path in state.files(EVENTS)} - _covered(state, problem))
        return _plan(problem, recipe, job, state, new) if new else Result("nothing")

    return in_turn(job, lake, JOB, f"problem {problem.name}", lambda plan: _execute(plan, lake, job), look)


def _runs(state: Snapshot, problem: Problem) -> list[dict[str, Any]]:
    return [row for row in state.runs.to_pylist() if row["job"] == JOB and row["name"] == problem.name]


def _covered(state: Snapshot, problem: Problem) -> set[str]:
    """The runs whose events this problem has seen."""
    return {run for row in _runs(state, problem) for run in row["children"]}


def _plan(problem: Problem, recipe: Recipe, job: Job, state: Snapshot, new: list[str]) -> Plan:
    rows = state.file_rows(EVENTS)
    count = min(bucket_count(sum(rows[path] for path in rows if run_of(path) in new), _NEW_EVENTS), fine_cut(rows))
    inputs = pa.table({"chunk": pa.array(range(count), pa.int32())})
    definition = problem.model_dump(mode="json")
    facts = {"problem": definition, "new_runs": new}
    plan = new_plan(recipe, JOB, f"problem {problem.name}", job.run_date, state.versions, facts, inputs)
    # The run belongs to the problem: whichever recipe asked first, it is the same work.
    return replace(plan, name=problem.name, recipe=definition)


def _execute(plan: Plan, lake: str, job: Job) -> Result:
    started = time.monotonic()
    problem = Problem.model_validate(plan.facts["problem"])
    state = snapshot(job.store, lake).at(plan.tables_read)
    ours = {row["run_id"] for row in _runs(state, problem)}
    labels = [path for path in state.files(LABELS) if run_of(path) in ours]
    work = ProblemWork(problem, job.store, lake, plan.run_id, plan.planned_at)
    new = set(plan.facts["new_runs"])
    rows = state.file_rows(EVENTS)
    events, fine = sorted(rows), fine_cut(rows)
    chunks = [
        ProblemChunk(
            bucket,
            fine,
            tuple(path for path in events if bucket.overlaps(path)),
            frozenset(new),
            tuple(path for path in labels if bucket.overlaps(path)),
        )
        for bucket in buckets(plan.inputs.num_rows)
    ]
    facts = []
    with job.tell.bar(f"problem {problem.name}", len(chunks), run_id=plan.run_id) as bar:
        for done in run_chunks(work, chunks):
            facts.append(done)
            bar.advance(1, f"{sum(fact['asked'] for fact in facts):,} inputs")
    facts.sort(key=lambda fact: str(fact["path"]))
    parts = {name: sum(fact[name] for fact in facts) for name in ("known", "added")}
    total = Sum("inputs", sum(fact["asked"] for fact in facts), parts).checked()
    withdrawn, answers = (sum(fact[name] for fact in facts) for name in ("withdrawn", "answers"))
    counts = {**total.named(), "withdrawn": withdrawn, "answers": answers}
    files = {LABELS.name: [new_file(plan, fact["path"], fact) for fact in facts if fact["rows"]]}
    commit_run(job.store, lake, plan, Outcome(counts, files, host_facts(started), children=sorted(new)))
    job.tell.say(f"problem {problem.name}: {total}; {withdrawn:,} withdrawn; {answers:,} answers new or changed")
    return Result("done", (plan.run_id,), (total,))
