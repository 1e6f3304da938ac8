"""An S3 server on bad days: what is asked for is right or told, in bounded time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from faults import store_faults
from faults.store_proxy import KINDS, Faults, proxied

from medray.errors import StorageError
from medray.storage.failures import told
from medray.storage.models import register, save_model, versions
from medray.storage.store import LAKE

pytestmark = [pytest.mark.s3, pytest.mark.timeout(180)]


@pytest.fixture
def faults(s3_server: int) -> Iterator[Faults]:
    """A server that fails as the `script` says."""
    faults = Faults((), 0.0, 0)
    with proxied(s3_server, faults) as door, store_faults.through(door):
        yield faults


@pytest.mark.parametrize("kind", ["dropped", "cut", "500", "503", "reset", "truncated"])
def test_a_write_whose_answer_is_lost_is_known_for_our_own(bucket: str, faults: Faults, kind: str) -> None:
    """The client repeats it; a server that has it refuses the second."""
    faults.script = [kind]
    assert LAKE.put_if_absent(f"{bucket}/claim", b"ours") is True
    assert LAKE.put_if_absent(f"{bucket}/claim", b"theirs") is False
    assert LAKE.read(f"{bucket}/claim") == b"ours"


def test_a_model_gets_one_version_though_the_answer_is_lost(bucket: str, faults: Faults) -> None:
    sha256 = save_model(LAKE, bucket, {"w": np.zeros(1, np.float32)}, {"family": "image"}, {})
    faults.script = [None, "dropped"]  # the listing, the record
    assert register(LAKE, bucket, "m", sha256, {"run_id": "r"}).version == 1
    assert [one.version for one in versions(LAKE, bucket, "m")] == [1]


def test_expired_credentials_are_told_at_once(bucket: str, faults: Faults) -> None:
    LAKE.replace(f"{bucket}/x", b"1")
    faults.script = ["expired"]
    with pytest.raises(StorageError, match="credentials"), told(bucket):
        LAKE.read_listed(f"{bucket}/x", 1)
    assert LAKE.read_listed(f"{bucket}/x", 1) == b"1"


def test_a_server_that_goes_on_failing_is_told(bucket: str, faults: Faults) -> None:
    faults.script = ["503"] * 20
    with pytest.raises(StorageError, match="overloaded or failing"), told(bucket):
        LAKE.put_if_absent(f"{bucket}/x", b"1")
    assert len(faults.script) == 16  # four tries


def test_an_ingest_on_a_bad_day_is_right_or_told_and_a_good_day_completes_it(
    s3_server: int, bucket: str, tmp_path: Path
) -> None:
    images, records = store_faults.images(tmp_path, bucket), store_faults.records(tmp_path, bucket)
    days = [(images, Faults(KINDS, 0.02, 1)), (images, Faults(("stale",), 0.3, 3)), (records, Faults(KINDS, 0.02, 2))]
    trials = [
        store_faults.run_trial(s3_server, archive, f"{bucket}/lake-{number}", faults)
        for number, (archive, faults) in enumerate(days)
    ]
    assert [trial for trial in trials if trial.faults] == []
    assert all(trial.done for trial in trials)


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_thirty_bad_days(s3_server: int, bucket: str, tmp_path: Path) -> None:
    archives = store_faults.images(tmp_path, bucket), store_faults.records(tmp_path, bucket)
    trials = [
        store_faults.run_trial(s3_server, archives[number % 2], f"{bucket}/lake-{number}", faults)
        for number, faults in enumerate(store_faults.chosen(30, seed=2))
    ]
    assert [trial for trial in trials if trial.faults] == []
