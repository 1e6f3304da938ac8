"""Where the files and the candidates of a record ingest ended: counted by file, checked, told."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from medray.contracts import Array
from medray.drivers.listing import ID
from medray.drivers.records.map_chunk import Tally
from medray.planning.accounting import Sum
from medray.planning.record_versions import DUPLICATE, EMPTY, FATES, INGESTED, KNOWN
from medray.schema.quarantine import QUARANTINE
from medray.schema.record_files import COUNTS, RECORD_FILES
from medray.storage.chunk_file import Facts

_OF_EVERY_ROW = ("missing_subject", "unreadable_time", "not_numeric")
_MANY = 20  # candidates
_REFUSED = [place for place in range(len(FATES)) if place not in (INGESTED, KNOWN, DUPLICATE, EMPTY)]


class RecordCounts:
    """Counts of a run's files.

    Args:
        files: the plan's files in order of their numbers, with `table`.
        mapped: facts of the chunks.
    """

    def __init__(self, files: pa.Table, mapped: Sequence[Facts]) -> None:
        self._files = files
        self._tallies = [Tally() for _ in range(files.num_rows)]
        for fact in mapped:
            for number, tally in fact["files"].items():
                self._tallies[int(number)].add(Tally.of(tally))
        for tally, table in zip(self._tallies, files["table"].to_pylist(), strict=True):
            if table is None:
                tally.unusable = ("not_mapped", "")
        self._fates = np.zeros((files.num_rows, len(FATES)), np.int64)

    @property
    def unusable(self) -> dict[int, tuple[str, str]]:
        """Reason and detail of each file that is not used."""
        return {number: tally.unusable for number, tally in enumerate(self._tallies) if tally.unusable is not None}

    def add(self, reduced: Facts) -> None:
        """Count what a bucket has decided."""
        for number, fates in reduced.get("fates", {}).items():
            self._fates[int(number)] += fates

    def objects(self, listed: int, known: int) -> Sum:
        """Each listed file ends in one place."""
        quarantined = len(self.unusable)
        return Sum(
            "listed", listed, {"known": known, "ingested": len(self._tallies) - quarantined, "quarantined": quarantined}
        ).checked()

    def candidates(self) -> Sum:
        """Each candidate of each file ends in one place: checked file by file, then as a whole."""
        counts = self._counts()
        parts = {name: counts[:, place] for place, name in enumerate(COUNTS)}
        candidates = np.array([tally.candidates for tally in self._used()], np.int64)
        for number in np.flatnonzero(counts.sum(axis=1) != candidates):
            Sum(
                "candidates", int(candidates[number]), {name: int(part[number]) for name, part in parts.items()}
            ).checked()
        return Sum(
            "candidates", int(candidates.sum()), {name: int(part.sum()) for name, part in parts.items()}
        ).checked()

    def rows(self, run_id: str) -> pa.Table:
        """The rows of `record_files`: one for each file that was used."""
        used = self._files.filter(pa.array([tally.unusable is None for tally in self._tallies], pa.bool_()))
        counts = self._counts()
        columns = {name: used[name] for name in used.column_names}
        columns |= {
            "source_rows": pa.array([tally.source_rows for tally in self._used()], pa.int64()),
            "candidates": pa.array([tally.candidates for tally in self._used()], pa.int64()),
            "run_id": pa.repeat(run_id, used.num_rows),
            **{name: pa.array(counts[:, place]) for place, name in enumerate(COUNTS)},
        }
        return pa.table([columns[name] for name in RECORD_FILES.schema.names], schema=RECORD_FILES.schema)

    def hopeless(self) -> dict[str, tuple[str, int]]:
        """Tables of which no candidate can be used, all for one reason that a wrong recipe gives to
        every row: the reason and how many there are. Few candidates prove nothing."""
        totals: defaultdict[str, Tally] = defaultdict(Tally)
        for tally, table in zip(self._tallies, self._files["table"].to_pylist(), strict=True):
            if tally.unusable is None:
                totals[table].add(tally)
        found: dict[str, tuple[str, int]] = {}
        for table, total in sorted(totals.items()):
            said = total.candidates - total.empty - total.deferred["empty"]
            for reason in _OF_EVERY_ROW:
                if said >= _MANY and total.refused[reason] + total.deferred[reason] == said:
                    found[table] = (reason, said)
        return found

    def refused_files(self, run_id: str, mapping: Callable[[str], str]) -> pa.Table:
        """The rows of `quarantine` for files that were not used.

        Args:
            mapping: table of the archive -> hash of what the recipe says about it.
        """
        refused = self.unusable
        files = self._files.take(pa.array(list(refused), pa.int64()))
        count = files.num_rows
        columns = {
            **{field.name: pa.nulls(count, field.type) for field in QUARANTINE.schema},
            **{name: files[name] for name in ID},
            "stage": pa.repeat("ingest", count),
            "reason": pa.array([reason for reason, _ in refused.values()], pa.string()),
            "detail": pa.array([detail or None for _, detail in refused.values()], pa.string()),
            "mapping_hash": pa.array([table and mapping(table) for table in files["table"].to_pylist()], pa.string()),
            "run_id": pa.repeat(run_id, count),
        }
        return pa.table(columns, schema=QUARANTINE.schema)

    def reasons(self) -> dict[str, int]:
        """Quarantined candidates and files by reason, the most frequent first."""
        reasons = Counter(reason for reason, _ in self.unusable.values())
        for tally in self._used():
            reasons.update(tally.refused)
        fates = self._fates.sum(axis=0)
        reasons.update({FATES[place]: int(fates[place]) for place in (DUPLICATE, *_REFUSED) if fates[place]})
        return dict(reasons.most_common())

    def tables(self) -> dict[str, dict[str, int]]:
        """Counts by table of the archive: `files`, `source_rows`, `candidates` and where they ended."""
        rows = self.rows("")
        names = ["source_rows", "candidates", *COUNTS]
        totals = rows.group_by("table").aggregate([([], "count_all"), *((name, "sum") for name in names)])
        return {
            row["table"]: {"files": row["count_all"], **{name: row[f"{name}_sum"] for name in names}}
            for row in totals.sort_by("table").to_pylist()
        }

    def _used(self) -> list[Tally]:
        return [tally for tally in self._tallies if tally.unusable is None]

    def _counts(self) -> Array:
        """int64 (used files, `COUNTS`)."""
        usable = np.array([tally.unusable is None for tally in self._tallies], bool)
        fates = self._fates[usable]
        empty = np.array([tally.empty for tally in self._used()], np.int64)
        refused = np.array([tally.refused.total() for tally in self._used()], np.int64)
        by_name: dict[str, Any] = {
            "ingested": fates[:, INGESTED],
            "known": fates[:, KNOWN],
            "empty": empty + fates[:, EMPTY],
            "duplicate": fates[:, DUPLICATE],
            "quarantined": refused + fates[:, _REFUSED].sum(axis=1),
        }
        return np.column_stack([by_name[name] for name in COUNTS])
