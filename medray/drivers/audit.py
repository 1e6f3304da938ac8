"""Does the audit tell what the tables' own logs tell?"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from medray.schema.audit import AUDIT
from medray.schema.contract import TableContract
from medray.schema.runs import RUNS
from medray.storage import delta
from medray.storage.audit import contents_digest
from medray.storage.commit import ORDER
from medray.storage.descriptions import every_description
from medray.storage.failures import told
from medray.storage.promotions import names_with_promotions, promotions
from medray.storage.snapshot import Snapshot
from medray.storage.table_log import Commit
from medray.storage.table_log import commits as commits_of
from medray.storage.uri import join


@dataclass(frozen=True)
class Audited:
    """Attributes:
    commits, events, files: how many of each agree.
    faults: what does not, in words; empty when the audit can be trusted.
    """

    commits: int
    events: int
    files: int
    faults: tuple[str, ...]


def verify(state: Snapshot) -> Audited:
    """Every commit of every table against the audit and back, every file that a table names against the
    store, every promotion and every description of a model against its event.

    Commits of a run that is not finished yet are left out: it has no row, and no reader sees it.
    """
    rows = state.table(AUDIT).to_pylist()
    faults: list[str] = []
    commits = files = 0
    for contract in ORDER:
        table = delta.table_uri(state.lake, contract.name)
        table_commits = {one.version: one for one in commits_of(state.store, table)}
        told_of = {row["version"]: row for row in rows if row["event"] == "commit" and row["name"] == contract.name}
        faults += _commit_faults(contract.name, table_commits, told_of, state)
        commits += len(told_of)
        missing, found = _files(state, contract)
        faults += missing
        files += found
    faults += _run_faults(rows, state)
    faults += list(_promotion_faults(rows, state))
    faults += list(_description_faults(rows, state))
    return Audited(commits, len(rows), files, tuple(faults))


def _commit_faults(
    table: str, made: Mapping[int, Commit], told_of: Mapping[int, Mapping[str, Any]], state: Snapshot
) -> list[str]:
    runs = state.run_ids()
    faults = []
    for version, commit in made.items():
        if not commit.added and not commit.removed:
            continue  # creation of the table, or new columns
        if commit.run_id is None and not commit.data_change:
            continue  # the same rows in other files
        if commit.run_id is None:
            faults.append(f"{table} version {version}: made by something else than medray")
        elif version not in told_of and commit.run_id in runs:
            faults.append(f"{table} version {version}: the audit does not know it (run {commit.run_id[:12]})")
    for version, row in told_of.items():
        commit_or_none = made.get(version)
        if commit_or_none is None:
            if version > min(made, default=0):
                faults.append(f"{table} version {version}: the audit has it, the table's log does not")
            continue
        digest = contents_digest(commit_or_none.added.items(), commit_or_none.removed)
        if commit_or_none.run_id != row["run_id"]:
            faults.append(f"{table} version {version}: of another run than the audit says")
        elif digest != json.loads(row["detail"])["sha256"]:
            faults.append(f"{table} version {version}: names other files than the audit says")
    return faults


def _files(state: Snapshot, contract: TableContract) -> tuple[list[str], int]:
    """Files that the newest version names and the store does not hold, or holds in another size."""
    root = delta.table_uri(state.lake, contract.name)
    named = delta.named_files(state.store, state.lake, contract)
    if not named:
        return [], 0
    with told(state.lake):
        have = {item.uri: item.size_bytes for item in state.store.walk(join(root, "data"))}
    faults = []
    for one in named:
        size = have.get(join(root, one.path))
        if size != one.size_bytes:
            found = "not there" if size is None else f"{size:,} bytes"
            faults.append(f"{contract.name}, file {one.path}: {found}; the log says {one.size_bytes:,} bytes")
    return faults, len(named) - len(faults)


def _run_faults(rows: list[dict[str, Any]], state: Snapshot) -> list[str]:
    """Each run has one event `run`, and each such event a run."""
    told_of = Counter(row["run_id"] for row in rows if row["event"] == "run")
    runs = Counter(state.runs["run_id"].to_pylist())
    faults = [f"run {run[:12]}: the audit does not know it" for run in runs if run not in told_of]
    faults += [f"run {run[:12]}: {count} events" for run, count in told_of.items() if count > 1]
    return faults + [f"run {run[:12]}: {count} rows in {RUNS.name}" for run, count in runs.items() if count > 1]


def _promotion_faults(rows: list[dict[str, Any]], state: Snapshot) -> Iterator[str]:
    told_of = {
        (row["name"], json.loads(row["detail"])["number"]): row["version"]
        for row in rows
        if row["event"] == "promotion"
    }
    for name in names_with_promotions(state.store, state.lake):
        for one in promotions(state.store, state.lake, name):
            version = told_of.pop((name, one.number), None)
            if version is None:
                yield f"model {name}, promotion {one.number}: the audit does not know it"
            elif version != one.version:
                yield f"model {name}, promotion {one.number}: of version {one.version}, the audit says {version}"
    for name, number in told_of:
        yield f"model {name}, promotion {number}: the audit has it, the model store does not"


def _description_faults(rows: list[dict[str, Any]], state: Snapshot) -> Iterator[str]:
    events = [(row, json.loads(row["detail"])) for row in rows if row["event"] == "description"]
    told_of = {(row["name"], row["version"], detail["number"]): detail["words"] for row, detail in events}
    for name, one in every_description(state.store, state.lake):
        words = told_of.pop((name, one.version, one.number), None)
        about = f"model {name} version {one.version}, description {one.number}"
        if words is None:
            yield f"{about}: the audit does not know it"
        elif words != one.words:
            yield f"{about}: other words than the audit has"
    for name, version, number in told_of:
        yield f"model {name} version {version}, description {number}: the audit has it, the model store does not"
