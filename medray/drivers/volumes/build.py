"""The volumes of an ingest: series that are new or have grown become rows of `volumes`, once they have settled."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from medray.drivers.job import Job, Result, host_facts, new_plan
from medray.drivers.reports import write_report
from medray.drivers.turns import in_turn
from medray.drivers.volumes.build_chunk import BuildChunk, BuildWork, Planned
from medray.drivers.volumes.page import volumes_page
from medray.engine.chunks import run_chunks
from medray.planning.accounting import Sum
from medray.planning.chunks import chunk_numbers
from medray.planning.volumes.decide import policy_hash
from medray.planning.volumes.touched import Series, Standing, has_settled, is_known, standing_of
from medray.recipes.ingest import IngestRecipe, Volumes
from medray.schema.images import IMAGES
from medray.schema.volumes import VOLUMES
from medray.storage.commit import Outcome, commit_run, new_file, run_of
from medray.storage.delta import scan_file, table_uri
from medray.storage.failures import told
from medray.storage.plans import Plan
from medray.storage.snapshot import Snapshot, snapshot
from medray.storage.uri import join

JOB = "volumes"
FRAMES = 20_000  # of a chunk: about 100 MB of header columns as Python objects
_STANDING = ("SeriesInstanceUID", "input_version", "status", "policy_hash", "image_files")


def with_volumes(ingested: Result, recipe: IngestRecipe, job: Job) -> Result:
    """What an ingest did, and then the volumes where the recipe asks for them; the facts are the ingest's."""
    if recipe.volumes is None:
        return ingested
    built = build_volumes(recipe, recipe.volumes, job)
    idle = ingested.status == built.status == "nothing"
    runs, sums = ingested.run_ids + built.run_ids, ingested.sums + built.sums
    return Result("nothing" if idle else "done", runs, sums, ingested.facts)


def build_volumes(recipe: IngestRecipe, policy: Volumes, job: Job) -> Result:
    """Look at every series of the lake that is new, has grown, or was rejected by other policies.

    One column of each file of `images` and of `volumes` tells which. A series waits until its newest
    file was ingested `settle_nights` before the run's date.
    """
    return in_turn(
        job,
        recipe.lake,
        JOB,
        JOB,
        lambda plan: _execute(plan, recipe.lake, job),
        lambda: _look(recipe, policy, job),
    )


def _look(recipe: IngestRecipe, policy: Volumes, job: Job) -> Plan | Result:
    """A plan of the series that are touched and settled."""
    started = time.monotonic()
    state = snapshot(job.store, recipe.lake)
    series, standing = _series(state, policy), standing_of(_standing(state))
    judged = policy_hash(policy)
    new = {uid: one for uid, one in series.items() if not is_known(one, standing.get(uid), judged)}
    days = dict(zip(state.runs["run_id"].to_pylist(), state.runs["run_date"].to_pylist(), strict=True))
    today = date.fromisoformat(job.run_date)
    ready = {
        uid: one
        for uid, one in new.items()
        if has_settled((days[run_of(path)] for path in one.files), policy.settle_nights, today)
    }
    counts = {"series": len(series), "known": len(series) - len(new), "waiting": len(new) - len(ready)}
    job.tell.say(
        f"volumes: {len(series):,} series in {len(state.files(IMAGES)):,} files, {len(ready):,} touched and settled "
        f"({time.monotonic() - started:.1f} s)"
    )
    if not ready:
        return Result("nothing", sums=(_sum(counts, 0, 0),))
    return _plan(recipe, job, state, ready, standing, counts)


def _series(state: Snapshot, policy: Volumes) -> dict[str, Series]:
    """Every series of the asked modalities: its files and how many frames it has."""
    found: dict[str, Series] = {}
    first = (pc.field("part_index") == 0) & pc.field("Modality").isin(list(policy.modalities))
    columns = ("SeriesInstanceUID", "NumberOfFrames")
    schema = pa.schema([IMAGES.schema.field(name) for name in columns])
    for path in state.files(IMAGES):
        with told(state.lake):
            batches = scan_file(state.store, join(table_uri(state.lake, IMAGES.name), path), IMAGES, columns, first)
            rows = pa.Table.from_batches(batches, schema=schema)
        counted = rows.group_by("SeriesInstanceUID", use_threads=False).aggregate([("NumberOfFrames", "sum")])
        for uid, frames in zip(*(column.to_pylist() for column in counted.select([0, 1]).columns), strict=True):
            one = found.setdefault(uid, Series())
            one.files.append(path)
            one.frames += frames
    return found


