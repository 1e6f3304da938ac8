"""Rows -> their columns, each of which can be taken away."""

from __future__ import annotations

import numpy as np

from medray.contracts import Array, Parts, Sums
from medray.families.tabular.columns import column_names, numeric_width
from medray.families.tabular.config import TabularConfig


def parts(example: Array, config: TabularConfig, summary: Sums) -> Parts:
    """One part a column: its number with the flag that it is missing, or all places of a category.

    Args:
        example: float32 (columns,) of `prepare`.
    """
    numeric = numeric_width(config)
    places = [np.full(len(texts), numeric + at) for at, texts in enumerate(config.categories.values())]
    of = np.concatenate([np.tile(np.arange(numeric), 2), *places]).astype(np.int64)
    return Parts(column_names(config), example.astype(np.float64), of)
