"""A source that works ahead of its consumer, in a thread of its own."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar, cast

T = TypeVar("T")
_END = object()


def ahead(source: Iterable[T], depth: int) -> Iterator[T]:
    """The items of a source in order, up to `depth` of them made before they are asked for; 0 makes each when it is
    asked for, without a thread. What the source raises is raised here, in its turn; a consumer that stops early stops
    the source."""
    if depth == 0:
        yield from source
        return
    items = iter(source)
    thread = ThreadPoolExecutor(1, "ahead")
    try:
        made = deque(thread.submit(next, items, cast(T, _END)) for _ in range(depth))
        while (item := made.popleft().result()) is not _END:
            made.append(thread.submit(next, items, cast(T, _END)))
            yield item
    finally:
        thread.shutdown(cancel_futures=True)
