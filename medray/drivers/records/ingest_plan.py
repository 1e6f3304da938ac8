"""What a record ingest will do: which files of the archive are new, how they are cut, what stands."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel

from medray.contracts import RecordSource, SourceObject
from medray.drivers.listing import ID, ByIdentity, Identity
from medray.drivers.records.files import file_name, record_file, verdict
from medray.drivers.records.map_chunk import FilePart, RecordChunk, chunk_name
from medray.drivers.records.reduce_bucket import BucketTask, StagedBatches
from medray.ehr.tables.config import TablesConfig
from medray.errors import StorageError, Unusable
from medray.planning.buckets import Bucket, bucket_count
from medray.planning.chunks import chunk_numbers
from medray.recipes.ingest_ehr import IngestEhrRecipe
from medray.schema.events import EVENTS
from medray.schema.quarantine import QUARANTINE
from medray.schema.record_files import RECORD_FILES
from medray.storage.chunk_file import Facts
from medray.storage.failures import told
from medray.storage.plans import Plan
from medray.storage.snapshot import Snapshot
from medray.storage.store import Store
from medray.storage.uri import join

_GROWTH = {".gz": 8, ".parquet": 6, ".zst": 8, ".bz2": 10}  # bytes of rows for a byte of file, about
_FINE = 1 / 6  # staged rows of a bucket, of a chunk's bytes, while their true number is unknown
_DECIDED = 2 / 3  # the same when they are decided on, which takes three times the memory
_ROW_BYTES = 64  # of a staged row without its text
_MOST_FINE = 1024  # more would make the batches of a chunk too small
_DIGITS = re.compile(r"([0-9]+)")
_OF_RECIPE = ("no_columns", "not_text")  # another mapping may read the file


@dataclass(frozen=True)
class Past:
    """What earlier runs tell of the listed files.

    Attributes:
        known: files that were ingested or quarantined, and are not tried again.
        looks: how often each file was given up as a whole.
    """

    known: set[Identity]
    looks: Counter[Identity]


def past_of(state: Snapshot, listing: ByIdentity, recipe: IngestEhrRecipe, source: RecordSource) -> Past:
    """What is known, and not to be read again.

    A file that was given up is new again where that was not for its bytes: nobody has seen them
    (`unreadable`), nothing read it then and something of this recipe does (`not_mapped`), or the
    recipe was to blame and says something else now (`no_columns`, `not_text`).
    """
    past = Past(set(), Counter())
    mapping_now = cache(partial(mapping_hash, recipe.source))
    for batch in state.scan(RECORD_FILES, ID):
        past.known.update(identity for identity in _identities(batch) if identity in listing)
    whole = (pc.field("stage") == "ingest") & pc.field("row_index").is_null()
    for batch in state.scan(QUARANTINE, (*ID, "reason", "mapping_hash"), whole):
        verdicts = zip(batch["reason"].to_pylist(), batch["mapping_hash"].to_pylist(), strict=True)
        for identity, (reason, mapping) in zip(_identities(batch), verdicts, strict=True):
            if identity in listing:
                past.looks[identity] += 1
                table = _table_of(listing[identity], recipe, source)
                if _stays(reason, mapping, None if table is None else mapping_now(table)):
                    past.known.add(identity)
    return past


def _stays(reason: str, then: str | None, now: str | None) -> bool:
    """Whether a file stays given up, by the mappings of its table (None: it has none)."""
    if reason == "unreadable":
        return False
    if reason == "not_mapped":
        return now is None
    return reason not in _OF_RECIPE or now is None or then == now


def mapping_hash(config: BaseModel, table: str) -> str:
    """16 hex digits: what the recipe says about a table, of the mapped ones, or about the whole source."""
    said = config.table(table) if isinstance(config, TablesConfig) else config
    document = json.dumps(said.model_dump(mode="json", exclude={"uri"}), sort_keys=True)
    return hashlib.sha256(document.encode()).hexdigest()[:16]


def new_files(listing: ByIdentity, past: Past) -> ByIdentity:
    """The files that are not known, by their URIs, numbers in them by their size: a record that comes
    in two of them is, where its versions do not say which is newer, what the later file says (`.9.`
    before `.10.`)."""

    def natural(identity: Identity) -> tuple[list[str | int], str]:
        uri = listing[identity].uri
        return [int(part) if place % 2 else part for place, part in enumerate(_DIGITS.split(uri))], uri

    return {identity: listing[identity] for identity in sorted(listing.keys() - past.known, key=natural)}


def tables_that_worked(state: Snapshot) -> set[str]:
    """Tables of which an earlier run has ingested a row: their mapping is right, and a delivery of which
    no row can be used is a bad delivery."""
    rows = state.table(RECORD_FILES, ("table", "ingested"))
    return set(rows.filter(pc.greater(rows["ingested"], 0))["table"].to_pylist())


def chunk_bytes(recipe: IngestEhrRecipe) -> float:
    """The size of one unit of work."""
    return recipe.chunks.megabytes * 1e6


def planned_inputs(
    new: Mapping[Identity, SourceObject], recipe: IngestEhrRecipe, source: RecordSource, store: Store
) -> pa.Table:
    """One row for each part of each new file, in their order."""
    tables = [_table_of(item, recipe, source) for item in new.values()]
    parts = _parts(list(new.values()), tables, recipe, source, store)
    places = [file for file, count in enumerate(parts) for _ in range(count)]
    identities, of_tables = list(new), [tables[file] for file in places]
    sizes = [identities[file][2] // parts[file] if tables[file] is not None else 0 for file in places]
    numbers = chunk_numbers(sizes, int(chunk_bytes(recipe)), recipe.chunks.objects)
    columns: dict[str, list[Any]] = {
        name: [identities[file][place] for file in places] for place, name in enumerate(ID)
    }
    columns |= {"chunk": numbers, "file": places, "table": of_tables}
    columns["part"] = [part for count in parts for part in range(count)]
    return pa.table(columns, schema=_INPUTS)


def fine_buckets(new: Mapping[Identity, SourceObject], inputs: pa.Table, work_bytes: float) -> int:
    """Into how many buckets mapping sorts: by the bytes that its rows may take, and those of one
    unit of work."""
    read = set(inputs.filter(inputs["table"].is_valid())["source_key"].to_pylist())
    size = sum(
        item.size_bytes * next((growth for ending, growth in _GROWTH.items() if item.uri.endswith(ending)), 1)
        for (key, _, _), item in new.items()
        if key in read
    )
    return bucket_count(size, work_bytes * _FINE, _MOST_FINE)


def files_of(plan: Plan) -> pa.Table:
    """The plan's files in order of their numbers: `ID` and `table`."""
    return plan.inputs.filter(pc.equal(plan.inputs["part"], 0)).select([*ID, "table"]).combine_chunks()


