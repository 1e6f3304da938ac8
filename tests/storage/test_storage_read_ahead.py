"""Objects are read before they are asked for, and a bad one is not a broken store."""

from __future__ import annotations

import queue
from dataclasses import dataclass
from pathlib import Path

import pytest

from medray.contracts import SourceObject
from medray.errors import StorageError, Unusable
from medray.storage.read_ahead import ReadAhead
from medray.storage.store import Store


def write(folder: Path, *sizes: int) -> list[SourceObject]:
    objects = []
    for number, size in enumerate(sizes):
        path = folder / f"{number}"
        path.write_bytes(bytes([number]) * size)
        objects.append(SourceObject(str(path), size, "e"))
    return objects


def test_every_object_comes_whole_and_in_turn(store: Store, tmp_path: Path) -> None:
    objects = write(tmp_path, *range(1, 40))
    with ReadAhead(store, str(tmp_path), objects) as fetch:
        assert [fetch(item) for item in objects] == [bytes([n]) * (n + 1) for n in range(39)]


def test_a_vanished_or_changed_object_is_unusable_and_the_others_go_on(store: Store, tmp_path: Path) -> None:
    objects = write(tmp_path, 3, 3, 3)
    Path(objects[0].uri).unlink()
    Path(objects[1].uri).write_bytes(b"longer")
    with ReadAhead(store, str(tmp_path), objects) as fetch:
        with pytest.raises(Unusable, match="gone or changed since"):
            fetch(objects[0])
        with pytest.raises(Unusable, match="6 bytes, listed 3"):
            fetch(objects[1])
        assert fetch(objects[2]) == b"\2\2\2"


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("NO_SUCH_KEY during GetObject operation: gone", "gone or changed since"),
        ("UNKNOWN (HTTP status 403) during GetObject operation: ExceptionName: InvalidObjectState", "restore it first"),
        ("ACCESS_DENIED during GetObject operation: Access Denied.", "access denied"),
    ],
)
def test_one_object_that_the_store_refuses_is_unusable(tmp_path: Path, said: str, why: str) -> None:
    with ReadAhead(Refusing(said=said), "archive a", write(tmp_path, 3, 3)) as fetch:
        with pytest.raises(Unusable, match=why):
            fetch(SourceObject("s3://b/0", 3, "e"))
        assert fetch(SourceObject(str(tmp_path / "1"), 3, "e")) == b"\1\1\1"


@pytest.mark.parametrize(
    ("said", "open_to_us"),
    [
        ("ACCESS_DENIED during GetObject operation: Access Denied.", False),  # nor can others be read
        ("UNKNOWN (HTTP status 400) during GetObject operation: ExceptionName: ExpiredToken", True),
        ("INVALID_ACCESS_KEY_ID during GetObject operation: no such key", True),
        ("SIGNATURE_DOES_NOT_MATCH during GetObject operation: no", True),
        ("NO_SUCH_BUCKET during GetObject operation: no", True),
        ("SLOW_DOWN during GetObject operation: please", True),
    ],
)
def test_refused_credentials_and_broken_stores_stop_the_job(tmp_path: Path, said: str, open_to_us: bool) -> None:
    objects = write(tmp_path, 3)
    if not open_to_us:
        Path(objects[0].uri).unlink()
    with ReadAhead(Refusing(said=said), "archive a", objects) as fetch, pytest.raises(StorageError) as raised:
        fetch(SourceObject("s3://b/0/AccessDenied/NO_SUCH_KEY", 3, "e"))
    assert "s3://b/0" not in str(raised.value)


@dataclass(frozen=True)
class Refusing(Store):
    """A store that answers for all of a bucket in S3's words, as pyarrow tells them."""

    said: str = ""

    def read_listed(self, uri: str, size_bytes: int) -> bytes:
        if uri.startswith("s3://"):
            raise OSError(f"When reading bytes from key '{uri}' in bucket 'b': AWS Error {self.said}")
        return super().read_listed(uri, size_bytes)


def test_a_failing_store_stops_the_job(tmp_path: Path) -> None:
    class Failing(Store):
        def read_listed(self, uri: str, size_bytes: int) -> bytes:
            raise OSError(5, "Input/output error", uri)

    objects = [SourceObject("/archive/DOE/1.dcm", 3, "e")]
    with ReadAhead(Failing(), "archive /archive", objects) as fetch, pytest.raises(StorageError) as raised:
        fetch(objects[0])
    assert "DOE" not in str(raised.value)


@pytest.mark.parametrize(("megabytes", "ahead"), [(60, 1), (30, 2), (1, 16)])
def test_objects_and_bytes_under_way_are_bounded(megabytes: int, ahead: int) -> None:
    asked: queue.Queue[str] = queue.Queue()

    class Noting(Store):
        def read_listed(self, uri: str, size_bytes: int) -> bytes:
            asked.put(uri)
            return bytes(megabytes * 2**20)

    objects = [SourceObject(str(number), megabytes * 2**20, "e") for number in range(20)]
    with ReadAhead(Noting(), "root", objects) as fetch:
        fetch(objects[0])
        assert {asked.get(timeout=10) for _ in range(1 + ahead)} == {str(number) for number in range(1 + ahead)}
        with pytest.raises(queue.Empty):
            asked.get(timeout=0.1)
