"""What a lake holds that nothing needs any more. It lists and reads; it deletes nothing.

Only what belongs to a closed run (committed, or given up) can be garbage, and only when it was written
before the cutoff. Models, plans, problems and the tables `runs`, `audit` and `quarantine` are not looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from medray.drivers.open_plans import closed_runs
from medray.drivers.operate.needed import Needed, needed_shards, oldest_versions
from medray.drivers.reports import PAGE
from medray.schema.held import HELD
from medray.schema.predictions import PREDICTIONS
from medray.schema.quarantine import QUARANTINE
from medray.storage.commit import ORDER
from medray.storage.dated import Dated, dated
from medray.storage.delta import table_uri
from medray.storage.failures import told
from medray.storage.named import named_since
from medray.storage.plans import Plan
from medray.storage.shards import read_shard_facts
from medray.storage.snapshot import Snapshot
from medray.storage.store import TEMPORARY
from medray.storage.uri import join

KINDS = {
    "data": "files of tables that no version in the retention names",
    "temporary": "half-written files of killed attempts",
    "staging": "rows on their way, of closed runs",
    "training": "checkpoints of closed trainings",
    "shard": "prepared inputs that no model in production and no run in the retention used",
    "report": "reports beyond their own age",
}


@dataclass(frozen=True)
class Garbage:
    """One object. `path` is relative to the lake."""

    kind: str
    path: str
    size_bytes: int
    modified: datetime


@dataclass(frozen=True)
class Rules:
    """Attributes:
    cutoff: what was written later stays; versions of tables that were newest then, or became it later, stay whole.
    reports: reports that were written later stay; None: all do.
    """

    cutoff: datetime
    reports: datetime | None


def garbage(state: Snapshot, open_plans: Sequence[Plan], rules: Rules) -> list[Garbage]:
    """Everything that may go, by path."""
    closed = closed_runs(state) - {plan.run_id for plan in open_plans}
    found = [
        *_data(state, open_plans, closed, rules),
        *_of_runs(state, "staging", closed, rules),
        *_of_runs(state, "training", closed, rules),
        *_temporaries(state, closed, rules),
        *_shards(state, needed_shards(state, open_plans, rules.cutoff), rules),
        *_reports(state, closed, rules),
    ]
    return sorted(found, key=lambda one: one.path)


def _data(state: Snapshot, open_plans: Sequence[Plan], closed: set[str], rules: Rules) -> Iterator[Garbage]:
    oldest = oldest_versions(state, open_plans, rules.cutoff)
    named = {
        contract.name: named_since(state.store, state.lake, contract, oldest.get(contract.name, 0))
        for contract in ORDER
        if contract != QUARANTINE
    }
    for name, paths in named.items():
        # A held file lies in `predictions` too, from where a release publishes it.
        also = named[HELD.name] if name == PREDICTIONS.name else set()
        if paths is None or also is None:  # a log that does not reach back: nothing is known to be unneeded
            continue
        for item in _dated(state, join(table_uri(state.lake, name), "data")):
            path = item.uri.removeprefix(table_uri(state.lake, name) + "/")
            run, old = path.split("/")[1], item.modified < rules.cutoff
            if old and run in closed and path not in paths and path not in also:
                yield _garbage(state, "temporary" if item.name.startswith(TEMPORARY) else "data", item)


def _of_runs(state: Snapshot, place: str, closed: set[str], rules: Rules) -> Iterator[Garbage]:
    """What lies in a folder of its own below `place` for each run."""
    folder = join(state.lake, place)
    for item in _dated(state, folder):
        if item.modified < rules.cutoff and item.uri.removeprefix(folder + "/").split("/")[0] in closed:
            yield _garbage(state, place, item)


def _temporaries(state: Snapshot, closed: set[str], rules: Rules) -> Iterator[Garbage]:
    """Of plans and reports of closed runs, and of the cache, where nobody writes for so long."""
    for place in ("plans", "reports", "cache"):
        for item in _dated(state, join(state.lake, place)):
            nobody_writes = place == "cache" or item.uri.split("/")[-2] in closed
            if item.name.startswith(TEMPORARY) and item.modified < rules.cutoff and nobody_writes:
                yield _garbage(state, "temporary", item)


def _shards(state: Snapshot, needed: Needed, rules: Rules) -> Iterator[Garbage]:
    for item in _dated(state, join(state.lake, "cache")):
        if not item.name.endswith(".arrow") or item.name.startswith(TEMPORARY) or item.modified >= rules.cutoff:
            continue
        preparation = item.uri.split("/")[-2]
        if preparation in needed.whole:
            continue
        if preparation in needed.preparations:
            with told(state.lake):
                data_file = read_shard_facts(state.store, item.uri)["data_file"]
            if (preparation, data_file) in needed.shards:
                continue
        yield _garbage(state, "shard", item)


def _reports(state: Snapshot, closed: set[str], rules: Rules) -> Iterator[Garbage]:
    """The pages; the numbers beside them stay, as a repeated evaluation reads them."""
    folder = join(state.lake, "reports")
    if rules.reports is None:
        return
    for item in _dated(state, folder):
        run = item.uri.removeprefix(folder + "/").split("/")[0]
        if item.name == PAGE and item.modified < rules.reports and run in closed:
            yield _garbage(state, "report", item)


def _dated(state: Snapshot, folder: str) -> list[Dated]:
    with told(state.lake):
        return dated(state.store, folder)


def _garbage(state: Snapshot, kind: str, item: Dated) -> Garbage:
    return Garbage(kind, item.uri.removeprefix(state.lake + "/"), item.size_bytes, item.modified)
