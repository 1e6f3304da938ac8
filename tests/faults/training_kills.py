"""Kills of a training: its workers and its driver, at random steps and while a checkpoint is on its way.

    python tests/faults/training_kills.py --kills 20 --seed 1 --work FOLDER

trains once undisturbed and once with so many kills, and draws both curves into FOLDER/curves.png. Prints how far they
are apart and whether the models are the same. The tests do the same with three kills.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import psutil

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from faults import own_ray  # noqa: E402
from scene import Scene, write_scene  # noqa: E402

from medray.storage.models import versions  # noqa: E402
from medray.storage.store import LAKE, TEMPORARY  # noqa: E402

Record = dict[str, float]
_LIMIT_S = 240


@dataclass(frozen=True)
class Kill:
    """Attributes:
    victim: a worker of the training, or its driver.
    after: so many steps further than the kill before.
    uploading: not before a checkpoint is half written.
    """

    victim: Literal["worker", "driver"]
    after: int
    uploading: bool


@dataclass
class Told:
    """Attributes:
    history: a record an epoch.
    model: the hash of what came out.
    places: (epoch, step) of the newest checkpoint at each kill, and who was killed.
    """

    history: list[Record]
    model: str
    places: list[tuple[int, int, str]] = field(default_factory=list)


def training(epochs: int, retries: int) -> dict[str, Any]:
    """A checkpoint after each step, if none is on its way. Other retries make another run of it."""
    return {
        "epochs": epochs, "batch_size": 8, "learning_rate": 0.003, "weight_decay": 0.01, "ema": 0.9, "seed": 7,
        "workers": 2, "checkpoint_s": 0, "retries": retries,
    }  # fmt: skip


def drawn(kills: int, steps: int, seed: int) -> list[Kill]:
    """Kills over a training of so many steps: two of three of a worker, every other while a checkpoint is written."""
    draw = random.Random(seed)
    gap = max(steps // (kills + 1), 1)
    return [
        Kill("driver" if number % 3 == 2 else "worker", draw.randint(1, gap), number % 2 == 1)
        for number in range(kills)
    ]


def undisturbed(scene: Scene, epochs: int) -> Told:
    scene.run("train", name="undisturbed", training=training(epochs, 99))
    folder = max(_folders(scene), key=lambda path: path.stat().st_mtime)
    return Told(_history(folder), versions(LAKE, scene.lake, "tiny")[-1].sha256)


def killed(scene: Scene, epochs: int, kills: Sequence[Kill], tell: Callable[[str], None] = lambda text: None) -> Told:
    """The training to its end, through all kills. A driver that was killed is started again, as by a person."""
    before = set(_folders(scene))
    told, reached = Told([], ""), 0
    process = _start(scene, epochs)
    for kill in kills:
        found = _kill(scene, process, kill, before, reached)
        if found is None:
            break
        family, place = found
        reached = place[0] * 10_000 + place[1]
        told.places.append((*place, kill.victim))
        tell(f"{kill.victim} killed {'while a checkpoint was written' if kill.uploading else ''} after {place}")
        if kill.victim == "driver":
            process.wait(60)
            own_ray.bury(family)
            process = _start(scene, epochs)
    if process.wait(_LIMIT_S) != 0:
        raise AssertionError((scene.folder / "log").read_text()[-3000:])
    (folder,) = set(_folders(scene)) - before
    told.history, told.model = _history(folder), versions(LAKE, scene.lake, "tiny")[-1].sha256
    return told


def _start(scene: Scene, epochs: int) -> subprocess.Popen[bytes]:
    path = scene.folder / "train.json"
    path.write_text(json.dumps(scene.recipe("train", name="killed", training=training(epochs, 100))))
    with (scene.folder / "log").open("ab") as log:
        return subprocess.Popen([sys.executable, str(ROOT / "jobs" / "train.py"), str(path)], stdout=log, stderr=log)


def _kill(
    scene: Scene, process: subprocess.Popen[bytes], kill: Kill, before: set[Path], reached: int
) -> tuple[list[psutil.Process], tuple[int, int]] | None:
    """Kill at the moment that was drawn. Returns the processes that the job had, and the newest checkpoint's place;
    None where the training has ended before."""
    deadline, begin = time.monotonic() + _LIMIT_S, None
    while time.monotonic() < deadline and process.poll() is None:
        for folder in set(_folders(scene)) - before:
            place = _newest(folder)
            if place is None or place[0] * 10_000 + place[1] <= reached:
                continue  # the restarted training has not come further yet
            begin = begin or place
            far = (place[0] - begin[0]) * _steps(folder) + place[1] - begin[1] >= kill.after - 1
            if not far or (kill.uploading and not list(folder.glob(f"{TEMPORARY}*"))):
                continue
            victim = process.pid if kill.victim == "driver" else _worker(process.pid)
            if victim is not None:
                family = own_ray.descendants(process.pid)
                os.kill(victim, signal.SIGKILL)
                return family, place
        time.sleep(0.0005)
    if process.poll() == 0:
        return None
    raise AssertionError(f"the training failed or stood still: {(scene.folder / 'log').read_text()[-2000:]}")


def _steps(folder: Path) -> int:
    """Of an epoch, as far as checkpoints have shown them."""
    return max((int(path.stem.split("-")[1]) for path in folder.glob("*.checkpoint")), default=1) or 1


def _newest(folder: Path) -> tuple[int, int] | None:
    places = [tuple(map(int, path.stem.split("-"))) for path in folder.glob("*.checkpoint")]
    return max(((place[0], place[1]) for place in places), default=None)


def _folders(scene: Scene) -> list[Path]:
    folder = scene.folder / "lake" / "training"
    return list(folder.iterdir()) if folder.exists() else []


def _worker(driver: int) -> int | None:
    """One of the training's workers: whichever comes first."""
    for process in psutil.Process(driver).children(recursive=True):
        try:
            if "RayTrainWorker" in " ".join(process.cmdline()):
                return process.pid
        except psutil.Error:
            continue
    return None


