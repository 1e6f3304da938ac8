"""Reading the next objects of a chunk while the current one is worked on."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from medray.contracts import SourceObject
from medray.errors import Unusable
from medray.storage.failures import told
from medray.storage.store import Store

_DEPTH = 8
_BYTES = 64 * 2**20


class ReadAhead:
    """A `Fetch` over objects that are asked for in the given order.

    At most 8 objects and 64 MB are held or under way. A larger object is read when it is asked for,
    not before: whoever asks may have a limit.

    Raises, when called:
        Unusable("unreadable"): the object is gone, closed to us, or has another size than listed.
        StorageError: the store itself failed; the job stops and can be run again.
    """

    def __init__(self, store: Store, root: str, objects: Sequence[SourceObject]) -> None:
        self._store, self._root = store, root
        self._waiting = list(reversed(objects))
        self._pending: dict[str, tuple[Future[bytes], int]] = {}
        self._threads = ThreadPoolExecutor(4, thread_name_prefix="read")

    def __enter__(self) -> ReadAhead:
        return self

    def __exit__(self, *error: object) -> None:
        self._threads.shutdown(wait=True, cancel_futures=True)

    def __call__(self, wanted: SourceObject) -> bytes:
        self._fill()
        future, _ = self._pending.pop(wanted.uri, (None, 0))
        data = self._bytes(future or self._threads.submit(self._store.read, wanted.uri))
        if len(data) != wanted.size_bytes:
            raise Unusable("unreadable", f"{len(data)} bytes, listed {wanted.size_bytes}")
        return data

    def _bytes(self, future: Future[bytes]) -> bytes:
        try:
            with told(self._root):
                try:
                    return future.result()
                except (FileNotFoundError, PermissionError) as error:
                    raise Unusable("unreadable", "gone or closed since the listing") from error
        finally:
            self._fill()

    def _fill(self) -> None:
        under_way = sum(size for _, size in self._pending.values())
        while self._waiting and len(self._pending) < _DEPTH:
            following = self._waiting[-1]
            if self._pending and under_way + following.size_bytes > _BYTES:
                return
            self._waiting.pop()
            if following.size_bytes > _BYTES:
                continue
            self._pending[following.uri] = (self._threads.submit(self._store.read, following.uri), following.size_bytes)
            under_way += following.size_bytes
