"""Archives in a folder or bucket: their members one after another, one of them in memory at a time.

Names of members are never used as paths; they only tell members apart.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import closing
from typing import BinaryIO, cast

from medray.contracts import SourceObject
from medray.errors import Unusable
from medray.storage.archive_kind import HEAD_BYTES, Kind, archive_kind
from medray.storage.archive_tar import tar_members
from medray.storage.archive_zip import zip_members
from medray.storage.failures import told
from medray.storage.forward import PIECE, Forward, inflated, pieces
from medray.storage.member import Limits, Member, span
from medray.storage.store import Store
from medray.storage.uri import is_s3


def parts_of(name: str, size_bytes: int, budget_bytes: int, in_folder: bool) -> int:
    """Into how many parts an archive of this name is cut: a zip has a directory, and the headers of a
    tar in a folder are found by skipping from one to the next. On S3 each skip would be a request, and
    compressed tars have one beginning."""
    if not (name.lower().endswith(".zip") or (name.lower().endswith(".tar") and in_folder)):
        return 1
    return max(1, -(-size_bytes // budget_bytes))


def kind_of(store: Store, root: str, item: SourceObject) -> Kind | None:
    """What the object is by its first bytes; None where it is no archive.

    Raises:
        OSError: it cannot be opened. StorageError: the store failed while it was read.
    """
    with closing(store.open(item.uri)) as stream, told(root):
        return archive_kind(stream.read(HEAD_BYTES))


def members(
    store: Store, root: str, item: SourceObject, kind: Kind, place: tuple[int, int], limits: Limits
) -> Iterator[Member]:
    """The members of part `place[0]` of `place[1]`.

    Raises:
        Unusable: the archive (or what is left of it) cannot be used; members that came are good.
        StorageError: the store failed.
    """
    with told(root):
        opened = store.open(item.uri)
    with closing(opened) as file:
        stream = _Told(file, root)
        if stream.seek(0, io.SEEK_END) != item.size_bytes:
            if place[0] == 0:
                raise Unusable("unreadable", f"{stream.tell()} bytes, listed {item.size_bytes}")
            return
        stream.seek(0)
        yield from _members(stream, item, kind, place, limits)


def _members(stream: _Told, item: SourceObject, kind: Kind, place: tuple[int, int], limits: Limits) -> Iterator[Member]:
    size = item.size_bytes
    if kind == "zip":
        yield from zip_members(io.BufferedReader(stream, PIECE), size, span(size, *place), limits)
    elif kind == "tar" and not is_s3(item.uri):
        yield from tar_members(io.BufferedReader(stream), size, span(size, *place), limits)
    elif place[0] == 0:
        with closing(pieces(cast(BinaryIO, stream))) as stored:
            coming = stored if kind == "tar" else inflated(stored, kind, size, limits)
            yield from tar_members(Forward(coming), size, span(size, 0, 1), limits)


class _Told(io.RawIOBase):
    """A file whose failures stop the job: they are the store's, not the archive's."""

    def __init__(self, file: BinaryIO, root: str) -> None:
        self._file, self._root = file, root

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        with told(self._root):
            data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def seek(self, to: int, whence: int = 0) -> int:
        with told(self._root):
            self._file.seek(to, whence)
            return self._file.tell()

    def tell(self) -> int:
        return self._file.tell()
