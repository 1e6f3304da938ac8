"""The `ingest_ehr` driver: list, plan, map in chunks, decide in buckets, account, commit."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from medray import rooms
from medray.drivers.abandon import abandon
from medray.drivers.job import Job, Result, host_facts, new_plan
from medray.drivers.labels import with_labels
from medray.drivers.listing import ID, ByIdentity, list_archive
from medray.drivers.open_plans import closed_runs, unfinished
from medray.drivers.pseudonyms import pseudonyms_of
from medray.drivers.records.archive import read_archive
from medray.drivers.records.bucket import Rules
from medray.drivers.records.counts import RecordCounts
from medray.drivers.records.files import read_crosswalk
from medray.drivers.records.ingest_plan import (
    Past,
    bucket_tasks,
    chunk_bytes,
    files_of,
    fine_buckets,
    frozen_standing,
    mapping_hash,
    new_files,
    past_of,
    planned_inputs,
    record_chunks,
    tables_that_worked,
)
from medray.drivers.records.map_chunk import MapWork
from medray.drivers.records.reduce_bucket import ReduceWork
from medray.drivers.turns import in_turn
from medray.engine.chunks import run_chunks
from medray.errors import RecipeError
from medray.planning.accounting import Sum
from medray.privacy.pseudonyms import Pseudonyms
from medray.recipes.ingest_ehr import IngestEhrRecipe
from medray.schema.events import EVENTS
from medray.schema.quarantine import QUARANTINE
from medray.schema.reasons import REASONS
from medray.schema.record_files import RECORD_FILES
from medray.storage.chunk_file import Facts
from medray.storage.commit import Outcome, commit_run, new_file, write_rows
from medray.storage.failures import told
from medray.storage.lake import Identity, claim
from medray.storage.linkage import commit_linkage
from medray.storage.plans import Plan
from medray.storage.snapshot import Snapshot, snapshot
from medray.storage.staging import sweep_staging

JOB = "ingest_ehr"


def ingest_records(recipe: IngestEhrRecipe, job: Job) -> Result:
    """Bring everything new of a record archive and of its label file into the lake.

    Raises:
        RecipeError, KeyMismatchError, StorageError, LabelError, AccountingError, EngineError:
            nothing partial is visible, and running again continues.
    """
    pseudonyms = pseudonyms_of(recipe.deidentify)
    if recipe.crosswalk is not None:
        read_crosswalk(job.store, recipe.crosswalk)  # its mistakes are told before anything is written
    claim(job.store, recipe.lake, Identity(pseudonyms.fingerprint, pseudonyms.identified))
    records = ingest_files(recipe, job, pseudonyms)
    return with_labels(records, recipe, pseudonyms, job)


def ingest_files(recipe: IngestEhrRecipe, job: Job, pseudonyms: Pseudonyms) -> Result:
    """Bring the records of every new file of the archive into the lake."""
    source = rooms.record_source(recipe.source.kind)
    listing = list_archive(job.store.pages(recipe.source.uri), f"archive {recipe.source.uri}", pseudonyms).by_identity()
    stream = f"records {recipe.source.uri}"

    def look() -> Plan | Result:
        state = snapshot(job.store, recipe.lake)
        sweep_staging(job.store, recipe.lake, closed_runs(state))
        past = past_of(state, listing, recipe, source)
        known = past.known
        job.tell.say(f"listed {len(listing):,} files, {len(known):,} known, {len(listing) - len(known):,} new")
        if len(known) < len(listing):
            return _plan(recipe, job, stream, listing, past, state)
        total = Sum("listed", len(listing), {"known": len(known), "ingested": 0, "quarantined": 0})
        return Result("nothing", sums=(total.checked(),))

    return in_turn(job, recipe.lake, JOB, stream, lambda plan: _execute(plan, recipe, job, listing), look)


def _plan(recipe: IngestEhrRecipe, job: Job, stream: str, listing: ByIdentity, past: Past, state: Snapshot) -> Plan:
    """What is to be done with the new files. What a wrong recipe breaks at once breaks here, before
    there is a plan that holds it."""
    source = rooms.record_source(recipe.source.kind)
    with told(f"archive {recipe.source.uri}"):
        do = "replace the file, or correct [source], and run again"
        read_archive(source, recipe.source, tuple(listing.values()), recipe.crosswalk, job.store, do)
    new = new_files(listing, past)
    inputs = planned_inputs(new, recipe, source, job.store)
    facts = {
        "listed": len(listing),
        "known": len(past.known),
        "buckets": fine_buckets(new, inputs, chunk_bytes(recipe)),
        "looks": sum(past.looks[identity] for identity in new),  # a further look at a file is another run
    }
    return new_plan(recipe, JOB, stream, job.run_date, state.versions, facts, inputs)


def _execute(plan: Plan, recipe: IngestEhrRecipe, job: Job, listing: ByIdentity) -> Result:
    """Do what the plan says, which an earlier attempt may have begun, and commit it."""
    started = time.monotonic()
    planned = IngestEhrRecipe.model_validate(plan.recipe)
    mapped = _mapped(plan, planned, recipe, job, listing)
    mapping_s = time.monotonic() - started
    files = files_of(plan)
    counts = RecordCounts(files, mapped)
    if hopeless := counts.hopeless():
        worked = tables_that_worked(snapshot(job.store, recipe.lake))
        if wrong := {table: why for table, why in hopeless.items() if table not in worked}:
            raise _given_up(plan, job, recipe.lake, wrong)
    reduced = _reduced(plan, planned, job, files, mapped, tuple(counts.unusable))
    for fact in reduced:
        counts.add(fact)
    sums = (counts.objects(int(plan.facts["listed"]), int(plan.facts["known"])), counts.candidates())
    if planned.linkage:
        commit_linkage(planned.linkage.uri, plan)
    whole = counts.refused_files(plan.run_id, lambda table: mapping_hash(planned.source, table))
    _commit(plan, job, recipe.lake, counts, whole, reduced, sums, started)
    sweep_staging(job.store, recipe.lake, [plan.run_id])
    figures = {
        "tables": counts.tables(),
        "reasons": counts.reasons(),
        "superseded": sum(fact.get("superseded", 0) for fact in reduced),
        "bytes_read": sum(fact["bytes_read"] for fact in mapped),
        "mapping_seconds": round(mapping_s, 2),
        "seconds": round(time.monotonic() - started, 2),
    }
    _tell(job, sums, figures)
    return Result("done", (plan.run_id,), sums, figures)


def _given_up(plan: Plan, job: Job, lake: str, wrong: dict[str, tuple[str, int]]) -> RecipeError:
    """Close a plan whose recipe is wrong, so that it does not stand in the way of the right one.
    Returns what to tell."""
    if plan.run_id in unfinished(job, lake, JOB):
        abandon(lake, plan.run_id, job)
    sweep_staging(job.store, lake, [plan.run_id])
    tables = [
        f"table {table}: all {count:,} candidates are {reason} ({REASONS[reason]})"
        for table, (reason, count) in wrong.items()
    ]
    return RecipeError(
        "recipe, [source]",
        "; ".join(tables),
        "a mapping by which some rows of each table can be used",
        "correct the table's subject, time or value (or the crosswalk) and run again: nothing was committed, and no "
        "plan is left; where it is the files that are wrong, take them out of the archive",
    )


def _mapped(
    plan: Plan, planned: IngestEhrRecipe, recipe: IngestEhrRecipe, job: Job, listing: ByIdentity
) -> list[Facts]:
    """The facts of all chunks, in their order."""
    work = MapWork(
        source=rooms.record_source(planned.source.kind),
        config=planned.source,
        listing=tuple(listing.values()),
        issuer=planned.issuer,
        as_of=planned.as_of,
        crosswalk=planned.crosswalk,
        deidentify=recipe.deidentify,
        store=job.store,
        lake=recipe.lake,
        run_id=plan.run_id,
        buckets=int(plan.facts["buckets"]),
        linkage=planned.linkage.uri if planned.linkage else None,
    )
    chunks = record_chunks(plan, listing)
    facts: list[Facts] = []
    with job.tell.bar("map", sum(len(chunk.parts) for chunk in chunks), run_id=plan.run_id) as bar:
        for done in run_chunks(work, chunks):
            facts.append(done)
            bar.advance(done["parts"], f"{sum(fact['bytes_read'] for fact in facts) / 1e6:,.0f} MB")
    return sorted(facts, key=lambda fact: int(fact["chunk"]))


def _reduced(
    plan: Plan, planned: IngestEhrRecipe, job: Job, files: pa.Table, mapped: Sequence[Facts], unusable: tuple[int, ...]
) -> list[Facts]:
    """The facts of all buckets and of what mapping refused, in the order of their names."""
    tasks = bucket_tasks(mapped, int(plan.facts["buckets"]), chunk_bytes(planned))
    work = ReduceWork(
        store=job.store,
        lake=planned.lake,
        run_id=plan.run_id,
        files=files.select(list(ID)),
        unusable=unusable,
        standing=frozen_standing(job.store, planned.lake, plan, snapshot(job.store, planned.lake)),
        rules=Rules(planned.encounters, planned.on_change),
    )
    facts: list[Facts] = []
    with job.tell.bar("decide", len(tasks), run_id=plan.run_id) as bar:
        for done in run_chunks(work, tasks):
            facts.append(done)
            bar.advance(1, f"{sum(fact.get('rows', 0) for fact in facts):,} events")
    return sorted(facts, key=lambda fact: str(fact["name"]))


def _commit(
    plan: Plan,
    job: Job,
    lake: str,
    counts: RecordCounts,
    whole: pa.Table,
    reduced: Sequence[Facts],
    sums: Sequence[Sum],
    started: float,
) -> None:
    written = {
        table: [new_file(plan, fact[table]["path"], fact[table]) for fact in reduced if fact.get(table)]
        for table in (EVENTS.name, QUARANTINE.name)
    }
    written[RECORD_FILES.name] = write_rows(job.store, lake, plan, RECORD_FILES, counts.rows(plan.run_id), "files")
    written[QUARANTINE.name] += write_rows(job.store, lake, plan, QUARANTINE, whole, "whole-files")
    totals = {name: count for total in sums for name, count in total.named().items()}
    commit_run(job.store, lake, plan, Outcome(totals, written, host_facts(started)))


def _tell(job: Job, sums: Sequence[Sum], figures: dict[str, Any]) -> None:
    for total in sums:
        job.tell.say(str(total), event="sum", **total.counts())
    for table, counts in figures["tables"].items():
        job.tell.say(f"  {table}: " + ", ".join(f"{name} {count:,}" for name, count in counts.items()))
    if figures["superseded"]:
        job.tell.say(f"{figures['superseded']:,} events are of later versions of their records")
