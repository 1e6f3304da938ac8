"""Kills at seeded points of a job on a cluster of two nodes, then a run to the end: what is lost, doubled,
repeated or seen in part?

    python tests/faults/kills.py --points 200 --seed 1
    python tests/faults/kills.py --job ingest --victim driver --points 20 --seed 1

A point is the n-th file that appears in the lake: plans, chunk files, shards, commits. A trial has two: at the
first a worker is killed, which the job must survive, at the second the trial's victim. The job runs on the
cluster; a reader polls the lake from outside all the while. After the kills the archive grows, and a nightly run
takes over, in this process and without Ray, which bears no session beside a cluster: it finishes what is
unfinished, then ingests, prepares and scores the rest. Jobs and victims take turns.
"""

from __future__ import annotations

import argparse
import json
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
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from types import ModuleType

import psutil

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from faults import own_ray, record_stage, stage  # noqa: E402
from faults.two_nodes import TwoNodes, two_nodes  # noqa: E402
from without_ray import without_ray  # noqa: E402

from medray.drivers.job import Job  # noqa: E402
from medray.drivers.operate.vacuum import vacuum  # noqa: E402
from medray.narration import silent  # noqa: E402
from medray.storage.plans import now  # noqa: E402

# raylet: of the node that is not the head. zombie: the driver and all workers are stopped, and go on when a
# night has done their work.
VICTIMS = ("worker", "driver", "zombie", "raylet", "head")
STAGES = {
    **dict.fromkeys(("ingest", "predict", "night", "backfill"), stage),
    "records": record_stage,
    **dict.fromkeys(("prepare", "commit"), stage),
    "records_commit": record_stage,
}
JOBS = tuple(STAGES)
USUAL = JOBS[:5]
_LIMIT_S = 120
_HOST_S = 8  # a driver sees late that its head is gone; the host of both is gone sooner
SWEPT = 0  # the stamp of a staged file that its commit has removed


@dataclass
class Trial:
    """What two kills left behind. Every list of faults must be empty.

    Attributes:
        victim: of the second kill; that of the first is a worker.
        points: where each was to be; killed: how many came before the job's end.
    """

    job: str
    victim: str
    points: tuple[int, int]
    killed: int
    faults: list[str] = field(default_factory=list)


def run_trial(base: Path, place: TwoNodes, job: str, victim: str, points: tuple[int, int]) -> Trial:
    """Restore the scene, kill at the points, let the archive grow, run a night, look."""
    acts = STAGES[job]
    scene = acts.restore(base, job)
    with _Reader(scene, acts) as reader:
        attempt = _Attempt(place, scene, _run(scene, job, place))
        killed = attempt.killed("worker", points[0]) + attempt.killed(victim, points[1])
        attempt.over(victim)
        finished = _finished_files(scene)
        acts.grow(scene)
        acts.run(scene, "night")
        attempt.end()
    place.mend()
    trial = Trial(job, victim, points, killed, [*reader.faults])
    if victim == "zombie":  # it may write what nobody reads when its run is committed: a vacuum's to remove
        vacuum(str(scene / "lake"), 1, None, Job(acts.RUN_DATE, silent()), now() + timedelta(days=3))
    trial.faults += acts.faults(scene)
    trial.faults += [f"repeated: {path.name}" for path, stamp in finished.items() if _stamp(path) not in (stamp, SWEPT)]
    return trial


def points(base: Path, job: str, count: int, seed: int) -> list[tuple[int, int]]:
    """Seeded pairs of points of a job. The last pair ends among its last files, where tables are committed;
    with a job "commit", all do."""
    scene = STAGES[job].restore(base, job)
    before = len(_files(scene))
    with _Appearing(scene) as appearing:
        STAGES[job].run(scene, job)
    total = len(appearing.seen) - before
    commits = max(total - 5, 1)
    draw = random.Random(f"{seed} {job}")
    drawn = [draw.randint(commits if job.endswith("commit") else 1, total) for _ in range(count - 1)]
    return [(draw.randint(1, last), last) for last in (*sorted(drawn), draw.randint(commits, total))]


