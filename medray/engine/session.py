"""The Ray session of a job: started or joined safely, and ended with the job."""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from medray.errors import EngineError

_SETTINGS = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_worker_niceness": "0",  # the default of 15 starves workers on a shared node
    # 1 s by default for workers beyond the number of CPUs: while actors score, those that read and prepare
    # would end, and the next job of a chain would start them anew, 4 CPU s each.
    "RAY_idle_worker_killing_time_threshold_ms": "60000",
    # Arrow gives memory back at once by default and has the kernel zero it anew for each row group: a third
    # of an ingest's CPU. What a worker has needed once it keeps.
    "MIMALLOC_PURGE_DELAY": "-1",
    # By default each of the threads that read ahead gets an arena of its own, whose holes the others cannot
    # use: a worker that has read 800 files had 100 MB more than one that has read 200.
    "MALLOC_ARENA_MAX": "2",
    "RAY_TRAIN_HEALTH_CHECK_INTERVAL_S": "0.5",  # 2 s by default: so much later a training is known to have ended
    "RAY_event_stats": "0",  # Ray's own statistics of its event loops: a fifth of what its idle processes take
    "RAY_DATA_USE_DATASOURCE_V2": "0",  # the V2 reader is 3 to 10 times slower here
    "RAY_TRAIN_WORKER_HEALTH_CHECK_TIMEOUT_S": "60",
    "RAY_AIR_NEW_OUTPUT": "0",  # its verbosity cannot be turned off
    "RAY_CHDIR_TO_TRIAL_DIR": "0",  # a trial of a search stays where its worker is
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",  # what trials have told stands in the lake
    "TUNE_DISABLE_SIGINT_HANDLER": "1",  # an interrupted search ends at once; it goes on from its checkpoints
}
_GROW_S = 1800.0  # a machine starts and pulls the image
_gpus_to_come = 0


@contextmanager
def session(cpus: int | None = None, gpus: int | None = None) -> Iterator[dict[str, float]]:
    """A Ray session; yields the cluster's resources.

    A job that Ray itself started (`RAY_ADDRESS` is set) joins that cluster. Any other gets a local
    session of its own: it never joins a cluster that happens to run on the machine. A session that
    is already there is used and left open: a chain of jobs is one session.

    Args:
        cpus: of a local session: the machine's, and at least 2, when absent. Of a cluster: waited for,
            as one that grows on demand has none at first.
        gpus: waited for in the same way, but only when training or scoring begins: an ingest before it
            may take longer than an idle machine is kept.

    Raises:
        EngineError: the cluster did not grow so far.
    """
    global _gpus_to_come
    import ray

    if ray.is_initialized():
        yield ray.cluster_resources()
        return
    for name, value in _SETTINGS.items():
        os.environ.setdefault(name, value)
    with tempfile.TemporaryDirectory(prefix="mr", dir="/tmp", ignore_cleanup_errors=True) as folder:
        _start(cpus, folder)
        try:
            _gpus_to_come = gpus or 0
            if os.environ.get("RAY_ADDRESS"):
                _grow([{"CPU": 1.0}] * (cpus or 0))
            yield ray.cluster_resources()
        finally:
            _gpus_to_come = 0
            ray.shutdown()


def _start(cpus: int | None, folder: str) -> None:
    import ray

    logging.getLogger("ray").setLevel(logging.ERROR)
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    if os.environ.get("RAY_ADDRESS"):
        ray.init(address="auto" if ":" not in os.environ["RAY_ADDRESS"] else os.environ["RAY_ADDRESS"], **quiet)
    else:
        # A short folder of its own: long paths break sockets, and a last cluster noted in the
        # default folder costs every fit 12 s.
        os.environ.setdefault("RAY_TRAIN_ENABLE_PREEMPTION_WATCHER", "0")  # the one node is not taken away
        before = os.environ.get("RAY_TMPDIR")
        os.environ["RAY_TMPDIR"] = folder
        ray.init(
            address="local",
            num_cpus=cpus or max(os.cpu_count() or 1, 2),
            include_dashboard=False,
            _temp_dir=folder,
            **quiet,
        )
        if before is None:
            del os.environ["RAY_TMPDIR"]
        else:
            os.environ["RAY_TMPDIR"] = before
    from ray.data import DataContext

    context = DataContext.get_current()
    context.enable_progress_bars = False
    context.enable_operator_progress_bars = False
    context.print_on_execution_start = False
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    logging.getLogger("ray.train").setLevel(logging.ERROR)


def _grow(parts: list[dict[str, float]]) -> None:
    """Wait until so much is free, and let the cluster's autoscaler know of the wait. The claim is the
    driver's own: it ends with it, even by a kill, and no machine is kept for nobody."""
    from ray.util.placement_group import placement_group, remove_placement_group

    if not parts:
        return
    claim = placement_group(parts, strategy="PACK")
    try:
        if not claim.wait(_GROW_S if os.environ.get("RAY_ADDRESS") else 1.0):  # one machine does not grow
            raise EngineError(
                where="Ray cluster",
                found=f"fewer than {len(parts)} free {next(iter(parts[0]))}s",
                allowed="what the recipe's [compute] names",
                do="look at the autoscaler (ray status) and its limits, or name fewer",
            )
    finally:
        remove_placement_group(claim)


def require(cpus: float, what: str, gpus: float = 0) -> None:
    """Refuse what the cluster could never start: Ray would wait for ever without a word.

    Raises:
        EngineError: the cluster has fewer CPUs or GPUs.
    """
    import ray

    has = ray.cluster_resources()
    if has.get("CPU", 0) < cpus or has.get("GPU", 0) < gpus:
        raise EngineError(
            where=f"Ray session, {what}",
            found=f"{has.get('CPU', 0):g} CPUs and {has.get('GPU', 0):g} GPUs",
            allowed=f"{cpus:g} CPUs and {gpus:g} GPUs or more",
            do="ask for fewer workers or actors, or a larger cluster (locally: [compute] cpus)",
        )


def node_cpus() -> int:
    """CPUs of the node that this process runs on, as Ray was told: of a machine, what a container may use."""
    import ray

    own = ray.get_runtime_context().get_node_id()
    return max(int(next(node["Resources"].get("CPU", 1) for node in ray.nodes() if node["NodeID"] == own)), 1)


def gpus() -> int:
    """GPUs of the cluster, once those that the recipe names have come."""
    global _gpus_to_come
    import ray

    _grow([{"GPU": 1.0}] * _gpus_to_come)
    _gpus_to_come = 0  # what has come may be held by a training beside the one that asks next
    return int(ray.cluster_resources().get("GPU", 0))


def scoring_actors(asked: int | None) -> tuple[int, float]:
    """How many scoring actors the cluster takes, and the GPUs of each: one actor a GPU, or one
    single-threaded actor a CPU. Their chunks come from memory, so no CPU is kept for feeding."""
    import ray

    has_gpus = gpus()
    most = has_gpus or max(int(ray.cluster_resources().get("CPU", 1)), 1)
    actors = asked or most
    require(actors, f"scoring with {actors} actor(s)", gpus=actors if has_gpus else 0)
    return actors, 1.0 if has_gpus else 0.0
