"""The stored bytes of a table file: what they are, and the text inside."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa

from medray.contracts import RecordFile
from medray.errors import Unusable

PARQUET = "parquet"
_MAGIC = {b"PAR1": PARQUET, b"\x1f\x8b": "gzip", b"BZh": "bz2", b"\x28\xb5\x2f\xfd": "zstd"}
_DAMAGED = ("inflate", "zlib", "bz2", "BZ2", "ZSTD", "zstd")


def container(file: RecordFile) -> str | None:
    """PARQUET, a codec's name, or None for plain text: told by the first bytes, whatever the name.
    Raises `Unusable` "empty"."""
    with file.open() as stream:
        head = stream.read(4)
    if not head:
        raise Unusable("empty")
    return next((kind for magic, kind in _MAGIC.items() if head.startswith(magic)), None)


def text_stream(file: RecordFile, codec: str | None) -> pa.NativeFile:
    """A stream of the file's text."""
    stream = file.open()
    return stream if codec is None else pa.CompressedInputStream(stream, codec)


@contextmanager
def unusable() -> Iterator[None]:
    """What pyarrow says of a file that cannot be trusted, as `Unusable`. Errors of the store pass."""
    try:
        yield
    except UnicodeError:  # also text that should begin with a byte-order mark and does not
        raise Unusable("not_text") from None
    except pa.ArrowInvalid as error:
        raise Unusable(_invalid(str(error))) from None
    except pa.ArrowNotImplementedError:
        raise Unusable("malformed", "a column of a type that holds no such thing") from None
    except OSError as error:
        if "Truncated compressed stream" in str(error):
            raise Unusable("truncated") from None
        if any(word in str(error) for word in _DAMAGED):
            raise Unusable("malformed", "damaged compression") from None
        raise


def _invalid(message: str) -> str:
    # pyarrow cannot hand a line to its handler that is no UTF-8, and stops there
    if "UTF8" in message or " columns, got " in message:
        return "not_text"
    return "empty" if message.startswith("Empty CSV file") else "malformed"
