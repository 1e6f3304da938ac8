"""One chunk of an ingest, on a worker: objects in, one Parquet file with facts out."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from itertools import compress
from typing import Any

import pyarrow as pa

from medray.contracts import Bad, Good, Source, SourceObject
from medray.drivers.pseudonyms import pseudonyms_of
from medray.recipes.ingest import DeidentifyImages
from medray.schema.images import IMAGES
from medray.storage.chunk_file import ChunkWriter, Facts, read_facts
from medray.storage.commit import data_path
from medray.storage.delta import table_uri
from medray.storage.failures import told
from medray.storage.linkage import LinkageWriter
from medray.storage.read_ahead import ReadAhead
from medray.storage.store import Store
from medray.storage.uri import join

# What a chunk counts its instances by: fact -> column of `images`.
COUNTED = {"modalities": "Modality", "syntaxes": "TransferSyntaxUID", "manufacturers": "manufacturer"}


@dataclass(frozen=True)
class IngestChunk:
    """The objects of one chunk, in order, and those that have vanished since they were planned."""

    number: int
    objects: tuple[SourceObject, ...]
    gone: tuple[Bad, ...] = ()


@dataclass(frozen=True)
class IngestWork:
    """Reads chunks of one run. Holds references to secrets, never secrets."""

    source: Source
    config: Any
    deidentify: DeidentifyImages
    store: Store
    lake: str
    run_id: str
    linkage: str | None

    def __call__(self, chunk: IngestChunk) -> Facts:
        path = data_path(self.run_id, f"{chunk.number:06d}")
        uri = join(table_uri(self.lake, IMAGES.name), path)
        with told(self.lake):
            standing = read_facts(self.store, uri)
        if standing is not None:
            return standing
        pseudonyms = pseudonyms_of(self.deidentify)
        with (
            ReadAhead(self.store, self.config.uri, chunk.objects) as fetch,
            told(self.lake),
            ChunkWriter(self.store, uri, IMAGES, raw_columns=("frames",)) as writer,
            LinkageWriter(self.linkage, self.run_id, chunk.number) as links,
        ):
            tally = _Tally(chunk)
            policy = self.deidentify.policy
            for piece in self.source.read(chunk.objects, fetch, pseudonyms, self.config, policy):
                if isinstance(piece, Good):
                    writer.write(piece.rows)
                    tally.good(piece.rows)
                elif isinstance(piece, Bad):
                    tally.bad.append(asdict(piece))
                else:
                    links.add(piece)
            links.publish()
            return writer.publish({**tally.facts(), "path": path, "rows": writer.rows})


class _Tally:
    """Counts of one chunk."""

    def __init__(self, chunk: IngestChunk) -> None:
        self._chunk = chunk
        self.bad: list[dict[str, Any]] = [asdict(item) for item in chunk.gone]
        self._instances = 0
        self._counted = {name: Counter[str]() for name in COUNTED}

    def good(self, rows: pa.RecordBatch) -> None:
        first = [part == 0 for part in rows["part_index"].to_pylist()]
        self._instances += sum(first)
        for name, counted in self._counted.items():
            values = compress(rows[COUNTED[name]].to_pylist(), first)
            counted.update("none" if value is None else value for value in values)

    def facts(self) -> Facts:
        return {
            "chunk": self._chunk.number,
            "objects": len(self._chunk.objects) + len(self._chunk.gone),
            "instances": self._instances,
            "bytes_read": sum(item.size_bytes for item in self._chunk.objects),
            "bad": self.bad,
            **{name: dict(counted) for name, counted in self._counted.items()},
        }
