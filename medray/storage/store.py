"""Bytes in and out of folders and buckets.

Bulk bytes go through pyarrow's file systems (2-3 times s3fs at a third of its CPU), those of listed
objects through `get`; listings and conditional puts go through s3fs, which has them. A `Store` holds
no client and no secret, so it travels to workers, which build their own from the environment or the
machine's role.
"""

from __future__ import annotations

import os
import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, BinaryIO, cast

import pyarrow as pa
import pyarrow.fs as pafs

from medray.storage.failures import error_code
from medray.storage.get import get
from medray.storage.pages import bucket_pages, folder_pages, walk_folder
from medray.storage.uri import is_s3, object_name

TEMPORARY = ".tmp-"
_ENDPOINT = "AWS_ENDPOINT_URL"


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
        anonymous: requests are not signed (public buckets).
    """

    prefix: str = ""
    anonymous: bool = False

    def variable(self, name: str) -> str | None:
        return os.environ.get(self.prefix + name) or None

    def read(self, uri: str) -> bytes:
        """All bytes of one object."""
        if not is_s3(uri):
            return Path(uri).read_bytes()  # pyarrow knows no file name that is not UTF-8
        with self.arrow(uri).open_input_file(self.path(uri)) as stream:
            data: bytes = stream.readall()
            if len(data) != stream.size():
                raise OSError(f"an answer of {len(data)} bytes where the store has {stream.size()}")
        return data

    def read_listed(self, uri: str, size_bytes: int) -> bytes:
        """All bytes of an object whose size a listing gave, in one request; one byte more than that
        where it has grown since."""
        if not is_s3(uri):
            return self.read(uri)
        return get(self, uri, size_bytes + 1 if size_bytes else None)  # an empty object has no ranges

    def first_byte(self, uri: str) -> bytes:
        """The first byte of an object that is not empty, in one request."""
        if is_s3(uri):
            return get(self, uri, 1)
        with open(uri, "rb") as stream:
            return stream.read(1)

    def open(self, uri: str) -> BinaryIO:
        """The object as a seekable stream of bytes; on S3 each read is a request."""
        if not is_s3(uri):
            return open(uri, "rb")
        return cast(BinaryIO, self.arrow(uri).open_input_file(self.path(uri)))

    def look(self, uri: str) -> Listed | None:
        """One object as a listing would give it; None where it is not there."""
        try:
            if not is_s3(uri):
                stat = os.stat(uri)
                return Listed(uri, stat.st_size, f"{stat.st_mtime_ns:x}")
            found = self.s3().info(object_name(uri))
        except FileNotFoundError:
            return None
        return Listed(uri, int(found["size"]), str(found["ETag"]).strip('"')) if "ETag" in found else None

    def exists(self, uri: str) -> bool:
        return bool(self.arrow(uri).get_file_info(self.path(uri)).type == pafs.FileType.File)

    def size(self, uri: str) -> int:
        return int(self.arrow(uri).get_file_info(self.path(uri)).size)

    def replace(self, uri: str, data: bytes) -> None:
        """Write the object; readers see the old bytes or the new ones, never a part."""
        if is_s3(uri):
            self.s3().pipe_file(object_name(uri), data)
            return
        try:
            _replace(uri, data)
        except FileNotFoundError:  # swept by another attempt at the same file
            _replace(uri, data)

    def put_if_absent(self, uri: str, data: bytes) -> bool:
        """Write the object unless it is there. Returns whether these bytes stand now: where the answer to
        a write was lost, the client repeats it and is refused for the sake of its own."""
        if not is_s3(uri):
            return _link(_spooled(uri, data), uri) or self._holds(uri, data)
        try:
            self.s3().pipe_file(object_name(uri), data, mode="create")
        except OSError as error:
            if not _stood_already(error):
                raise
            return self._holds(uri, data)
        return True

    def _holds(self, uri: str, data: bytes) -> bool:
        return self.size(uri) == len(data) and self.read(uri) == data

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
        if not is_s3(uri):
            _must_be_folder(uri)
            yield from (Listed(*row) for row in walk_folder(uri))
            return
        rows = (row for page in self.pages(uri) for row in zip(*(column.to_pylist() for column in page), strict=True))
        yield from sorted((Listed(name.decode(), size, tag) for name, size, tag in rows), key=lambda one: one.uri)

    def pages(self, uri: str) -> Iterator[pa.RecordBatch]:
        """Every object below `uri` in columns of `LISTED`, in the store's order, which is most often
        that of the URIs.

        Raises:
            FileNotFoundError: the folder or bucket is not there.
        """
        if is_s3(uri):
            # No probe for the bucket: s3fs takes refused credentials and dead networks for a missing one.
            yield from bucket_pages(self.s3(), uri)
        else:
            _must_be_folder(uri)
            yield from folder_pages(uri)

    def arrow(self, uri: str) -> pafs.FileSystem:
        """The pyarrow file system that holds `uri`."""
        if not is_s3(uri):
            return pafs.LocalFileSystem()
        return _arrow_s3(self, self.region(uri))

    @property
    def endpoint(self) -> str | None:
        """Where S3 is; None: Amazon's. A public archive is where the lake is, unless told otherwise."""
        return self.variable(_ENDPOINT) or (os.environ.get(_ENDPOINT) or None if self.anonymous else None)

    def region(self, uri: str) -> str | None:
        """The region to sign for; of a public bucket of Amazon's, where it is."""
        region = self.variable("AWS_REGION")
        if region or not self.anonymous:
            return region
        return os.environ.get("AWS_REGION") if self.endpoint else _region_of(object_name(uri).partition("/")[0])

    def s3(self) -> Any:
        import s3fs

        keys = {} if self.anonymous else {name: self.variable(variable) for name, variable in _KEYS.items()}
        filesystem = s3fs.S3FileSystem(
            anon=self.anonymous,
            **keys,
            endpoint_url=self.endpoint,
            client_kwargs={"region_name": self.variable("AWS_REGION")},  # botocore reads AWS_DEFAULT_REGION only
            config_kwargs=_LIMITS,
            use_listings_cache=False,
            session=_plain_session(),
        )
        filesystem.retries = 1  # botocore's are enough, and these would multiply them
        return filesystem

    def delta_options(self, uri: str) -> dict[str, str] | None:
        """Options for delta-rs, which reads the standard variables itself."""
        if not is_s3(uri):
            return None
        limits = {"connect_timeout": "10s", "timeout": "30s", "max_retries": "4", "retry_timeout": "60s"}
        names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "AWS_REGION")
        options = limits | {name: value for name in names if (value := self.variable(name))}
        if options.get("AWS_ENDPOINT_URL", "").startswith("http://"):
            options["AWS_ALLOW_HTTP"] = "true"
        return options

    def path(self, uri: str) -> str:
        return object_name(uri) if is_s3(uri) else uri


