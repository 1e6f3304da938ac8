"""The objects below a folder or prefix as Arrow columns, some thousands at a time.

A bucket may list millions of objects: what is kept of one is its name, size and tag, in columns
(some 150 bytes), never Python objects.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Any

import pyarrow as pa

from medray.storage.uri import S3, join, object_name

PAGE = 10_000
LISTED = pa.schema(
    [
        pa.field("uri", pa.binary(), nullable=False),  # a file's name may be no UTF-8, and its bytes are its name
        pa.field("size_bytes", pa.int64()),
        pa.field("etag", pa.string()),
    ]
)
Row = tuple[str, int | None, str | None]  # URI, size, tag; None: not known yet


def as_page(rows: Iterable[Row]) -> pa.RecordBatch:
    """Rows in columns of `LISTED`."""
    held = list(rows)
    uris = pa.array([uri.encode("utf-8", "surrogateescape") for uri, _, _ in held], pa.binary())
    sizes = pa.array([size for _, size, _ in held], pa.int64())
    return pa.RecordBatch.from_arrays([uris, sizes, pa.array([tag for *_, tag in held], pa.string())], schema=LISTED)


def folder_pages(folder: str) -> Iterator[pa.RecordBatch]:
    """Every file below a folder, in order of path."""
    rows = walk_folder(folder)
    while page := list(islice(rows, PAGE)):
        yield as_page(page)


def walk_folder(folder: str) -> Iterator[tuple[str, int, str]]:
    """(path, size, modification time in hexadecimal nanoseconds) of every file, in order of path.

    What others remove meanwhile (temporaries of writers) is left out: it must not look as if the folder
    were not there.
    """
    try:
        with os.scandir(folder) as scan:
            entries = sorted(scan, key=lambda entry: entry.name + "/" * entry.is_dir())
    except FileNotFoundError:
        return
    for entry in entries:
        if entry.is_dir():
            yield from walk_folder(entry.path)
        elif entry.is_file():
            try:
                stat = entry.stat()
            except FileNotFoundError:
                continue
            yield join(folder, entry.name), stat.st_size, f"{stat.st_mtime_ns:x}"


def bucket_pages(filesystem: Any, uri: str) -> Iterator[pa.RecordBatch]:
    """Every object below a prefix, a page of the server at a time, in the server's order; the next
    page is under way while this one is used."""
    bucket, _, prefix = object_name(uri).partition("/")
    asked = {"Bucket": bucket, "Prefix": f"{prefix}/" if prefix else ""}

    def rows(page: dict[str, Any]) -> Iterator[Row]:
        for item in page.get("Contents", ()):
            yield f"{S3}{bucket}/{item['Key']}", int(item["Size"]), item["ETag"].strip('"')

    with ThreadPoolExecutor(1, thread_name_prefix="list") as thread:
        page: dict[str, Any] = filesystem.call_s3("list_objects_v2", **asked)
        while page.get("IsTruncated"):
            following = page["NextContinuationToken"]
            coming = thread.submit(filesystem.call_s3, "list_objects_v2", **asked, ContinuationToken=following)
            yield as_page(rows(page))
            page = coming.result()
        yield as_page(rows(page))
