"""The members of a zip (PKWARE APPNOTE 6.3), in the order of their bytes."""

from __future__ import annotations

import lzma
import struct
import zipfile
import zlib
from collections.abc import Iterator
from functools import partial
from typing import BinaryIO, cast

from medray.errors import Unusable
from medray.storage.member import HEADER_BYTES, Guarded, Limits, Member, Names, Span, Stream

_ENTRY_BYTES = 128  # of the directory for one member, its name included, about
_ENCRYPTED = 1 | 1 << 6 | 1 << 13  # general purpose flags: encrypted, strongly, the directory too
_BROKEN = (OSError, ValueError, LookupError, ArithmeticError, TypeError, struct.error, EOFError, NotImplementedError)
_CODING = (zlib.error, lzma.LZMAError)


def zip_members(stream: Stream, size_bytes: int, own: Span, limits: Limits) -> Iterator[Member]:
    """The members that begin in `own`.

    Raises:
        Unusable: what is wrong with the archive, where that is in `own`: truncated (it has no
            directory), bad_archive, too_large. What is wrong with a member its `read` raises:
            encrypted, bad_archive.
    """
    names, inflated, at = Names(limits), 0, 0
    try:
        guarded = Guarded(stream, size_bytes, max(HEADER_BYTES, _ENTRY_BYTES * limits.members))
        archive = _opened(guarded)
        for info in sorted(archive.infolist(), key=lambda one: one.header_offset):
            at = info.header_offset
            if info.filename.endswith("/"):
                continue
            name = names.of(info.filename)
            inflated += info.file_size
            limits.must_hold(inflated, size_bytes)
            if at in own:
                guarded.most_bytes = size_bytes
                yield Member(name, f"{info.CRC:08x}", info.file_size, partial(_read, archive, info))
    except Unusable:
        if at in own:
            raise


def _opened(guarded: Guarded) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(cast(BinaryIO, guarded))  # all that it asks of a file
    except zipfile.BadZipFile as error:
        if "not a zip file" in str(error):  # it began as one
            raise Unusable("truncated", "the archive ends before its directory") from None
        raise Unusable("bad_archive", "its directory cannot be read") from None
    except _BROKEN as error:
        raise Unusable("bad_archive", f"its directory cannot be read ({type(error).__name__})") from None


def _read(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    if info.flag_bits & _ENCRYPTED:
        raise Unusable("encrypted")
    try:
        with archive.open(info) as stream:
            data = stream.read(info.file_size)
            if stream.read(1):
                raise Unusable("bad_archive", "more bytes than declared")
    except zipfile.BadZipFile as error:
        what = "wrong checksum" if "CRC" in str(error) else "no such member"
        raise Unusable("bad_archive", what) from None
    except NotImplementedError:
        raise Unusable("bad_archive", f"compression method {info.compress_type}") from None
    except (*_BROKEN, *_CODING, RuntimeError) as error:
        raise Unusable("bad_archive", f"a compressed member is broken ({type(error).__name__})") from None
    if len(data) != info.file_size:
        raise Unusable("bad_archive", f"{len(data)} bytes, declared {info.file_size}")
    return data
