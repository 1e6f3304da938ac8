"""A listing in columns: the same identities as one by one, found again among an archive's rows."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from medray.contracts import SourceObject
from medray.drivers.listing import ID, list_archive, source_objects
from medray.errors import StorageError
from medray.privacy.pseudonyms import Pseudonyms
from medray.storage.pages import as_page
from medray.storage.store import LAKE

KEY = Pseudonyms(b"k" * 32)


def test_objects_come_in_order_and_once() -> None:
    pages = [
        as_page([("s3://b/c", 3, "x"), ("s3://b/a", 1, "y")]),
        as_page([("s3://b/ü", 2, ""), ("s3://b/a", 1, "y")]),
    ]
    listing = list_archive(pages, "archive", KEY)
    assert source_objects(listing.objects) == [
        SourceObject("s3://b/a", 1, "y"), SourceObject("s3://b/c", 3, "x"), SourceObject("s3://b/ü", 2, "")
    ]  # fmt: skip
    assert listing.by_identity() == {
        (KEY.source_key(item.uri), KEY.etag(item.etag), item.size_bytes): item
        for item in source_objects(listing.objects)
    }


def test_a_folder_is_listed_with_names_of_any_bytes(tmp_path: Path) -> None:
    name = os.fsdecode("Müller".encode("latin-1"))
    for path in ("b/1", "b-c", name):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_bytes(b"12")
    listing = list_archive(LAKE.pages(str(tmp_path)), "archive", KEY)
    uris = [item.uri for item in source_objects(listing.objects)]
    assert uris == [f"{tmp_path}/{path}" for path in (name, "b-c", "b/1")]
    assert sorted(listing.identities(np.arange(3))["source_key"]) == sorted(map(KEY.source_key, uris))


def test_rows_are_found_by_their_whole_identity() -> None:
    listing = list_archive([as_page((f"/a/{n:03d}", n, f"{n % 7}") for n in range(500))], "archive", KEY)
    wanted = np.array([7, 499, 0, 7])
    found = pa.table(listing.identities(wanted))
    assert listing.rows_of(found).tolist() == wanted.tolist()
    other = KEY.etag("another")
    for name, value in (("source_key", KEY.source_key("/a/b")), ("source_etag", other), ("size_bytes", 8)):
        place = ID.index(name)
        column = pa.array([value] * 4, found.schema.field(name).type)
        assert listing.rows_of(found.set_column(place, name, column)).tolist()[:3] == [-1] * 3
    assert listing.rows_of(found.slice(0, 0)).tolist() == []


def test_an_archive_without_objects_is_told() -> None:
    with pytest.raises(StorageError, match="no object"):
        list_archive([as_page([])], "archive", KEY)


def test_a_listing_holds_little_of_an_object() -> None:
    count = 100_000
    before = pa.total_allocated_bytes()
    pages = (as_page((f"s3://bucket/{n // 500:060d}/{n:06d}", n, f"{n:032x}") for n in range(at, at + 1000))
             for at in range(0, count, 1000))  # fmt: skip
    listing = list_archive(pages, "archive", KEY)
    assert len(listing) == count
    assert pa.total_allocated_bytes() - before < 160 * count  # its name has 80 bytes, its tag 32
