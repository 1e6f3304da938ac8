"""What lies below a folder with when it was written: the store's own clock, in UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import pyarrow.fs as pafs

from medray.storage.store import Store
from medray.storage.uri import S3, is_s3


@dataclass(frozen=True)
class Dated:
    """One object: `modified` is UTC without a zone, like every time of the lake."""

    uri: str
    size_bytes: int
    modified: datetime

    @property
    def name(self) -> str:
        return self.uri.rsplit("/", 1)[-1]


def dated(store: Store, folder: str) -> list[Dated]:
    """Every object below a folder, by URI; none where there is no folder."""
    return [
        Dated(_uri(folder, one.path), int(one.size or 0), one.mtime.astimezone(UTC).replace(tzinfo=None))
        for one in _infos(store, folder, recursive=True)
        if one.type == pafs.FileType.File
    ]


def folders(store: Store, folder: str) -> list[str]:
    """The names of the folders right below a folder; none where there is none."""
    found = _infos(store, folder, recursive=False)
    return [one.base_name for one in found if one.type == pafs.FileType.Directory]


def _infos(store: Store, folder: str, *, recursive: bool) -> list[pafs.FileInfo]:
    selector = pafs.FileSelector(store.path(folder), recursive=recursive, allow_not_found=True)
    return sorted(store.arrow(folder).get_file_info(selector), key=lambda one: str(one.path))


def _uri(folder: str, path: str) -> str:
    return f"{S3}{path}" if is_s3(folder) else path
