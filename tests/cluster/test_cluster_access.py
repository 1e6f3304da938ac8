"""Who has no token gets nothing from a cluster of ours, and a run's secrets stay in its environment."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import subprocess
import sys
import tempfile
from datetime import date
from pathlib import Path
from typing import Any

import access_scene
import cloudpickle
import pytest
import story

from medray.config import load, resolved
from medray.demo.archive import write_archive
from medray.demo.cases import synthetic
from medray.storage.store import LAKE, LINKAGE, PUBLIC, Store

SCENE = Path(access_scene.__file__)
UNSHARE = ("unshare", "--pid", "--net", "--mount", "--fork", "--mount-proc")


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("access")
    write_archive(folder, synthetic(3, seed=1, size=32), label="opacity", first_day=date(2024, 1, 1))
    path = folder / "ingest.toml"
    path.write_text(
        f'job = "ingest_dicom"\nname = "secret"\nlake = "{folder}/lake"\n'
        f'[source]\nkind = "dicom"\nuri = "{folder}/archive"\nsubject = "PatientID"\n'
        f'[deidentify]\nprofile = "basic"\nkey = "env:MEDRAY_TEST_KEY"\n[linkage]\nuri = "{folder}/linkage"\n'
    )
    return path


@pytest.fixture(scope="module")
def told(recipe: Path) -> dict[str, Any]:
    """What happened on a head of ours."""
    if (
        shutil.which("unshare") is None
        or subprocess.run([*UNSHARE, "true"], capture_output=True, check=False).returncode
    ):
        pytest.skip("the kernel gives no namespaces: several heads on one machine would disturb each other")
    with tempfile.TemporaryDirectory(prefix="mra", dir="/tmp", ignore_cleanup_errors=True) as temp:  # sockets' paths
        script = f"ip link set lo up; exec {sys.executable} {SCENE} {recipe.parent} {temp}"
        command = [*UNSHARE, "bash", "-c", script]
        done = subprocess.run(command, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return dict(json.loads(done.stdout))


@pytest.mark.cluster
@pytest.mark.timeout(300)
def test_strangers_are_refused_at_every_door_and_change_nothing(told: dict[str, Any]) -> None:
    seen = told["strangers"]
    assert seen["doors"] >= 25
    assert seen["let_in"] == {}
    assert seen["before"] == seen["after"] == {"jobs": {"standing": "RUNNING"}, "package": 404}
    assert not seen["was_here"]


@pytest.mark.cluster
@pytest.mark.timeout(300)
def test_the_owner_is_let_in_by_the_same_doors(told: dict[str, Any]) -> None:
    seen = told["owner"]
    assert (seen["submit"], seen["was_here"], seen["stop"]) == (200, True, 200)
    expected = {door: 404 if "packages" in door else 101 if door.endswith("tail") else 200 for door in seen["got"]}
    assert seen["got"] == expected


@pytest.mark.cluster
@pytest.mark.timeout(300)
def test_what_stays_open_is_what_the_how_to_says(told: dict[str, Any]) -> None:
    """Shells and health checks of the dashboard; the metrics, which only the network closes."""
    assert set(told["strangers"]["open"].values()) == {200}
    said = (access_scene.CLUSTER / "README.md").read_text()
    for door in told["strangers"]["open"]:
        assert f"`{door}`" in said


@pytest.mark.cluster
@pytest.mark.timeout(300)
def test_a_runs_secrets_stand_nowhere(told: dict[str, Any]) -> None:
    seen = told["job"]
    assert seen["code"] == 0, seen["output"]
    assert seen["watched"]  # the driver's command line was among those looked at
    assert seen["files"]["logs"] > 10
    assert seen["files"]["lake"] > 5
    assert seen["leaks"] == []


def test_a_secret_would_be_found(tmp_path: Path) -> None:
    (tmp_path / "log").write_text(f"x{access_scene.TOKEN}x")
    assert access_scene.leaks(access_scene.files(tmp_path)) == [f"token in {tmp_path}/log"]


def test_what_travels_to_workers_holds_no_secret(recipe: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in access_scene.SECRETS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("RAY_AUTH_TOKEN", access_scene.TOKEN)
    found = load(str(recipe))
    travellers = [LAKE, LINKAGE, PUBLIC, Store("X_"), found, resolved(found), story.plan()]
    for store in (LAKE, LINKAGE):
        store.delta_options("s3://b")
        store.s3()
    texts = {
        f"{type(one).__name__} by {how.__name__}": how.dumps(one) for one in travellers for how in (pickle, cloudpickle)
    }
    assert access_scene.leaks(texts) == []
    assert os.environ["RAY_AUTH_TOKEN"] == access_scene.TOKEN