def _history(folder: Path) -> list[Record]:
    history: list[Record] = json.loads((folder / "progress.json").read_text())["history"]
    return history


def apart(whole: Told, cut: Told) -> float:
    """The largest difference of their losses."""
    pairs = zip(whole.history, cut.history, strict=True)
    return max(abs(one[name] - other[name]) for one, other in pairs for name in ("loss", "tuning_loss"))


def draw_curves(whole: Told, cut: Told, path: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 4), layout="constrained")
    axes = figure.subplots()
    epochs = [record["epoch"] for record in whole.history]
    for name, colour in (("loss", "#4f7cac"), ("tuning_loss", "#d9772b")):
        one, other = ([record[name] for record in told.history] for told in (whole, cut))
        axes.plot(epochs, one, color=colour, linewidth=6, alpha=0.3, label=f"{name}, undisturbed")
        axes.plot(epochs, other, color="black", linewidth=0.9, label=f"{name}, killed")
    for epoch, step, victim in cut.places:
        style = "-" if victim == "driver" else ":"
        axes.axvline(epoch + min(step, 9) / 10, color="#b3372f", linewidth=0.7, linestyle=style)
    title = f"{len(cut.places)} kills (red; drivers solid), largest difference {apart(whole, cut):.1e}"
    axes.set(xlabel="epoch", ylabel="loss", title=title)
    axes.legend()
    figure.savefig(path, dpi=130)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--work", type=Path, required=True)
    asked = parser.parse_args()
    from medray.engine.session import session

    scene = write_scene(asked.work / "scene")
    with session(2, None):
        scene.run("ingest_dicom")
        whole = undisturbed(scene, asked.epochs)
    cut = killed(scene, asked.epochs, drawn(asked.kills, 4 * asked.epochs, asked.seed), print)
    draw_curves(whole, cut, asked.work / "curves.png")
    same = whole.model == cut.model
    print(json.dumps({"kills": len(cut.places), "largest_difference": apart(whole, cut), "same_model": same}))


if __name__ == "__main__":
    main()
