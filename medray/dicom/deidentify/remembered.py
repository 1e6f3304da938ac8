"""Results of short values are remembered: the headers of a series say the same again and again."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

ENTRIES, LONGEST = 4096, 256  # bytes of a value: what is longer is not kept in memory

P = ParamSpec("P")
R = TypeVar("R")


def remembered(function: Callable[Concatenate[bytes, P], R]) -> Callable[Concatenate[bytes, P], R]:
    """A pure function of a value whose results for short values are kept."""
    known: Any = lru_cache(maxsize=ENTRIES)(function)

    @wraps(function)
    def answer(value: bytes, /, *args: P.args, **kwargs: P.kwargs) -> R:
        found: R = (known if len(value) <= LONGEST else function)(value, *args, **kwargs)
        return found

    return answer
