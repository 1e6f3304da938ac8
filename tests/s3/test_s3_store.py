"""Bytes in buckets: first or not at all, and failures in the user's words."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
import racing
import seaweed
import story

from medray.contracts import Layout, Link
from medray.errors import StorageError
from medray.schema.runs import RUNS
from medray.storage import delta
from medray.storage.failures import told
from medray.storage.linkage import LinkageWriter, commit_linkage, originals
from medray.storage.plans import planned_runs, read_plan, write_plan
from medray.storage.shards import Key, open_shard, write_shard
from medray.storage.snapshot import snapshot
from medray.storage.store import Store

pytestmark = pytest.mark.s3
THREADS = 8


def race(attempt: Callable[[int], bool]) -> list[bool]:
    """What 8 threads were told that began together."""
    barrier = threading.Barrier(THREADS)

    def run(number: int) -> bool:
        barrier.wait()
        return attempt(number)

    with ThreadPoolExecutor(THREADS) as threads:
        return list(threads.map(run, range(THREADS)))


def stranger(monkeypatch: pytest.MonkeyPatch, port: int, name: str, value: str) -> Store:
    """A store with the lake's credentials, one of them changed."""
    prefix = f"WITH_ANOTHER_{name}_"
    for variable, right in {**seaweed.environment(port), f"AWS_{name}": value}.items():
        monkeypatch.setenv(prefix + variable, right)
    return Store(prefix)


def test_all_three_clients_sign_for_the_same_region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGIONAL_AWS_REGION", "eu-central-1")
    regional = Store("REGIONAL_")
    assert regional.arrow("s3://b").region == "eu-central-1"
    assert regional.s3().client_kwargs["region_name"] == "eu-central-1"
    assert (regional.delta_options("s3://b") or {})["AWS_REGION"] == "eu-central-1"


def test_exactly_one_of_eight_puts_wins(store: Store, bucket: str) -> None:
    uri = f"{bucket}/plan.json"
    won = race(lambda number: store.put_if_absent(uri, bytes([number])))
    assert won.count(True) == 1
    assert store.read(uri) == bytes([won.index(True)])


def test_exactly_one_of_eight_publishes_wins(store: Store, bucket: str) -> None:
    uri, spooled = f"{bucket}/data/file", [store.spool(f"{bucket}/data/file") for _ in range(THREADS)]
    for number, path in enumerate(spooled):
        Path(path).write_bytes(bytes([number]))
    won = race(lambda number: store.publish(spooled[number], uri))
    assert won.count(True) == 1
    assert store.read(uri) == bytes([won.index(True)])
    assert not any(Path(path).exists() for path in spooled)


def test_objects_are_replaced_sized_and_deleted(store: Store, bucket: str) -> None:
    uri = f"{bucket}/production.json"
    assert not store.exists(uri)
    for data in (b"one", b"three"):
        store.replace(uri, data)
        assert (store.read(uri), store.size(uri), store.exists(uri)) == (data, len(data), True)
    store.delete(uri)
    assert not store.exists(uri)


def test_walk_keeps_to_its_prefix_and_to_the_order_of_keys(store: Store, bucket: str) -> None:
    keys = ["archive/a-b/1", "archive/a.dcm", "archive/a/1", "archive/ü b", "archive-other/1", "b"]
    for key in keys:
        store.replace(f"{bucket}/{key}", key.encode())
    assert [item.uri for item in store.walk(f"{bucket}/archive")] == [f"{bucket}/{key}" for key in keys[:4]]
    listed = list(store.walk(bucket))
    assert [item.uri for item in listed] == sorted(f"{bucket}/{key}" for key in keys)
    assert [store.read(item.uri) for item in listed] == [
        item.uri.removeprefix(f"{bucket}/").encode() for item in listed
    ]
    assert list(store.walk(f"{bucket}/nothing")) == []


def test_an_etag_follows_the_bytes(store: Store, bucket: str) -> None:
    tags = []
    for data in (b"one", b"two", b"one"):
        store.replace(f"{bucket}/x", data)
        tags += [item.etag for item in store.walk(bucket)]
    assert tags[0] == tags[2] != tags[1]
    assert '"' not in tags[0]


