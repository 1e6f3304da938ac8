"""What readers may see: the table versions that committed runs name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from medray.schema.contract import TableContract
from medray.schema.held import HELD
from medray.schema.predictions import PREDICTIONS
from medray.schema.runs import RUNS
from medray.storage import delta
from medray.storage.commit import TOGETHER, run_of
from medray.storage.failures import told
from medray.storage.store import Store
from medray.storage.uri import join

if TYPE_CHECKING:
    import pyarrow.dataset as ds

EMPTY = -1  # version of a table that no run has written


@dataclass(frozen=True)
class Snapshot:
    """The lake as of its committed runs.

    Attributes:
        store, lake: where it is.
        runs: the `runs` table without files, recipes and host facts, in no order.
        versions: newest committed version of each table.
    """

    store: Store
    lake: str
    runs: pa.Table
    versions: dict[str, int]

    def version(self, contract: TableContract) -> int:
        return self.versions.get(contract.name, EMPTY)

    def run_ids(self) -> set[str]:
        return set(self.runs["run_id"].to_pylist())

    def decided(self, decision: str) -> set[str]:
        """Runs that people have decided about with "release" or "reject"."""
        rows = zip(self.runs["job"].to_pylist(), self.runs["children"].to_pylist(), strict=True)
        return {run for job, children in rows if job == decision for run in children}

    def held(self) -> set[str]:
        """Runs that the gate has held, whatever a person decided since."""
        rows = zip(self.runs["run_id"].to_pylist(), self.runs["verdict"].to_pylist(), strict=True)
        return {run for run, verdict in rows if verdict == "held"}

    def withheld(self) -> set[str]:
        """Held runs that no person has released: their answers are not published."""
        return self.held() - self.decided("release")

    def waiting(self) -> set[str]:
        """Held runs that nobody has decided about."""
        return self.withheld() - self.decided("reject")

    def _shown(self, contract: TableContract) -> set[str]:
        """The runs whose files a table shows. The answers of a held run stand in `held` until a
        decision about it is committed, and only after a release in `predictions`."""
        if contract.name == HELD.name:
            return self.waiting()
        if contract.name == PREDICTIONS.name:
            return self.run_ids() - self.withheld()
        return self.run_ids()

    def files(self, contract: TableContract) -> list[str]:
        """The table's data files that committed runs wrote. A run that was killed between two
        commits has files in the log; nobody sees them until its `runs` row exists."""
        return sorted(self.file_rows(contract))

    def file_rows(self, contract: TableContract) -> dict[str, int]:
        """How many rows each of these files has: the log tells."""
        if self.version(contract) == EMPTY:
            return {}
        runs = self._shown(contract) | {TOGETHER}
        files = delta.file_rows(self.store, self.lake, contract, self.version(contract))
        return {path: rows for path, rows in files.items() if run_of(path) in runs}

    def scan(
        self, contract: TableContract, columns: Sequence[str], where: ds.Expression | None = None
    ) -> Iterator[pa.RecordBatch]:
        """The visible rows as batches, file by file in order of path: memory does not follow the table."""
        root = delta.table_uri(self.lake, contract.name)
        for path in self.files(contract):
            with told(self.lake):
                yield from delta.scan_file(self.store, join(root, path), contract, columns, where)

    def table(
        self, contract: TableContract, columns: Sequence[str] | None = None, where: ds.Expression | None = None
    ) -> pa.Table:
        names = list(columns or contract.schema.names)
        schema = pa.schema([contract.schema.field(name) for name in names])
        return pa.Table.from_batches(self.scan(contract, names, where), schema=schema)

    def at(self, versions: dict[str, int]) -> Snapshot:
        """The same lake at the versions that a plan read."""
        return Snapshot(self.store, self.lake, self.runs, versions)


_COLUMNS = (
    "run_id",
    "job",
    "name",
    "run_date",
    "counts",
    "tables_written",
    "tables_read",
    "children",
    "model_sha256",
    "report_uri",
    "planned_at",
    "committed_at",
    "verdict",
    "facts",
)


def snapshot(store: Store, lake: str) -> Snapshot:
    """The newest committed state of the lake; empty where nothing was committed."""
    runs = _runs(store, lake)
    versions: dict[str, int] = {}
    for row in runs["tables_written"].to_pylist():
        for name, version in row:
            versions[name] = max(version, versions.get(name, EMPTY))
    return Snapshot(store, lake, runs, versions)


_read: dict[
    tuple[Store, str, delta.Named], pa.Table
] = {}  # a run's row never changes, and a job asks for all of them often


def _runs(store: Store, lake: str) -> pa.Table:
    """The rows of all runs; those files that this process has not seen yet are read together."""
    schema = pa.schema([RUNS.schema.field(name) for name in _COLUMNS])
    named = delta.named_files(store, lake, RUNS)
    new = {one.path: one for one in named if (store, lake, one) not in _read}
    if new:
        batches: dict[str, list[pa.RecordBatch]] = {}
        for path, batch in delta.scan_files(store, lake, RUNS, list(new), _COLUMNS):
            batches.setdefault(path, []).append(batch)
        for path, one in new.items():
            _read[store, lake, one] = pa.Table.from_batches(batches[path], schema=schema).combine_chunks()
    return pa.concat_tables([schema.empty_table(), *(_read[store, lake, one] for one in named)])


def newest(runs: pa.Table) -> pa.Table:
    """Runs, newest first."""
    return runs.take(pc.sort_indices(runs, sort_keys=[("committed_at", "descending"), ("run_id", "ascending")]))
