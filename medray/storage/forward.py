"""Bytes of an archive that come in pieces, inflated on the way: memory does not follow the archive."""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, BinaryIO

from medray.errors import Unusable
from medray.storage.archive_kind import Kind
from medray.storage.member import Limits

PIECE = 4 * 2**20
_INFLATED = 2**20
_DICTIONARY = 256 * 2**20  # of xz; its strongest preset takes 65 MiB


def pieces(stream: BinaryIO) -> Generator[bytes, None, None]:
    """The stream to its end; the next piece is read while this one is used."""
    with ThreadPoolExecutor(1, thread_name_prefix="ahead") as thread:
        coming = thread.submit(stream.read, PIECE)
        while piece := coming.result():
            coming = thread.submit(stream.read, PIECE)
            yield piece


def inflated(stored: Iterator[bytes], kind: Kind, size_bytes: int, limits: Limits) -> Iterator[bytes]:
    """The stored pieces without their gzip, bzip2 or xz coding; several streams in a row are one.

    Raises:
        Unusable: truncated; too_large: more than `limits` allow for an archive of this size;
            bad_archive: broken, or its checksum is not that of what it held.
    """
    decoder, total = _decoder(kind), 0
    for data in stored:
        while True:
            if decoder.eof:  # behind it: nothing, the zeros that fill a block, or the next stream
                data = data.lstrip(b"\0")
                if not data:
                    break
                decoder = _decoder(kind)
            out = _decoded(decoder, data)
            total += len(out)
            limits.must_hold(total, size_bytes)
            if out:
                yield out
            if not decoder.eof and decoder.needs_input:
                break
            data = decoder.unused_data if decoder.eof else b""
    if not decoder.eof:
        raise Unusable("truncated", "the compressed stream has no end")


def _decoded(decoder: Any, data: bytes) -> bytes:
    try:
        out: bytes = decoder.decompress(data, _INFLATED)
    except (zlib.error, lzma.LZMAError, OSError, EOFError) as error:
        raise Unusable("bad_archive", f"its compressed stream is broken ({type(error).__name__})") from None
    return out


def _decoder(kind: Kind) -> Any:
    if kind == "gz":
        return _Gzip()
    return bz2.BZ2Decompressor() if kind == "bz2" else lzma.LZMADecompressor(memlimit=_DICTIONARY)


class _Gzip:
    """zlib with the manners of the other two decoders."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(16 + zlib.MAX_WBITS)
        self._more = False

    def decompress(self, data: bytes, most: int) -> bytes:
        out = self._stream.decompress(self._stream.unconsumed_tail + data, most)
        self._more = len(out) == most  # what it has inflated besides comes with the next call
        return out

    @property
    def eof(self) -> bool:
        return self._stream.eof

    @property
    def needs_input(self) -> bool:
        return not self._more and not self._stream.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        return self._stream.unused_data


class Forward:
    """Pieces as a stream that only goes forward. What the pieces raise, each later call raises too."""

    def __init__(self, coming: Iterator[bytes]) -> None:
        self._coming, self._held, self._at = coming, memoryview(b""), 0
        self._broken: Unusable | None = None

    def tell(self) -> int:
        return self._at

    def read(self, count: int) -> bytes:
        """`count` bytes, fewer at the end."""
        found = []
        while count and self._fill():
            found.append(bytes(self._held[:count]))
            self._pass(len(found[-1]))
            count -= len(found[-1])
        return b"".join(found)

    def seek(self, to: int) -> int:
        while self._at < to and self._fill():
            self._pass(min(to - self._at, len(self._held)))
        return self._at

    def _fill(self) -> bool:
        if self._broken is not None:
            raise self._broken
        if not self._held:
            try:
                self._held = memoryview(next(self._coming, b""))
            except Unusable as error:
                self._broken = error
                raise
        return bool(self._held)

    def _pass(self, count: int) -> None:
        self._held = self._held[count:]
        self._at += count
