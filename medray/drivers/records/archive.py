"""What reading one file of an archive needs of the others: who its subjects are, and what they look up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from medray.contracts import RecordSource, SourceObject
from medray.drivers.records.files import read_crosswalk, record_file, shared_identifiers
from medray.errors import StorageError, Unusable
from medray.storage.store import Store


@dataclass(frozen=True)
class Archive:
    """Attributes:
    shared: identifier in the records -> the one that images share; None for an unknown subject.
    lookups: what the source's `read` needs of other files.
    """

    shared: Callable[[str], str | None]
    lookups: Any


def read_archive(
    source: RecordSource, config: Any, listing: Sequence[SourceObject], crosswalk: str | None, store: Store, do: str
) -> Archive:
    """Read those files.

    Args:
        listing: all files of the archive.
        do: what a person can do when one of them cannot be used.

    Raises:
        StorageError: one of them cannot be used: nobody's records would be known.
    """
    files = [record_file(store, config.uri, item) for item in listing]
    table = None if crosswalk is None else read_crosswalk(store, crosswalk)
    try:
        own = source.subjects(files, config)
        lookups = source.lookups(files, config)
    except Unusable as error:
        raise StorageError(
            f"archive {config.uri}",
            f"files that others are read with (subjects, joins), which cannot be used: {error}",
            "files that can be read to the end: without them nobody's records are known",
            do,
        ) from error
    return Archive(shared_identifiers(own, table), lookups)
