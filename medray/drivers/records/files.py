"""Files of a record archive as its source sees them, and who their subjects are."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Mapping
from functools import partial

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from medray.contracts import RecordFile, SourceObject
from medray.ehr.tables.cells import text_of
from medray.errors import RecipeError, StorageError, Unusable
from medray.privacy.pseudonyms import normalise
from medray.storage.failures import told
from medray.storage.store import Store
from medray.storage.uri import is_s3


def record_file(store: Store, archive: str, item: SourceObject) -> RecordFile:
    """The file of a listed object. Opening it raises `Unusable` when it is gone, closed to us, or has
    another size than listed."""
    return RecordFile(file_name(archive, item.uri), item.size_bytes, partial(_opened, store, archive, item))


def verdict(file: RecordFile, error: Unusable | OSError, again: Callable[[], object]) -> Unusable:
    """Why a file that could not be used is not, after a second look. A file whose bytes can be read to
    the end, and which fails twice alike, has itself to blame.

    Args:
        error: what the first look raised.
        again: does the same once more.

    Raises:
        OSError: the store fails, which may raise what a damaged file raises.
        StorageError: the second look went otherwise: one of the two did not see the file's bytes.
    """
    if isinstance(error, OSError) and not _can_be_read(file):
        raise error
    first = _as_unusable(error)
    try:
        again()
    except (Unusable, OSError) as second:
        if _as_unusable(second).args == first.args:
            return first
    raise StorageError(
        "the archive",
        f"a file that could not be used ({first.reason}), and on a second look could, or not for that reason",
        "a store and a memory that give the same bytes each time",
        "run again: finished work is kept; if it happens again, look at the logs of the store and of the machine",
    ) from error


def _as_unusable(error: Unusable | OSError) -> Unusable:
    if isinstance(error, Unusable):
        return error
    return Unusable("malformed", "its compression or its pages are damaged")


def _can_be_read(file: RecordFile) -> bool:
    try:
        with file.open() as stream:
            while stream.read(2**22):
                pass
    except OSError:
        return False
    return True


def file_name(archive: str, uri: str) -> str:
    """The path of an object below its archive."""
    return uri.removeprefix(archive).lstrip("/")


def _opened(store: Store, archive: str, item: SourceObject) -> pa.NativeFile:
    with told(archive):
        try:
            stream = _stream(store, item.uri)
        except (FileNotFoundError, PermissionError) as error:
            raise Unusable("unreadable", "gone or closed since the listing") from error
        if stream.size() != item.size_bytes:
            stream.close()
            raise Unusable("unreadable", f"another size than listed ({item.size_bytes} bytes)")
        return stream


def _stream(store: Store, uri: str) -> pa.NativeFile:
    if is_s3(uri):
        return store.arrow(uri).open_input_file(store.path(uri))
    return pa.OSFile(os.fsencode(uri))  # a file's name need not be UTF-8


def shared_identifiers(
    own: Mapping[str, str] | None, crosswalk: Mapping[str, str] | None
) -> Callable[[str], str | None]:
    """Identifier in the records -> the one that images share; None where a map lacks it: the
    identifier of another kind could be another patient's. Identifiers are compared as pseudonyms
    compare them; one that is written exactly so goes before one that is written alike.

    Args:
        own: what the archive itself tells, applied first.
        crosswalk: the recipe's table.
    """

    ways = [_way(table) for table in (own, crosswalk) if table is not None]

    def shared(word: str) -> str | None:
        found: str | None = word
        for way in ways:
            found = None if found is None else way(found)
        return found

    return shared


def _way(table: Mapping[str, str]) -> Callable[[str], str | None]:
    alike: dict[str, str | None] = {}
    for word, leads_to in table.items():
        before = alike.setdefault(normalise(word), leads_to)
        if before is not None and normalise(before) != normalise(leads_to):
            alike[normalise(word)] = None  # only the exact word tells them apart
    return lambda word: table.get(word) or alike.get(normalise(word))


def read_crosswalk(store: Store, uri: str) -> dict[str, str]:
    """The rows of a crosswalk file.

    Raises:
        RecipeError: no table, no such columns, an empty cell, or one identifier (blanks around it
            and its case do not count) with two others.
    """
    with told("crosswalk"):
        data = store.read(uri)
    try:
        table = _table(uri, data)
    except pa.ArrowInvalid as error:
        raise _wrong("text that is no table") from error
    if not {"from", "to"} <= set(table.column_names):
        raise _wrong(f"{table.num_columns} columns without `from` and `to`")
    texts = [text_of(table[name].combine_chunks()).to_pylist() for name in ("from", "to")]
    cells = [[normalise(cell or "") for cell in column] for column in texts]
    pairs = set(zip(*cells, strict=True))
    rows = dict(pairs)
    if "" in rows or "" in rows.values():
        raise _wrong("empty cells")
    if len(rows) < len(pairs):
        raise _wrong(f"{len(pairs) - len(rows)} identifiers that lead to two others")
    return {word: leads_to.strip() for word, leads_to in zip(cells[0], texts[1], strict=True)}


def _table(uri: str, data: bytes) -> pa.Table:
    if uri.endswith(".parquet"):
        return pq.read_table(pa.BufferReader(data))
    options = pacsv.ConvertOptions(column_types=dict.fromkeys(("from", "to"), pa.string()), strings_can_be_null=False)
    return pacsv.read_csv(io.BytesIO(data), convert_options=options)


def _wrong(found: str) -> RecipeError:
    return RecipeError(
        "crosswalk", found, "CSV or Parquet with the columns `from` and `to`, one row for each `from`", "correct it"
    )
