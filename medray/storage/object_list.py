"""A list of objects in place of a listing: CSV, Parquet, or an S3 Inventory with its manifest.

A CSV (with a header) or Parquet file has a column `uri`, or `path` below the archive, and may have
`size_bytes` and `etag`. An inventory (Amazon S3 User Guide, "Configuring Amazon S3 Inventory") is
read from its `manifest.json`; of versions, the latest counts, and of keys, those below the archive.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import unquote_plus

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from medray.errors import StorageError
from medray.storage.failures import told
from medray.storage.pages import Row, as_page
from medray.storage.store import Store
from medray.storage.uri import S3, is_s3, join, normalise

_LOOKS = 16  # objects asked for at a time
_NAMES = ("uri", "path", "size_bytes", "etag")
Columns = dict[str, list[Any]]


def listed_objects(lists: Store, place: str, archive: Store, uri: str) -> Iterator[pa.RecordBatch]:
    """The listed objects in pages of `LISTED`. Size and tag are looked up where the list gives
    none; an object that is not there has size 0 and no tag.

    Args:
        lists, place: the list and the credentials that read it.
        archive, uri: the archive and its credentials.

    Raises:
        StorageError: the list cannot be used.
    """
    inventory = place.endswith(".json")
    with ThreadPoolExecutor(_LOOKS, thread_name_prefix="look") as threads:
        for rows in _inventory(lists, place, uri) if inventory else _table(lists, place, uri):
            with told(f"archive {uri}"):
                yield as_page(threads.map(lambda row: _looked_up(archive, row), rows))


def _looked_up(store: Store, row: Row) -> Row:
    uri, size, tag = row
    if size is not None and tag:
        return row
    try:
        found = store.look(uri)
    except PermissionError:  # reading it tells whether it is this one alone
        found = None
    return (uri, 0, "") if found is None else (uri, found.size_bytes, found.etag)


def _table(store: Store, place: str, archive: str) -> Iterator[list[Row]]:
    for columns in _batches(store, place, list(_NAMES), None):
        if "uri" in columns:
            uris = [_uri(place, text) for text in columns["uri"]]
        elif "path" in columns:
            uris = [join(archive, _text(place, text).lstrip("/")) for text in columns["path"]]
        else:
            raise _refused(place, "neither a column `uri` nor a column `path`")
        yield _rows(place, uris, columns.get("size_bytes"), columns.get("etag"))


def _rows(place: str, uris: list[str], sizes: list[Any] | None, tags: list[Any] | None) -> list[Row]:
    none = [None] * len(uris)
    try:
        return [
            (uri, None if size is None else int(size), tag and str(tag).strip('"'))
            for uri, size, tag in zip(uris, sizes or none, tags or none, strict=True)
        ]
    except ValueError:
        raise _refused(place, "a size that is no number") from None


def _uri(place: str, text: Any) -> str:
    if not _text(place, text).startswith((S3, "/", "file://")):
        raise _refused(place, "a `uri` that is neither s3://bucket/key nor a whole path")
    return str(text) if is_s3(text) else normalise(text)


def _text(place: str, value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise _refused(place, "a row without a URI")
    return value


def _inventory(store: Store, place: str, archive: str) -> Iterator[list[Row]]:
    with told(f"list {place}"):
        data = store.read(place)
    try:
        manifest = json.loads(data)
        bucket, form = str(manifest["sourceBucket"]), str(manifest["fileFormat"])
        target = str(manifest["destinationBucket"]).rpartition(":")[2]
        files = [str(file["key"]) for file in manifest["files"]]
        header = [name.strip() for name in str(manifest["fileSchema"]).split(",")]
    except (ValueError, KeyError, TypeError):
        raise _refused(place, "no manifest of an S3 Inventory") from None
    if form not in ("CSV", "Parquet"):
        raise _refused(place, f"an inventory in {'ORC' if form == 'ORC' else 'another format'}")
    below = join(archive, "") if archive != f"{S3}{bucket}" else f"{archive}/"
    for file in files:
        wanted = header if form == "CSV" else list(_OF_PARQUET)
        for found in _batches(store, f"{S3}{target}/{file}", wanted, header if form == "CSV" else None):
            columns = {_OF_PARQUET.get(name, name): values for name, values in found.items()}
            rows = _inventory_rows(place, f"{S3}{bucket}/", columns, unquote_plus if form == "CSV" else str)
            yield [row for row in rows if row[0].startswith(below)]


# Columns of an inventory in Parquet, and what its CSV calls them.
_OF_PARQUET = {
    "key": "Key", "size": "Size", "e_tag": "ETag", "is_latest": "IsLatest", "is_delete_marker": "IsDeleteMarker"
}  # fmt: skip


def _inventory_rows(place: str, bucket: str, columns: Columns, spelled: Callable[[str], str]) -> list[Row]:
    if "Key" not in columns:
        raise _refused(place, "an inventory without keys")
    uris = [bucket + spelled(_text(place, key)) for key in columns["Key"]]
    rows = _rows(place, uris, columns.get("Size"), columns.get("ETag"))
    latest = [str(value).lower() != "false" for value in columns.get("IsLatest", [None] * len(rows))]
    gone = [str(value).lower() == "true" for value in columns.get("IsDeleteMarker", [None] * len(rows))]
    return [row for row, keep, drop in zip(rows, latest, gone, strict=True) if keep and not drop]


def _batches(store: Store, place: str, wanted: list[str], header: list[str] | None) -> Iterator[Columns]:
    """Those of the wanted columns that a file has, batch by batch; `header` for a CSV without one."""
    filesystem, path = store.arrow(place), store.path(place)
    with told(f"list {place}"):
        try:
            if place.endswith(".parquet"):
                with filesystem.open_input_file(path) as stream:
                    file = pq.ParquetFile(stream)
                    names = [name for name in wanted if name in file.schema_arrow.names]
                    yield {name: [] for name in names}  # a file without rows has columns, too
                    for batch in file.iter_batches(columns=names):
                        yield batch.to_pydict()
                return
            with filesystem.open_input_stream(path) as stream:  # inflates what ends with .gz
                texts = pacsv.ConvertOptions(column_types=dict.fromkeys(wanted, pa.string()), strings_can_be_null=True)
                file = pacsv.open_csv(stream, pacsv.ReadOptions(column_names=header), convert_options=texts)
                names = [name for name in wanted if name in file.schema.names]
                yield {name: [] for name in names}
                for batch in file:
                    yield {name: batch[name].to_pylist() for name in names}
        except (pa.ArrowInvalid, UnicodeDecodeError) as error:
            raise _refused(place, f"no such file ({type(error).__name__})") from None


def _refused(place: str, found: str) -> StorageError:
    return StorageError(
        f"list {place}",
        found,
        "CSV with a header or Parquet, with `uri` or `path`, and perhaps `size_bytes` and `etag`; or the "
        "manifest.json of an S3 Inventory in CSV or Parquet",
        "correct the list or [source] list",
    )
