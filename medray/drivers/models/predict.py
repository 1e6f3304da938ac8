"""The `predict` driver: what is asked for and not answered yet is prepared, scored, accounted."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from medray.drivers.input import KEY_COLUMNS, DataFile, InputKey, input_key
from medray.drivers.inputs.find import EVERYTHING, newest_inputs, read_inputs, refuse_modalities
from medray.drivers.inputs.prepare import refused_before
from medray.drivers.inputs.problem import derive
from medray.drivers.inputs.reading import read_by
from medray.drivers.job import Job, Result, host_facts, new_plan
from medray.drivers.models.planned import planned
from medray.drivers.models.predict_chunk import MakeScorer, PredictChunk
from medray.drivers.models.stamp import stamp_of
from medray.drivers.turns import in_turn
from medray.engine.actors import run_actors
from medray.engine.session import scoring_actors
from medray.errors import UnjudgedError
from medray.planning.accounting import Sum
from medray.planning.gate.observed import Observed
from medray.recipes.recipe import Recipe
from medray.recipes.score import PredictRecipe, Select
from medray.schema.held import HELD
from medray.schema.predictions import PREDICTIONS
from medray.storage.commit import Outcome, commit_run, new_file
from medray.storage.held import hold
from medray.storage.models import Registered
from medray.storage.plans import Plan
from medray.storage.promotions import choose
from medray.storage.snapshot import Snapshot, snapshot

JOB = "predict"


@dataclass(frozen=True)
class Gate:
    """What decides, for a night, whether its answers are published.

    Attributes:
        night: which night, and of which recipe.
        holds: (the model that a run scored with, its sum, what its chunks observed) -> whether its
            answers are held.
    """

    night: str
    holds: Callable[[Registered, Sum, Sequence[Observed]], bool]


def predict(recipe: PredictRecipe, job: Job, gate: Gate | None = None) -> Result:
    """Score every input that the recipe selects and this model has not answered; publish the answers,
    unless a gate holds them.

    Raises:
        ModelError, StorageError, AccountingError, EngineError: nothing partial is visible.
    """
    model = choose(job.store, recipe.lake, recipe.model.name, recipe.model.version)
    reading = read_by(model, recipe.lake, job)
    refuse_modalities(recipe.name, recipe.select, reading)
    return score(recipe, model, job, select=recipe.select, gate=gate)


def score(
    recipe: Recipe,
    model: Registered,
    job: Job,
    *,
    select: Select = EVERYTHING,
    only: Collection[InputKey] | None = None,
    gate: Gate | None = None,
) -> Result:
    """Score with one model; `only` names inputs, else all that are selected are asked for.

    Raises:
        UnjudgedError: a night was scored and not judged yet, and this is not that night.
    """
    stream = f"predict {model.name}"
    reading = read_by(model, recipe.lake, job)

    def execute(plan: Plan) -> Result:
        _refuse_unjudged(plan, gate)
        return _execute(plan, recipe, job, gate)

    def look() -> Plan | Result:
        derive(reading.problem, recipe, job)
        state = snapshot(job.store, recipe.lake)
        requested = newest_inputs(state, reading, select)
        if only is not None:
            requested = {key: path for key, path in requested.items() if key in only}
        known = _answered(state, model, requested) | (refused_before(state, reading) & requested.keys())
        todo = {key: path for key, path in requested.items() if key not in known}
        job.tell.say(f"requested {len(requested):,} inputs, {len(known):,} known, {len(todo):,} to score")
        if todo:
            files = read_inputs(state, todo.values(), reading)
            return _plan(recipe, model, job, state, files, todo, len(known), gate)
        total = Sum("requested", len(requested), {"known": len(known), "scored": 0, "abstained": 0, "quarantined": 0})
        return Result("nothing", sums=(total.checked(),), facts={"model_sha256": model.sha256})

    return in_turn(job, recipe.lake, JOB, stream, execute, look)


def _refuse_unjudged(plan: Plan, gate: Gate | None) -> None:
    """A night's answers are published by that night alone: nobody else asks its gate."""
    night = plan.facts.get("night")
    if night is not None and (gate is None or gate.night != night):
        raise UnjudgedError(
            f"run {plan.run_id[:12]}",
            f"the unfinished night of {plan.run_date} ({night}), scored and not judged yet",
            "a finished night, or none",
            f"run jobs/nightly.py for that night again, or `medray abandon {plan.run_id[:12]}`",
        )


