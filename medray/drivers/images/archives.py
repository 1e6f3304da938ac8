"""The archives of a run: how many objects came out of each, over all of its parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from medray.contracts import Bad
from medray.drivers.listing import ID, Identity
from medray.schema.containers import CONTAINERS
from medray.storage.chunk_file import Facts
from medray.storage.plans import Plan


@dataclass(frozen=True)
class Archives:
    """Attributes:
    rows: of `containers`.
    counted: objects of all inputs whose name is an archive's.
    empty: archives of which nothing came.
    """

    rows: pa.Table
    counted: int
    empty: tuple[Bad, ...]


def archives_of(plan: Plan, facts: Sequence[Facts]) -> Archives:
    """What the chunks tell, put together."""
    members: dict[Identity, int] = {}
    counted = 0
    for fact in facts:
        for key, tag, size, count, is_archive in fact.get("archives", ()):  # a chunk of an older plan has none
            counted += count
            if is_archive:
                members[key, tag, size] = members.get((key, tag, size), 0) + count
    empty = [identity for identity, count in members.items() if not count]
    rows = [
        {**dict(zip(ID, identity, strict=True)), "members": max(count, 1), "run_id": plan.run_id}
        for identity, count in members.items()
    ]
    return Archives(
        pa.Table.from_pylist(rows, schema=CONTAINERS.schema),
        counted + len(empty),
        tuple(Bad(*identity, "empty", "an archive without members") for identity in empty),
    )
