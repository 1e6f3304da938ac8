"""The members of a tar (POSIX.1-2001 pax, ustar, GNU), in the order of their bytes."""

from __future__ import annotations

import struct
import tarfile
from collections.abc import Iterator
from functools import partial

from medray.errors import Unusable
from medray.storage.member import Guarded, Limits, Member, Names, Span, Stream

_PIECE = 2**20
# What tarfile raises for headers that are none, its own errors apart; a long chain of extensions is a
# recursion. The store's own failures are StorageErrors by then.
_BROKEN = (OSError, ValueError, LookupError, ArithmeticError, TypeError, struct.error, RecursionError)


def tar_members(stream: Stream, size_bytes: int, own: Span, limits: Limits) -> Iterator[Member]:
    """The members that begin in `own`; a stream that only goes forward is enough.

    Raises:
        Unusable: what is wrong with the archive from here on, where that is in `own`: truncated,
            bad_archive, too_large. Links, devices and the like are members whose `read` raises it.
    """
    guarded, names, at = Guarded(stream, size_bytes), Names(limits), 0
    try:
        archive = _opened(guarded)
        while (info := _next(archive)) is not None:
            at = info.offset
            if at >= own.last:
                return
            if not info.isdir():
                name = names.of(info.name)
                if at in own:
                    yield Member(name, f"{at:x}", max(info.size, 0), partial(_read, archive, info))
            archive.members = []  # type: ignore[attr-defined]  # it would keep them all
            at = archive.offset
        _must_have_ended(guarded)
    except Unusable:
        if at in own:
            raise


def _opened(guarded: Guarded) -> tarfile.TarFile:
    try:
        return tarfile.TarFile(fileobj=guarded, mode="r")  # type: ignore[arg-type]  # all that it asks of a file
    except (tarfile.TarError, *_BROKEN) as error:
        raise _told(error) from None


def _next(archive: tarfile.TarFile) -> tarfile.TarInfo | None:
    before = archive.offset
    try:
        info = archive.next()
    except (tarfile.TarError, *_BROKEN) as error:
        raise _told(error) from None
    if info is not None and (not 0 <= info.size < 2**62 or archive.offset <= info.offset or archive.offset < before):
        raise Unusable("bad_archive", "a member that ends before it begins, or beyond any archive")
    return info


def _told(error: Exception) -> Unusable:
    if isinstance(error, tarfile.ReadError) and "unexpected end" in str(error):
        return Unusable("truncated", "the archive ends in a member")
    return Unusable("bad_archive", f"a tar header cannot be read ({type(error).__name__})")


def _read(archive: tarfile.TarFile, info: tarfile.TarInfo) -> bytes:
    if not info.isreg():
        raise Unusable("not_a_file", "a link or a device")
    try:
        stream = archive.extractfile(info)
        assert stream is not None
        data = bytearray()
        while len(data) < info.size and (piece := stream.read(min(_PIECE, info.size - len(data)))):
            data += piece
    except (tarfile.TarError, *_BROKEN) as error:
        raise _told(error) from None
    return bytes(data)


def _must_have_ended(guarded: Guarded) -> None:
    """After the last member stands a block of zeros, and nothing but zeros behind it."""
    if len(guarded.last) < tarfile.BLOCKSIZE:
        raise Unusable("truncated", "the archive has no end")
    if any(guarded.last):
        raise Unusable("bad_archive", "bytes between members that are no header")
    while piece := guarded.read(_PIECE):
        if piece.strip(b"\0"):
            raise Unusable("bad_archive", "bytes behind the archive's end")
