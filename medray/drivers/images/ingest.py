"""The `ingest_dicom` driver: list, plan, read in chunks, settle collisions, account, commit."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pyarrow as pa

from medray import rooms
from medray.contracts import Bad, SourceObject
from medray.drivers.images.collide import settle
from medray.drivers.images.ingest_chunk import IngestChunk, IngestWork
from medray.drivers.job import Job, Result, host_facts, new_plan, together
from medray.drivers.labels import with_labels
from medray.drivers.listing import ID, Listing, list_archive
from medray.drivers.open_plans import open_plans
from medray.drivers.pseudonyms import pseudonyms_of
from medray.drivers.volumes.build import with_volumes
from medray.engine.chunks import run_chunks
from medray.planning.accounting import Sum
from medray.planning.chunks import chunk_numbers
from medray.privacy.pseudonyms import Pseudonyms
from medray.recipes.ingest import IngestRecipe
from medray.schema.images import IMAGES
from medray.schema.quarantine import QUARANTINE
from medray.storage.commit import Outcome, commit_run, new_file, write_rows
from medray.storage.lake import Identity, claim
from medray.storage.linkage import commit_linkage
from medray.storage.plans import Plan, write_plan
from medray.storage.snapshot import Snapshot, snapshot

JOB = "ingest_dicom"


def ingest_archive(recipe: IngestRecipe, job: Job) -> Result:
    """Bring everything new of the archive and of its label file into the lake; series become volumes.

    Raises:
        KeyMismatchError, StorageError, LabelError, AccountingError, EngineError: nothing partial
            is visible, and running again continues.
    """
    pseudonyms = pseudonyms_of(recipe.deidentify)
    claim(job.store, recipe.lake, Identity(pseudonyms.fingerprint, pseudonyms.identified))
    images = with_volumes(ingest_objects(recipe, job, pseudonyms), recipe, job)
    return with_labels(images, recipe, pseudonyms, job)


def ingest_objects(recipe: IngestRecipe, job: Job, pseudonyms: Pseudonyms) -> Result:
    """Bring every new object of the archive into the lake."""
    listing = list_archive(recipe.source.uri, job, pseudonyms)
    stream = f"archive {recipe.source.uri}"
    results = [_execute(plan, recipe, job, listing) for plan in open_plans(job, recipe.lake, JOB, stream)]
    state = snapshot(job.store, recipe.lake)
    known = _known(state, listing)
    job.tell.say(f"listed {len(listing):,} objects, {len(known):,} known, {len(listing) - len(known):,} new")
    if len(known) < len(listing):
        plan = write_plan(job.store, recipe.lake, _plan(recipe, job, stream, state, listing, known))
        results.append(_execute(plan, recipe, job, listing))
    if not results:
        total = Sum("listed", len(listing), {"known": len(known), "ingested": 0, "duplicate": 0, "quarantined": 0})
        return Result("nothing", sums=(total.checked(),))
    return together(results)


def _known(state: Snapshot, listing: Listing) -> set[tuple[str, str, int]]:
    """Listed objects that an earlier run has ingested or quarantined: the one look-up that grows
    with the archive; three key columns, batch by batch."""
    known: set[tuple[str, str, int]] = set()
    for contract in (IMAGES, QUARANTINE):
        for batch in state.scan(contract, ID):
            columns = (batch[name].to_pylist() for name in ID)
            known.update(identity for identity in zip(*columns, strict=True) if identity in listing)
    return known


def _plan(
    recipe: IngestRecipe, job: Job, stream: str, state: Snapshot, listing: Listing, known: set[tuple[str, str, int]]
) -> Plan:
    new = [identity for identity in listing if identity not in known]  # in the order of the listing
    sizes = [size for _, _, size in new]
    numbers = chunk_numbers(sizes, int(recipe.chunks.megabytes * 1e6), recipe.chunks.objects)
    inputs = pa.table(
        {
            "chunk": pa.array(numbers, pa.int32()),
            "source_key": [key for key, _, _ in new],
            "source_etag": [etag for _, etag, _ in new],
            "size_bytes": pa.array(sizes, pa.int64()),
        }
    )
    facts = {"listed": len(listing), "known": len(known)}
    return new_plan(recipe, JOB, stream, job.run_date, state.versions, facts, inputs)


def _execute(plan: Plan, recipe: IngestRecipe, job: Job, listing: Listing) -> Result:
    """Do what the plan says, which an earlier attempt may have begun, and commit it."""
    started = time.monotonic()
    planned = IngestRecipe.model_validate(plan.recipe)
    work = IngestWork(
        rooms.source(planned.source.kind),
        planned.source,
        recipe.deidentify,
        job.store,
        recipe.lake,
        plan.run_id,
        planned.linkage.uri if planned.linkage else None,
    )
    facts: list[dict[str, Any]] = []
    with job.tell.bar("ingest", plan.inputs.num_rows) as bar:
        for done in run_chunks(work, _chunks(plan, listing)):
            facts.append(done)
            bar.advance(done["objects"], f"{sum(f['bytes_read'] for f in facts) / 1e6:,.0f} MB")
    facts.sort(key=lambda item: int(item["chunk"]))
    facts, dropped = settle(plan, job, recipe.lake, planned.on_change, facts)
    total = _account(plan, facts, dropped)
    if planned.linkage:
        commit_linkage(planned.linkage.uri, plan)
    _commit(plan, job, recipe.lake, facts, dropped, total, started)
    job.tell.say(str(total))
    return Result("done", (plan.run_id,), (total,), _figures(facts, dropped, started))


def _chunks(plan: Plan, listing: Listing) -> list[IngestChunk]:
    chunks = [IngestChunk(number, ()) for number in range(plan.chunks)]
    here: list[list[SourceObject]] = [[] for _ in chunks]
    gone: list[list[Bad]] = [[] for _ in chunks]
    for row in plan.inputs.to_pylist():
        found = listing.get((row["source_key"], row["source_etag"], row["size_bytes"]))
        if found is not None:
            here[row["chunk"]].append(found)
        else:
            detail = "gone or changed since the plan"
            gone[row["chunk"]].append(
                Bad(row["source_key"], row["source_etag"], row["size_bytes"], "unreadable", detail)
            )
    return [
        replace(chunk, objects=tuple(objects), gone=tuple(vanished))
        for chunk, objects, vanished in zip(chunks, here, gone, strict=True)
    ]


def _account(plan: Plan, facts: Sequence[dict[str, Any]], dropped: Sequence[dict[str, Any]]) -> Sum:
    duplicates = sum(row["reason"] == "duplicate" for row in dropped)
    return Sum(
        "listed",
        int(plan.facts["listed"]),
        {
            "known": int(plan.facts["known"]),
            "ingested": sum(fact["instances"] for fact in facts) - len(dropped),
            "duplicate": duplicates,
            "quarantined": sum(len(fact["bad"]) for fact in facts) + len(dropped) - duplicates,
        },
    ).checked()


def _commit(
    plan: Plan,
    job: Job,
    lake: str,
    facts: Sequence[dict[str, Any]],
    dropped: Sequence[dict[str, Any]],
    total: Sum,
    started: float,
) -> None:
    bad = [_quarantined(plan, item) for fact in facts for item in fact["bad"]]
    rows = pa.Table.from_pylist([*bad, *dropped], schema=QUARANTINE.schema)
    files = {
        IMAGES.name: [new_file(plan, fact["path"], fact) for fact in facts if fact["rows"]],
        QUARANTINE.name: write_rows(job.store, lake, plan, QUARANTINE, rows, "quarantine"),
    }
    commit_run(job.store, lake, plan, Outcome(total.counts(), files, host_facts(started)))


def _quarantined(plan: Plan, bad: dict[str, Any]) -> dict[str, Any]:
    return {
        "source_key": bad["source_key"],
        "source_etag": bad["source_etag"],
        "size_bytes": bad["size_bytes"],
        "stage": "ingest",
        "reason": bad["reason"],
        "detail": bad["detail"] or None,
        "TransferSyntaxUID": bad["transfer_syntax_uid"],
        "run_id": plan.run_id,
    }


def _figures(facts: Sequence[dict[str, Any]], dropped: Sequence[dict[str, Any]], started: float) -> dict[str, Any]:
    """Counts for people: by reason, modality and syntax."""
    reasons = Counter(item["reason"] for fact in facts for item in fact["bad"])
    reasons.update(row["reason"] for row in dropped)
    modalities: Counter[str] = Counter()
    syntaxes: Counter[str] = Counter()
    for fact in facts:
        modalities.update(fact["modalities"])
        syntaxes.update(fact["syntaxes"])
    return {
        "reasons": dict(reasons.most_common()),
        "modalities": dict(modalities.most_common()),
        "syntaxes": dict(syntaxes.most_common()),
        "bytes_read": sum(fact["bytes_read"] for fact in facts),
        "seconds": round(time.monotonic() - started, 2),
    }
