"""Rows -> the columns that classic models learn from."""

from __future__ import annotations

import numpy as np

from medray.contracts import Array, Sums
from medray.families.tabular.columns import numeric_width
from medray.families.tabular.config import TabularConfig


def simple(examples: Array, config: TabularConfig, summary: Sums) -> Array:
    """Numbers as they are, categories one-hot.

    Args:
        examples: float32 (N, columns) of `prepare`.

    Returns:
        float32 (N, D + K): D numbers, NaN where missing; for each category one of its K places,
        NaN in all of them where it is unknown.
    """
    numeric = numeric_width(config)
    parts = [examples[:, :numeric]]
    for column, texts in zip(examples[:, numeric:].T, config.categories.values(), strict=True):
        chosen = (column[:, None] == np.arange(len(texts))).astype(np.float32)
        parts.append(np.where(np.isnan(column)[:, None], np.float32(np.nan), chosen))
    return np.concatenate(parts, axis=1).astype(np.float32, copy=False)