def _answered(state: Snapshot, model: Registered, requested: Mapping[InputKey, str]) -> set[InputKey]:
    """Requested inputs with an answer by this very model, published or held: a look-up of key columns."""
    answered: set[InputKey] = set()
    same = pc.field("model_sha256") == model.sha256
    for contract in (PREDICTIONS, HELD):
        for batch in state.scan(contract, KEY_COLUMNS, same):
            answered.update(key for row in batch.to_pylist() if (key := input_key(row)) in requested)
    return answered


def _plan(
    recipe: Recipe,
    model: Registered,
    job: Job,
    state: Snapshot,
    files: Sequence[DataFile],
    todo: Mapping[InputKey, str],
    known: int,
    gate: Gate | None,
) -> Plan:
    wanted = [
        (number, item) for number, file in enumerate(files) for item in file.inputs if todo.get(item.key) == file.path
    ]
    inputs = pa.table(
        {
            "chunk": pa.array([number for number, _ in wanted], pa.int32()),
            "input_id": pa.array([item.id for _, item in wanted], pa.string()),
            "input_version": pa.array([item.input_version for _, item in wanted], pa.int32()),
            "reason": pa.array([item.reason for _, item in wanted], pa.string()),
        }
    )
    facts = {
        "requested": known + len(wanted),
        "known": known,
        "model": model.name,
        "model_version": model.version,
        "model_sha256": model.sha256,
        "data_files": [file.path for file in files],
    }
    if gate is not None:
        facts["night"] = gate.night
    return new_plan(recipe, JOB, f"predict {model.name}", job.run_date, state.versions, facts, inputs)


def _execute(plan: Plan, recipe: Recipe, job: Job, gate: Gate | None) -> Result:
    """Prepare what is missing, score, ask the gate, commit. All that it needs stands in the plan."""
    started = time.monotonic()
    lake = recipe.lake
    known = planned(plan, recipe, job)
    make = MakeScorer(job.store, lake, stamp_of(plan, known.model))
    actors, gpus_each = scoring_actors(recipe.compute.actors)
    done = []
    with job.tell.bar("predict", plan.inputs.num_rows) as bar:
        for fact in run_actors(make, _chunks(plan, known.files), actors=actors, gpus_each=gpus_each):
            done.append(fact)
            bar.advance(fact["scored"] + fact["abstained"] + fact["quarantined"])
    done.sort(key=lambda fact: int(fact["chunk"]))
    parts = {
        "known": plan.facts["known"],
        **{name: sum(f[name] for f in done) for name in ("scored", "abstained", "quarantined")},
    }
    total = Sum("requested", plan.facts["requested"], parts).checked()
    answers = [new_file(plan, fact["path"], fact) for fact in done if fact["rows"]]
    verdict = None
    if gate is not None:
        verdict = "held" if gate.holds(known.model, total, [fact["observed"] for fact in done]) else "published"
    if verdict == "held":
        hold(job.store, lake, answers)
    table = HELD if verdict == "held" else PREDICTIONS
    outcome = Outcome(
        total.counts(), {table.name: answers}, host_facts(started), model_sha256=known.model.sha256, verdict=verdict
    )
    commit_run(job.store, lake, plan, outcome)
    job.tell.say(str(total))
    return Result("done", (plan.run_id,), (total,), _figures(known.model, done, started))


def _chunks(plan: Plan, files: Sequence[DataFile]) -> list[PredictChunk]:
    accepted: list[set[InputKey]] = [set() for _ in files]
    refused: list[dict[InputKey, str]] = [{} for _ in files]
    columns = (plan.inputs[name].to_pylist() for name in ("chunk", "input_id", "input_version", "reason"))
    for number, uid, version, reason in zip(*columns, strict=True):
        if reason is None:
            accepted[number].add((uid, version))
        else:
            refused[number][uid, version] = reason
    return [
        PredictChunk(number, file.path, file.shard, frozenset(accepted[number]), refused[number])
        for number, file in enumerate(files)
    ]


def _figures(model: Registered, done: Sequence[dict[str, Any]], started: float) -> dict[str, Any]:
    reasons: Counter[str] = Counter()
    for fact in done:
        reasons.update(fact["reasons"])
    return {
        "model": model.name,
        "version": model.version,
        "model_sha256": model.sha256,
        "reasons": dict(reasons.most_common()),
        "seconds": round(time.monotonic() - started, 2),
    }
