"""The roles may do what medray does, and nothing else: by the policies' words, and by a store that keeps to them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import policed_s3
import pyarrow as pa
import pytest
import seaweed
import story
import torch
from manifests import CLUSTER, documents
from policed_s3 import Police, allows, policed, statements

from medray.drivers.operate.vacuum import vacuum
from medray.engine.checkpoint import Progress, State, load_checkpoint, newest, save_checkpoint, take
from medray.errors import StorageError
from medray.schema.quarantine import QUARANTINE
from medray.storage import models, promotions
from medray.storage.commit import Outcome, commit_run, write_rows
from medray.storage.lake import Identity, claim
from medray.storage.plans import now, planned_runs, read_plan, write_plan
from medray.storage.snapshot import snapshot
from medray.storage.staging import StagingWriter, read_staged_facts, staged_uri, sweep_staging
from medray.storage.store import Store

JOB = statements("read-source", "write-lake")  # what the role medray-job has
VACUUM = statements("vacuum-lake")
ARCHIVE, LAKE = "arn:aws:s3:::hospital-archive", "arn:aws:s3:::hospital-lake"
TABLE = f"{LAKE}/chest/tables/images"


@pytest.mark.parametrize(
    ("policy", "action", "resource", "allowed"),
    [
        (JOB, "GetObject", f"{ARCHIVE}/radiographs/a/1.dcm", True),
        (JOB, "GetObject", f"{ARCHIVE}/labels/pneumonia.csv", True),
        (JOB, "GetObject", f"{ARCHIVE}/staff/salaries.csv", False),
        (JOB, "PutObject", f"{ARCHIVE}/radiographs/a/1.dcm", False),
        (JOB, "DeleteObject", f"{ARCHIVE}/radiographs/a/1.dcm", False),
        (JOB, "PutObject", f"{TABLE}/data/run/000001.parquet", True),
        (JOB, "GetObject", f"{TABLE}/_delta_log/00000000000000000000.json", True),
        (JOB, "AbortMultipartUpload", f"{TABLE}/data/run/000001.parquet", True),
        (JOB, "DeleteObject", f"{TABLE}/data/run/000001.parquet", False),
        (JOB, "DeleteObject", f"{TABLE}/_delta_log/00000000000000000000.json", False),
        (JOB, "DeleteObject", f"{LAKE}/chest/models/blobs/0/weights.safetensors", False),
        (JOB, "DeleteObject", f"{LAKE}/chest/plans/train/run/plan.json", False),
        (JOB, "DeleteObject", f"{LAKE}/chest/lake.json", False),
        (JOB, "DeleteObject", f"{LAKE}/chest/staging/run/000001.arrow", True),
        (JOB, "DeleteObject", f"{LAKE}/chest/training/run/000001-00000000.checkpoint", True),
        (JOB, "PutObject", f"{LAKE}/other-lake/lake.json", False),
        (JOB, "GetObject", "arn:aws:s3:::hospital-trust-office/linkage/x", False),
        (JOB, "PutBucketPolicy", LAKE, False),
        (JOB, "DeleteObjectVersion", f"{LAKE}/chest/staging/run/000001.arrow", False),
        (VACUUM, "DeleteObject", f"{TABLE}/data/run/000001.parquet", True),
        (VACUUM, "DeleteObject", f"{LAKE}/chest/cache/image/0/1.arrow", True),
        (VACUUM, "DeleteObject", f"{TABLE}/_delta_log/00000000000000000000.json", False),
        (VACUUM, "DeleteObject", f"{LAKE}/chest/models/blobs/0/weights.safetensors", False),
        (VACUUM, "DeleteObject", f"{LAKE}/chest/reports/run/report.html", True),
        (VACUUM, "DeleteObject", f"{LAKE}/chest/reports/run/report.json", False),
        (VACUUM, "DeleteObject", f"{LAKE}/chest/plans/train/run/plan.json", False),
        (VACUUM, "GetObject", f"{ARCHIVE}/radiographs/a/1.dcm", False),
        (statements("write-linkage"), "PutObject", "arn:aws:s3:::hospital-trust-office/linkage/x", True),
        (statements("write-linkage"), "DeleteObject", "arn:aws:s3:::hospital-trust-office/linkage/x", False),
        (statements("write-linkage"), "GetObject", f"{LAKE}/chest/lake.json", False),
        (statements("read-linkage"), "GetObject", "arn:aws:s3:::hospital-trust-office/linkage/x", True),
        (statements("read-linkage"), "PutObject", "arn:aws:s3:::hospital-trust-office/linkage/x", False),
    ],
)
def test_a_role_may_do_its_work_and_no_more(policy: list[Any], action: str, resource: str, allowed: bool) -> None:
    assert allows(policy, f"s3:{action}", resource) is allowed


def test_listings_keep_to_their_folders() -> None:
    assert allows(JOB, "s3:ListBucket", ARCHIVE, "radiographs/2026/")
    assert not allows(JOB, "s3:ListBucket", ARCHIVE, "staff/")
    assert not allows(JOB, "s3:ListBucket", ARCHIVE, "")
    # Without the right to list, Amazon answers 403 where nothing is: the lake's readers have to see 404.
    assert allows(JOB, "s3:ListBucket", LAKE, None)


def test_no_policy_has_a_star_for_what_it_does_and_none_reaches_further_than_it_has_to() -> None:
    for path in sorted((CLUSTER / "iam").glob("*.json")):
        document = json.loads(path.read_text())
        assert (document["Version"], set(document)) == ("2012-10-17", {"Version", "Statement"})
        for one in document["Statement"]:
            assert one["Effect"] == "Allow"
            assert "*" not in json.dumps(one["Action"]), path
            if one.get("Resource") == ["*"]:  # neither looking at machines nor logging in has a resource
                assert one["Sid"] in ("LookAtMachines", "PullImage"), path
    assert "*" not in json.dumps([statements("trust-job"), statements("trust-vacuum")])


def test_the_accounts_of_the_pods_are_the_ones_that_the_roles_trust() -> None:
    accounts = documents((CLUSTER / "kubernetes" / "accounts.yaml").read_text())
    role = {one["metadata"]["name"]: one["metadata"].get("annotations", {}) for one in accounts}
    wearing: dict[str, set[str]] = {}
    for name, notes in role.items():
        for arn in notes.values():
            wearing.setdefault(arn.rsplit("/", 1)[1], set()).add(f"system:serviceaccount:medray:{name}")
    for name, found in wearing.items():
        (trust,) = statements(f"trust-{name.removeprefix('medray-')}")
        subjects = next(value for key, value in trust["Condition"]["StringEquals"].items() if key.endswith(":sub"))
        assert set(subjects) == found
    assert set(wearing) == {"medray-job", "medray-vacuum"}


@pytest.fixture
def police(s3_server: int) -> Iterator[Police]:
    """The hospital's buckets behind the policies of the role medray-job."""
    admin = seaweed.admin(s3_server)
    for bucket in ("hospital-archive", "hospital-lake"):
        if not admin.exists(bucket):
            admin.mkdir(bucket)
    admin.pipe_file("hospital-archive/radiographs/a/1.dcm", b"one")
    with policed(s3_server, JOB) as found:
        yield found


