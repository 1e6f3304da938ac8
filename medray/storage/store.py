"""Bytes in and out of folders and buckets.

Bulk bytes go through pyarrow's file systems (2-3 times s3fs at a third of its CPU); listings and
conditional puts go through s3fs, which has them. A `Store` holds no client and no secret, so it
travels to workers, which build their own from the environment or the machine's role.
"""

from __future__ import annotations

import os
import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import pyarrow.fs as pafs

from medray.storage.failures import error_code
from medray.storage.uri import is_s3, join, object_name

TEMPORARY = ".tmp-"


@dataclass(frozen=True)
class Listed:
    """One object of a listing: `etag` is S3's ETag, or the modification time of a file."""

    uri: str
    size_bytes: int
    etag: str


@dataclass(frozen=True)
class Store:
    """Access with one set of credentials.

    Attributes:
        prefix: put before the AWS variables' names: the linkage table has credentials of its own
            in `MEDRAY_LINKAGE_AWS_ACCESS_KEY_ID` and so on.
    """

    prefix: str = ""

    def variable(self, name: str) -> str | None:
        return os.environ.get(self.prefix + name) or None

    def read(self, uri: str) -> bytes:
        """All bytes of one object."""
        if not is_s3(uri):
            return Path(uri).read_bytes()  # pyarrow knows no file name that is not UTF-8
        with self.arrow(uri).open_input_file(self.path(uri)) as stream:
            data: bytes = stream.readall()
        return data

    def exists(self, uri: str) -> bool:
        return bool(self.arrow(uri).get_file_info(self.path(uri)).type == pafs.FileType.File)

    def size(self, uri: str) -> int:
        return int(self.arrow(uri).get_file_info(self.path(uri)).size)

    def replace(self, uri: str, data: bytes) -> None:
        """Write the object; readers see the old bytes or the new ones, never a part."""
        if is_s3(uri):
            self.s3().pipe_file(object_name(uri), data)
        else:
            os.replace(_spooled(uri, data), uri)

    def put_if_absent(self, uri: str, data: bytes) -> bool:
        """Write the object unless it is there. Returns whether this call wrote it."""
        if not is_s3(uri):
            return _link(_spooled(uri, data), uri)
        try:
            self.s3().pipe_file(object_name(uri), data, mode="create")
        except OSError as error:
            if not _stood_already(error):
                raise
            return False
        return True

    def spool(self, uri: str) -> str:
        """A local path where a file for `uri` may be written before `publish`."""
        folder = Path(tempfile.gettempdir()) if is_s3(uri) else Path(uri).parent
        folder.mkdir(parents=True, exist_ok=True)
        return str(folder / f"{TEMPORARY}{uuid.uuid4().hex}")

    def publish(self, spooled: str, uri: str) -> bool:
        """Move a spooled file to `uri` unless something is there. Returns whether it was moved."""
        if not is_s3(uri):
            with open(spooled, "rb") as stream:
                os.fsync(stream.fileno())
            return _link(spooled, uri)
        try:
            self.s3().put_file(spooled, object_name(uri), mode="create")
        except OSError as error:
            if not _stood_already(error):
                raise
            return False
        finally:
            os.unlink(spooled)
        return True

    def delete(self, uri: str) -> None:
        self.arrow(uri).delete_file(self.path(uri))

    def walk(self, uri: str) -> Iterator[Listed]:
        """Every object below `uri`, ordered by URI.

        Raises:
            FileNotFoundError: the folder or bucket is not there.
        """
        if is_s3(uri):
            yield from self._walk_s3(uri)
        else:
            if not os.path.isdir(uri):
                raise FileNotFoundError(uri)
            yield from _walk_folder(uri)

    def _walk_s3(self, uri: str) -> Iterator[Listed]:
        # No probe for the bucket: s3fs takes refused credentials and dead networks for a missing one.
        found: dict[str, dict[str, Any]] = self.s3().find(object_name(uri), detail=True)
        for name in sorted(found):
            if found[name]["type"] == "file":
                yield Listed("s3://" + name, int(found[name]["size"]), str(found[name]["ETag"]).strip('"'))

    def arrow(self, uri: str) -> pafs.FileSystem:
        """The pyarrow file system that holds `uri`."""
        return _arrow_s3(self) if is_s3(uri) else pafs.LocalFileSystem()

    def s3(self) -> Any:
        import s3fs

        return s3fs.S3FileSystem(
            key=self.variable("AWS_ACCESS_KEY_ID"),
            secret=self.variable("AWS_SECRET_ACCESS_KEY"),
            token=self.variable("AWS_SESSION_TOKEN"),
            endpoint_url=self.variable("AWS_ENDPOINT_URL"),
            client_kwargs={"region_name": self.variable("AWS_REGION")},  # botocore reads AWS_DEFAULT_REGION only
            use_listings_cache=False,
        )

    def delta_options(self, uri: str) -> dict[str, str] | None:
        """Options for delta-rs, which reads the standard variables itself."""
        if not is_s3(uri):
            return None
        names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "AWS_REGION")
        options = {name: value for name in names if (value := self.variable(name))}
        if options.get("AWS_ENDPOINT_URL", "").startswith("http://"):
            options["AWS_ALLOW_HTTP"] = "true"
        return options

    def path(self, uri: str) -> str:
        return object_name(uri) if is_s3(uri) else uri


LAKE = Store()
LINKAGE = Store("MEDRAY_LINKAGE_")


@lru_cache(maxsize=4)
def _arrow_s3(store: Store) -> pafs.S3FileSystem:
    return pafs.S3FileSystem(
        access_key=store.variable("AWS_ACCESS_KEY_ID"),
        secret_key=store.variable("AWS_SECRET_ACCESS_KEY"),
        session_token=store.variable("AWS_SESSION_TOKEN"),
        endpoint_override=store.variable("AWS_ENDPOINT_URL"),
        region=store.variable("AWS_REGION"),
        connect_timeout=10,
        request_timeout=120,
    )


def _walk_folder(folder: str) -> Iterator[Listed]:
    with os.scandir(folder) as scan:
        entries = sorted(scan, key=lambda entry: entry.name + "/" * entry.is_dir())
    for entry in entries:
        if entry.is_dir():
            yield from _walk_folder(entry.path)
        elif entry.is_file():
            stat = entry.stat()
            yield Listed(join(folder, entry.name), stat.st_size, f"{stat.st_mtime_ns:x}")


def _spooled(uri: str, data: bytes) -> str:
    folder = Path(uri).parent
    folder.mkdir(parents=True, exist_ok=True)
    path = str(folder / f"{TEMPORARY}{uuid.uuid4().hex}")
    try:
        with open(path, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
    except OSError:
        Path(path).unlink(missing_ok=True)
        raise
    return path


def _link(spooled: str, path: str) -> bool:
    try:
        os.link(spooled, path)
    except FileExistsError:
        return False
    finally:
        os.unlink(spooled)
    return True


def _stood_already(error: OSError) -> bool:
    """Whether a conditional put was refused because the object is there. Servers word it
    differently; the code is the same."""
    return isinstance(error, FileExistsError) or error_code(error) == "PreconditionFailed"
