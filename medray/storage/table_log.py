"""A table's own log, entry by entry: who made which version, and what it names."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote

from medray.storage.failures import told
from medray.storage.store import Store
from medray.storage.uri import join

RUN_ID = "medray.run_id"
_ENTRY = re.compile(r"\d{20}\.json")


@dataclass(frozen=True)
class Commit:
    """One version of a table, as its log has it.

    Attributes:
        version: from 0.
        run_id: the run that made it; None where none did.
        added: size in bytes by path. removed: paths.
        data_change: whether rows came or went.
    """

    version: int
    run_id: str | None
    added: dict[str, int]
    removed: tuple[str, ...]
    data_change: bool


def commits(store: Store, table: str) -> Iterator[Commit]:
    """Every version of the table (its URI) whose entry the log still has, oldest first."""
    log = join(table, "_delta_log")
    with told(table):
        try:
            listed = [item.uri for item in store.walk(log) if _ENTRY.fullmatch(item.uri.rsplit("/", 1)[-1])]
        except FileNotFoundError:
            return
        for uri in listed:
            yield read_entry(int(uri.rsplit("/", 1)[-1].removesuffix(".json")), store.read(uri))


def version_of(store: Store, table: str, run_id: str, newest: int) -> int:
    """The version that the run's commit made, at most `newest`.

    The log itself is read: `DeltaTable.history` counts down from the handle's version even where
    it lists commits that came after.
    """
    log = join(table, "_delta_log")
    with told(table):
        for version in range(newest, -1, -1):
            try:
                entry = store.read(join(log, f"{version:020d}.json"))
            except FileNotFoundError:  # cleaned up behind a checkpoint
                break
            if f'"{run_id}"'.encode() in entry:
                return version
    return newest


def read_entry(version: int, entry: bytes) -> Commit:
    """One entry of a log, from its bytes."""
    run_id: str | None = None
    added: dict[str, int] = {}
    removed: list[str] = []
    data_change = False
    for line in entry.splitlines():
        action = json.loads(line)
        if "commitInfo" in action:
            run_id = action["commitInfo"].get(RUN_ID)
        elif "add" in action:
            added[unquote(action["add"]["path"])] = int(action["add"]["size"])
            data_change |= action["add"]["dataChange"]
        elif "remove" in action:
            removed.append(unquote(action["remove"]["path"]))
            data_change |= action["remove"]["dataChange"]
    return Commit(version, run_id, added, tuple(removed), data_change)