@pytest.fixture
def guarded(police: Police, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A store whose requests go through the policies."""
    return _store(police, monkeypatch)


def _store(police: Police, monkeypatch: pytest.MonkeyPatch) -> Store:
    prefix = f"POLICED_{police.port}_"
    own = {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{police.port}", "AWS_REGION": "us-east-1"}
    keys = {"AWS_ACCESS_KEY_ID": "admin", "AWS_SECRET_ACCESS_KEY": seaweed.secret("admin")}
    for name, value in {**own, **keys}.items():
        monkeypatch.setenv(prefix + name, value)
    return Store(prefix)


@pytest.mark.s3
def test_a_run_keeps_to_the_policies_from_plan_to_commit(police: Police, guarded: Store) -> None:
    store, lake = guarded, "s3://hospital-lake/chest"
    (listed,) = store.walk("s3://hospital-archive/radiographs")
    assert store.read_listed(listed.uri, listed.size_bytes) == store.read(listed.uri) == b"one"
    claim(store, lake, Identity("f" * 16, identified=False))
    assert snapshot(store, lake).versions == {}
    assert planned_runs(store, lake, "ingest_dicom") == []
    plan = write_plan(store, lake, story.plan())
    assert read_plan(store, lake, plan.job, plan.run_id).run_id == plan.run_id

    staged = staged_uri(lake, plan.run_id, "000000.arrow")
    schema = pa.schema([("number", pa.int64())])
    with StagingWriter(store, staged, schema, 1) as writer:
        writer.add(pa.record_batch([pa.array([1])], schema=schema), np.zeros(1, np.uint16))
        writer.publish({})
    row = {"source_key": "k", "source_etag": "e", "size_bytes": 1, "stage": "ingest", "reason": "empty"}
    rows = pa.Table.from_pylist([{**row, "run_id": plan.run_id}], schema=QUARANTINE.schema)
    files = {QUARANTINE.name: write_rows(store, lake, plan, QUARANTINE, rows, "q")}
    commit_run(store, lake, plan, Outcome({"listed": 1}, files))
    sweep_staging(store, lake, [plan.run_id])
    assert read_staged_facts(store, staged) is None
    assert snapshot(store, lake).table(QUARANTINE, ("source_key",)).num_rows == 1
    assert police.refused == []
    assert ("s3:DeleteObject", f"{LAKE}/chest/staging/{plan.run_id}/000000.arrow") in police.asked

    with pytest.raises(OSError, match=r"(?i)access.?denied|forbidden|403"):
        store.delete(f"{lake}/tables/quarantine/{files[QUARANTINE.name][0].path}")
    assert [action for action, _ in police.refused] == ["s3:DeleteObject"]


@pytest.mark.s3
def test_a_training_keeps_to_the_policies(police: Police, guarded: Store) -> None:
    store, lake = guarded, "s3://hospital-lake/chest"
    folder = f"{lake}/training/run"
    weights = {"w": torch.zeros(2)}
    for epoch in (1, 2, 3, 4):
        progress = Progress(epoch=epoch)
        save_checkpoint(store, folder, take(State(weights, weights, {}, {"state": {}, "param_groups": []}, progress)))
    assert newest(store, folder) == (4, 0)
    assert load_checkpoint(store, folder, (4, 0)).progress.epoch == 4
    assert len([item for item in store.walk(folder) if item.uri.endswith(".checkpoint")]) == 2
    sha256 = models.save_model(store, lake, {"w": np.zeros(2, np.float32)}, {"family": "image"}, {})
    models.register(store, lake, "chest", sha256, {"run_id": "run"})
    promotions.promote(store, lake, "chest", 1, "run")
    assert promotions.choose(store, lake, "chest", "production").sha256 == sha256
    assert police.refused == []


@pytest.mark.s3
def test_only_the_vacuum_takes_a_file_away(
    s3_server: int, police: Police, guarded: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = "s3://hospital-lake/chest/swept"  # below the prefix of the policies
    plan = write_plan(guarded, lake, story.plan("swept"))
    orphan = f"{lake}/tables/images/data/{plan.run_id}/000009.parquet"
    commit_run(guarded, lake, plan, Outcome({"listed": 0}))
    guarded.replace(orphan, b"left by a killed run")
    later = now() + timedelta(days=90)
    with pytest.raises(StorageError, match=r"access denied|role of the vacuum"):
        vacuum(lake, 30, None, replace(story.job(), store=guarded), later)
    assert guarded.exists(orphan)
    statement = [
        {**one, "Resource": [name.replace("/chest/", "/chest/swept/") for name in one["Resource"]]} for one in VACUUM
    ]
    with policed(s3_server, statement) as allowed:
        vacuum(lake, 30, None, replace(story.job(), store=_store(allowed, monkeypatch)), later)
    assert allowed.refused == []
    assert not guarded.exists(orphan)


def test_the_police_reads_requests_as_amazon_does() -> None:
    body = b"<Delete><Object><Key>chest/tables/images/data/x</Key></Object></Delete>"
    assert policed_s3.needs("POST", "/hospital-lake?delete", {}, body) == [("s3:DeleteObject", f"{TABLE}/data/x", None)]
    assert policed_s3.needs("GET", "/b?list-type=2&prefix=a%2Fb", {}, b"") == [
        ("s3:ListBucket", "arn:aws:s3:::b", "a/b")
    ]
    assert policed_s3.needs("PUT", "/b/k", {"x-amz-copy-source": "/c/l"}, b"") == [
        ("s3:PutObject", "arn:aws:s3:::b/k", None),
        ("s3:GetObject", "arn:aws:s3:::c/l", None),
    ]
    assert policed_s3.needs("DELETE", "/b/k?uploadId=1", {}, b"")[0][0] == "s3:AbortMultipartUpload"
