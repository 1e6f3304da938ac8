"""The volumes of a lake: which there are, and one of them as an array."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq

from medray.dicom.volume import Volume, assemble
from medray.schema.images import IMAGES
from medray.schema.volumes import VOLUMES
from medray.storage.delta import scan_file, table_uri
from medray.storage.failures import told
from medray.storage.snapshot import Snapshot
from medray.storage.store import Store
from medray.storage.uri import join

_COLUMNS = tuple(name for name in IMAGES.schema.names if name != "header")


@dataclass(frozen=True, order=True)
class VolumeKey:
    """One volume of the lake, and the data file of `volumes` where its row stands."""

    series: str
    index: int
    version: int
    path: str


def newest_volumes(state: Snapshot, series: Collection[str] | None = None) -> list[VolumeKey]:
    """The volumes of the newest version of every series (or of those named), in order of their keys."""
    newest: dict[str, int] = {}
    found: list[VolumeKey] = []
    where = None if series is None else pc.field("SeriesInstanceUID").isin(sorted(series))
    columns = ("SeriesInstanceUID", "volume_index", "input_version", "status")
    for path in state.files(VOLUMES):
        with told(state.lake):
            for batch in scan_file(state.store, _uri(state.lake, path), VOLUMES, columns, where):
                for uid, index, version, status in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                    newest[uid] = max(version, newest.get(uid, 0))
                    if status == "volume":
                        found.append(VolumeKey(uid, index, version, path))
    return sorted(key for key in found if key.version == newest[key.series])


def volume_row(store: Store, lake: str, key: VolumeKey) -> Mapping[str, Any]:
    """The row of a volume."""
    same = pc.field("SeriesInstanceUID") == key.series
    same &= (pc.field("volume_index") == key.index) & (pc.field("input_version") == key.version)
    with told(lake):
        batches = scan_file(store, _uri(lake, key.path), VOLUMES, VOLUMES.schema.names, same)
        (row,) = (row for batch in batches for row in batch.to_pylist())
    found: Mapping[str, Any] = row
    return found


def read_volume(store: Store, lake: str, row: Mapping[str, Any], fill: float = math.nan) -> Volume:
    """The assembled volume of a row. Memory: the array, and one row group of `images` at a time.

    Raises:
        Unusable: a frame cannot be decoded. StorageError: a data file cannot be read or lacks a slice.
    """
    with told(lake):
        return assemble(row, _images(store, lake, row), fill)


def _images(store: Store, lake: str, row: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Rows of `images` of the volume's instances, from those row groups that hold any."""
    wanted = {(one["SOPInstanceUID"], one["input_version"]) for one in row["slices"]}
    for path in row["image_files"]:
        uri = join(table_uri(lake, IMAGES.name), path)
        with store.arrow(uri).open_input_file(store.path(uri)) as stream:
            file = pq.ParquetFile(stream, pre_buffer=True)  # one read for columns that lie together
            for group in range(file.num_row_groups):
                if _may_hold(file, group, row["SeriesInstanceUID"]):
                    yield from _of_group(file, group, wanted)


def _may_hold(file: pq.ParquetFile, group: int, series: str) -> bool:
    """The statistics of a row group admit the series."""
    column = file.schema_arrow.get_field_index("SeriesInstanceUID")  # the columns before it are flat
    statistics = file.metadata.row_group(group).column(column).statistics
    return statistics is None or not statistics.has_min_max or statistics.min <= series <= statistics.max


def _of_group(file: pq.ParquetFile, group: int, wanted: Collection[tuple[str, int]]) -> Iterator[Mapping[str, Any]]:
    keys = file.read_row_group(group, columns=["SOPInstanceUID", "input_version"]).to_pydict()
    here = [key in wanted for key in zip(keys["SOPInstanceUID"], keys["input_version"], strict=True)]
    if not any(here):
        return
    # Files of older versions of the table lack columns.
    absent = dict.fromkeys(_COLUMNS)
    rows = file.read_row_group(group, columns=list(_COLUMNS))
    for number in (number for number, asked in enumerate(here) if asked):
        yield {**absent, **rows.slice(number, 1).to_pylist()[0]}


def _uri(lake: str, path: str) -> str:
    return join(table_uri(lake, VOLUMES.name), path)
