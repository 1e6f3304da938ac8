"""A source that works ahead: in order, bounded, with its errors in their turn."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from medray.engine.ahead import ahead


@pytest.mark.parametrize("depth", [0, 1, 3])
def test_items_come_in_order(depth: int) -> None:
    assert list(ahead(iter(range(20)), depth)) == list(range(20))
    assert list(ahead([], depth)) == []


def test_so_many_are_made_before_they_are_asked_for() -> None:
    made: list[int] = []

    def source() -> Iterator[int]:
        for number in range(10):
            made.append(number)
            yield number

    items = ahead(source(), 3)
    assert next(items) == 0
    deadline = time.monotonic() + 5
    while len(made) < 4 and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.05)
    assert made == [0, 1, 2, 3]  # the one that was given, and three more


@pytest.mark.parametrize("depth", [0, 2])
def test_an_error_comes_after_what_was_made_before_it(depth: int) -> None:
    def source() -> Iterator[int]:
        yield 1
        raise ValueError("torn")

    items = ahead(source(), depth)
    assert next(items) == 1
    with pytest.raises(ValueError, match="torn"):
        next(items)


def test_a_consumer_that_stops_leaves_no_thread() -> None:
    items = ahead(iter(range(100)), 2)
    next(items)
    items.close()  # type: ignore[attr-defined]
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("ahead")]
