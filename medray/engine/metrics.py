"""What Prometheus reads of a job: Ray exports it on every node at its metrics port, with `ray_` before each name.

Labels are the job, the recipe's name and what became of a thing: never anything of an input. Nothing
is counted outside `labelled`. A call costs some microseconds; Ray sends what was counted every 10 s
and when the driver ends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

_LABELS = ("job", "recipe")
_INPUTS = ("listed", "requested")  # the sums that count inputs: of an ingest and of a prediction
_VERDICTS = {"done": "published", "already": "published", "nothing": "published", "held": "held"}
OUTCOMES = ("ingested", "duplicate", "quarantined", "scored", "abstained")
_SECONDS = [0.1, 0.5, 1, 5, 10, 30, 60, 300, 1800]  # bounds of a chunk's time
_now: ContextVar[dict[str, str] | None] = ContextVar("labels", default=None)


@contextmanager
def labelled(job: str, recipe: str) -> Iterator[None]:
    """What is counted inside belongs to this job of this recipe."""
    token = _now.set({"job": job, "recipe": recipe})
    try:
        yield
    finally:
        _now.reset(token)


def chunk_done(seconds: float, bytes_read: int) -> None:
    """One chunk or bucket was finished by a worker."""
    _add("chunks_total", 1, outcome="done")
    _add("read_bytes_total", bytes_read)
    if labels := _labels():
        _metric("chunk_seconds", _session()).observe(seconds, labels)


def chunk_failed() -> None:
    """One chunk ended the job."""
    _add("chunks_total", 1, outcome="failed")


Count = Callable[[str, Sequence[tuple[str, Mapping[str, int]]]], None]


@contextmanager
def counted(job: str, recipe: str, run_date: str) -> Iterator[Count]:
    """A whole job: `labelled`, and what became of its inputs and of its night.

    Yields:
        To be told the status of the job's `Result`, and (total, parts) of each of its sums.
    """

    def count(status: str, sums: Sequence[tuple[str, Mapping[str, int]]]) -> None:
        for total, parts in sums:
            for outcome in OUTCOMES if total in _INPUTS else ():
                _add("inputs_total", parts.get(outcome, 0), outcome=outcome)
        if job == "nightly":
            _night(_VERDICTS[status], run_date)

    with labelled(job, recipe):
        try:
            yield count
        except Exception:
            if job == "nightly":
                _night("failed", run_date)
            raise


def _night(verdict: str, run_date: str) -> None:
    _add("nights_total", 1, verdict=verdict)
    labels = _labels()
    if labels and verdict == "published":
        midnight = datetime.fromisoformat(run_date).replace(tzinfo=UTC)
        _metric("last_published_night_timestamp_seconds", _session()).set(midnight.timestamp(), labels)


def _add(name: str, count: float, **more: str) -> None:
    labels = _labels()
    if labels and count:
        _metric(name, _session()).inc(count, {**labels, **more})


def _labels() -> dict[str, str] | None:
    """Of the job that runs in a Ray session here; a metric of nobody would start one."""
    import ray

    return _now.get() if ray.is_initialized() else None


def _session() -> str:
    import ray

    return str(ray.get_runtime_context().get_node_id())


@lru_cache(maxsize=16)
def _metric(name: str, _session: str) -> Any:
    """One of a Ray session's metrics."""
    from ray.util import metrics

    make: dict[str, Any] = {
        "chunks_total": lambda told: metrics.Counter(told, "Chunks by outcome", (*_LABELS, "outcome")),
        "read_bytes_total": lambda told: metrics.Counter(told, "Bytes read from archives", _LABELS),
        "inputs_total": lambda told: metrics.Counter(told, "Inputs by what became of them", (*_LABELS, "outcome")),
        "nights_total": lambda told: metrics.Counter(told, "Nights by verdict", (*_LABELS, "verdict")),
        "chunk_seconds": lambda told: metrics.Histogram(told, "Time of a chunk", _SECONDS, _LABELS),
        "last_published_night_timestamp_seconds": lambda told: metrics.Gauge(
            told, "Midnight of the newest night that was published", _LABELS
        ),
    }
    return make[name](f"medray_{name}")
