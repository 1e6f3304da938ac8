"""Rows -> their columns by name, by which a change of units or a missing feed shows."""

from __future__ import annotations

import numpy as np

from medray.contracts import Array, Sums
from medray.families.tabular.config import TabularConfig


def traits(examples: Array, config: TabularConfig, summary: Sums) -> dict[str, Array]:
    """Each column under its name ("last of HR", "mean of HR, 6 h", "SEX").

    Args:
        examples: float32 (N, columns) of `prepare`.

    Returns:
        float32 (N,) each; NaN where nothing is known. Categories are their place in the recipe.
    """
    names = [
        f"{take} of {code}" + ("" if group.hours is None else f", {group.hours:g} h")
        for group in config.columns
        for take in group.take
        for code in group.codes
    ]
    return dict(zip([*names, *config.categories], np.ascontiguousarray(examples.T), strict=True))
