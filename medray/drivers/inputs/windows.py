"""What was known of the subjects of one data file, at their prediction times."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from medray.contracts import Array, Window
from medray.drivers.input import InputKey, record_id
from medray.drivers.inputs.record_inputs import read_rows
from medray.drivers.records.read_events import read_bucket
from medray.ops.code_id import TEXT_SEPARATOR, code_ids
from medray.planning.buckets import Bucket, bucket_of
from medray.planning.cohorts import Asked
from medray.planning.timelines import STATIC, Timelines, moment, timelines
from medray.planning.windows import may_be_known, windows
from medray.recipes.problem import Problem
from medray.storage.store import Store

_COLUMNS = ("subject_id", "time", "code", "numeric_value", "text_value")


def read_windows(
    store: Store, lake: str, path: str, events: Sequence[str], problem: Problem, wanted: Collection[InputKey], fine: int
) -> Iterator[tuple[InputKey, Window]]:
    """The windows of the wanted inputs in one file of `labels`, in order of their subjects.

    Args:
        events: the files of `events` to read; those of other subjects are passed over.
        fine: the events of one of so many parts of all subjects are in memory at a time.
    """
    keys: list[InputKey] = []
    subjects: list[int] = []
    times: list[int] = []
    for row in read_rows(store, lake, path, problem.name):
        key = (record_id(row["subject_id"], row["prediction_time"]), row["input_version"])
        if key in wanted:
            keys.append(key)
            subjects.append(row["subject_id"])
            times.append(moment(row["prediction_time"]))
    subject, time = np.array(subjects, np.int64), np.array(times, np.int64)
    for part in bucket_of(path).parts(fine):
        own = np.flatnonzero(part.holds(subject))
        if len(own):
            asked = Asked(subject[own], time[own])
            known, ids = _known(store, lake, part, events, asked, problem)
            yield from zip([keys[row] for row in own], windows(asked, known, ids, problem.observe_hours), strict=True)


def _known(
    store: Store, lake: str, part: Bucket, events: Sequence[str], asked: Asked, problem: Problem
) -> tuple[Timelines, np.typing.NDArray[np.int64]]:
    table = read_bucket(store, lake, events, part, _COLUMNS, np.unique(asked.subject))
    table = table.filter(pa.array(_may_be_known(table, problem)))
    found = timelines(table.set_column(table.schema.get_field_index("code"), "code", with_text(table)))
    names = code_ids(found.names)
    return found, names[found.code] if len(names) else np.zeros(0, np.int64)


def _may_be_known(table: pa.Table, problem: Problem) -> Array:
    """By the codes as the problem names them, without a text."""
    code = pc.dictionary_encode(table["code"].cast(pa.string())).combine_chunks()
    if isinstance(code, pa.ChunkedArray):  # no chunk at all
        return np.zeros(0, bool)
    time = np.where(table["time"].is_null().to_numpy(), STATIC, 0)
    return may_be_known(problem, code.dictionary.to_pylist(), code.indices.to_numpy(), time)


def with_text(table: pa.Table) -> pa.ChunkedArray:
    """Codes; `code//text` where an event has a text and no number. Beside a number the text is a
    comparator or a remark, and the code stays the one under which the number is looked for."""
    code = table["code"].cast(pa.string())
    if table["text_value"].null_count == table.num_rows:
        return code
    joined = pc.binary_join_element_wise(code, table["text_value"], TEXT_SEPARATOR)
    is_text = pc.and_(table["text_value"].is_valid(), table["numeric_value"].is_null())
    return pc.if_else(is_text, joined, code)
