"""How pyarrow is to read the cells of a text file: texts, null where empty."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa
from pyarrow import csv

from medray.contracts import Array

Batch = tuple[Array, pa.RecordBatch, Array]
"""Numbers of rows, their cells, numbers of malformed rows up to where the next batch begins."""


def parsing(delimiter: str, malformed: Callable[[csv.InvalidRow], str], multiline: bool = False) -> csv.ParseOptions:
    """`malformed` is told of each row with another number of cells than the header has."""
    return csv.ParseOptions(delimiter=delimiter, newlines_in_values=multiline, invalid_row_handler=malformed)


def converting(wanted: Sequence[str]) -> csv.ConvertOptions:
    """These columns only, all of them when there are none."""
    return csv.ConvertOptions(
        include_columns=list(wanted),
        column_types=dict.fromkeys(wanted, pa.string()),
        strings_can_be_null=True,
        null_values=[""],
    )


def numbered(count: int, start: int, malformed: Sequence[int]) -> Array:
    """The next `count` row numbers from `start` that are not malformed."""
    rows = np.arange(start, start + count + len(malformed))
    return rows[~np.isin(rows, malformed)][:count] if malformed else rows
