"""What is made of the same thing again and again, made once."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

Given = TypeVar("Given")
Made = TypeVar("Made")


def of_last(make: Callable[[Given], Made]) -> Callable[[Given], Made]:
    """A function of one argument that remembers what it made of the last one, as long as it is the same object.

    For arguments that are large, not hashable, and do not change: the summary of a training split.
    """
    kept: list[tuple[Given, Made]] = []

    def made(given: Given) -> Made:
        for known, result in kept:
            if known is given:
                return result
        result = make(given)
        kept[:] = [(given, result)]
        return result

    return made
