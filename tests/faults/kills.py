"""Kills at seeded points of a job, then a run to the end: what is lost, doubled, repeated or seen in part?

    python tests/faults/kills.py --job ingest --victim driver --points 20 --seed 1

A point is the n-th file that appears in the lake: plans, chunk files, shards, commits. The job that is killed
runs in a process of its own with its own Ray; a reader polls the lake from outside all the while. After
the kill the archive grows, and a nightly run takes over: it finishes what is unfinished, then ingests,
prepares and scores the rest.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

import psutil

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from faults import record_stage, stage  # noqa: E402

from medray.engine.session import session  # noqa: E402

VICTIMS = ("worker", "driver", "raylet")
ZOMBIE = "zombie"  # the job with all of its Ray is stopped, and goes on when a night has done its work
STAGES = {
    **dict.fromkeys(("ingest", "prepare", "predict", "commit", "night"), stage),
    **dict.fromkeys(("records", "records_commit"), record_stage),
}
JOBS = tuple(STAGES)
_LIMIT_S = 120
SWEPT = 0  # the stamp of a staged file that its commit has removed
_BYSTANDERS = ("IDLE", "Agent", "_StatsActor", "Coordinator", "DatasetManager")  # none of them does the work


@dataclass
class Trial:
    """What one kill left behind. Every list of faults must be empty."""

    job: str
    victim: str
    point: int
    killed: bool
    faults: list[str] = field(default_factory=list)


def run_trial(base: Path, job: str, victim: str, point: int) -> Trial:
    """Restore the scene, kill at the point, let the archive grow, run a night, look."""
    acts = STAGES[job]
    scene = acts.restore(base, job)
    with _Reader(scene, acts) as reader:
        killed, zombie = _killed_run(scene, job, victim, point)
        finished = _finished_files(scene)
        acts.grow(scene)
        acts.run(scene, "night")
        if zombie is not None:
            zombie.wake()
    trial = Trial(job, victim, point, killed, [*reader.faults])
    trial.faults += acts.faults(scene)
    trial.faults += [f"repeated: {path.name}" for path, stamp in finished.items() if _stamp(path) not in (stamp, SWEPT)]
    return trial


def points(base: Path, job: str, count: int, seed: int) -> list[int]:
    """Seeded points of a job. The last is among its last files, where tables are committed; with
    a job "commit", all are."""
    scene = STAGES[job].restore(base, job)
    before = len(_files(scene))
    with _Appearing(scene) as appearing:
        STAGES[job].run(scene, job)
    total = len(appearing.seen) - before
    commits = max(total - 5, 1)
    draw = random.Random(f"{seed} {job}")
    drawn = [draw.randint(commits if job.endswith("commit") else 1, total) for _ in range(count - 1)]
    return [*sorted(drawn), draw.randint(commits, total)]


def _killed_run(scene: Path, job: str, victim: str, point: int) -> tuple[bool, _Zombie | None]:
    """Start the job and kill one victim once `point` files were new. Returns whether it came to that, and
    the job where it stands still."""
    seen = set(_files(scene))
    target = len(seen) + point
    process = _run(scene, job)
    deadline = time.monotonic() + _LIMIT_S
    family: list[psutil.Process] = []
    zombie: _Zombie | None = None
    try:
        before = len(seen)
        while process.poll() is None and time.monotonic() < deadline:
            seen.update(_files(scene))
            if len(seen) >= target and (pid := _victim(process.pid, victim)):
                family = descendants(process.pid)
                if victim == ZOMBIE:
                    zombie = _Zombie(process, [psutil.Process(process.pid), *family])
                    zombie.stop()
                    family = []
                    return True, zombie
                os.kill(pid, signal.SIGKILL)
                # A driver sees after some 15 s that its raylet is gone; this host is gone sooner.
                _wait(process, 3 if victim == "raylet" else _LIMIT_S)
                return True, None
            # It starts for some seconds before it writes: looking closer then would only slow it down.
            time.sleep(0.002 if len(seen) > before else 0.02)
        return False, None
    finally:
        if process.poll() is None and zombie is None:
            process.kill()
            process.wait()
        bury(family)


@dataclass(frozen=True)
class _Zombie:
    """A job that stands still, all of its processes, the driver first."""

    process: subprocess.Popen[bytes]
    family: list[psutil.Process]

    def stop(self) -> None:
        for one in self.family:
            with suppress(psutil.NoSuchProcess):
                one.suspend()

    def wake(self) -> None:
        """Let it go on to whatever end it finds."""
        for one in reversed(self.family):
            with suppress(psutil.NoSuchProcess):
                one.resume()
        _wait(self.process, _LIMIT_S)
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        bury(self.family[1:])


def _run(scene: Path, job: str) -> subprocess.Popen[bytes]:
    name = STAGES[job].JOBS[job]
    with (scene / "log").open("ab") as log:
        return subprocess.Popen(
            [
                sys.executable,
                str(ROOT / "jobs" / f"{name}.py"),
                str(scene / f"{name}.toml"),
                "--run-date",
                "2026-01-02",
            ],
            stdout=log,
            stderr=log,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            cwd=scene,
        )


def _wait(process: subprocess.Popen[bytes], seconds: float) -> None:
    with suppress(subprocess.TimeoutExpired):
        process.wait(seconds)


def _victim(driver: int, kind: str) -> int | None:
    """A process of this very job, never of another Ray on the machine."""
    if kind in ("driver", ZOMBIE):
        return driver
    with suppress(psutil.NoSuchProcess):
        for process in descendants(driver):
            title = " ".join(process.cmdline())
            if kind == "raylet" and "raylet/raylet" in title:
                return process.pid
            if kind == "worker" and title.startswith("ray::") and not any(word in title for word in _BYSTANDERS):
                return process.pid
    return None


def descendants(driver: int) -> list[psutil.Process]:
    """The processes of one job, its Ray's among them."""
    with suppress(psutil.NoSuchProcess):
        return psutil.Process(driver).children(recursive=True)
    return []


