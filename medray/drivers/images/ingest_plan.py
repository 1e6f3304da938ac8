"""What an image ingest will do: what is new, how it is cut into chunks, what each chunk is given."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from medray.contracts import Bad, SourceObject
from medray.drivers.images.ingest_chunk import IngestChunk
from medray.drivers.listing import ID, Listing, Rows, source_objects
from medray.planning.chunks import chunk_numbers
from medray.recipes.ingest import IngestRecipe
from medray.schema.containers import CONTAINERS
from medray.schema.images import IMAGES
from medray.schema.quarantine import QUARANTINE
from medray.storage.archive import parts_of
from medray.storage.archive_kind import archive_name
from medray.storage.plans import Plan
from medray.storage.snapshot import Snapshot
from medray.storage.uri import is_s3

_LOOK = pc.field("reason") == "unreadable"


@dataclass(frozen=True)
class Past:
    """What earlier runs tell of the listed objects.

    Attributes:
        counts: int64 (N,): what each object counts for: 1, an archive's members, or 0 where it is new.
        looks: int64 (N,): how often it could not be read. Nobody has seen its bytes, and it is new.
    """

    counts: Rows
    looks: Rows

    @property
    def known(self) -> int:
        return int(self.counts.sum())

    @property
    def new(self) -> Rows:
        return np.flatnonzero(self.counts == 0)


def past_of(state: Snapshot, listing: Listing, rules_hash: str) -> Past:
    """The one look-up that grows with the archive: three key columns, batch by batch.

    Args:
        rules_hash: of `Policy`: an image of which only other rules have said that it may show text is new.
    """
    counts, looks = np.zeros(len(listing), np.int64), np.zeros(len(listing), np.int64)
    same_rules = (pc.field("reason") != "burned_in_risk") | (pc.field("mapping_hash") == rules_hash)
    for contract, where in ((IMAGES, None), (QUARANTINE, ~_LOOK & same_rules)):
        for batch in state.scan(contract, ID, where):
            counts[_listed(listing.rows_of(batch))] = 1
    for batch in state.scan(CONTAINERS, (*ID, "members")):
        rows = listing.rows_of(batch)
        counts[_listed(rows)] = batch["members"].to_numpy()[rows >= 0]
    for batch in state.scan(QUARANTINE, ID, _LOOK):
        np.add.at(looks, _listed(listing.rows_of(batch)), 1)
    return Past(counts, looks)


def _listed(rows: Rows) -> Rows:
    return rows[rows >= 0]


def planned_inputs(recipe: IngestRecipe, listing: Listing, new: Rows) -> pa.Table:
    """One row for each new object, or part of an archive, in the order of the listing."""
    budget, sizes = int(recipe.chunks.megabytes * 1e6), listing.sizes[new]
    parts = _parts(recipe, listing, new, sizes, budget)
    times = np.maximum(parts, 1)
    rows = np.repeat(new, times)
    first = np.repeat(np.cumsum(times) - times, times)
    shares = np.repeat(sizes // times, times)
    numbers = chunk_numbers(shares.tolist(), budget, recipe.chunks.objects)
    return pa.table(
        {
            "chunk": pa.array(numbers, pa.int32()),
            **{name: pa.array(values, _INPUTS.field(name).type) for name, values in listing.identities(rows).items()},
            "part": (np.arange(len(rows)) - first).astype(np.int32),
            "parts": np.repeat(parts, times),
        },
        schema=_INPUTS,
    )


_INPUTS = pa.schema(
    [
        ("chunk", pa.int32()),
        ("source_key", pa.string()),
        ("source_etag", pa.string()),
        ("size_bytes", pa.int64()),
        ("part", pa.int32()),
        ("parts", pa.int32()),  # 0: no archive by its name
    ]
)


def _parts(recipe: IngestRecipe, listing: Listing, new: Rows, sizes: Rows, budget: int) -> npt.NDArray[np.int32]:
    parts = np.zeros(len(new), np.int32)
    if recipe.source.archives:
        names = listing.objects["uri"].take(pa.array(new))
        for place, name in enumerate(names.to_pylist()):
            text = name[-8:].decode("utf-8", "replace")
            if archive_name(text):
                parts[place] = parts_of(text, int(sizes[place]), budget, not is_s3(recipe.source.uri))
    return parts


def inputs_of(plan: Plan) -> pa.Table:
    """The inputs of a plan. One that was made before archives were opened holds plain objects."""
    if "parts" in plan.inputs.schema.names:
        return plan.inputs
    zeros = pa.array(np.zeros(plan.inputs.num_rows, np.int32))
    return plan.inputs.append_column("part", zeros).append_column("parts", zeros)


def planned_chunks(plan: Plan, listing: Listing) -> list[IngestChunk]:
    """What each chunk is given: an earlier attempt's plan may name what is no more."""
    inputs = inputs_of(plan)
    rows = listing.rows_of(inputs)
    numbers = inputs["chunk"].to_numpy()
    starts = np.searchsorted(numbers, np.arange(plan.chunks + 1))
    return [
        _chunk(number, inputs.slice(first, last - first), listing, rows[first:last])
        for number, (first, last) in enumerate(zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True))
    ]


def _chunk(number: int, inputs: pa.Table, listing: Listing, rows: Rows) -> IngestChunk:
    here = inputs.filter(pa.array(rows >= 0))
    found = listing.objects.take(pa.array(_listed(rows)))
    for name in ("part", "parts"):
        found = found.append_column(name, here[name])
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, found.schema) as writer:
        writer.write_table(found)
    away = inputs.filter(pa.array(rows < 0)).to_pylist()
    gone = [_gone(row) for row in away if not row["parts"]]
    archives = [_gone(row) for row in away if row["parts"] and not row["part"]]
    return IngestChunk(number, sink.getvalue().to_pybytes(), tuple(gone), tuple(archives))


def _gone(row: dict[str, object]) -> Bad:
    key, tag, size = (row[name] for name in ID)
    assert isinstance(size, int)
    return Bad(str(key), str(tag), size, "unreadable", "gone or changed since the plan")


def witnesses_of(listing: Listing, count: int = 16) -> tuple[SourceObject, ...]:
    """Objects spread evenly over the archive."""
    rows = np.unique(np.arange(count) * len(listing) // count)
    return tuple(source_objects(listing.objects.take(pa.array(rows))))
