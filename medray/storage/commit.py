"""The ordered commit: data tables first, `runs` last. A run exists when its `runs` row does."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pyarrow as pa

from medray.errors import PlanError
from medray.schema.attributions import ATTRIBUTIONS
from medray.schema.audit import AUDIT
from medray.schema.containers import CONTAINERS
from medray.schema.contract import TableContract
from medray.schema.events import EVENTS
from medray.schema.held import HELD
from medray.schema.images import IMAGES
from medray.schema.labels import LABELS
from medray.schema.predictions import PREDICTIONS
from medray.schema.quarantine import QUARANTINE
from medray.schema.record_files import RECORD_FILES
from medray.schema.runs import RUNS
from medray.schema.volumes import VOLUMES
from medray.storage import delta
from medray.storage.audit import Event, audit_rows, commit_event
from medray.storage.chunk_file import read_facts, write_table
from medray.storage.delta import NewFile
from medray.storage.failures import told
from medray.storage.plans import Plan, now, plan_folder
from medray.storage.store import TEMPORARY, Store
from medray.storage.uri import join

# HELD before PREDICTIONS: of two who decide about one night, the first to take it out of HELD has it.
ORDER: tuple[TableContract, ...] = (
    IMAGES, VOLUMES, EVENTS, RECORD_FILES, CONTAINERS, QUARANTINE, LABELS, HELD, PREDICTIONS, ATTRIBUTIONS,
)  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """What a run produced, ready to be committed.

    Attributes:
        files: per table, published files relative to the table's folder, with rows and size.
        taken_out: per table, paths of files that it names no more.
        counts: the accounting, checked.
        host_facts: cpus, memory, versions, seconds.
        children: run ids of a chain's links.
        model_sha256, report_uri: of the run, where it has one.
        verdict: "published" or "held", where a gate has judged.
        facts: of a night: what it looked like and what was found; JSON.
        events: what an auditor may ask about, besides the run and its commits.
        closes: runs that can never be committed once this one is.
    """

    counts: Mapping[str, int]
    files: Mapping[str, Sequence[NewFile]] = field(default_factory=dict)
    host_facts: Mapping[str, Any] = field(default_factory=dict)
    children: Sequence[str] = ()
    model_sha256: str | None = None
    report_uri: str | None = None
    taken_out: Mapping[str, Sequence[str]] = field(default_factory=dict)
    verdict: str | None = None
    facts: Mapping[str, Any] | None = None
    events: Sequence[Event] = ()
    closes: Sequence[str] = ()


def commit_run(store: Store, lake: str, plan: Plan, outcome: Outcome) -> dict[str, int]:
    """Commit the tables in order, sweep left-over temporaries, commit `runs`.

    Returns:
        The version of every table after this run.

    Raises:
        StorageError: the store failed; nothing partial is visible, and running again completes.
        PlanError: the plan was given up while this attempt stood still.
    """
    # A table that this run does not write keeps the version that the plan knew: a newer one may
    # hold rows of a run that never got its `runs` row.
    versions = dict(plan.tables_read)
    events: list[Event] = []
    for contract in ORDER:
        files, taken_out = outcome.files.get(contract.name, ()), outcome.taken_out.get(contract.name, ())
        version = delta.append(store, lake, contract, plan.run_id, files, taken_out)
        if version is not None:
            versions[contract.name] = version
            events.append(commit_event(contract.name, version, files, taken_out))
    rows = audit_rows(plan, outcome.counts, [*events, *outcome.events])
    version = delta.append(store, lake, AUDIT, plan.run_id, write_rows(store, lake, plan, AUDIT, rows, "audit"))
    if version is not None:
        versions[AUDIT.name] = version
    row = _runs_file(store, lake, plan, outcome, versions)
    _sweep(store, lake, plan)  # while the run is unfinished: nobody comes back to one that is committed
    version = delta.append(store, lake, RUNS, plan.run_id, [row], closes=outcome.closes)
    assert version is not None  # there is a file
    if row.path not in delta.data_files(store, lake, RUNS, version):
        raise PlanError(
            f"run {plan.run_id[:12]}",
            "a plan that a person has given up meanwhile",
            "a plan that is neither committed nor given up",
            "run the job again: its inputs are new again",
        )
    return versions


def data_path(run_id: str, name: str) -> str:
    """Where a run's file lies, relative to its table's folder."""
    return f"data/{run_id}/{name}.parquet"


TOGETHER = "together"  # in the place of the run: a file of rows of many runs, all of them committed


def run_of(path: str) -> str:
    """The run that wrote a data file, or `TOGETHER`."""
    return path.split("/")[1]


def new_file(plan: Plan, path: str, facts: Mapping[str, Any]) -> NewFile:
    milliseconds = int((plan.planned_at - type(plan.planned_at)(1970, 1, 1)).total_seconds() * 1000)
    return NewFile(path, int(facts["file_bytes"]), int(facts["rows"]), milliseconds)


def write_rows(
    store: Store, lake: str, plan: Plan, contract: TableContract, rows: pa.Table, name: str
) -> list[NewFile]:
    """Publish rows that the driver holds as one file; no rows, no file."""
    if not rows.num_rows:
        return []
    path = data_path(plan.run_id, name)
    uri = join(delta.table_uri(lake, contract.name), path)
    with told(lake):
        facts = read_facts(store, uri) or write_table(store, uri, contract, rows.combine_chunks().to_batches(), {})
    return [new_file(plan, path, facts)]


def _runs_file(store: Store, lake: str, plan: Plan, outcome: Outcome, versions: dict[str, int]) -> NewFile:
    row = {
        "run_id": plan.run_id,
        "job": plan.job,
        "name": plan.name,
        "run_date": date.fromisoformat(plan.run_date),
        "code_version": plan.code_version,
        "recipe_sha256": plan.recipe_sha256,
        "recipe": json.dumps(plan.recipe, sort_keys=True),
        "counts": list(outcome.counts.items()),
        "tables_read": sorted(plan.tables_read.items()),
        "tables_written": sorted(versions.items()),
        "files": sorted(f"{table}/{file.path}" for table, files in outcome.files.items() for file in files),
        "children": list(outcome.children),
        "model_sha256": outcome.model_sha256,
        "report_uri": outcome.report_uri,
        "host_facts": json.dumps(dict(outcome.host_facts), sort_keys=True),
        "planned_at": plan.planned_at,
        "committed_at": now(),
        "verdict": outcome.verdict,
        "facts": None if outcome.facts is None else json.dumps(outcome.facts, sort_keys=True),
    }
    rows = pa.Table.from_pylist([row], schema=RUNS.schema)
    return write_rows(store, lake, plan, RUNS, rows, "run")[0]


def _sweep(store: Store, lake: str, plan: Plan) -> None:
    """Remove what killed attempts of this run left. All of its files stand: an attempt that is still at
    work finds them, or finds the run committed."""
    folders = [join(delta.table_uri(lake, contract.name), "data", plan.run_id) for contract in (*ORDER, AUDIT, RUNS)]
    for folder in (*folders, plan_folder(lake, plan.job, plan.run_id), join(lake, "reports", plan.run_id)):
        sweep_temporaries(store, lake, folder)


def sweep_temporaries(store: Store, lake: str, folder: str) -> None:
    """Remove half-written files of killed attempts from a folder in which nobody needs to write any more."""
    with told(lake), suppress(FileNotFoundError):  # no such folder, or another attempt sweeps too
        for item in list(store.walk(folder)):
            if item.uri.rsplit("/", 1)[-1].startswith(TEMPORARY):
                with suppress(FileNotFoundError):
                    store.delete(item.uri)
