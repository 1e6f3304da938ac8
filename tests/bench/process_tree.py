"""What a command costs: wall seconds, CPU seconds and memory of it and of all that it starts."""

from __future__ import annotations

import resource
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

INTERVAL_S = 0.15
LOOKING = 0.01  # of the time at most goes into looking at processes
MEMORY_SHARE = 0.02  # and into their memory: the kernel walks every page for it


@dataclass(frozen=True)
class Cost:
    """One run of a command.

    Attributes:
        wall_s, cpu_s: CPU of all processes, user and system: as last seen before each ended, or, where that
            is more, as the kernel counted those that their parents waited for.
        peak_bytes: the most that all processes were seen to hold at one time: the sum of their proportional
            set sizes, in which a page that several share counts once. Pages of files that are mapped
            count; the page cache does not.
        processes: how many there were.
        status: exit status of the command.
    """

    wall_s: float
    cpu_s: float
    peak_bytes: int
    processes: int
    status: int


def measured(command: Sequence[str], environment: Mapping[str, str], log: Path) -> Cost:
    """Run the command to its end; what it says goes to `log`."""
    cpu: dict[tuple[int, float], float] = {}
    before = _waited_for()
    peak, started, due = 0, time.monotonic(), 0.0
    with log.open("wb") as sink:
        child = subprocess.Popen(list(command), env=dict(environment), stdout=sink, stderr=subprocess.STDOUT)
        root = psutil.Process(child.pid)
        while child.poll() is None:
            began = time.monotonic()
            alive = _alive(root)
            _note_cpu(alive, cpu)
            pause = max(INTERVAL_S, (time.monotonic() - began) / LOOKING)
            if time.monotonic() >= due:
                looked = time.monotonic()
                peak = max(peak, sum(map(_proportional_bytes, alive)))
                due = time.monotonic() + (time.monotonic() - looked) / MEMORY_SHARE
            time.sleep(pause)
    used = max(sum(cpu.values()), _waited_for() - before)
    return Cost(time.monotonic() - started, used, peak, len(cpu), int(child.returncode))


def _waited_for() -> float:
    """CPU seconds of this process's children that have ended, and of theirs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _alive(root: psutil.Process) -> list[psutil.Process]:
    try:
        return [root, *root.children(recursive=True)]
    except psutil.Error:
        return []


def _note_cpu(alive: Sequence[psutil.Process], cpu: dict[tuple[int, float], float]) -> None:
    """The CPU seconds of each process so far."""
    for process in alive:
        try:
            times = process.cpu_times()
            cpu[process.pid, process.create_time()] = times.user + times.system
        except psutil.Error:
            continue  # it has ended meanwhile


def _proportional_bytes(process: psutil.Process) -> int:
    try:
        rollup = Path(f"/proc/{process.pid}/smaps_rollup").read_text()
    except OSError:
        return 0  # it has ended meanwhile
    return next((1024 * int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:")), 0)
