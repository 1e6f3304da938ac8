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
    refused = refused_before(state, family, config)
    missing = [file for file in files if file.accepted() and not job.store.exists(file.shard)]
    accepted = sum(len(file.accepted()) for file in files)
    todo = [[item.key for item in file.accepted() if item.key not in refused] for file in missing]
    known = accepted - sum(len(keys) for keys in todo)
    if not missing:
        return Result("nothing", sums=(Sum("accepted", accepted, {"known": known, "prepared": 0, "quarantined": 0}).checked(),))
    plan = write_plan(job.store, recipe.lake, _plan(recipe, job, family, config, state, missing, todo, accepted, known))
    return _execute(plan, recipe.lake, family, config, missing, todo, job)


def refused_before(state: Snapshot, family: Family, config: Any) -> set[InputKey]:
    """Inputs that this preparation could not decode on an earlier run."""
    hashed = prepare_hash(family.name, family.prepare_key(config))
    rows = state.table(QUARANTINE, ("SOPInstanceUID", "input_version"), pc.field("prepare_hash") == hashed)
    return set(zip(rows["SOPInstanceUID"].to_pylist(), rows["input_version"].to_pylist(), strict=True))


def _plan(
    recipe: Recipe, job: Job, family: Family, config: Any, state: Snapshot, missing: Sequence[DataFile],
    todo: Sequence[Sequence[InputKey]], accepted: int, known: int,
) -> Plan:  # fmt: skip
    rows = [(number, missing[number].path, *key) for number, keys in enumerate(todo) for key in keys]
    inputs = pa.table(
        {
            "chunk": pa.array([row[0] for row in rows], pa.int32()),
            "data_file": pa.array([row[1] for row in rows], pa.string()),
            "SOPInstanceUID": pa.array([row[2] for row in rows], pa.string()),
            "input_version": pa.array([row[3] for row in rows], pa.int32()),
        }
    )
    facts = {
        "accepted": accepted,
        "known": known,
        "prepare_hash": prepare_hash(family.name, family.prepare_key(config)),
        "shards": [file.shard.rsplit("/", 1)[-1] for file in missing],
    }
    return new_plan(recipe, JOB, "prepare", job.run_date, state.versions, facts, inputs)


def _execute(
    plan: Plan, lake: str, family: Family, config: Any, missing: Sequence[DataFile], todo: Sequence[Sequence[InputKey]], job: Job
) -> Result:
    started = time.monotonic()
    chunks = [
        PrepareChunk(number, file.path, file.shard, frozenset(keys))
        for number, (file, keys) in enumerate(zip(missing, todo, strict=True))
    ]
    done = []
    with job.tell.bar("prepare", plan.inputs.num_rows) as bar:
        for fact in run_chunks(PrepareWork(family, config, job.store, lake), chunks):
            done.append(fact)
            bar.advance(fact["inputs"])
    bad = [item for fact in sorted(done, key=lambda item: str(item["data_file"])) for item in fact["bad"]]
    prepared = plan.inputs.num_rows - len(bad)
    total = Sum("accepted", plan.facts["accepted"], {"known": plan.facts["known"], "prepared": prepared, "quarantined": len(bad)})
    rows = [{**item, "stage": "prepare", "prepare_hash": plan.facts["prepare_hash"], "run_id": plan.run_id} for item in bad]
    files = write_rows(job.store, lake, plan, QUARANTINE, pa.Table.from_pylist(rows, schema=QUARANTINE.schema), "quarantine")
    commit_run(job.store, lake, plan, Outcome(total.checked().counts(), {QUARANTINE.name: files}, host_facts(started)))
    job.tell.say(str(total))
    return Result("done", (plan.run_id,), (total,), {"seconds": round(time.monotonic() - started, 2)})
