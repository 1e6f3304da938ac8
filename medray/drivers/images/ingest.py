"""The `ingest_dicom` driver: list, plan, read in chunks, settle collisions, account, commit."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from medray import rooms
from medray.drivers.images.archives import Archives, archives_of
from medray.drivers.images.collide import settle
from medray.drivers.images.ingest_chunk import STANDING, IngestWork
from medray.drivers.images.ingest_page import Watch, ingest_page
from medray.drivers.images.ingest_plan import inputs_of, past_of, planned_chunks, planned_inputs, witnesses_of
from medray.drivers.images.objects import list_objects
from medray.drivers.job import Job, Result, host_facts, new_plan
from medray.drivers.labels import with_labels
from medray.drivers.listing import Listing
from medray.drivers.pseudonyms import pseudonyms_of
from medray.drivers.reports import write_report
from medray.drivers.turns import in_turn
from medray.drivers.volumes.build import with_volumes
from medray.engine.chunks import run_chunks
from medray.planning.accounting import Sum
from medray.privacy.pseudonyms import Pseudonyms
from medray.recipes.ingest import IngestRecipe
from medray.schema.containers import CONTAINERS
from medray.schema.images import IMAGES
from medray.schema.quarantine import QUARANTINE
from medray.storage.commit import Outcome, commit_run, new_file, write_rows
from medray.storage.lake import Identity, claim
from medray.storage.linkage import commit_linkage
from medray.storage.plans import Plan
from medray.storage.snapshot import snapshot

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
    listing = list_objects(recipe.source, job.store, pseudonyms)
    stream = f"archive {recipe.source.uri}"

    def look() -> Plan | Result:
        state = snapshot(job.store, recipe.lake)
        past = past_of(state, listing, recipe.deidentify.policy.rules_hash)
        new = past.new
        job.tell.say(f"listed {len(listing):,} objects, {len(listing) - len(new):,} known, {len(new):,} new")
        if not len(new):
            counts = {"known": past.known, "ingested": 0, "duplicate": 0, "quarantined": 0}
            return Result("nothing", sums=(Sum("listed", past.known, counts).checked(),))
        facts = {"known": past.known, "looks": int(past.looks[new].sum())}  # a further look is another run
        inputs = planned_inputs(recipe, listing, new)
        return new_plan(recipe, JOB, stream, job.run_date, state.versions, facts, inputs)

    return in_turn(job, recipe.lake, JOB, stream, lambda plan: _execute(plan, recipe, job, listing), look)


def _execute(plan: Plan, recipe: IngestRecipe, job: Job, listing: Listing) -> Result:
    """Do what the plan says, which an earlier attempt may have begun, and commit it."""
    started = time.monotonic()
    planned = IngestRecipe.model_validate(plan.recipe)
    work = IngestWork(
        rooms.source(planned.source.kind),
        planned.source,
        planned.deidentify.model_copy(update={"key": recipe.deidentify.key}),  # where the key lies now
        job.store,
        recipe.lake,
        plan.run_id,
        planned.linkage.uri if planned.linkage else None,
        witnesses_of(listing),
    )
    facts: list[dict[str, Any]] = []
    watch = Watch()
    with job.tell.bar("ingest", plan.inputs.num_rows, run_id=plan.run_id) as bar:
        for done in run_chunks(work, planned_chunks(plan, listing), watch):
            done.pop(STANDING, None)
            facts.append(done)
            bar.advance(done["objects"], f"{sum(f['bytes_read'] for f in facts) / 1e6:,.0f} MB")
    facts.sort(key=lambda item: int(item["chunk"]))
    facts, dropped = settle(plan, job, recipe.lake, planned.on_change, facts)
    archives = archives_of(plan, facts)
    total = _account(plan, facts, dropped, archives)
    if planned.linkage:
        commit_linkage(planned.linkage.uri, plan)
    refused = _refused(plan, planned.deidentify.policy.rules_hash, facts, dropped, archives)
    reasons = dict(Counter(row["reason"] for row in refused).most_common())
    page = ingest_page(plan, job, recipe.lake, work.source, facts, reasons, total, watch)
    report = write_report(job, recipe.lake, plan.run_id, page)
    _commit(plan, job, recipe.lake, facts, refused, archives, total, started, report)
    job.tell.say(str(total), event="sum", run_id=plan.run_id, **total.counts())
    return Result("done", (plan.run_id,), (total,), {"report": report, "reasons": reasons})


def _account(plan: Plan, facts: Sequence[dict[str, Any]], dropped: Sequence[dict[str, Any]], archives: Archives) -> Sum:
    """Objects are counted by the plan, members of archives by who unpacked them."""
    plain = pc.sum(pc.equal(inputs_of(plan)["parts"], 0)).as_py() or 0
    duplicates = sum(row["reason"] == "duplicate" for row in dropped)
    return Sum(
        "listed",
        int(plan.facts["known"]) + plain + archives.counted,
        {
            "known": int(plan.facts["known"]),
            "ingested": sum(fact["instances"] for fact in facts) - len(dropped),
            "duplicate": duplicates,
            "quarantined": sum(len(fact["bad"]) for fact in facts) + len(dropped) - duplicates + len(archives.empty),
        },
    ).checked()


def _commit(
    plan: Plan,
    job: Job,
    lake: str,
    facts: Sequence[dict[str, Any]],
    refused: Sequence[dict[str, Any]],
    archives: Archives,
    total: Sum,
    started: float,
    report: str,
) -> None:
    rows = pa.Table.from_pylist(refused, schema=QUARANTINE.schema)
    files = {
        IMAGES.name: [new_file(plan, fact["path"], fact) for fact in facts if fact["rows"]],
        CONTAINERS.name: write_rows(job.store, lake, plan, CONTAINERS, archives.rows, "containers"),
        QUARANTINE.name: write_rows(job.store, lake, plan, QUARANTINE, rows, "quarantine"),
    }
    commit_run(job.store, lake, plan, Outcome(total.counts(), files, host_facts(started), report_uri=report))


def _refused(
    plan: Plan,
    rules_hash: str,
    facts: Sequence[dict[str, Any]],
    dropped: Sequence[dict[str, Any]],
    archives: Archives,
) -> list[dict[str, Any]]:
    """Rows of `quarantine`: all that was listed and is not used."""
    bad = [_quarantined(plan, item, rules_hash) for fact in facts for item in fact["bad"]]
    bad += [_quarantined(plan, asdict(item), rules_hash) for item in archives.empty]
    return [*bad, *dropped]


def _quarantined(plan: Plan, bad: dict[str, Any], rules_hash: str) -> dict[str, Any]:
    return {
        "source_key": bad["source_key"],
        "source_etag": bad["source_etag"],
        "size_bytes": bad["size_bytes"],
        "stage": "ingest",
        "reason": bad["reason"],
        "detail": bad["detail"] or None,
        "TransferSyntaxUID": bad["transfer_syntax_uid"],
        "mapping_hash": rules_hash if bad["reason"] == "burned_in_risk" else None,
        "run_id": plan.run_id,
    }
