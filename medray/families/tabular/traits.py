"""Rows -> their columns by name, by which a change of units or a missing feed shows."""

from __future__ import annotations

import numpy as np

from medray.contracts import Array, Sums
from medray.families.tabular.columns import column_names
from medray.families.tabular.config import TabularConfig


def traits(examples: Array, config: TabularConfig, summary: Sums) -> dict[str, Array]:
    """Each column under its name.

    Args:
        examples: float32 (N, columns) of `prepare`.

    Returns:
        float32 (N,) each; NaN where nothing is known. Categories are their place in the recipe.
    """
    return dict(zip(column_names(config), np.ascontiguousarray(examples.T), strict=True))