class _Attempt:
    """A job on the cluster, and what becomes of it."""

    def __init__(self, place: TwoNodes, scene: Path, process: subprocess.Popen[bytes]) -> None:
        self._place, self._scene, self._process = place, scene, process
        self._before = set(_files(scene))
        self._seen = set(self._before)
        self._workers: list[psutil.Process] = []
        self._stopped: list[psutil.Process] = []

    def killed(self, victim: str, point: int) -> bool:
        """Kill the victim once `point` files are new. False: the job had ended before."""
        deadline = time.monotonic() + _LIMIT_S
        while self._process.poll() is None and time.monotonic() < deadline:
            self._seen.update(_files(self._scene))
            new = len(self._seen) - len(self._before)
            if new >= point and self._kill(victim):
                return True
            # It starts for some seconds before it writes: looking closer then would only slow it down.
            time.sleep(0.002 if new else 0.02)
        return False

    def _kill(self, victim: str) -> bool:
        """False where there is no such process at this moment."""
        self._workers = self._place.workers()
        if victim == "zombie":
            self._stopped = [psutil.Process(self._process.pid), *self._workers]
            for one in self._stopped:
                with suppress(psutil.NoSuchProcess):
                    one.suspend()
            return True
        pids = {
            "driver": [self._process.pid],
            "worker": [self._place.worker()],
            "raylet": [self._place.raylet()],
            "head": self._place.head(),
        }[victim]
        if None in pids:
            return False
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(int(str(pid)), signal.SIGKILL)
        return True

    def over(self, victim: str) -> None:
        """The job ends, by itself or with its host; zombies stand still until a night has done their work."""
        if self._stopped:
            return
        self._bury(_HOST_S if victim == "head" else _LIMIT_S, self._workers)

    def end(self) -> None:
        """What was stopped goes on, to whatever end it finds."""
        for one in reversed(self._stopped):
            with suppress(psutil.NoSuchProcess):
                one.resume()
        self._bury(_LIMIT_S, self._stopped[1:])

    def _bury(self, seconds: float, workers: list[psutil.Process]) -> None:
        """The driver is given so long to end, its workers a little longer."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        own_ray.bury(workers)


def _run(scene: Path, job: str, place: TwoNodes) -> subprocess.Popen[bytes]:
    acts = STAGES[job]
    script = str(ROOT / "jobs" / f"{acts.JOBS[job]}.py")
    with (scene / "log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, script, str(scene / acts.recipe_of(job)), "--run-date", acts.RUN_DATE],
            stdout=log,
            stderr=log,
            env={**os.environ, **place.environment, "PYTHONPATH": str(ROOT)},
            cwd=scene,
        )


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


def draw(jobs: Sequence[str], victims: Sequence[str], count: int, seed: int) -> list[tuple[str, str]]:
    """Pairs of job and victim: as many as there are jobs or victims hold each of them, whatever the seed."""
    rng = random.Random(seed)
    some_jobs, some_victims = rng.sample(jobs, len(jobs)), rng.sample(victims, len(victims))
    pairs = []
    for number in range(count):
        shift = number // len(some_jobs)
        pairs.append((some_jobs[number % len(some_jobs)], some_victims[(number + shift) % len(some_victims)]))
    return pairs


def campaign(base: Path, place: TwoNodes, pairs: Sequence[tuple[str, str]], seed: int) -> Iterator[Trial]:
    """A trial for each pair, at points of its own."""
    drawn = {job: points(base, job, max(count, 2), seed) for job, count in Counter(job for job, _ in pairs).items()}
    for job, victim in pairs:
        yield run_trial(base, place, job, victim, drawn[job].pop())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--job", choices=JOBS, action="append")
    parser.add_argument("--victim", choices=VICTIMS, action="append")
    parser.add_argument("--points", type=int, default=20, help="kills, two a trial, shared among jobs and victims")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    jobs, victims = arguments.job or USUAL, arguments.victim or VICTIMS
    base = Path(tempfile.mkdtemp(prefix="medray-kill-base-"))
    told: Counter[str] = Counter()
    try:
        with two_nodes() as place, without_ray():
            for acts in {STAGES[job].__name__: STAGES[job] for job in jobs}.values():
                acts.build(base)
            pairs = draw(jobs, victims, -(-arguments.points // 2), arguments.seed)
            for trial in campaign(base, place, pairs, arguments.seed):
                told.update(trials=1, kills=trial.killed, faults=bool(trial.faults))
                print(trial, flush=True)
    finally:
        shutil.rmtree(base, ignore_errors=True)
    print(json.dumps(told))
    sys.exit(1 if told["faults"] else 0)


if __name__ == "__main__":
    main()
