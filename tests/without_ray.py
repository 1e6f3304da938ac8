"""Drivers in one process: their chunks one after another, no workers. What a driver does to a lake is the
same, and a trial costs no session."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import pytest

from medray.engine import actors, chunks


def _chunks(
    work: Callable[[Any], Any], tasks: Sequence[Any], watch: Callable[[Any, Any], None] = lambda _facts, _effort: None
) -> Iterator[Any]:
    for facts in map(work, tasks):
        watch(facts, chunks.Effort(0.001, 0.001, 1))
        yield facts


def _actors(
    make: Callable[[], Callable[[Any], Any]], tasks: Sequence[Any], *, actors: int, gpus_each: float
) -> Iterator[Any]:
    if tasks:
        yield from map(make(), tasks)


@contextmanager
def without_ray() -> Iterator[None]:
    """Every driver of a night does its work here."""
    for module in ("medray.drivers.night.nightly", "medray.drivers.inputs.prepare"):
        import_module(module)  # they load all the others
    with pytest.MonkeyPatch.context() as patch:
        for name, real, here in (
            ("run_chunks", chunks.run_chunks, _chunks),
            ("run_actors", actors.run_actors, _actors),
            ("scoring_actors", None, lambda _: (1, 0.0)),
        ):
            for module in [one for key, one in sys.modules.items() if key.startswith("medray.drivers.")]:
                if hasattr(module, name) and (real is None or getattr(module, name) is real):
                    patch.setattr(module, name, here)
        yield
