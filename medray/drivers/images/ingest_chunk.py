"""One chunk of an ingest, on a worker: objects in, one Parquet file with facts out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import compress
from typing import Any

import pyarrow as pa

from medray.contracts import Bad, Good, Link, Source, SourceObject
from medray.drivers.images.feed import Feed, Item, items_of
from medray.drivers.images.objects import store_of
from medray.drivers.listing import Identity
from medray.drivers.pseudonyms import pseudonyms_of
from medray.errors import Unusable
from medray.privacy.pseudonyms import Pseudonyms
from medray.recipes.ingest import DeidentifyImages, DicomArchive
from medray.schema.images import IMAGES
from medray.storage.chunk_file import ChunkWriter, Facts, read_facts
from medray.storage.commit import data_path
from medray.storage.delta import table_uri
from medray.storage.failures import told
from medray.storage.linkage import LinkageWriter
from medray.storage.read_ahead import ReadAhead
from medray.storage.store import Store
from medray.storage.uri import join

STANDING = "standing"  # told of a chunk that an earlier attempt had done; no fact of it
# What a chunk counts its instances by: fact -> column of `images`.
COUNTED = {"modalities": "Modality", "syntaxes": "TransferSyntaxUID", "manufacturers": "manufacturer"}


@dataclass(frozen=True)
class IngestChunk:
    """The inputs of one chunk, in order, and those that have vanished since they were planned.

    Attributes:
        inputs: `LISTED` with `part` and `parts` (see `Item`), an Arrow IPC stream: a driver holds
            the chunks of a whole archive.
        gone, gone_archives: vanished objects, and archives whose first part stood here.
    """

    number: int
    inputs: bytes
    gone: tuple[Bad, ...] = ()
    gone_archives: tuple[Bad, ...] = ()

    def items(self) -> list[Item]:
        with pa.ipc.open_stream(self.inputs) as stream:
            return [item for batch in stream for item in items_of(batch)]


@dataclass(frozen=True)
class IngestWork:
    """Reads chunks of one run. Holds references to secrets, never secrets.

    Attributes:
        witnesses: objects spread over the archive, see `closed`.
    """

    source: Source
    config: DicomArchive
    deidentify: DeidentifyImages
    store: Store
    lake: str
    run_id: str
    linkage: str | None
    witnesses: tuple[SourceObject, ...] = ()

    def __call__(self, chunk: IngestChunk) -> Facts:
        path = data_path(self.run_id, f"{chunk.number:06d}")
        uri = join(table_uri(self.lake, IMAGES.name), path)
        with told(self.lake):
            standing = read_facts(self.store, uri)
        if standing is not None:
            return {**standing, STANDING: True}
        items, archive = chunk.items(), store_of(self.config, self.store)
        plain = [item.object for item in items if not item.parts]
        with (
            ReadAhead(archive, f"archive {self.config.uri}", plain, self.witnesses) as ahead,
            told(self.lake),
            ChunkWriter(self.store, uri, IMAGES, payload="frames") as writer,
            LinkageWriter(self.linkage, self.run_id, chunk.number) as links,
        ):
            tally = _Tally(chunk, items, pseudonyms_of(self.deidentify))
            feed = Feed(archive, self.config, ahead, self.witnesses, tally.refuse)
            read = self.source.read(feed.objects(items), feed, tally.pseudonyms, self.config, self.deidentify.policy)
            for piece in read:
                if isinstance(piece, Good):
                    writer.write(piece.rows)
                    tally.good(piece.rows)
                elif isinstance(piece, Bad):
                    tally.bad.append(asdict(piece))
                else:
                    links.add(piece)
            for link in tally.links:
                links.add(link)
            links.publish()
            return writer.publish({**tally.facts(feed), "path": path, "rows": writer.rows})


class _Tally:
    """Counts of one chunk."""

    def __init__(self, chunk: IngestChunk, items: Sequence[Item], pseudonyms: Pseudonyms) -> None:
        self._chunk, self._items, self.pseudonyms = chunk, items, pseudonyms
        self.bad: list[dict[str, Any]] = [asdict(item) for item in (*chunk.gone, *chunk.gone_archives)]
        self.links: list[Link] = []
        self._instances = 0
        self._counted = {name: Counter[str]() for name in COUNTED}

    def refuse(self, item: SourceObject, error: Unusable) -> None:
        """Note an archive that cannot be used, or what is left of one."""
        key, tag, size = self._identity(item)
        self.links.append(Link("source", key, item.uri))
        self.bad.append(asdict(Bad(key, tag, size, error.reason, error.detail)))

    def _identity(self, item: SourceObject) -> Identity:
        return self.pseudonyms.source_key(item.uri), self.pseudonyms.etag(item.etag), item.size_bytes

    def good(self, rows: pa.Table) -> None:
        first = [part == 0 for part in rows["part_index"].to_pylist()]
        self._instances += sum(first)
        for name, counted in self._counted.items():
            values = compress(rows[COUNTED[name]].to_pylist(), first)
            counted.update("none" if value is None else value for value in values)

    def facts(self, feed: Feed) -> Facts:
        return {
            "chunk": self._chunk.number,
            "objects": len(self._items) + len(self._chunk.gone) + len(self._chunk.gone_archives),
            "instances": self._instances,
            "bytes_read": sum(item.object.size_bytes // max(item.parts, 1) for item in self._items),
            "bad": self.bad,
            "archives": [
                *([*self._identity(item), *counted] for item, *counted in feed.archives),
                *([item.source_key, item.source_etag, item.size_bytes, 1, False] for item in self._chunk.gone_archives),
            ],
            **{name: dict(counted) for name, counted in self._counted.items()},
        }
