"""The `explain` driver: what is asked for and not explained yet is explained, accounted, shown."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from medray.drivers.input import DataFile, InputKey
from medray.drivers.inputs.find import read_inputs
from medray.drivers.inputs.prepare import refused_before
from medray.drivers.inputs.problem import derive
from medray.drivers.job import Job, Result, host_facts, new_plan
from medray.drivers.models.attribute_chunk import AttributeChunk, MakeExplainer, Question
from medray.drivers.models.attribute_page import attribution_page
from medray.drivers.models.attribute_plan import checked, done_before, left, requested
from medray.drivers.models.planned import planned
from medray.drivers.models.stamp import stamp_of
from medray.drivers.models.trait_names import trait_names
from medray.drivers.reports import write_report
from medray.drivers.turns import in_turn
from medray.engine.actors import run_actors
from medray.engine.session import scoring_actors
from medray.ops.code_id import code_trait
from medray.planning.accounting import Sum
from medray.recipes.explain import ExplainRecipe
from medray.recipes.recipe import Recipe
from medray.schema.attributions import ATTRIBUTIONS
from medray.storage.commit import Outcome, commit_run, new_file
from medray.storage.models import Registered, load_definition
from medray.storage.plans import Plan
from medray.storage.promotions import choose
from medray.storage.snapshot import Snapshot, snapshot

JOB = "explain"
CHUNK = 32  # inputs: a killed actor loses little, and several share a large data file


def attribute(recipe: ExplainRecipe, job: Job) -> Result:
    """Explain one answer of a model for the inputs that the recipe asks for, by each of its methods.

    Counted are explanations: one input by one method.

    Raises:
        RecipeError: the model has no such answer, or its family is not explained so.
        ModelError, StorageError, AccountingError, EngineError: nothing partial is visible.
    """
    model = choose(job.store, recipe.lake, recipe.model.name, recipe.model.version)
    reading = checked(recipe, model, job)

    def look() -> Plan | Result:
        derive(reading.problem, recipe, job)
        state = snapshot(job.store, recipe.lake)
        asked = requested(recipe, model, reading, state, job)
        done = done_before(recipe, model, asked, state)
        todo = left(asked, recipe.methods, done, refused_before(state, reading))
        total = len(asked) * len(recipe.methods)
        known = total - sum(len(methods) for methods in todo.values())
        job.tell.say(f"requested {total:,} explanations of {len(asked):,} inputs, {known:,} known")
        if todo:
            files = read_inputs(state, {asked[key] for key in todo}, reading)
            return _plan(recipe, model, job, state, files, {key: (asked[key], todo[key]) for key in todo}, known)
        nothing = {"known": known, "explained": 0, "abstained": 0, "quarantined": 0}
        return Result(
            "nothing", sums=(Sum("requested", total, nothing).checked(),), facts={"model_sha256": model.sha256}
        )

    return in_turn(job, recipe.lake, JOB, f"explain {model.name}", lambda plan: _execute(plan, recipe, job), look)


def _plan(
    recipe: ExplainRecipe,
    model: Registered,
    job: Job,
    state: Snapshot,
    files: Sequence[DataFile],
    todo: Mapping[InputKey, tuple[str, list[str]]],
    known: int,
) -> Plan:
    rows = [
        (number, item, todo[item.key][1])
        for number, file in enumerate(files)
        for item in file.inputs
        if item.key in todo and todo[item.key][0] == file.path
    ]
    inputs = pa.table(
        {
            "chunk": pa.array([number for number, _, _ in rows], pa.int32()),
            "input_id": pa.array([item.id for _, item, _ in rows], pa.string()),
            "input_version": pa.array([item.input_version for _, item, _ in rows], pa.int32()),
            "reason": pa.array([item.reason for _, item, _ in rows], pa.string()),
            "methods": pa.array([methods for _, _, methods in rows], pa.list_(pa.string())),
        }
    )
    question = Question(recipe.label, recipe.reference, recipe.seed, recipe.effort)
    facts = {
        "requested": known + sum(len(methods) for _, _, methods in rows),
        "known": known,
        "model": model.name,
        "model_version": model.version,
        "model_sha256": model.sha256,
        "question": question.document(),
        "data_files": [file.path for file in files],
    }
    return new_plan(recipe, JOB, f"explain {model.name}", job.run_date, state.versions, facts, inputs)


def _execute(plan: Plan, recipe: Recipe, job: Job) -> Result:
    """Prepare what is missing, explain, commit. All that it needs stands in the plan."""
    started = time.monotonic()
    lake = recipe.lake
    known = planned(plan, recipe, job)
    model, files = known.model, known.files
    question = Question.of(plan.facts["question"])
    make = MakeExplainer(job.store, lake, stamp_of(plan, model), question, _names(model, known.state, job))
    actors, gpus_each = scoring_actors(recipe.compute.actors)
    done = []
    chunks = _chunks(plan, files)
    with job.tell.bar("explain", sum(chunk.asked for chunk in chunks)) as bar:
        for fact in run_actors(make, chunks, actors=actors, gpus_each=gpus_each):
            done.append(fact)
            bar.advance(fact["explained"] + fact["abstained"] + fact["quarantined"])
    done.sort(key=lambda fact: int(fact["chunk"]))
    parts = {name: sum(fact[name] for fact in done) for name in ("explained", "abstained", "quarantined")}
    total = Sum("requested", plan.facts["requested"], {"known": plan.facts["known"], **parts}).checked()
    answers = [new_file(plan, fact["path"], fact) for fact in done if fact["rows"]]
    page, figures = attribution_page(plan, question, model, known.reading, known.state, files, answers, total, job)
    report = write_report(job, lake, plan.run_id, page)
    outcome = Outcome(
        total.counts(),
        {ATTRIBUTIONS.name: answers},
        host_facts(started),
        model_sha256=model.sha256,
        report_uri=report,
        facts=figures,
    )
    commit_run(job.store, lake, plan, outcome)
    job.tell.say(str(total))
    return Result("done", (plan.run_id,), (total,), {**figures, **_figures(done, started), "report": report})


def _names(model: Registered, state: Snapshot, job: Job) -> dict[str, str]:
    """What people call the codes that the model knows."""
    summary = load_definition(job.store, state.lake, model.sha256)["family_summary"]
    return trait_names([code_trait(code) for code in summary["codes"]], state) if "codes" in summary else {}


def _chunks(plan: Plan, files: Sequence[DataFile]) -> list[AttributeChunk]:
    """The inputs of each data file, so many at a time."""
    by_file: list[list[tuple[InputKey, str | None, tuple[str, ...]]]] = [[] for _ in files]
    names = ("chunk", "input_id", "input_version", "reason", "methods")
    columns = (plan.inputs[name].to_pylist() for name in names)
    for number, uid, version, reason, methods in zip(*columns, strict=True):
        by_file[number].append(((uid, version), reason, tuple(methods)))
    found: list[AttributeChunk] = []
    for file, wanted in zip(files, by_file, strict=True):
        for start in range(0, len(wanted), CHUNK):
            some = wanted[start : start + CHUNK]
            accepted = {key: methods for key, reason, methods in some if reason is None}
            refused = {key: (reason, methods) for key, reason, methods in some if reason is not None}
            found.append(AttributeChunk(len(found), file.path, file.shard, accepted, refused))
    return found


def _figures(done: Sequence[dict[str, Any]], started: float) -> dict[str, Any]:
    reasons: Counter[str] = Counter()
    for fact in done:
        reasons.update(fact["reasons"])
    return {"reasons": dict(reasons.most_common()), "seconds": round(time.monotonic() - started, 2)}
