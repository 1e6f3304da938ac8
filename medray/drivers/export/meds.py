"""`medray export meds`: one snapshot of `events` as a MEDS 0.4 dataset
(https://github.com/Medical-Event-Data-Standard/meds).

The plan is frozen in the target, workers write shards, the driver writes the metadata;
`dataset.json` comes last and says that the export is whole.
"""

from __future__ import annotations

from collections.abc import Sequence

from medray.drivers.export.identified import warn_if_identified
from medray.drivers.export.meds_chunk import ExportChunk, ExportWork
from medray.drivers.export.meds_metadata import Written, is_finished, write_metadata
from medray.drivers.export.meds_plan import Asked, freeze, occupied, planned
from medray.drivers.job import Job, Result
from medray.engine.chunks import run_chunks
from medray.planning.accounting import Sum
from medray.planning.buckets import bucket_of, buckets
from medray.schema.events import EVENTS
from medray.storage.commit import run_of
from medray.storage.snapshot import snapshot


def export_meds(lake: str, target: str, asked: Asked, job: Job) -> Result:
    """Write the events that hold now as a dataset: `data/<split>/<bucket>.parquet` and `metadata/`.

    Each subject is in one shard, by time with static facts first. What stands of this export is
    kept; an unfinished one of an older snapshot is finished as it was begun.

    Raises:
        PlanError: the lake holds no events.
        StorageError: the target holds something else.
        AccountingError: an event is missing from, or doubled in, the shards.
    """
    state = snapshot(job.store, lake)
    wanted = planned(state, asked)
    warn_if_identified(lake, job)
    plan = freeze(job.store, target, wanted)
    events = [path for path in state.files(EVENTS) if run_of(path) in plan.runs]
    count = max(bucket_of(path).n for path in events)
    finished = is_finished(job.store, target, count)
    if plan.runs != wanted.runs:
        if finished:
            raise occupied(target, "the finished export of an older snapshot")
        job.tell.warn(f"finishes what was begun at run {plan.newest_run[:12]}; newer events are left out")
    if finished:
        job.tell.say(f"already done: export of run {plan.newest_run[:12]}; nothing was repeated")
        return Result("already", (plan.newest_run,))
    work = ExportWork(job.store, lake, target, asked.salt, asked.tuning, asked.held_out)
    written = _run(work, events, count, job)
    total = Sum("events", written.events, written.rows).checked()
    write_metadata(job.store, target, plan, written, count)
    subjects = written.subject_splits.num_rows
    job.tell.say(f"exported run {plan.newest_run[:12]}: {total}; {subjects:,} subjects, {len(written.codes):,} codes")
    return Result("done", (plan.newest_run,), (total,))


def _run(work: ExportWork, events: Sequence[str], count: int, job: Job) -> Written:
    """Write the shards of `count` buckets."""
    written = Written()
    chunks = [ExportChunk(bucket, tuple(path for path in events if bucket.overlaps(path))) for bucket in buckets(count)]
    with job.tell.bar("export", len(chunks)) as bar:
        for facts in run_chunks(work, chunks):
            written.add(facts)
            bar.advance(1, f"{written.events:,} events")
    return written
