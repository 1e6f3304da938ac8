"""Names of places: a local folder or `s3://bucket/prefix`. Pure text, no access."""

from __future__ import annotations

from pathlib import Path

from medray.errors import StorageError

S3 = "s3://"


def normalise(uri: str) -> str:
    """The URI without a trailing slash; a local path becomes absolute.

    Raises:
        StorageError: the scheme is neither a path, `file://` nor `s3://`.
    """
    if uri.startswith(S3):
        if not uri[len(S3) :].strip("/"):
            raise StorageError("URI", repr(uri), "s3://bucket or s3://bucket/prefix", "name a bucket")
        return uri.rstrip("/")
    scheme, _, rest = uri.partition(":")
    if rest.startswith("/") and "/" not in scheme and not uri.startswith("file://"):  # s3:/bucket is no folder
        raise StorageError(
            "URI",
            f"the scheme {scheme!r}",
            "a local path, file:// or s3://",
            "copy or mount the data there",
        )
    return str(Path(uri.removeprefix("file://")).expanduser().absolute())


def is_s3(uri: str) -> bool:
    return uri.startswith(S3)


def join(uri: str, *parts: str) -> str:
    return "/".join([uri.rstrip("/"), *parts])


def object_name(uri: str) -> str:
    """What S3 clients call a key: bucket/prefix, without the scheme."""
    return uri.removeprefix(S3)
