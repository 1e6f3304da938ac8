"""A search end to end: what it finds, what it reads, and that a kill changes nothing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from faults import own_ray
from record_scene import TABULAR, RecordScene
from scene import as_new
from story import job

from medray import config
from medray.drivers.job import Result
from medray.entry import driver
from medray.storage.plans import read_plan
from medray.storage.shards import open_shard
from medray.storage.snapshot import snapshot
from medray.storage.store import LAKE

pytestmark = [pytest.mark.ray, pytest.mark.timeout(300)]
ROOT = Path(__file__).resolve().parents[2]
EPOCHS = 6
GOOD_RATE, BROKEN_RATE = 0.02, 1e30
RATES = [GOOD_RATE, 0.0003, BROKEN_RATE]


def recipe(scene: RecordScene, name: str, **search: Any) -> dict[str, Any]:
    training = {"epochs": EPOCHS, "batch_size": 8, "learning_rate": 0.003, "weight_decay": 0.01, "seed": 1}
    ranges = {"training.learning_rate": {"of": RATES}, "family.dropout": {"low": 0.0, "high": 0.5}}
    asked = {"trials": 1 + len(RATES), "seed": 2, "grace_epochs": 1, "reduction": 2, "ranges": ranges, **search}
    changes = {"family": TABULAR, "training": training, "search": asked, "model": {"name": "tiny"}}
    return {**scene.recipe("train", **changes), "job": "tune", "name": name}


def tune(document: dict[str, Any]) -> Result:
    found: Result = driver("tune")(config.parse(document, "test"), job())
    return found


def trials(result: Result) -> list[dict[str, Any]]:
    return list(result.facts["trials"])


@pytest.fixture(scope="module")
def searched(pristine_records: RecordScene) -> tuple[RecordScene, Result]:
    """A lake with an undisturbed search."""
    as_new(pristine_records.folder)
    return pristine_records, tune(recipe(pristine_records, "search"))


def poison(scene: RecordScene, run_id: str) -> int:
    """Overwrite what is prepared of every input that the search may not learn from. Returns how many."""
    plan = read_plan(LAKE, scene.lake, "tune", run_id)
    learnt = set(zip(plan.inputs["input_id"].to_pylist(), plan.inputs["input_version"].to_pylist(), strict=True))
    assert set(plan.inputs["split"].to_pylist()) == {"train", "tuning"}
    poisoned = 0
    for path in (Path(scene.lake) / "cache" / "tabular").rglob("*.arrow"):
        shard = open_shard(LAKE, str(path))
        keys = list(zip(shard.keys["uid"].to_pylist(), shard.keys["input_version"].to_pylist(), strict=True))
        values = shard.values.copy()
        other = [row for row, key in enumerate(keys) if key not in learnt]
        values[other] = 1e6
        poisoned += len(other)
        reader = pa.ipc.open_file(pa.memory_map(str(path)))
        batch = reader.get_batch(0)
        width = values.nbytes // len(values)
        column = pa.FixedSizeBinaryArray.from_buffers(pa.binary(width), len(values), [None, pa.py_buffer(values)])
        batch = batch.set_column(batch.schema.get_field_index("values"), batch.schema.field("values"), column)
        path.unlink()
        with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, reader.schema) as writer:
            writer.write_batch(batch)
    return poisoned


def test_a_search_finds_a_recipe(searched: tuple[RecordScene, Result]) -> None:
    scene, found = searched
    by_rate = {one["values"]["training.learning_rate"]: one for one in trials(found)}
    assert by_rate[BROKEN_RATE]["state"] == "failed"
    assert "no finite number" in by_rate[BROKEN_RATE]["failed"]
    assert (by_rate[GOOD_RATE]["state"], by_rate[GOOD_RATE]["epochs"]) == ("finished", EPOCHS)
    best = min((one for one in trials(found) if one["state"] == "finished"), key=lambda one: one["loss"])
    assert found.facts["best"] == best["trial"]
    assert best["loss"] == min(best["tuning_losses"])
    document = recipe(scene, "search")
    _train_recipe_of(document, best, found.facts["recipe"])
    counts = _counts(scene)
    assert counts["trials"] == 4 == counts["finished"] + counts["stopped"] + counts["failed"]
    assert counts["failed"] == 1
    again = tune(document)
    assert (again.status, again.facts) == ("already", found.facts)
    assert not [path for path in Path(scene.lake, "training", found.run_ids[0]).rglob("*") if "pkl" in path.suffix]


def test_held_out_inputs_and_the_number_of_workers_change_nothing(searched: tuple[RecordScene, Result]) -> None:
    scene, found = searched
    assert poison(scene, found.run_ids[0]) == _counts(scene)["held_out"] > 0
    apart = tune(recipe(scene, "search", concurrent=1))
    assert apart.run_ids != found.run_ids
    assert trials(apart) == trials(found)


def _counts(scene: RecordScene) -> dict[str, int]:
    run = next(row for row in snapshot(LAKE, scene.lake).runs.to_pylist() if row["job"] == "tune")
    return dict(run["counts"])


def _train_recipe_of(document: dict[str, Any], best: dict[str, Any], path: str) -> None:
    """The recipe that is written is the searched one with the best trial's settings."""
    wanted = {**document, "job": "train"}
    del wanted["search"]
    rate, dropout = best["values"]["training.learning_rate"], best["values"]["family.dropout"]
    wanted |= {
        "training": {**document["training"], "learning_rate": rate},
        "family": {**document["family"], "dropout": dropout},
    }
    assert config.load(path) == config.parse(wanted, "test")


@pytest.mark.cluster
def test_a_killed_search_ends_as_an_undisturbed_one(searched: tuple[RecordScene, Result]) -> None:
    scene, undisturbed = searched
    before = _searches(scene)
    document = recipe(scene, "killed")
    reached = _killed(scene, document, before)
    found = tune(document)
    assert trials(found) == trials(undisturbed)
    (folder,) = _searches(scene) - before
    for trial, history in reached.items():  # what was finished was not trained again
        told = json.loads((folder / "trials" / trial / "progress.json").read_text())["history"]
        assert told[: len(history)] == history


def _searches(scene: RecordScene) -> set[Path]:
    return set((Path(scene.lake) / "training").iterdir())


def _killed(scene: RecordScene, document: dict[str, Any], before: set[Path]) -> dict[str, list[dict[str, float]]]:
    """Kill the driver of a search when a few epochs stand. Returns the records of its trials."""
    path = scene.folder / "tune.json"
    path.write_text(json.dumps(document))
    with (scene.folder / "log").open("ab") as log:
        process = subprocess.Popen([sys.executable, str(ROOT / "jobs" / "tune.py"), str(path)], stdout=log, stderr=log)
    deadline = time.monotonic() + 200
    while time.monotonic() < deadline and process.poll() is None:
        if reached := _reached(_searches(scene) - before):
            family = own_ray.descendants(process.pid)
            os.kill(process.pid, signal.SIGKILL)
            process.wait(60)
            own_ray.bury(family)
            assert sum(map(len, reached.values())) < EPOCHS * 2, "killed too late"
            return reached
        time.sleep(0.01)
    raise AssertionError(f"ended before it could be killed: {(scene.folder / 'log').read_text()[-2000:]}")


def _reached(folders: set[Path]) -> dict[str, list[dict[str, float]]]:
    """Records by trial, once there are three."""
    logs = [log for folder in folders for log in folder.glob("trials/*/progress.json")]
    found = {log.parent.name: list(json.loads(log.read_text())["history"]) for log in logs}
    return found if sum(map(len, found.values())) >= 3 else {}
