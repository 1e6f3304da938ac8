"""Where the time of a training goes: waiting for data, working; and how much memory it takes."""

from __future__ import annotations

import resource
import threading
import time
import weakref
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import torch

T = TypeVar("T")
_LOOK_S = 0.5
_SUMS = ("seconds", "wait_s", "read_s", "examples", "busy_s", "looked_s")


class Meters:
    """One rank's clock. Its numbers are sums, so that a training that resumes goes on counting.

    `seconds` of training steps and the waits between them, `wait_s` for the next batch, `read_s` of reading prepared
    values (beside the training where it works ahead), `examples` trained on; on a GPU `busy_s` and `looked_s`: how
    long it was seen computing, of how long it was looked at.
    """

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.sums = dict.fromkeys(_SUMS, 0.0)
        if device.type == "cuda":
            threading.Thread(target=_look, args=(weakref.ref(self),), name="gpu-use", daemon=True).start()

    def timed(self, source: Iterable[T]) -> Iterator[T]:
        """The items of a source; the time it takes to give them is waiting, the time until the next is asked for is
        work."""
        items = iter(source)
        while True:
            started = time.perf_counter()
            try:
                item = next(items)
            except StopIteration:
                break
            given = time.perf_counter()
            yield item
            self.sums["wait_s"] += given - started
            self.sums["seconds"] += time.perf_counter() - started
        started = time.perf_counter()
        if self.device.type == "cuda":  # what the last steps have asked for is work too
            torch.cuda.synchronize(self.device)
        self.sums["seconds"] += time.perf_counter() - started

    @contextmanager
    def reading(self) -> Iterator[None]:
        started = time.perf_counter()
        yield
        self.sums["read_s"] += time.perf_counter() - started

    def count(self, examples: int) -> None:
        """So many more examples were trained on."""
        self.sums["examples"] += examples

    def taken(self) -> dict[str, float]:
        """The sums, which begin anew."""
        taken, self.sums = self.sums, dict.fromkeys(self.sums, 0.0)
        return taken

    def memory(self) -> tuple[float, float]:
        """Bytes: the most that was used on the device (0 for a CPU), and what this process has of its own now. Pages
        of the mapped cache are not its own: they grow with the data, and go when others need the room."""
        device = float(torch.cuda.max_memory_allocated(self.device)) if self.device.type == "cuda" else 0.0
        return device, own_bytes()


def _look(of: weakref.ref[Meters]) -> None:
    """Note, as long as there are the meters, which share of its last sample period NVML saw some kernel run."""
    while (meters := of()) is not None:
        try:
            share = torch.cuda.utilization(meters.device) / 100.0
        except Exception:  # noqa: BLE001 - no NVML, or no right to ask it: the report says that it was not measured
            return
        meters.sums["busy_s"] += share * _LOOK_S
        meters.sums["looked_s"] += _LOOK_S
        del meters
        time.sleep(_LOOK_S)


def own_bytes() -> float:
    """Memory of this process that is no page of a mapped file (where the system tells; else the most it ever had)."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024.0
    return int(status.split("RssAnon:")[1].split()[0]) * 1024.0


def epoch_figures(sums: dict[str, float], workers: int, device_memory: float, host_memory: float) -> dict[str, float]:
    """What the report shows of an epoch.

    Args:
        sums: of one rank's `Meters`, its examples times `workers` are all; `wait_s` of the rank that waited longest.
        device_memory, host_memory: highest use of a rank, in bytes.

    Returns:
        `seconds` of the training steps, `examples_per_s`, `wait_share` (0 to 1), `read_share` (of the same time),
        `device_memory_bytes`, `host_memory_bytes`, and `gpu_busy` (0 to 1) where a GPU could be looked at.
    """
    seconds = max(sums["seconds"], 1e-9)
    figures = {
        "seconds": seconds,
        "examples_per_s": sums["examples"] * workers / seconds,
        "wait_share": min(sums["wait_s"] / seconds, 1.0),
        "read_share": sums["read_s"] / seconds,
        "device_memory_bytes": device_memory,
        "host_memory_bytes": host_memory,
    }
    if sums["looked_s"]:
        figures["gpu_busy"] = sums["busy_s"] / sums["looked_s"]
    return figures