LAKE = Store()
LINKAGE = Store("MEDRAY_LINKAGE_")
PUBLIC = Store("MEDRAY_ARCHIVE_", anonymous=True)

# No request may hang for more than two minutes: so many tries, each ended by so long a silence.
_SILENCE_S = 20
_LIMITS = {"connect_timeout": 10, "read_timeout": _SILENCE_S, "retries": {"total_max_attempts": 4, "mode": "standard"}}
_KEYS = {"key": "AWS_ACCESS_KEY_ID", "secret": "AWS_SECRET_ACCESS_KEY", "token": "AWS_SESSION_TOKEN"}


@lru_cache(maxsize=8)
def _arrow_s3(store: Store, region: str | None) -> pafs.S3FileSystem:
    options: dict[str, Any] = {"anonymous": True}
    if not store.anonymous:
        options = {
            "access_key": store.variable("AWS_ACCESS_KEY_ID"),
            "secret_key": store.variable("AWS_SECRET_ACCESS_KEY"),
            "session_token": store.variable("AWS_SESSION_TOKEN"),
        }
    return pafs.S3FileSystem(
        **options,
        endpoint_override=store.endpoint,
        region=region,
        connect_timeout=10,
        request_timeout=_SILENCE_S,
        retry_strategy=pafs.AwsStandardS3RetryStrategy(max_attempts=4),
    )


@cache
def _region_of(bucket: str) -> str:
    """Where Amazon keeps a public bucket: pyarrow follows no redirect to another region."""
    return str(pafs.resolve_s3_region(bucket))


@cache
def _plain_session() -> Any:
    """A session that leaves the times of answers as texts: parsing them is two thirds of a listing's
    CPU, and nothing here reads them."""
    import aiobotocore.session

    session = aiobotocore.session.AioSession()
    session.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=str)
    return session


def _must_be_folder(uri: str) -> None:
    if not os.path.isdir(uri):
        raise FileNotFoundError(uri)


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


def _replace(uri: str, data: bytes) -> None:
    spooled = _spooled(uri, data)
    try:
        os.replace(spooled, uri)
    finally:
        Path(spooled).unlink(missing_ok=True)


def _link(spooled: str, path: str) -> bool:
    try:
        os.link(spooled, path)
    except FileExistsError:
        return False
    except FileNotFoundError:  # swept by another attempt at the same file
        if not os.path.exists(path):
            raise
        return False
    finally:
        Path(spooled).unlink(missing_ok=True)
    return True


def _stood_already(error: OSError) -> bool:
    """Whether a conditional put was refused because the object is there. Servers word it
    differently; the code is the same."""
    return isinstance(error, FileExistsError) or error_code(error) == "PreconditionFailed"
