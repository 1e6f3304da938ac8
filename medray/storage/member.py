"""What the readers of archives share: a member, limits, a part of an archive."""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from medray.errors import Unusable

GIB = 2**30
HEADER_BYTES = 8 * 2**20  # a read beyond is a lie about a header's size


@dataclass(frozen=True)
class Limits:
    """How far an archive is followed.

    Attributes:
        members: most of one archive.
        ratio: how many times its own size an archive may inflate to, beyond the first GiB.
    """

    members: int
    ratio: int

    def inflated_bytes(self, size_bytes: int) -> int:
        return GIB + self.ratio * size_bytes

    def must_hold(self, inflated: int, size_bytes: int) -> None:
        """Raises Unusable("too_large") where an archive of a size has inflated beyond."""
        if inflated > self.inflated_bytes(size_bytes):
            raise Unusable("too_large", f"inflates beyond {self.inflated_bytes(size_bytes)} bytes")


@dataclass(frozen=True)
class Member:
    """One member that is no folder.

    Attributes:
        name: as the archive has it; `#2` and so on are added to a name that came before.
        tag: tells the bytes apart from others of that name: a checksum, or where they begin.
        size_bytes: as declared.
        read: all of its bytes, only until the next member is asked for. Raises `Unusable`.
    """

    name: str
    tag: str
    size_bytes: int
    read: Callable[[], bytes]


@dataclass(frozen=True)
class Span:
    """The bytes [first, last) of an archive: of it are the members that begin there."""

    first: int
    last: int

    def __contains__(self, at: int) -> bool:
        return self.first <= at < self.last


def span(size_bytes: int, part: int, parts: int) -> Span:
    """Part `part` of `parts` equal ones. The first has no beginning and the last no end: an archive may
    say that members lie where it has no bytes."""
    first = size_bytes * part // parts if part else -(2**63)
    return Span(first, size_bytes * (part + 1) // parts if part + 1 < parts else 2**63)


@dataclass
class Names:
    """The names of an archive so far, each given out once."""

    limits: Limits
    _met: set[str] = field(default_factory=set)

    def of(self, name: str) -> str:
        """The name, or `name#2` where it came before.

        Raises:
            Unusable("too_large"): the archive has more members than the limit.
        """
        if len(self._met) >= self.limits.members:
            raise Unusable("too_large", f"more than {self.limits.members} members")
        given, number = name, 1
        while given in self._met:
            number += 1
            given = f"{name}#{number}"
        self._met.add(given)
        return given


class Stream(Protocol):
    """What `tarfile` and `zipfile` ask of a file."""

    def read(self, count: int) -> bytes: ...

    def seek(self, to: int) -> int: ...

    def tell(self) -> int: ...


class Guarded:
    """A stream under a library that believes what an archive says of itself: a header that would be
    read from a place or in a length that cannot be is refused.

    Attributes:
        last: what was read last.
    """

    def __init__(self, stream: Stream, size_bytes: int, most_bytes: int = HEADER_BYTES) -> None:
        self._stream, self._size, self.most_bytes, self.last = stream, size_bytes, most_bytes, b""

    def read(self, count: int = -1) -> bytes:
        if count == -1:
            count = max(self._size - self._stream.tell(), 0)
        if not 0 <= count <= self.most_bytes:
            raise Unusable("bad_archive", "a header longer than any can be")
        self.last = self._stream.read(count)
        return self.last

    def seek(self, to: int, whence: int = 0) -> int:
        to += (0, self._stream.tell(), self._size)[whence]
        if to < 0:
            raise OSError(errno.EINVAL, "before the beginning")  # as files do, and the libraries expect
        return self._stream.seek(to)

    def tell(self) -> int:
        return self._stream.tell()

    def seekable(self) -> bool:
        return True
