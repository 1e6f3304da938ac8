"""What a store says, in the words of the person who runs the job."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError
from deltalake.exceptions import DeltaError

from medray.errors import ModelError, StorageError, Unusable
from medray.schema.contract import TableContract
from medray.storage.chunk_file import write_table
from medray.storage.failures import told
from medray.storage.store import Store

SPACE, REFUSED, DENIED, NOTHING, SILENT, OTHER = (
    "no space left",
    "credentials that the store refuses",
    "access denied",
    "nothing there",
    "no answer from the store",
    "a store failure",
)


def by_s3fs(constructor: type[OSError], code: str) -> OSError:
    """An error as s3fs raises it: its own message, the code in the cause."""
    error = constructor("words that differ between servers")
    error.__cause__ = ClientError({"Error": {"Code": code, "Message": "words"}}, "PutObject")
    return error


@pytest.mark.parametrize(
    ("error", "found"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), SPACE),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), SPACE),
        (OSError("IOError: [errno 28] No space left on device"), SPACE),
        (by_s3fs(PermissionError, "SignatureDoesNotMatch"), REFUSED),
        (by_s3fs(PermissionError, "InvalidAccessKeyId"), REFUSED),
        (by_s3fs(PermissionError, "ExpiredToken"), REFUSED),
        (NoCredentialsError(), REFUSED),
        (by_s3fs(PermissionError, "AccessDenied"), DENIED),
        (PermissionError(errno.EACCES, "Permission denied", "/data/x"), DENIED),
        (OSError(errno.EROFS, "Read-only file system"), DENIED),
        (OSError("AWS Error ACCESS_DENIED during HeadObject operation: No response body."), DENIED),
        (ClientError({"Error": {"Code": "403", "Message": "Forbidden"}}, "HeadObject"), DENIED),
        (by_s3fs(FileNotFoundError, "NoSuchBucket"), NOTHING),
        (FileNotFoundError(errno.ENOENT, "No such file", "/data/Forbidden/a403b404"), NOTHING),
        (NotADirectoryError(errno.ENOTDIR, "Not a directory"), NOTHING),
        (OSError("AWS Error NETWORK_CONNECTION during HeadObject operation: curlCode: 7"), SILENT),
        (EndpointConnectionError(endpoint_url="http://127.0.0.1:1"), SILENT),
        (ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"), SILENT),
        (OSError(errno.EIO, "Input/output error", "/data/000403.parquet"), OTHER),
        (DeltaError("Generic failure"), OTHER),
    ],
)
def test_each_kind_of_failure_has_its_words(error: Exception, found: str) -> None:
    with pytest.raises(StorageError) as raised, told("lake /data/lake"):
        raise error
    assert raised.value.found.startswith(found)
    assert raised.value.where == "lake /data/lake"
    assert raised.value.__cause__ is error


def test_the_message_quotes_no_path_of_the_archive() -> None:
    with pytest.raises(StorageError) as raised, told("archive /data"):
        raise FileNotFoundError(errno.ENOENT, "No such file", "/data/DOE^JANE/1.dcm")
    assert "DOE" not in str(raised.value)


@pytest.mark.parametrize(
    "error",
    [
        StorageError("a", "b", "c", "d"),
        ModelError("a", "b", "c", "d"),
        Unusable("empty"),
        KeyError("x"),
        ZeroDivisionError(),
    ],
)
def test_what_is_no_failure_of_the_store_passes(error: Exception) -> None:
    with pytest.raises(type(error)) as raised, told("lake"):
        raise error
    assert raised.value is error


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 KiB."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small file system needs root")
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("this kernel does not let us mount a file system")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_a_full_disk_is_told_and_leaves_no_half_file(store: Store, small_disk: Path) -> None:
    table = TableContract("things", 1, pa.schema([("data", pa.binary())]), ("data",), ())
    noise = os.urandom(400_000)
    rows = pa.record_batch({"data": [noise]}, schema=table.schema)
    writes: list[Any] = [
        lambda: store.put_if_absent(str(small_disk / "plan.json"), noise),
        lambda: store.replace(str(small_disk / "plan.json"), noise),
        lambda: write_table(store, str(small_disk / "chunk.parquet"), table, [rows], {}),
    ]
    for write in writes:
        with pytest.raises(StorageError, match=SPACE), told(str(small_disk)):
            write()
        assert files(small_disk) == []
    store.replace(str(small_disk / "plan.json"), b"small")
    assert files(small_disk) == ["plan.json"]
