"""Settling instances that were read twice, or that the lake has already.

Workers cannot know; the driver compares ids once all chunks are read. The few files that hold a
duplicate, a conflict or a next version are written again without, under a name that follows from
the decision; the others stay as they are.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from medray.drivers.job import Job
from medray.engine.chunks import run_chunks
from medray.planning.collisions import Decision, Instance, OnChange, Version, decide
from medray.schema.images import IMAGES
from medray.storage.chunk_file import ChunkWriter, Facts, read_facts
from medray.storage.commit import data_path
from medray.storage.delta import scan_file, table_uri
from medray.storage.failures import told
from medray.storage.patience import patiently
from medray.storage.plans import Plan
from medray.storage.snapshot import Snapshot, snapshot
from medray.storage.store import Store
from medray.storage.uri import join

_COLUMNS = (
    "source_key",
    "source_etag",
    "size_bytes",
    "SOPInstanceUID",
    "input_sha256",
    "TransferSyntaxUID",
    "part_index",
)


def settle(
    plan: Plan, job: Job, lake: str, on_change: OnChange, facts: Sequence[Facts]
) -> tuple[list[Facts], list[dict[str, Any]]]:
    """The facts with rewritten files in place, and the quarantine rows of what was dropped.

    Compares with the table version that the plan read, so that every attempt decides alike.
    """
    rows = _new_rows(job.store, lake, facts)
    state = snapshot(job.store, lake).at(plan.tables_read)
    changes = decide(
        [Instance(row["chunk"], row["source_key"], row["SOPInstanceUID"], row["input_sha256"]) for row in rows],
        _standing(state, {row["SOPInstanceUID"] for row in rows}),
        on_change,
    )
    if not changes:
        return list(facts), []
    work = RewriteWork(job.store, lake, plan.run_id)
    tasks = [(fact, changes[fact["chunk"]]) for fact in facts if fact["chunk"] in changes]
    rewritten = {fact["chunk"]: fact for fact in run_chunks(work, tasks)}
    dropped = [
        _dropped(plan, row, decision)
        for row in rows
        if (decision := changes.get(row["chunk"], {}).get(row["source_key"])) is not None
        and decision.reason is not None
    ]
    return [rewritten.get(fact["chunk"], fact) for fact in facts], dropped


def _new_rows(store: Store, lake: str, facts: Sequence[Facts]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    first = pc.field("part_index") == 0
    for fact in facts:
        if fact["rows"]:
            uri = join(table_uri(lake, IMAGES.name), fact["path"])
            with told(lake):
                batches = patiently(uri, lambda uri=uri: list(scan_file(store, uri, IMAGES, _COLUMNS, first)))  # type: ignore[misc]
            rows.extend({**row, "chunk": fact["chunk"]} for batch in batches for row in batch.to_pylist())
    return rows


def _standing(state: Snapshot, uids: set[str]) -> dict[str, Version]:
    """Newest version in the lake of each id that was read again."""
    standing: dict[str, Version] = {}
    for batch in state.scan(IMAGES, ("SOPInstanceUID", "input_version", "input_sha256")):
        for uid, number, sha256 in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            if uid in uids and (uid not in standing or standing[uid].number < number):
                standing[uid] = Version(number, sha256)
    return standing


def _dropped(plan: Plan, row: dict[str, Any], decision: Decision) -> dict[str, Any]:
    return {
        "source_key": row["source_key"],
        "source_etag": row["source_etag"],
        "size_bytes": row["size_bytes"],
        "stage": "ingest",
        "reason": decision.reason,
        "TransferSyntaxUID": row["TransferSyntaxUID"],
        "SOPInstanceUID": row["SOPInstanceUID"],
        "input_version": decision.version,
        "input_sha256": row["input_sha256"],
        "run_id": plan.run_id,
    }


@dataclass(frozen=True)
class RewriteWork:
    """Writes a chunk's file again with the decisions applied, row group by row group."""

    store: Store
    lake: str
    run_id: str

    def __call__(self, task: tuple[Facts, dict[str, Decision]]) -> Facts:
        fact, decisions = task
        told_apart = json.dumps({key: asdict(decisions[key]) for key in sorted(decisions)}, sort_keys=True)
        suffix = hashlib.sha256(told_apart.encode()).hexdigest()[:16]
        path = data_path(self.run_id, f"{fact['chunk']:06d}-{suffix}")
        root = table_uri(self.lake, IMAGES.name)
        with told(self.lake):
            standing = read_facts(self.store, join(root, path))
            if standing is not None:
                return standing
            with ChunkWriter(self.store, join(root, path), IMAGES, payload="frames") as writer:
                for rows in _row_groups(self.store, join(root, fact["path"])):
                    writer.write(_applied(rows, decisions))
                return writer.publish({**fact, "path": path, "rows": writer.rows})


def _row_groups(store: Store, uri: str) -> Iterator[pa.Table]:
    with store.arrow(uri).open_input_file(store.path(uri)) as stream:
        file = pq.ParquetFile(stream)
        for group in range(file.num_row_groups):
            yield file.read_row_group(group)


def _applied(rows: pa.Table, decisions: dict[str, Decision]) -> pa.Table:
    """The kept rows with their versions."""
    keys = rows["source_key"].to_pylist()
    versions = [decisions[key].version if key in decisions else 1 for key in keys]
    kept = [key not in decisions or decisions[key].reason is None for key in keys]
    index = rows.schema.get_field_index("input_version")
    rows = rows.set_column(index, rows.schema.field(index), pa.array(versions, pa.int32()))
    return rows.filter(pa.array(kept, pa.bool_()))
