"""Several trainings at once, as many as the cluster takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any, TypeVar

from medray.engine.failures import unforeseen
from medray.engine.session import gpus
from medray.errors import EngineError, MedrayError

T = TypeVar("T")


def places(training: Any, fits: int) -> tuple[int, int]:
    """How many of some trainings of one `[training]` the cluster takes side by side, 1 at least, and the threads of
    each of their workers.

    A training has `workers` CPUs, and as many GPUs where it uses them.
    """
    import ray

    nodes = [int(node["Resources"].get("CPU", 0)) for node in ray.nodes() if node["Alive"]]
    most = min(sum(nodes) // training.workers, fits)
    has = gpus() if training.gpu == "auto" else 0
    if has >= training.workers:  # as `fit` decides
        most = min(most, has // training.workers)
    at_once = max(most, 1)
    return at_once, threads_of(nodes, at_once * training.workers)


def threads_of(nodes: Sequence[int], workers: int) -> int:
    """The most CPUs that each of so many workers can have of one node.

    Args:
        nodes: the CPUs of each.
    """
    several = range(max(nodes, default=1), 1, -1)
    return next((one for one in several if sum(node // one for node in nodes) >= workers), 1)


def side_by_side(works: Sequence[Callable[[], T]], at_once: int) -> list[T]:
    """What each of some works gives, in order. Each waits in a thread for what runs on the cluster.

    One that fails ends no other: what they reach is kept in their folders, and is not repeated.

    Raises:
        MedrayError: what the only one that failed has raised; an EngineError that names all where
            there are several.
    """
    threads = ThreadPoolExecutor(min(at_once, max(len(works), 1)), thread_name_prefix="fit")
    try:
        running = [threads.submit(work) for work in works]
        wait(running)
    finally:
        threads.shutdown(wait=False, cancel_futures=True)
    failed = {number: error for number, one in enumerate(running, start=1) if (error := one.exception())}
    if failed:
        raise _together({number: _foreseen(error) for number, error in failed.items()}, len(works))
    return [one.result() for one in running]


def _foreseen(error: BaseException) -> MedrayError:
    return error if isinstance(error, MedrayError) else unforeseen(error)


def _together(failed: dict[int, MedrayError], count: int) -> MedrayError:
    if len(failed) == 1:
        return next(iter(failed.values()))
    told = "; ".join(f"number {number}: {error.where}, {error.found}" for number, error in failed.items())
    return EngineError(
        "trainings side by side",
        f"{len(failed)} of {count} that failed ({told})",
        "trainings that end",
        "look at each; running again repeats only what has failed",
    )
