"""The engine without Ray: chunks are done one after the other in this process.

For tests of many jobs in a row, whose subject is what drivers decide. That Ray does the same is shown
by the tests that use it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from medray.engine.chunks import Effort

REPLACED = ("run_chunks", "run_actors", "scoring_actors")


def _chunks(work: Any, chunks: Any, watch: Any = None) -> Iterator[Any]:
    for chunk in chunks:
        facts = work(chunk)
        if watch is not None:
            watch(facts, Effort(0.001, 0.001, 1))
        yield facts


def _actors(make: Any, chunks: Any, **_: Any) -> Iterator[Any]:
    work = make() if chunks else None
    for chunk in chunks:
        yield work(chunk)


def _one_actor(_: int | None) -> tuple[int, float]:
    return 1, 0.0


@contextmanager
def inline_engine() -> Iterator[None]:
    """Every driver that is loaded does its chunks here, until the block ends."""
    import medray.drivers.night.nightly

    assert medray.drivers.night.nightly  # it loads all drivers of a night
    stand_ins = dict(zip(REPLACED, (_chunks, _actors, _one_actor), strict=True))
    with pytest.MonkeyPatch.context() as patch:
        for name, module in list(sys.modules.items()):
            if name.startswith("medray.drivers"):
                for function, stand_in in stand_ins.items():
                    if hasattr(module, function):
                        patch.setattr(module, function, stand_in)
        yield
