"""A Ray cluster of two nodes on this machine, whose parts can be killed and are put back.

The head has a CPU, too: a job must go on with what is left when a node dies.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psutil

# A driver gives a head that is gone up after 5 s instead of a minute.
SETTINGS = {"RAY_gcs_rpc_server_reconnect_timeout_s": "5", "RAY_worker_niceness": "0", "RAY_USAGE_STATS_ENABLED": "0"}
_IDLE = ("IDLE", "Agent", "_StatsActor", "Coordinator", "DatasetManager")  # none of them does the work


class TwoNodes:
    """The cluster of a campaign."""

    def __init__(self) -> None:
        self._start()

    def _start(self) -> None:
        from ray.cluster_utils import Cluster

        self._cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
        self._node: Any = self._cluster.add_node(num_cpus=1)
        self._cluster.wait_for_nodes()

    @property
    def environment(self) -> dict[str, str]:
        """By which a job joins."""
        return {"RAY_ADDRESS": str(self._cluster.address)}

    def worker(self) -> int | None:
        """A process that does a chunk just now, on either node."""
        for process in self.workers():
            with suppress(psutil.Error):
                title = " ".join(process.cmdline())
                if title.startswith("ray::") and not any(word in title for word in _IDLE):
                    return process.pid
        return None

    def workers(self) -> list[psutil.Process]:
        """All that the raylets have started for jobs."""
        found = []
        for pid in self._pids("raylet", self._cluster.head_node, self._node):
            with suppress(psutil.Error):
                started = psutil.Process(pid).children(recursive=True)
                found += [one for one in started if "Agent" not in " ".join(one.cmdline())]
        return found

    def raylet(self) -> int | None:
        """The raylet of the node that is not the head."""
        return next(iter(self._pids("raylet", self._node)), None)

    def head(self) -> list[int]:
        """All processes of the head."""
        return self._pids(None, self._cluster.head_node)

    def mend(self) -> None:
        """Put back what was killed."""
        alive = [bool(self._alive("raylet", node)) for node in (self._cluster.head_node, self._node)]
        if not alive[0] or not self._alive("gcs_server", self._cluster.head_node):
            self.end()
            self._start()
        elif not alive[1]:
            self._cluster.remove_node(self._node, allow_graceful=False)
            self._node = self._cluster.add_node(num_cpus=1)
            self._cluster.wait_for_nodes()

    def end(self) -> None:
        self._cluster.shutdown()

    def _alive(self, kind: str, node: Any) -> list[int]:
        return [pid for pid in self._pids(kind, node) if _runs(pid)]

    @staticmethod
    def _pids(kind: str | None, *nodes: Any) -> list[int]:
        return [
            one.process.pid
            for node in nodes
            for name, processes in node.all_processes.items()
            for one in processes
            if kind in (None, name)
        ]


def _runs(pid: int) -> bool:
    with suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    return False


@contextmanager
def two_nodes() -> Iterator[TwoNodes]:
    """The cluster for the time of the block."""
    before = {name: os.environ.get(name) for name in SETTINGS}
    os.environ.update(SETTINGS)
    place = TwoNodes()
    try:
        yield place
    finally:
        place.end()
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
