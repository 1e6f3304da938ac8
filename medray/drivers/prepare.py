"""The `prepare` driver: every accepted image is decoded once, into the prepared cache."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from medray import rooms
from medray.contracts import Family
from medray.drivers.inputs import DataFile, InputKey, newest_inputs, read_inputs
from medray.drivers.job import Job, Result, host_facts, new_plan
from medray.drivers.open_plans import open_plans
from medray.drivers.prepare_chunk import PrepareChunk, PrepareWork
from medray.engine.chunks import run_chunks
from medray.planning.accounting import Sum
from medray.recipes.recipe import Recipe
from medray.recipes.train import PrepareRecipe
from medray.schema.quarantine import QUARANTINE
from medray.storage.commit import Outcome, commit_run, write_rows
from medray.storage.plans import Plan, write_plan
from medray.storage.shards import prepare_hash
from medray.storage.snapshot import Snapshot, snapshot

JOB = "prepare"


def prepare(recipe: PrepareRecipe, job: Job) -> Result:
    """Prepare every image of the lake that the family takes."""
    state = snapshot(job.store, recipe.lake)
    family = rooms.family(recipe.family.name)
    files = read_inputs(state, newest_inputs(state).values(), family, recipe.family)
    return prepare_files(recipe, family, recipe.family, files, state, job)


def prepare_files(
    recipe: Recipe, family: Family, config: Any, files: Sequence[DataFile], state: Snapshot, job: Job
) -> Result:
    """Fill the shards that some data files still lack, and commit what could not be decoded.

    An input that failed with this preparation before is not tried again.
    """
    hashed = prepare_hash(family.name, family.prepare_key(config))
    results = [_execute(plan, recipe.lake, job) for plan in open_plans(job, recipe.lake, JOB, f"prepare {hashed}")]
    refused = refused_before(snapshot(job.store, recipe.lake), family, config)
    accepted = sum(len(file.accepted()) for file in files)
    missing = [file for file in files if file.accepted() and not job.store.exists(file.shard)]
    if missing:
        plan = _plan(recipe, job, family, config, state, missing, refused, accepted)
        results.append(_execute(write_plan(job.store, recipe.lake, plan), recipe.lake, job))
    if not results:
        return Result(
            "nothing", sums=(Sum("accepted", accepted, {"known": accepted, "prepared": 0, "quarantined": 0}),)
        )
    return Result(
        "done",
        tuple(run for one in results for run in one.run_ids),
        tuple(part for one in results for part in one.sums),
        results[-1].facts,
    )


def refused_before(state: Snapshot, family: Family, config: Any) -> set[InputKey]:
    """Inputs that this preparation could not decode on an earlier run."""
    hashed = prepare_hash(family.name, family.prepare_key(config))
    rows = state.table(QUARANTINE, ("SOPInstanceUID", "input_version"), pc.field("prepare_hash") == hashed)
    return set(zip(rows["SOPInstanceUID"].to_pylist(), rows["input_version"].to_pylist(), strict=True))


def _plan(
    recipe: Recipe,
    job: Job,
    family: Family,
    config: Any,
    state: Snapshot,
    missing: Sequence[DataFile],
    refused: set[InputKey],
    accepted: int,
) -> Plan:
    rows = [
        (number, *item.key)
        for number, file in enumerate(missing)
        for item in file.accepted()
        if item.key not in refused
    ]
    inputs = pa.table(
        {
            "chunk": pa.array([row[0] for row in rows], pa.int32()),
            "SOPInstanceUID": pa.array([row[1] for row in rows], pa.string()),
            "input_version": pa.array([row[2] for row in rows], pa.int32()),
        }
    )
    hashed = prepare_hash(family.name, family.prepare_key(config))
    facts = {
        "family": family.name,
        "config": config.model_dump(mode="json"),
        "prepare_hash": hashed,
        "data_files": [file.path for file in missing],
        "accepted": accepted,
        "known": accepted - len(rows),
    }
    return new_plan(recipe, JOB, f"prepare {hashed}", job.run_date, state.versions, facts, inputs)


def _execute(plan: Plan, lake: str, job: Job) -> Result:
    """Do what the plan says; all it needs stands in it."""
    started = time.monotonic()
    family = rooms.family(plan.facts["family"])
    config = family.Config.model_validate(plan.facts["config"])
    work = PrepareWork(family, config, job.store, lake)
    done = []
    with job.tell.bar("prepare", plan.inputs.num_rows) as bar:
        for fact in run_chunks(work, _chunks(plan, lake, family, config, job)):
            done.append(fact)
            bar.advance(fact["inputs"])
    bad = [item for fact in sorted(done, key=lambda item: str(item["data_file"])) for item in fact["bad"]]
    parts = {
        "known": plan.facts["known"],
        "prepared": sum(fact["inputs"] - len(fact["bad"]) for fact in done),
        "quarantined": len(bad),
    }
    total = Sum("accepted", plan.facts["accepted"], parts).checked()
    rows = [
        {**item, "stage": "prepare", "prepare_hash": plan.facts["prepare_hash"], "run_id": plan.run_id} for item in bad
    ]
    files = write_rows(
        job.store, lake, plan, QUARANTINE, pa.Table.from_pylist(rows, schema=QUARANTINE.schema), "quarantine"
    )
    commit_run(job.store, lake, plan, Outcome(total.counts(), {QUARANTINE.name: files}, host_facts(started)))
    job.tell.say(str(total))
    return Result("done", (plan.run_id,), (total,), {"seconds": round(time.monotonic() - started, 2)})


def _chunks(plan: Plan, lake: str, family: Family, config: Any, job: Job) -> list[PrepareChunk]:
    rows: list[set[InputKey]] = [set() for _ in plan.facts["data_files"]]
    for number, uid, version in zip(*(plan.inputs[name].to_pylist() for name in plan.inputs.column_names), strict=True):
        rows[number].add((uid, version))
    state = snapshot(job.store, lake).at(plan.tables_read)
    files = {file.path: file for file in read_inputs(state, plan.facts["data_files"], family, config)}
    return [
        PrepareChunk(number, path, files[path].shard, frozenset(rows[number]))
        for number, path in enumerate(plan.facts["data_files"])
    ]
