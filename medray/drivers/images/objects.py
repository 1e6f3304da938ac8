"""The objects of an image archive: listed by the store or by a file, with the archive's credentials."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from medray.drivers.listing import Listing, list_archive
from medray.privacy.pseudonyms import Pseudonyms
from medray.recipes.ingest import DicomArchive
from medray.storage.object_list import listed_objects
from medray.storage.store import PUBLIC, Store


def store_of(source: DicomArchive, store: Store) -> Store:
    """Who reads the archive: nobody in particular, or who reads the lake."""
    return PUBLIC if source.anonymous else store


def object_pages(source: DicomArchive, store: Store) -> Iterator[pa.RecordBatch]:
    """Every object of the archive in pages of `LISTED`."""
    own = store_of(source, store)
    return own.pages(source.uri) if source.list is None else listed_objects(store, source.list, own, source.uri)


def list_objects(source: DicomArchive, store: Store, pseudonyms: Pseudonyms) -> Listing:
    """Every object of the archive.

    Raises:
        StorageError: there is none, or the list or the store failed.
    """
    return list_archive(object_pages(source, store), f"archive {source.uri}", pseudonyms)