def record_chunks(plan: Plan, listing: ByIdentity) -> list[RecordChunk]:
    """The chunks that read something, the greatest first: the last to finish is a small one."""
    parts: dict[int, list[FilePart]] = {}
    for row in plan.inputs.to_pylist():
        if row["table"] is not None:
            item = listing.get((row["source_key"], row["source_etag"], row["size_bytes"]))
            parts.setdefault(row["chunk"], []).append(FilePart(row["file"], item, row["table"], row["part"]))
    chunks = [RecordChunk(number, tuple(found)) for number, found in parts.items()]
    return sorted(chunks, key=lambda chunk: (-sum(p.item.size_bytes for p in chunk.parts if p.item), chunk.number))


def bucket_tasks(mapped: Sequence[Facts], fine: int, work_bytes: float) -> list[BucketTask]:
    """What is to be decided, once it is known how much is staged: neighbouring buckets are put
    together until they are worth a file.

    Args:
        mapped: the facts of the chunks, in their order.
        fine: the number of buckets that they were sorted into.
        work_bytes: of one unit of work.
    """
    rows = sum(count for fact in mapped for bucket, count in fact["batches"] if bucket < fine)
    text = sum(tally["text_bytes"] for fact in mapped for tally in fact["files"].values())
    n = bucket_count(rows * _ROW_BYTES + text, work_bytes * _DECIDED, fine)
    staged: list[list[StagedBatches]] = [[] for _ in range(n)]
    refused: list[BucketTask] = []
    for fact in mapped:
        name = chunk_name(fact["chunk"])
        numbers: list[list[int]] = [[] for _ in range(n + 1)]
        for number, (bucket, _) in enumerate(fact["batches"]):
            numbers[bucket * n // fine if bucket < fine else n].append(number)
        for k, own in enumerate(numbers[:n]):
            if own:
                staged[k].append(StagedBatches(name, tuple(own)))
        if numbers[n]:
            refused.append(BucketTask(f"refused-{fact['chunk']:06d}", (StagedBatches(name, tuple(numbers[n])),), None))
    decided = [BucketTask(Bucket(k, n).name, tuple(own), Bucket(k, n)) for k, own in enumerate(staged) if own]
    return decided + refused


def frozen_standing(store: Store, lake: str, plan: Plan, state: Snapshot) -> tuple[str, ...]:
    """The events files that the run compares with: those of its first attempt, whatever other runs
    have added since."""
    uri = join(lake, "plans", plan.job, plan.run_id, "standing.json")
    with told(lake):
        store.put_if_absent(uri, json.dumps(state.files(EVENTS)).encode())
        return tuple(json.loads(store.read(uri)))


_INPUTS = pa.schema(
    [
        ("chunk", pa.int32()),
        ("file", pa.int32()),
        ("source_key", pa.string()),
        ("source_etag", pa.string()),
        ("size_bytes", pa.int64()),
        ("table", pa.string()),  # null: nothing of the recipe reads the file
        ("part", pa.int32()),
    ]
)


def _identities(batch: pa.RecordBatch) -> list[Identity]:
    return list(zip(*(batch[name].to_pylist() for name in ID), strict=True))


def _table_of(item: SourceObject, recipe: IngestEhrRecipe, source: RecordSource) -> str | None:
    return source.table_of(file_name(recipe.source.uri, item.uri), recipe.source)


def _parts(
    items: Sequence[SourceObject],
    tables: Sequence[str | None],
    recipe: IngestEhrRecipe,
    source: RecordSource,
    store: Store,
) -> list[int]:
    def count(item: SourceObject, table: str | None) -> int:
        if table is None:
            return 1
        file = record_file(store, recipe.source.uri, item)
        try:
            return max(source.parts(file, table, recipe.source), 1)
        except (Unusable, OSError) as error:
            why = verdict(file, error, lambda: source.parts(file, table, recipe.source))
        if why.reason == "unreadable":  # were it back when it is read, its other parts would be missed
            raise StorageError(
                f"archive {recipe.source.uri}",
                f"a file that has gone or changed since the listing, a moment ago ({why.detail})",
                "an archive whose files are whole and stay as they are",
                "run again when it is at rest",
            )
        return 1  # reading it tells why

    with ThreadPoolExecutor(8) as threads, told(f"archive {recipe.source.uri}"):
        return list(threads.map(count, items, tables))
