"""Items that are made ahead: the same, in their order, with their errors."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Event, current_thread

import pytest

from medray.drivers.records.ahead import ahead
from medray.errors import Unusable


def test_items_come_in_their_order() -> None:
    assert list(ahead(iter(range(1, 50)))) == list(range(1, 50))
    assert list(ahead(iter(()))) == []


def test_an_error_comes_when_its_turn_comes() -> None:
    def items() -> Iterator[int]:
        yield 1
        yield 2
        raise Unusable("truncated")

    found = ahead(items())
    assert [next(found), next(found)] == [1, 2]
    with pytest.raises(Unusable, match="truncated"):
        next(found)


def test_the_next_items_are_made_while_one_is_worked_on() -> None:
    made, threads = [Event() for _ in range(4)], set()

    def items() -> Iterator[int]:
        for number, event in enumerate(made):
            threads.add(current_thread().name)
            event.set()
            yield number

    found = ahead(items())
    assert next(found) == 0
    assert all(event.wait(5) for event in made[:3])
    assert not made[3].is_set()  # two at most wait
    assert list(found) == [1, 2, 3]
    assert threads == {"ahead_0"}


def test_an_iteration_that_is_left_ends() -> None:
    closed = Event()

    def items() -> Iterator[int]:
        try:
            yield from range(1, 100)
        finally:
            closed.set()

    found = ahead(items())
    assert next(found) == 1
    del found
    assert closed.wait(5)
