"""A label file's cells become keyed rows with typed values. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from medray.errors import LabelError
from medray.privacy.pseudonyms import Pseudonyms
from medray.recipes.ingest import LabelFile
from medray.schema.labels import INPUT_KEYS, VALUES
from medray.storage.uri import join

LabelKey = tuple[str, Any, str]  # input key column, its value, label
_TRUE, _FALSE = frozenset({"1", "true", "yes", "1.0"}), frozenset({"0", "false", "no", "0.0"})


def keyed_rows(
    table: pa.Table, file: LabelFile, archive: str, pseudonyms: Pseudonyms, midnight: datetime
) -> tuple[list[dict[str, Any]], int]:
    """Rows of `labels` without `run_id`, and how many cells hold no answer.

    Raises:
        LabelError: a cell holds a value of another kind, or one key has two answers.
    """
    column, keys = _keys(table[file.key_column].to_pylist(), file, archive, pseudonyms)
    answered = [midnight] * len(keys) if file.labelled_at is None else _times(table[file.labelled_at], file)
    # Only the order of answers to one key matters, so the key's own constant hides the date.
    times = [pseudonyms.shift(key, time) for key, time in zip(keys, answered, strict=True)]
    rows: list[dict[str, Any]] = []
    missing = 0
    empty = dict.fromkeys((*INPUT_KEYS, "prediction_time", *VALUES))
    for label, kind in file.columns.items():
        values = _values(table[label].to_pylist(), label, kind, file)
        missing += sum(value is None for value in values)
        rows += [
            {**empty, column: key, "label": label, f"{kind}_value": value, "labelled_at": time}
            for key, value, time in zip(keys, values, times, strict=True)
            if value is not None
        ]
    _one_answer_each(rows, column, file)
    return rows, missing


def whole_keys(table: pa.Table, file: LabelFile) -> pa.Table:
    """The table with keys like 132539.0 written as 132539: what a text file makes of ids that were floats."""
    place, keys = table.schema.get_field_index(file.key_column), table[file.key_column]
    if not pa.types.is_string(keys.type):
        return table
    return table.set_column(place, file.key_column, pc.replace_substring_regex(keys, r"^([0-9]+)\.0+$", r"\1"))


def _keys(cells: list[Any], file: LabelFile, archive: str, pseudonyms: Pseudonyms) -> tuple[str, list[Any]]:
    texts = [_text(cell) for cell in cells]
    empty = [number for number, text in enumerate(texts, start=2) if not text]
    if empty:
        raise LabelError(
            f"label file {file.uri}, column {file.key_column!r}",
            f"{len(empty)} empty key(s) (lines {', '.join(map(str, empty[:5]))})",
            f"a {file.key} on every line",
            "complete or remove the lines",
        )
    if file.key == "path":
        return "source_key", [pseudonyms.source_key(join(archive, text.lstrip("/"))) for text in texts]
    if file.key == "PatientID":
        return "subject_id", [pseudonyms.subject_id(file.issuer, text) for text in texts]
    return file.key, [pseudonyms.uid(text) for text in texts]


def _text(cell: Any) -> str:
    """A whole float is the integer's text, as in the archive's own tables; no number is no text."""
    if cell is None or cell != cell:
        return ""
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 2**53:
        return str(int(cell))
    return str(cell).strip()


def _values(cells: list[Any], label: str, kind: str, file: LabelFile) -> list[Any]:
    read = _READERS[kind]
    values: list[Any] = []
    wrong: list[int] = []
    for number, cell in enumerate(cells, start=2):  # line 1 is the header
        text = "" if cell is None else str(cell).strip()
        if not text or text in file.missing:
            values.append(None)
            continue
        try:
            values.append(read(text))
        except ValueError:
            wrong.append(number)
    if wrong:
        raise LabelError(
            f"label file {file.uri}, column {label!r}",
            f"{len(wrong)} value(s) that are not {kind} (lines {', '.join(map(str, wrong[:5]))})",
            f"{kind} values, or one of [labels] missing",
            "correct the lines, or the kind of the column",
        )
    return values


def _boolean(text: str) -> bool:
    if text.lower() in _TRUE:
        return True
    if text.lower() in _FALSE:
        return False
    raise ValueError


def _integer(text: str) -> int:
    value = int(text)
    if not -(2**63) <= value < 2**63:
        raise ValueError
    return value


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):  # a NaN would never equal the answer that stands
        raise ValueError
    return value


_READERS: dict[str, Callable[[str], Any]] = {
    "boolean": _boolean,
    "integer": _integer,
    "float": _finite,
    "categorical": str,
}


def _utc(text: str) -> datetime:
    """A time without a zone is taken as it is. The first year is no time: it could not be shifted back."""
    time = datetime.fromisoformat(text)
    if time.year == 1:
        raise ValueError
    return time if time.tzinfo is None else time.astimezone(UTC).replace(tzinfo=None)


def _times(column: pa.ChunkedArray, file: LabelFile) -> list[datetime]:
    try:
        times = [_utc(str(cell)) for cell in column.to_pylist()]
    except (ValueError, OverflowError) as error:
        raise LabelError(
            f"label file {file.uri}, column {file.labelled_at!r}",
            "a value that is no ISO 8601 time of the years 2 to 9999",
            "2026-01-31 or 2026-01-31T12:00:00",
            "correct the column",
        ) from error
    return times


def _one_answer_each(rows: list[dict[str, Any]], column: str, file: LabelFile) -> None:
    seen: dict[tuple[Any, str, datetime], Any] = {}
    for row in rows:
        key = (row[column], row["label"], row["labelled_at"])
        value = next(row[name] for name in VALUES if row[name] is not None)
        if seen.setdefault(key, value) != value:
            raise LabelError(
                f"label file {file.uri}, column {row['label']!r}",
                "two answers for one key at one time",
                "one answer for each key and time",
                "remove one, or give [labels] labelled_at",
            )
