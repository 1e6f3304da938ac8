"""Bytes in folders: whole or not at all, first or not at all."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from medray.errors import StorageError
from medray.storage.store import TEMPORARY, Store
from medray.storage.uri import normalise

THREADS = 8


def race(attempt: Callable[[int], bool]) -> list[bool]:
    """What 8 threads were told that began together."""
    barrier = threading.Barrier(THREADS)

    def run(number: int) -> bool:
        barrier.wait()
        return attempt(number)

    with ThreadPoolExecutor(THREADS) as threads:
        return list(threads.map(run, range(THREADS)))


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_exactly_one_of_eight_puts_wins(store: Store, tmp_path: Path) -> None:
    for round_number in range(20):
        uri = str(tmp_path / f"{round_number}" / "plan.json")
        won = race(lambda number, uri=uri: store.put_if_absent(uri, b"%d" % number * 1000))  # type: ignore[misc]
        assert won.count(True) == 1
        assert store.read(uri) == b"%d" % won.index(True) * 1000
        assert names(tmp_path / f"{round_number}") == ["plan.json"]


def test_exactly_one_of_eight_publishes_wins(store: Store, tmp_path: Path) -> None:
    uri = str(tmp_path / "new" / "file")

    def publish(number: int) -> bool:
        spooled = store.spool(uri)
        Path(spooled).write_bytes(bytes([number]))
        return store.publish(spooled, uri)

    won = race(publish)
    assert won.count(True) == 1
    assert store.read(uri) == bytes([won.index(True)])
    assert names(tmp_path / "new") == ["file"]


def test_a_reader_sees_the_old_bytes_or_the_new_ones(store: Store, tmp_path: Path) -> None:
    uri = str(tmp_path / "production.json")
    versions = [bytes([number]) * 200_000 for number in range(60)]
    store.replace(uri, versions[0])
    ended = threading.Event()
    seen: list[bytes] = []

    def poll() -> None:
        while not ended.is_set():
            seen.append(store.read(uri))

    reader = threading.Thread(target=poll)
    reader.start()
    for version in versions[1:]:
        store.replace(uri, version)
    ended.set()
    reader.join()
    assert set(seen) <= set(versions)
    assert len(set(seen)) > 1
    assert names(tmp_path) == ["production.json"]


def test_a_failed_write_leaves_nothing(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    for write in (store.replace, store.put_if_absent):
        with pytest.raises(OSError, match="No space left"):
            write(str(tmp_path / "object"), b"data")
    assert names(tmp_path) == []


def test_spooled_files_lie_beside_their_goal_under_a_temporary_name(store: Store, tmp_path: Path) -> None:
    spooled = Path(store.spool(str(tmp_path / "a" / "goal")))
    assert spooled.parent == tmp_path / "a"
    assert spooled.name.startswith(TEMPORARY)
    assert Path(store.spool("s3://bucket/goal")).is_absolute()


def test_walk_goes_in_the_order_of_whole_keys(store: Store, tmp_path: Path) -> None:
    keys = ["a", "a-b/1", "a.dcm", "a/1", "a/2/x", "a0/1", "b"]
    for key in reversed(keys):
        if key != "a":  # a folder cannot be a file too
            (tmp_path / key).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / key).write_bytes(key.encode())
    listed = list(store.walk(str(tmp_path)))
    assert [item.uri for item in listed] == [f"{tmp_path}/{key}" for key in sorted(keys) if key != "a"]
    assert [item.size_bytes for item in listed] == [len(key) for key in sorted(keys) if key != "a"]


def test_an_etag_changes_with_the_file(store: Store, tmp_path: Path) -> None:
    file = tmp_path / "x"
    file.write_bytes(b"same size 1")
    os.utime(file, ns=(1, 1_000_000_001))
    (before,) = store.walk(str(tmp_path))
    (again,) = store.walk(str(tmp_path))
    os.utime(file, ns=(1, 1_000_000_002))
    (after,) = store.walk(str(tmp_path))
    assert before == again
    assert before.etag != after.etag


def test_walk_of_a_missing_folder_is_an_error_and_of_an_empty_one_is_not(store: Store, tmp_path: Path) -> None:
    assert list(store.walk(str(tmp_path))) == []
    with pytest.raises(FileNotFoundError):
        list(store.walk(str(tmp_path / "missing")))


def test_objects_know_size_and_presence(store: Store, tmp_path: Path) -> None:
    uri = str(tmp_path / "deep" / "er" / "object")
    assert not store.exists(uri)
    store.replace(uri, b"four")
    assert (store.exists(uri), store.size(uri), store.read(uri)) == (True, 4, b"four")
    assert not store.exists(str(tmp_path / "deep"))  # a folder is no object
    store.delete(uri)
    assert not store.exists(uri)


def test_a_name_that_is_no_utf8_is_listed_and_read(store: Store, tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/M\xfcller.dcm")).write_bytes(b"old")
    (listed,) = store.walk(str(tmp_path))
    assert store.read(listed.uri) == b"old"


def test_a_store_carries_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDRAY_LINKAGE_AWS_SECRET_ACCESS_KEY", "the-secret")
    linkage = Store("MEDRAY_LINKAGE_")
    assert linkage.variable("AWS_SECRET_ACCESS_KEY") == "the-secret"
    assert "the-secret" not in repr(linkage)


def test_options_for_delta_hold_what_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_AWS_ACCESS_KEY_ID", "id")
    monkeypatch.setenv("TEST_AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    assert Store("TEST_").delta_options("/folder") is None
    options = Store("TEST_").delta_options("s3://b/x") or {}
    assert {name: value for name, value in options.items() if name.startswith("AWS_")} == {
        "AWS_ACCESS_KEY_ID": "id", "AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_ALLOW_HTTP": "true",
    }  # fmt: skip
    assert options["retry_timeout"] == "60s"  # no request of Delta's hangs for its default of three minutes
    monkeypatch.setenv("TEST_AWS_ENDPOINT_URL", "https://s3.example")
    assert "AWS_ALLOW_HTTP" not in (Store("TEST_").delta_options("s3://b/x") or {})


@pytest.mark.parametrize(
    ("given", "normal"),
    [
        ("s3://bucket/", "s3://bucket"),
        ("s3://bucket/a/b//", "s3://bucket/a/b"),
        ("/data/lake/", "/data/lake"),
        ("file:///data/lake", "/data/lake"),
    ],
)
def test_a_place_has_one_name(given: str, normal: str) -> None:
    assert normalise(given) == normal


def test_a_relative_path_becomes_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert normalise("lake") == str(tmp_path / "lake")


@pytest.mark.parametrize("uri", ["s3://", "s3:///", "gs://bucket", "https://host/x", "s3:/bucket"])
def test_other_schemes_are_refused(uri: str) -> None:
    with pytest.raises(StorageError):
        normalise(uri)
