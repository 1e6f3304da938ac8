"""The `prepare` driver: every accepted input is decoded and shaped once, into the prepared cache."""

from __future__ import annotations

import time
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from medray.drivers.input import DataFile, InputKey
from medray.drivers.inputs.cut import fine_cut
from medray.drivers.inputs.find import newest_inputs, read_inputs
from medray.drivers.inputs.prepare_chunk import PrepareChunk, PrepareWork
from medray.drivers.inputs.problem import derive
from medray.drivers.inputs.reading import Reading, declared, reading_of
from medray.drivers.job import Job, Result, host_facts, new_plan
from medray.drivers.turns import in_turn
from medray.engine.chunks import run_chunks
from medray.planning.accounting import Sum
from medray.planning.buckets import bucket_of
from medray.recipes.recipe import Recipe
from medray.recipes.train import PrepareRecipe
from medray.schema.events import EVENTS
from medray.schema.quarantine import QUARANTINE
from medray.storage.commit import Outcome, commit_run, write_rows
from medray.storage.plans import Plan
from medray.storage.snapshot import Snapshot, snapshot

JOB = "prepare"


def prepare(recipe: PrepareRecipe, job: Job) -> Result:
    """Prepare every input of the lake that the family takes."""
    reading = declared(recipe)
    derive(reading.problem, recipe, job)
    state = snapshot(job.store, recipe.lake)
    files = read_inputs(state, newest_inputs(state, reading).values(), reading)
    return prepare_files(recipe, reading, files, state, job)


def prepare_files(recipe: Recipe, reading: Reading, files: Sequence[DataFile], state: Snapshot, job: Job) -> Result:
    """Fill the shards that some data files still lack, and commit what could not be decoded.

    An input that failed with this preparation before is not tried again.
    """
    stream = f"prepare {reading.hash}"
    accepted = sum(len(file.accepted()) for file in files)

    def look() -> Plan | Result:
        missing = [file for file in files if file.accepted() and not job.store.exists(file.shard)]
        if missing:
            refused = refused_before(snapshot(job.store, recipe.lake), reading)
            return _plan(recipe, job, reading, state, missing, refused, accepted)
        parts = {"known": accepted, "prepared": 0, "quarantined": 0}
        return Result("nothing", sums=(Sum("accepted", accepted, parts),))

    return in_turn(job, recipe.lake, JOB, stream, lambda plan: _execute(plan, recipe.lake, job), look)


def refused_before(state: Snapshot, reading: Reading) -> set[InputKey]:
    """Inputs that this preparation could not decode on an earlier run."""
    same = pc.field("prepare_hash") == reading.hash
    rows = state.table(QUARANTINE, ("SOPInstanceUID", "input_version"), same)
    return set(zip(rows["SOPInstanceUID"].to_pylist(), rows["input_version"].to_pylist(), strict=True))


def _plan(
    recipe: Recipe,
    job: Job,
    reading: Reading,
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
            "input_id": pa.array([row[1] for row in rows], pa.string()),
            "input_version": pa.array([row[2] for row in rows], pa.int32()),
        }
    )
    facts = {
        **reading.document(),
        "prepare_hash": reading.hash,
        "data_files": [file.path for file in missing],
        "accepted": accepted,
        "known": accepted - len(rows),
    }
    return new_plan(recipe, JOB, f"prepare {reading.hash}", job.run_date, state.versions, facts, inputs)


def _execute(plan: Plan, lake: str, job: Job) -> Result:
    """Do what the plan says; all it needs stands in it."""
    started = time.monotonic()
    reading = reading_of(plan.facts)
    work = PrepareWork(reading, job.store, lake)
    done = []
    with job.tell.bar("prepare", plan.inputs.num_rows, run_id=plan.run_id) as bar:
        for fact in run_chunks(work, _chunks(plan, lake, reading, job)):
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
    job.tell.say(str(total), event="sum", run_id=plan.run_id, **total.counts())
    return Result("done", (plan.run_id,), (total,), {"seconds": round(time.monotonic() - started, 2)})


def _chunks(plan: Plan, lake: str, reading: Reading, job: Job) -> list[PrepareChunk]:
    rows: list[set[InputKey]] = [set() for _ in plan.facts["data_files"]]
    columns = (plan.inputs[name].to_pylist() for name in ("chunk", "input_id", "input_version"))
    for number, uid, version in zip(*columns, strict=True):
        rows[number].add((uid, version))
    state = snapshot(job.store, lake).at(plan.tables_read)
    files = {file.path: file for file in read_inputs(state, plan.facts["data_files"], reading)}
    sizes = state.file_rows(EVENTS) if reading.problem else {}
    events, fine = sorted(sizes), fine_cut(sizes) if sizes else 1
    return [
        PrepareChunk(number, path, files[path].shard, frozenset(rows[number]), overlapping(path, events), fine)
        for number, path in enumerate(plan.facts["data_files"])
    ]


def overlapping(path: str, events: Sequence[str]) -> tuple[str, ...]:
    """The files of `events` that may hold subjects of this file of `labels`."""
    return tuple(one for one in events if bucket_of(path).overlaps(one))
