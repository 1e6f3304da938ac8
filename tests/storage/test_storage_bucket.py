"""Reading and listing buckets: how many requests it takes, and what one refused object means."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fake_bucket import FakeBucket, served

from medray.contracts import SourceObject
from medray.errors import StorageError, Unusable
from medray.storage.read_ahead import ReadAhead
from medray.storage.store import Store

OBJECTS = {f"a/{n}": bytes([n]) * (n + 1) for n in range(6)}


@pytest.fixture(scope="module")
def served_bucket() -> Iterator[FakeBucket]:
    bucket = FakeBucket(OBJECTS, page=4)
    with served(bucket) as endpoint, pytest.MonkeyPatch.context() as patch:
        names = {"ACCESS_KEY_ID": "k", "SECRET_ACCESS_KEY": "s", "REGION": "us-east-1", "ENDPOINT_URL": endpoint}
        for name, value in names.items():
            patch.setenv(f"FAKE_BUCKET_AWS_{name}", value)
        yield bucket


@pytest.fixture
def door(served_bucket: FakeBucket) -> FakeBucket:
    """One bucket `b` with `OBJECTS`, four to a page of its listing."""
    served_bucket.reset(OBJECTS)
    return served_bucket


@pytest.fixture
def store() -> Store:
    return Store("FAKE_BUCKET_")


def objects(door: FakeBucket) -> list[SourceObject]:
    return [SourceObject(f"s3://b/{key}", len(data), "e") for key, data in door.objects.items()]


def test_one_request_reads_an_object(store: Store, door: FakeBucket) -> None:
    with ReadAhead(store, "archive", objects(door)) as fetch:
        assert [fetch(item) for item in objects(door)] == list(OBJECTS.values())
    assert door.requests == {("GET", key): 1 for key in OBJECTS}


def test_a_listing_takes_a_request_a_page(store: Store, door: FakeBucket) -> None:
    assert [item.uri for item in store.walk("s3://b/a")] == [f"s3://b/{key}" for key in OBJECTS]
    assert door.requests == {("GET", ""): 2}


def test_an_object_that_has_grown_or_shrunk_since_the_listing_is_unusable(store: Store, door: FakeBucket) -> None:
    listed = objects(door)
    door.objects["a/1"], door.objects["a/3"] = b"grown!", b""
    with ReadAhead(store, "archive", listed) as fetch:
        for place, found in ((1, "3 bytes, listed 2"), (3, "gone or changed")):
            with pytest.raises(Unusable, match=found):
                fetch(listed[place])
        assert fetch(listed[2]) == OBJECTS["a/2"]


@pytest.mark.parametrize(
    ("status", "code", "why"),
    [
        (403, "AccessDenied", "access denied"), (403, "InvalidObjectState", "restore it first"),
        (404, "NoSuchKey", "gone or changed since"),
    ],
)  # fmt: skip
def test_one_refused_object_is_that_objects_matter(
    store: Store, door: FakeBucket, status: int, code: str, why: str
) -> None:
    door.refused["a/2"] = (status, code)
    with ReadAhead(store, "archive", objects(door)) as fetch:
        for item in objects(door):
            if item.uri.endswith("2"):
                with pytest.raises(Unusable, match=why):
                    fetch(item)
            else:
                assert len(fetch(item)) == item.size_bytes


@pytest.mark.parametrize(
    ("status", "code", "found"),
    [
        (403, "AccessDenied", "access denied"), (400, "ExpiredToken", "credentials"),
        (403, "InvalidAccessKeyId", "credentials"), (403, "SignatureDoesNotMatch", "credentials"),
    ],
)  # fmt: skip
def test_refused_credentials_stop_the_job(store: Store, door: FakeBucket, status: int, code: str, found: str) -> None:
    door.refused[""] = (status, code)
    with ReadAhead(store, "archive", objects(door)) as fetch, pytest.raises(StorageError, match=found):
        fetch(objects(door)[0])


def test_credentials_that_expire_for_one_object_stop_the_job(store: Store, door: FakeBucket) -> None:
    door.refused["a/2"] = (400, "ExpiredToken")
    listed = objects(door)
    with ReadAhead(store, "archive", listed) as fetch, pytest.raises(StorageError, match="credentials"):
        fetch(listed[2])
