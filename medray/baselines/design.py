"""Features with gaps -> the complete, scaled columns of a linear model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
FARTHEST = 3.0  # standard deviations: a mistyped weight of 7,000 kg must not decide


def design(features: Array) -> Callable[[Array], Array]:
    """How features become a design, as learnt from float32 (n, f) with NaN.

    Returns:
        features (N, f) -> float64 (N, f + g): each column with the training median where it is
        missing, then one 0/1 column for each distinct pattern of missing rows; all with training
        mean 0 and standard deviation 1, cut at 3 standard deviations.
    """
    medians = np.nanmedian(features, axis=0)
    gaps = _distinct_gaps(np.isnan(features))

    def complete(given: Array) -> Array:
        missing = np.isnan(given)
        return np.hstack([np.where(missing, medians, given), missing[:, gaps]]).astype(np.float64)

    filled = complete(features)
    mean, deviation = filled.mean(axis=0), filled.std(axis=0)
    scale = np.where(deviation > 0, deviation, 1.0)
    return lambda given: np.clip((complete(given) - mean) / scale, -FARTHEST, FARTHEST)


def _distinct_gaps(missing: Array) -> Array:
    """One column for each pattern of missing rows: a summary's mean and its maximum lack together,
    and a column that is there twice would be penalised half."""
    some = np.flatnonzero(missing.any(axis=0))
    _, first = np.unique(np.packbits(missing[:, some], axis=0), axis=1, return_index=True)
    return some[np.sort(first)]
