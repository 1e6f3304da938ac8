"""Reading the next objects of a chunk while the current one is worked on."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from medray.contracts import SourceObject
from medray.errors import Unusable
from medray.storage.closed import closed
from medray.storage.failures import told
from medray.storage.store import Store

_DEPTH = 16
_THREADS = 8
_BYTES = 64 * 2**20


class ReadAhead:
    """A `Fetch` over objects that are asked for in the given order.

    At most 16 objects and 64 MB are held or under way. A larger object is read when it is asked for,
    not before: whoever asks may have a limit.

    Args:
        witnesses: objects of the archive of which one can be read where a denied object is denied
            alone; those of the chunk, when none are given.

    Raises, when called:
        Unusable("unreadable"): the object is gone, closed to us while others are not, in an archive
            tier, or has another size than listed.
        StorageError: the store itself failed; the job stops and can be run again.
    """

    def __init__(
        self, store: Store, root: str, objects: Sequence[SourceObject], witnesses: Sequence[SourceObject] = ()
    ) -> None:
        self._store, self._root = store, root
        self._witnesses = witnesses or objects
        self._waiting = list(reversed(objects))
        self._pending: dict[str, tuple[Future[bytes], int]] = {}
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="read")

    def __enter__(self) -> ReadAhead:
        return self

    def __exit__(self, *error: object) -> None:
        self._threads.shutdown(wait=True, cancel_futures=True)

    def __call__(self, wanted: SourceObject) -> bytes:
        self._fill()
        future, _ = self._pending.pop(wanted.uri, (None, 0))
        data = self._bytes(future or self._submit(wanted))
        if len(data) != wanted.size_bytes:
            raise Unusable("unreadable", f"{len(data)} bytes, listed {wanted.size_bytes}")
        return data

    def _bytes(self, future: Future[bytes]) -> bytes:
        try:
            with told(self._root):
                try:
                    return future.result()
                except OSError as error:
                    why = closed(error, self._store, self._witnesses)
                    if why is None:
                        raise
                    raise Unusable("unreadable", why) from None  # the error holds a path
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
            self._pending[following.uri] = (self._submit(following), following.size_bytes)
            under_way += following.size_bytes

    def _submit(self, item: SourceObject) -> Future[bytes]:
        return self._threads.submit(self._store.read_listed, item.uri, item.size_bytes)
