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
) -> None:
    """Kill once two epochs of the new training have ended."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        for folder in _trainings(scene) - before:
            if (folder / f"{KILLED_AFTER:06d}.checkpoint").exists() and (pid := victim()):
                os.kill(pid, signal.SIGKILL)
                return
        time.sleep(0.01)
    raise AssertionError(f"the training ended before it could be killed: {(scene.folder / 'log').read_text()[-2000:]}")


def _trainings(scene: Scene) -> set[Path]:
    return set((scene.folder / "lake" / "training").iterdir())


def _train_worker(driver: int) -> int | None:
    for process in psutil.Process(driver).children(recursive=True):
        if "RayTrainWorker" in " ".join(process.cmdline()):
            return process.pid
    return None


@pytest.fixture
def uninterrupted(trained: Scene, training: dict[str, Any]) -> str:
    """The model of a training that nobody disturbed."""
    trained.run("train", name="undisturbed", training=training)
    return versions(LAKE, trained.lake, "tiny")[-1].sha256


@pytest.mark.parametrize("victim", ["worker", "driver"])
def test_a_killed_training_gives_the_same_model(
    trained: Scene, uninterrupted: str, training: dict[str, Any], victim: str
) -> None:
    before = _trainings(trained)
    process = _start(trained, training)
    _kill_after(trained, before, process, lambda: process.pid if victim == "driver" else _train_worker(process.pid))
    if victim == "driver":
        process.wait(60)
        (folder,) = _trainings(trained) - before
        reached = json.loads((folder / "progress.json").read_text())["history"]
        process = _start(trained, training)
    assert process.wait(200) == 0, (trained.folder / "log").read_text()[-3000:]
    (folder,) = _trainings(trained) - before
    history = json.loads((folder / "progress.json").read_text())["history"]
    assert [record["epoch"] for record in history] == list(range(1, EPOCHS + 1))
    if victim == "driver":
        assert history[: len(reached)] == reached  # finished epochs were not trained again
    assert versions(LAKE, trained.lake, "tiny")[-1].sha256 == uninterrupted
    assert len(list(folder.glob("*.checkpoint"))) == 2  # older ones are pruned