def bury(family: list[psutil.Process]) -> None:
    """Workers go on for a second or three after their driver died, as on a real host, and are given 5.
    What serves them is ended at once: it reads and writes nothing, and some of it would stay for ever."""
    psutil.wait_procs([process for process in family if not _serves(process)], timeout=5)
    for process in family:
        with suppress(psutil.NoSuchProcess):
            process.kill()


def _serves(process: psutil.Process) -> bool:
    """A part of Ray itself: raylet, GCS, monitors, agents. A worker that just starts is none of these."""
    with suppress(psutil.Error):
        title = " ".join(process.cmdline())
        return "Agent" in title or ("/ray/" in title and "default_worker" not in title)
    return False


def _files(scene: Path) -> list[Path]:
    found = []
    for folder, _, names in os.walk(scene / "lake"):
        found += [Path(folder) / name for name in names if not name.startswith(".tmp-")]
    return found


def _finished_files(scene: Path) -> dict[Path, int]:
    """Chunk files and shards that stand after the kill."""
    return {
        path: _stamp(path)
        for path in _files(scene)
        if path.suffix in (".parquet", ".arrow") and "plans" not in path.parts
    }


def _stamp(path: Path) -> int:
    if path.exists():
        return path.stat().st_mtime_ns
    return SWEPT if "staging" in path.parts else -1


class _Appearing:
    """Sees every file that appears in the lake, those that are swept again among them."""

    def __init__(self, scene: Path) -> None:
        self._scene, self._stop = scene, threading.Event()
        self._thread = threading.Thread(target=self._poll)
        self.seen: set[Path] = set()

    def __enter__(self) -> _Appearing:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        self._thread.join()

    def _poll(self) -> None:
        while not self._stop.wait(0.002):
            self.seen.update(_files(self._scene))
        self.seen.update(_files(self._scene))


class _Reader:
    """Looks at the lake as any reader would, whenever a file has come or gone, and checks each snapshot
    against its own runs."""

    def __init__(self, scene: Path, acts: ModuleType) -> None:
        self._scene, self._acts, self._stop = scene, acts, threading.Event()
        self._thread = threading.Thread(target=self._poll)
        self.faults: list[str] = []

    def __enter__(self) -> _Reader:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        self._thread.join()

    def _poll(self) -> None:
        looked_at: set[Path] | None = None
        while not self._stop.wait(0.05):
            if (files := set(_files(self._scene))) != looked_at:
                looked_at = files
                self.faults += [f"seen in part: {fault}" for fault in self._acts.partial(self._scene)]


def campaign(base: Path, arguments: argparse.Namespace) -> Iterator[Trial]:
    """The trials of a command line, one after the other."""
    for job in arguments.job or JOBS:
        victims = arguments.victim or VICTIMS
        for number, point in enumerate(points(base, job, arguments.points, arguments.seed)):
            yield run_trial(base, job, victims[number % len(victims)], point)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--job", choices=JOBS, action="append")
    parser.add_argument("--victim", choices=(*VICTIMS, ZOMBIE), action="append")
    parser.add_argument("--points", type=int, default=20, help="kills for each job, shared among the victims")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    base = Path(tempfile.mkdtemp(prefix="medray-kill-base-"))
    results: Counter[str] = Counter()
    try:
        with session(2):
            for acts in {STAGES[job].__name__: STAGES[job] for job in arguments.job or JOBS}.values():
                acts.build(base)
            for trial in campaign(base, arguments):
                results["fault" if trial.faults else "right" if trial.killed else "ended before the kill"] += 1
                print(trial, flush=True)
    finally:
        shutil.rmtree(base, ignore_errors=True)
    print(dict(results))
    sys.exit(1 if results["fault"] else 0)


if __name__ == "__main__":
    main()
