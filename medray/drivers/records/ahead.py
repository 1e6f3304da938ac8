"""Making the next items while the current one is worked on."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
_DEPTH = 2  # items that are made or wait


def ahead(items: Iterator[Item]) -> Iterator[Item]:
    """The same items (none of them None) in the same order, made in a thread of their own; what making
    one raises is raised when its turn comes.

    Arrow works outside Python's lock: a file that cannot be divided keeps two cores busy.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="ahead") as thread:
        waiting = deque(thread.submit(next, items, None) for _ in range(_DEPTH))
        while (found := waiting.popleft().result()) is not None:
            waiting.append(thread.submit(next, items, None))
            yield found
