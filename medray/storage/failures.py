"""Failures of folders and buckets, told in the user's terms. Paths inside an archive never appear."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain

from medray.errors import StorageError


@contextmanager
def told(place: str) -> Iterator[None]:
    """Turn any failure of the store behind `place` (a root that the recipe names) into a StorageError."""
    try:
        yield
    except StorageError:
        raise
    except OSError as error:
        raise explain(place, error) from error
    except Exception as error:
        if not _is_clients(error):
            raise
        raise explain(place, error) from error


def explain(place: str, error: Exception) -> StorageError:
    """The StorageError for what the store said."""
    kind = _kind_of(error)
    if kind is not None:
        return StorageError(place, kind.found, kind.allowed, kind.do)
    return StorageError(
        place,
        f"a store failure ({type(error).__name__})",
        "a working store",
        "look at the store's own log and run again: finished work is kept",
    )


def passes(error: Exception) -> bool:
    """Whether what a bucket said may be otherwise in a moment: it is slow, failing or out of reach for now."""
    if isinstance(error, StorageError) and isinstance(error.__cause__, Exception):
        error = error.__cause__
    kind = _kind_of(error)
    by_store = isinstance(error, OSError) or _is_clients(error)
    return by_store and "ransaction" not in str(error) and (kind is None or kind.passes)


def _kind_of(error: Exception) -> _Kind | None:
    text = f"{type(error).__name__} {error_code(error)} {error}"
    by_number = (kind for kind in _KINDS if getattr(error, "errno", None) in kind.numbers)
    by_mark = (kind for kind in _KINDS if any(mark in text for mark in kind.marks))
    return next(chain(by_number, by_mark), None)  # a mark may stand in a path: errno knows better


def _is_clients(error: Exception) -> bool:
    """botocore and delta-rs raise their own trees."""
    return type(error).__module__.split(".")[0] in ("botocore", "aiobotocore", "deltalake", "_internal", "aiohttp")


def error_code(error: Exception) -> str:
    """The S3 code behind an error ("SignatureDoesNotMatch"), which s3fs leaves in the cause; or ""."""
    response = getattr(error.__cause__ or error, "response", None) or {}
    return str(response.get("Error", {}).get("Code", ""))


@dataclass(frozen=True)
class _Kind:
    """One kind of failure, by errno or by a word of the clients' messages."""

    numbers: tuple[int, ...]
    marks: tuple[str, ...]
    found: str
    allowed: str
    do: str
    passes: bool = False


_KINDS = (
    _Kind(
        (errno.ENOSPC, errno.EDQUOT, errno.EFBIG),
        ("No space left",),
        "no space left",
        "free space for one chunk per worker",
        "free space and run again: finished chunks are kept",
    ),
    _Kind(
        (),
        (
            "InvalidAccessKeyId",
            "SignatureDoesNotMatch",
            "InvalidToken",
            "ExpiredToken",
            "NoCredentials",
            "UNAUTHORIZED",
        ),
        "credentials that the store refuses",
        "valid credentials",
        "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a role, where the job runs",
    ),
    _Kind(
        (errno.EACCES, errno.EPERM, errno.EROFS),
        ("PermissionError", "AccessDenied", "Forbidden", "ACCESS_DENIED", "(403)"),
        "access denied",
        "read access to the archive, read and write access to the lake",
        "check the credentials (wrong key or secret) and the bucket's policy",
    ),
    _Kind(
        (errno.ENOENT, errno.ENOTDIR),
        (
            "FileNotFoundError",
            "TableNotFoundError",
            "NoSuchBucket",
            "NoSuchKey",
            "NO_SUCH_BUCKET",
            "Not Found",
            "(404)",
        ),
        "nothing there",
        "an existing folder or bucket",
        "check the name; medray creates folders of a lake but no buckets",
    ),
    _Kind(
        (errno.ECONNREFUSED, errno.ETIMEDOUT),
        (
            "Could not connect",
            "Connection refused",
            "CURL",
            "NETWORK_CONNECTION",
            "Cannot connect",
            "EndpointConnection",
        ),
        "no answer from the store",
        "a reachable endpoint",
        "check AWS_ENDPOINT_URL and the network",
        passes=True,
    ),
    _Kind(
        (),
        (
            "SlowDown",
            "SLOW_DOWN",
            "reduce your request rate",
            "InternalError",
            "INTERNAL_FAILURE",
            "ServiceUnavailable",
            "SERVICE_UNAVAILABLE",
        ),
        "a store that is overloaded or failing",
        "a store that answers",
        "run again when it does: finished work is kept",
        passes=True,
    ),
)
