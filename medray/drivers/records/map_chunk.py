"""One chunk of a record ingest, on a worker: parts of files in, one staging file with facts out."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from medray.contracts import Link, Records, RecordSource, SourceObject
from medray.drivers.pseudonyms import pseudonyms_of
from medray.drivers.records.ahead import ahead
from medray.drivers.records.archive import Archive, read_archive
from medray.drivers.records.files import record_file, verdict
from medray.drivers.records.mapped_rows import STAGED, RecordMap
from medray.errors import Unusable
from medray.recipes.ingest import Deidentify
from medray.storage.chunk_file import Facts
from medray.storage.failures import told
from medray.storage.linkage import LinkageWriter
from medray.storage.staging import StagingWriter, read_staged_facts, staged_uri
from medray.storage.store import Store


@dataclass(frozen=True)
class FilePart:
    """One part of a file: its number in the plan, where it lies (None: gone or changed since), the
    archive's table it belongs to."""

    file: int
    item: SourceObject | None
    table: str
    part: int


@dataclass(frozen=True)
class RecordChunk:
    """The parts of one chunk, in the order of files and parts."""

    number: int
    parts: tuple[FilePart, ...]


@dataclass(frozen=True)
class MapWork:
    """Maps chunks of one run. Holds references to secrets, never secrets.

    Attributes:
        source, config: the record source and its part of the recipe.
        listing: all files of the archive, for the source's own map of subjects.
        buckets: the number that the plan fixes.
    """

    source: RecordSource
    config: Any
    listing: tuple[SourceObject, ...]
    issuer: str
    as_of: datetime | None
    crosswalk: str | None
    deidentify: Deidentify
    store: Store
    lake: str
    run_id: str
    buckets: int
    linkage: str | None

    def __call__(self, chunk: RecordChunk) -> Facts:
        uri = staged_uri(self.lake, self.run_id, chunk_name(chunk.number))
        with told(self.lake):
            standing = read_staged_facts(self.store, uri)
        if standing is not None:
            return standing
        pseudonyms = pseudonyms_of(self.deidentify)
        with (
            told(self.lake),
            StagingWriter(self.store, uri, STAGED, self.buckets + 1) as writer,
            LinkageWriter(self.linkage, self.run_id, chunk.number) as links,
        ):

            def met(subject: int, shared: str) -> None:
                original = f"{shared}^^^{self.issuer}" if self.issuer else shared  # as HL7 writes it
                links.add(Link("subject", str(subject), original))

            mapping = RecordMap(pseudonyms, self.issuer, self._archive().shared, self.as_of, self.buckets, met)
            tallies: dict[int, Tally] = {}
            for part in chunk.parts:
                tally = tallies.setdefault(part.file, Tally())
                if part.item is None:
                    tally.unusable = ("unreadable", "gone or changed since the plan")
                    continue
                links.add(Link("source", pseudonyms.source_key(part.item.uri), part.item.uri))
                self._read(part, part.item, mapping, writer, tally)
            links.publish()
            return writer.publish(_facts(chunk, tallies))

    def _read(
        self, part: FilePart, item: SourceObject, mapping: RecordMap, writer: StagingWriter, tally: Tally
    ) -> None:
        try:
            for records in ahead(self._records(part, item)):
                tally.count(records)
                pieces = mapping.rows(records.rows, part.file, part.table)
                tally.empty += records.rows.num_rows - sum(rows.num_rows for rows, _ in pieces)
                for rows, buckets in pieces:
                    tally.staged(rows)
                    writer.add(rows, buckets)
        except Unusable as error:
            tally.unusable = (error.reason, error.detail)

    def _records(self, part: FilePart, item: SourceObject) -> Iterator[Records]:
        file = record_file(self.store, self.config.uri, item)

        def read() -> Iterator[Records]:
            return self.source.read(file, part.table, part.part, self.config, self._archive().lookups)

        try:
            yield from read()
        except (Unusable, OSError) as error:
            raise verdict(file, error, lambda: deque(read(), maxlen=0)) from None

    def _archive(self) -> Archive:
        """What this worker knows of the archive, made once."""
        if self.run_id not in _ARCHIVES:
            _ARCHIVES.clear()
            do = (
                "replace the file and run again; to correct [source] instead, give up the plan that holds it first: "
                f"`medray abandon {self.run_id} --lake {self.lake}`"
            )
            _ARCHIVES[self.run_id] = read_archive(
                self.source, self.config, self.listing, self.crosswalk, self.store, do
            )
        return _ARCHIVES[self.run_id]


_ARCHIVES: dict[str, Archive] = {}  # of the run that this worker is at


class Tally:
    """Counts of a file, or of a part of one.

    Attributes:
        refused: rows of quarantine, by reason.
        deferred: rows that take something back, or are refused for this reason: buckets know.
    """

    def __init__(self) -> None:
        self.source_rows = self.candidates = self.empty = 0
        self.text_bytes = 0
        self.refused: Counter[str] = Counter()
        self.deferred: Counter[str] = Counter()
        self.unusable: tuple[str, str] | None = None

    def count(self, records: Records) -> None:
        self.source_rows += records.source_rows
        self.candidates += records.rows.num_rows + records.empty
        self.empty += records.empty

    def staged(self, rows: pa.RecordBatch) -> None:
        """Count rows of `STAGED`: their text, and why they are refused."""
        self.text_bytes += int(pc.sum(pc.binary_length(rows["text_value"])).as_py() or 0)
        if rows["reason"].null_count < rows.num_rows:
            decided = rows["withdrawn"].null_count > 0  # refused rows hold nothing
            for found in rows["reason"].drop_null().cast(pa.string()).value_counts().to_pylist():
                (self.refused if decided else self.deferred)[found["values"]] += found["counts"]

    def add(self, other: Tally) -> None:
        self.source_rows += other.source_rows
        self.candidates += other.candidates
        self.empty += other.empty
        self.text_bytes += other.text_bytes
        self.refused.update(other.refused)
        self.deferred.update(other.deferred)
        self.unusable = self.unusable or other.unusable

    def facts(self) -> Facts:
        """As JSON; `Tally.of` reads it back."""
        return {
            "source_rows": self.source_rows,
            "candidates": self.candidates,
            "empty": self.empty,
            "text_bytes": self.text_bytes,
            "refused": dict(self.refused),
            "deferred": dict(self.deferred),
            "unusable": self.unusable,
        }

    @staticmethod
    def of(facts: Facts) -> Tally:
        tally = Tally()
        tally.source_rows, tally.candidates = int(facts["source_rows"]), int(facts["candidates"])
        tally.empty, tally.text_bytes = int(facts["empty"]), int(facts["text_bytes"])
        tally.refused, tally.deferred = Counter(facts["refused"]), Counter(facts["deferred"])
        tally.unusable = None if facts["unusable"] is None else (facts["unusable"][0], facts["unusable"][1])
        return tally


def chunk_name(number: int) -> str:
    """How a chunk's file is called in the run's staging."""
    return f"{number:06d}.arrow"


def _facts(chunk: RecordChunk, tallies: dict[int, Tally]) -> Facts:
    return {
        "chunk": chunk.number,
        "parts": len(chunk.parts),
        "bytes_read": sum(part.item.size_bytes for part in chunk.parts if part.part == 0 and part.item),
        "files": {str(file): tally.facts() for file, tally in tallies.items()},
    }
