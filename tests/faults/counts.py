"""What a lake must hold, counted: used by the scenes of kills and of bad days."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from medray.schema.contract import TableContract
from medray.storage.snapshot import Snapshot


def exactly_once(what: str, keys: Sequence[object], total: int) -> list[str]:
    """Keys that are there more than once, or other than so many of them."""
    doubled = [key for key, count in Counter(keys).items() if count > 1]
    found = [f"{len(doubled)} {what}(s) doubled"] if doubled else []
    return found + ([f"{len(set(keys))} {what}s, expected {total}"] if len(set(keys)) != total else [])


def other_than(state: Snapshot, counted: Mapping[TableContract, int]) -> list[str]:
    """Tables of which a snapshot shows other rows than its runs have counted."""
    return [
        f"{contract.name} has {rows} rows, its runs counted {counted[contract]}"
        for contract in counted
        if (rows := _rows(state, contract)) != counted[contract]
    ]


def _rows(state: Snapshot, contract: TableContract) -> int:
    return sum(batch.num_rows for batch in state.scan(contract, contract.schema.names[:1]))
