"""The objects of an archive by their pseudonymous identity."""

from __future__ import annotations

from medray.contracts import SourceObject
from medray.drivers.job import Job
from medray.errors import StorageError
from medray.privacy.pseudonyms import Pseudonyms
from medray.storage.failures import told

ID = ("source_key", "source_etag", "size_bytes")
Identity = tuple[str, str, int]
Listing = dict[Identity, SourceObject]


def list_archive(uri: str, job: Job, pseudonyms: Pseudonyms) -> Listing:
    """Every object of the archive, in order of its URI.

    Raises:
        StorageError: nothing is there.
    """
    with told(f"archive {uri}"):
        listed = list(job.store.walk(uri))
    if not listed:
        raise StorageError(
            f"archive {uri}", "no object", "one object or more", "check the URI; a prefix ends at a slash"
        )
    return {
        (pseudonyms.source_key(item.uri), pseudonyms.etag(item.etag), item.size_bytes): SourceObject(
            item.uri, item.size_bytes, item.etag
        )
        for item in listed
    }