DOINGS: dict[str, Callable[[Store, str], object]] = {
    "walk": lambda store, place: list(store.walk(place)),
    "read": lambda store, place: store.read(f"{place}/x"),
    "exists": lambda store, place: store.exists(f"{place}/x"),
    "put": lambda store, place: store.put_if_absent(f"{place}/x", b"1"),
    "replace": lambda store, place: store.replace(f"{place}/x", b"1"),
    "open a table": lambda store, place: delta.open_table(store, place, RUNS),
    "list plans": lambda store, place: planned_runs(store, place, "predict"),
}


@pytest.mark.parametrize("doing", DOINGS)
def test_a_wrong_secret_is_told(bucket: str, s3_server: int, monkeypatch: pytest.MonkeyPatch, doing: str) -> None:
    wrong = stranger(monkeypatch, s3_server, "SECRET_ACCESS_KEY", "wrong-secret")
    with pytest.raises(StorageError, match="credentials") as raised, told(bucket):
        DOINGS[doing](wrong, bucket)
    assert "wrong-secret" not in str(raised.value)


@pytest.mark.parametrize("doing", ["walk", "read", "open a table"])
def test_a_missing_bucket_is_told(store: Store, s3_server: int, doing: str) -> None:
    with pytest.raises(StorageError, match="nothing there"), told("s3://lake-missing"):
        DOINGS[doing](store, "s3://lake-missing")


def test_a_silent_endpoint_is_told(bucket: str, s3_server: int, monkeypatch: pytest.MonkeyPatch) -> None:
    silent = stranger(monkeypatch, s3_server, "ENDPOINT_URL", "http://127.0.0.1:1")
    with pytest.raises(StorageError, match="no answer"), told(bucket):
        silent.read(f"{bucket}/x")


def test_another_owners_bucket_is_closed(store: Store, new_bucket: Callable[[str], str]) -> None:
    place = new_bucket("linkage")
    for doing in DOINGS.values():
        with pytest.raises(StorageError, match="credentials"), told(place):
            doing(store, place)


def test_a_plan_comes_back_and_its_first_writer_wins(store: Store, bucket: str) -> None:
    plan = story.plan()
    assert write_plan(store, bucket, plan) is plan
    later = replace(plan, planned_at=datetime(2027, 5, 5))
    assert write_plan(store, bucket, later) == plan
    assert read_plan(store, bucket, plan.job, plan.run_id) == plan
    assert planned_runs(store, bucket, plan.job) == [plan.run_id]
    assert planned_runs(store, bucket, "train") == []


def test_four_processes_commit_beside_each_other(store: Store, bucket: str) -> None:
    assert racing.race(bucket) == [0] * racing.WRITERS
    assert racing.rows(store, bucket) == racing.expected()


@pytest.mark.slow
def test_eight_processes_commit_two_hundred_runs(store: Store, bucket: str) -> None:
    assert racing.race(bucket, writers=8, commits=25) == [0] * 8
    assert racing.rows(store, bucket) == racing.expected(200)


def test_a_lake_that_nobody_began_is_empty(store: Store, bucket: str) -> None:
    assert snapshot(store, bucket).versions == {}


def test_a_shard_is_copied_to_this_node_once(
    store: Store, bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    uri = f"{bucket}/cache/shard.arrow"
    write_shard(store, uri, [Key("1.2", 1, 0)], [np.array([7], np.uint8)], Layout((1,), "uint8"), {})
    assert open_shard(store, uri).values.tolist() == [[7]]
    store.delete(uri)
    assert open_shard(store, uri).values.tolist() == [[7]]
    (cache,) = tmp_path.glob("medray-cache-*")
    assert len(list(cache.iterdir())) == 1
    assert cache.stat().st_mode & 0o077 == 0  # prepared pixels are nobody else's to read


def test_the_linkage_table_has_credentials_of_its_own(store: Store, new_bucket: Callable[[str], str]) -> None:
    place, plan = new_bucket("linkage"), story.plan(inputs=(0,))
    with LinkageWriter(place, plan.run_id, 0) as writer:
        writer.add(Link("subject", "11", "DOE"))
        writer.publish()
    commit_linkage(place, plan)
    assert originals(place, "11") == [("subject", "DOE")]
    with pytest.raises(StorageError, match="access denied"), told(place):
        list(store.walk(place))
