"""A training that is killed goes on where it was, and gives the very same model."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from faults import own_ray
from scene import Scene

from medray.storage.models import versions
from medray.storage.store import LAKE

pytestmark = [pytest.mark.ray, pytest.mark.cluster, pytest.mark.timeout(300)]
ROOT = Path(__file__).resolve().parents[2]
EPOCHS, KILLED_AFTER = 5, 2


@pytest.fixture
def training() -> dict[str, Any]:
    return {
        "epochs": EPOCHS,
        "batch_size": 8,
        "learning_rate": 0.003,
        "weight_decay": 0.01,
        "ema": 0.9,
        "seed": 7,
        "workers": 2,
    }


def _start(scene: Scene, training: dict[str, Any]) -> subprocess.Popen[bytes]:
    path = scene.folder / "train.json"
    path.write_text(json.dumps(scene.recipe("train", name="killed", training=training)))
    with (scene.folder / "log").open("ab") as log:
        return subprocess.Popen([sys.executable, str(ROOT / "jobs" / "train.py"), str(path)], stdout=log, stderr=log)


def _kill_after(
    scene: Scene, before: set[Path], process: subprocess.Popen[bytes], victim: Callable[[], int | None]
) -> list[psutil.Process]:
    """Kill once two epochs of the new training have ended. Returns the processes that it had."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        for folder in _trainings(scene) - before:
            if (folder / f"{KILLED_AFTER:06d}-00000000.checkpoint").exists() and (pid := victim()):
                family = own_ray.descendants(process.pid)
                os.kill(pid, signal.SIGKILL)
                return family
        time.sleep(0.01)
    raise AssertionError(f"the training ended before it could be killed: {(scene.folder / 'log').read_text()[-2000:]}")


def _trainings(scene: Scene) -> set[Path]:
    return set((scene.folder / "lake" / "training").iterdir())


def _train_worker(driver: int) -> int | None:
    for process in psutil.Process(driver).children(recursive=True):
        if "RayTrainWorker" in " ".join(process.cmdline()):
            return process.pid
    return None


def test_a_killed_training_gives_the_same_model(trained: Scene, training: dict[str, Any]) -> None:
    trained.run("train", name="undisturbed", training=training)
    undisturbed = versions(LAKE, trained.lake, "tiny")[-1].sha256
    for victim in ("worker", "driver"):
        reached, folder = _killed_training(trained, {**training, "retries": 2 if victim == "worker" else 3}, victim)
        history = json.loads((folder / "progress.json").read_text())["history"]
        assert [record["epoch"] for record in history] == list(range(1, EPOCHS + 1))
        assert history[: len(reached)] == reached  # finished epochs were not trained again
        assert versions(LAKE, trained.lake, "tiny")[-1].sha256 == undisturbed
        assert len(list(folder.glob("*.checkpoint"))) == 2  # older ones are pruned


def _killed_training(scene: Scene, training: dict[str, Any], victim: str) -> tuple[list[dict[str, float]], Path]:
    """What a training had reached when its driver was killed (nothing for a worker), and its folder.
    The two trainings differ in `retries` only, so that each is a run of its own."""
    before = _trainings(scene)
    process = _start(scene, training)
    family = _kill_after(
        scene, before, process, lambda: process.pid if victim == "driver" else _train_worker(process.pid)
    )
    reached: list[dict[str, float]] = []
    if victim == "driver":
        process.wait(60)
        own_ray.bury(family)
        (folder,) = _trainings(scene) - before
        reached = json.loads((folder / "progress.json").read_text())["history"]
        process = _start(scene, training)
    assert process.wait(200) == 0, (scene.folder / "log").read_text()[-3000:]
    (folder,) = _trainings(scene) - before
    return reached, folder
