"""Some series, on a worker: header columns of `images` in, one file of rows of `volumes` out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from medray.planning.volumes.decide import policy_hash, rows_of
from medray.planning.volumes.slices import COLUMNS, newest_parts
from medray.recipes.ingest import Volumes
from medray.schema.images import IMAGES
from medray.schema.volumes import VOLUMES
from medray.storage.chunk_file import ChunkWriter, Facts, read_facts
from medray.storage.commit import data_path
from medray.storage.delta import scan_file, table_uri
from medray.storage.failures import told
from medray.storage.store import Store
from medray.storage.uri import join

Row = dict[str, Any]


@dataclass(frozen=True)
class Planned:
    """A series to look at: the version that its rows will have, and the files of `images` that hold it."""

    uid: str
    version: int
    files: tuple[str, ...]


@dataclass(frozen=True)
class BuildChunk:
    number: int
    series: tuple[Planned, ...]


@dataclass(frozen=True)
class BuildWork:
    """Builds the rows of chunks of one run."""

    policy: Volumes
    has_subjects: bool
    store: Store
    lake: str
    run_id: str

    def __call__(self, chunk: BuildChunk) -> Facts:
        path = data_path(self.run_id, f"{chunk.number:06d}")
        uri = join(table_uri(self.lake, VOLUMES.name), path)
        with told(self.lake):
            standing = read_facts(self.store, uri)
            if standing is not None:
                return standing
            images = self._images(chunk)
            tally = _Tally()
            rows = [row for one in chunk.series for row in self._rows(one, images[one.uid], tally)]
            with ChunkWriter(self.store, uri, VOLUMES) as writer:
                writer.write(pa.RecordBatch.from_pylist(rows, schema=VOLUMES.schema))
                return writer.publish({"path": path, **tally.facts(), "rows": writer.rows})

    def _images(self, chunk: BuildChunk) -> Mapping[str, list[Row]]:
        """The header columns of each series."""
        found: dict[str, list[Row]] = {one.uid: [] for one in chunk.series}
        for path in sorted({path for one in chunk.series for path in one.files}):
            wanted = [one.uid for one in chunk.series if path in one.files]
            where = pc.field("SeriesInstanceUID").isin(wanted)
            uri = join(table_uri(self.lake, IMAGES.name), path)
            for batch in scan_file(self.store, uri, IMAGES, COLUMNS, where):
                for row in batch.to_pylist():
                    found[row["SeriesInstanceUID"]].append(row)
        return found

    def _rows(self, one: Planned, images: Sequence[Row], tally: _Tally) -> Iterator[Row]:
        rows = rows_of(images, self.policy, has_subjects=self.has_subjects)
        tally.add(images, rows)
        shared = {
            "input_version": one.version,
            "policy_hash": policy_hash(self.policy),
            "image_files": list(one.files),
            "run_id": self.run_id,
        }
        yield from ({**row, **shared} for row in rows)


class _Tally:
    """Counts of one chunk."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._reasons: Counter[str] = Counter()
        self._slices: Counter[str] = Counter({"used": 0, "left out": 0, "rejected": 0})

    def add(self, images: Sequence[Row], rows: Sequence[Row]) -> None:
        """One series and what it became."""
        built = [row for row in rows if row["status"] == "volume"]
        self._counts["frames"] += sum(len(row["frame_offsets"]) - 1 for row, _ in newest_parts(images))
        self._counts.update(series=1, volumes=len(built), built=bool(built), rejected=not built)
        for row in rows:
            used = row["status"] == "volume"
            self._slices["used" if used else "rejected"] += row["slice_count"]
            self._slices["left out"] += row["duplicate_slices"]
            if not used:
                self._reasons[row["reason"]] += 1

    def facts(self) -> Facts:
        counts = {name: self._counts[name] for name in ("series", "frames", "volumes", "built", "rejected")}
        return {**counts, "slices": dict(self._slices), "reasons": dict(self._reasons)}
