"""What operators ask of a lake in a bucket: status, vacuum, and what may delete."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import seaweed
import story
from racing import commit_some
from story import job

from medray.drivers.abandon import abandon
from medray.drivers.operate.status import status
from medray.drivers.operate.vacuum import find, vacuum
from medray.errors import StorageError
from medray.schema.audit import AUDIT
from medray.schema.runs import RUNS
from medray.storage import delta, together
from medray.storage.dated import dated
from medray.storage.failures import told
from medray.storage.plans import Plan, now, write_plan
from medray.storage.remove import remove
from medray.storage.snapshot import snapshot
from medray.storage.store import LAKE, Store
from medray.storage.uri import join

pytestmark = pytest.mark.s3


def _planned(lake: str, name: str, **changes: Any) -> Plan:
    return write_plan(LAKE, lake, story.plan(name, inputs=(0, 1, 2), planned_at=now(), **changes))


def _put(lake: str, path: str) -> str:
    LAKE.replace(join(lake, path), b"x")
    return path


def test_status_and_vacuum_of_a_bucket(bucket: str) -> None:
    lake = join(bucket, "site")
    begun, dead = _planned(lake, "begun", kind="labels"), _planned(lake, "dead", kind="problem")
    for chunk in range(2):
        _put(lake, f"tables/labels/data/{dead.run_id}/0000{chunk}-of-00004.parquet")
    kept = _put(lake, f"tables/labels/data/{begun.run_id}/000000.parquet")
    found = {one.plan.name: one.progress for one in status(lake, job(), now()).open}
    assert found["dead"].words == "2 of 3 chunks"
    assert found["dead"].quiet_s < 120  # the store's clock and ours are in one zone
    abandon(lake, dead.run_id, job())
    garbage = {f"tables/labels/data/{dead.run_id}/0000{chunk}-of-00004.parquet" for chunk in range(2)}
    garbage.add(_put(lake, f"staging/{dead.run_id}/000000.arrow"))
    later = now() + timedelta(days=40)
    assert {one.path for one in find(lake, 30, None, job(), later)} == garbage
    vacuum(lake, 30, None, job(), later)
    left = {one.uri.removeprefix(lake + "/") for one in dated(LAKE, lake)}
    assert not left & garbage
    assert kept in left
    assert [one.plan.name for one in status(lake, job(), now()).open] == ["begun"]


def test_the_small_files_of_a_bucket_are_brought_together(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(together, "FILES", 3)
    lake = join(bucket, "years")
    runs = commit_some(LAKE, lake, 4)
    assert together.bring_together(LAKE, lake) == 2
    runs += commit_some(LAKE, lake, 1, first=4)
    state = snapshot(Store(), lake)  # remembers nothing of it
    assert state.run_ids() == set(runs)
    assert set(state.table(AUDIT)["run_id"].to_pylist()) == set(runs)
    assert len(delta.named_files(LAKE, lake, RUNS)) == len(delta.named_files(LAKE, lake, AUDIT)) == 3


def test_credentials_that_may_not_delete_are_told_so(
    monkeypatch: pytest.MonkeyPatch, s3_server: int, new_bucket: Any
) -> None:
    public = new_bucket("public")
    seaweed.admin(s3_server).pipe_file(f"{public.removeprefix('s3://')}/a", b"x")
    for variable, value in {**seaweed.environment(s3_server), "AWS_ACCESS_KEY_ID": "lake"}.items():
        monkeypatch.setenv(f"READER_{variable}", value)
    with pytest.raises(StorageError), told(public):
        remove(Store("READER_"), public, [join(public, "a")])
    assert seaweed.admin(s3_server).exists(f"{public.removeprefix('s3://')}/a")