def _standing(state: Snapshot) -> list[Mapping[str, Any]]:
    return [row for batch in state.scan(VOLUMES, _STANDING) for row in batch.to_pylist()]


def _plan(
    recipe: IngestRecipe,
    job: Job,
    state: Snapshot,
    ready: Mapping[str, Series],
    standing: Mapping[str, Standing],
    counts: Mapping[str, int],
) -> Plan:
    """Series that lie in the same files come into the same chunk."""
    order = sorted(ready, key=lambda uid: (ready[uid].files, uid))
    numbers = chunk_numbers([ready[uid].frames for uid in order], FRAMES, recipe.chunks.objects)
    inputs = pa.table(
        {
            "chunk": pa.array(numbers, pa.int32()),
            "SeriesInstanceUID": order,
            "input_version": pa.array([standing.get(uid, Standing()).version + 1 for uid in order], pa.int32()),
            "image_files": pa.array([ready[uid].files for uid in order], pa.list_(pa.string())),
        }
    )
    return new_plan(recipe, JOB, JOB, job.run_date, state.versions, dict(counts), inputs)


def _execute(plan: Plan, lake: str, job: Job) -> Result:
    started = time.monotonic()
    planned = IngestRecipe.model_validate(plan.recipe)
    assert planned.volumes is not None
    chunks: list[list[Planned]] = [[] for _ in range(plan.chunks)]
    for row in plan.inputs.to_pylist():
        chunks[row["chunk"]].append(Planned(row["SeriesInstanceUID"], row["input_version"], tuple(row["image_files"])))
    work = BuildWork(planned.volumes, planned.source.subject != "image", job.store, lake, plan.run_id)
    facts: list[dict[str, Any]] = []
    with job.tell.bar(JOB, plan.inputs.num_rows, run_id=plan.run_id) as bar:
        for done in run_chunks(work, [BuildChunk(number, tuple(series)) for number, series in enumerate(chunks)]):
            facts.append(done)
            bar.advance(done["series"], f"{sum(fact['volumes'] for fact in facts):,} volumes")
    facts.sort(key=lambda fact: str(fact["path"]))
    series = _sum(plan.facts, *(sum(fact[name] for fact in facts) for name in ("built", "rejected")))
    slices = _slices(facts)
    files = {VOLUMES.name: [new_file(plan, fact["path"], fact) for fact in facts if fact["rows"]]}
    volumes = sum(fact["volumes"] for fact in facts)
    counts = {**series.named(), **slices.named(), "volumes": volumes}
    reasons = _reasons(facts)
    page = volumes_page(plan, job, lake, [fact["path"] for fact in facts if fact["volumes"]], reasons, (series, slices))
    report = write_report(job, lake, plan.run_id, page)
    commit_run(job.store, lake, plan, Outcome(counts, files, host_facts(started), report_uri=report))
    said = "".join(f"; {reason} {count:,}" for reason, count in reasons.items())
    job.tell.say(f"volumes: {series}; {slices}; {volumes:,} volumes{said}")
    job.tell.say(f"report: {report}")
    return Result("done", (plan.run_id,), (series, slices))


def _sum(counts: Mapping[str, int], built: int, rejected: int) -> Sum:
    """Where every series of the lake stands: "built" gave one volume or more."""
    parts = {"known": counts["known"], "waiting": counts["waiting"], "built": built, "rejected": rejected}
    return Sum("series", counts["series"], parts).checked()


def _slices(facts: Sequence[Mapping[str, Any]]) -> Sum:
    """Where every slice of the series looked at ended."""
    parts = {name: sum(fact["slices"][name] for fact in facts) for name in ("used", "left out", "rejected")}
    return Sum("slices", sum(fact["frames"] for fact in facts), parts).checked()


def _reasons(facts: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """How many stacks are no volume, by reason, most first."""
    reasons: Counter[str] = Counter()
    for fact in facts:
        reasons.update(fact["reasons"])
    return dict(reasons.most_common())
