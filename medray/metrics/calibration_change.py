"""What a calibration has done to the scores of one yes-or-no question."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from medray.metrics.honesty import NAMES, scored
from medray.metrics.records import plain


def calibration_change(
    before: npt.NDArray[np.float64], after: npt.NDArray[np.float64], positive: npt.NDArray[np.bool_]
) -> dict[str, Any]:
    """{"n", "before", "after"}: of each the calibration error, the Brier score and the reliability points, as JSON.

    Args:
        before, after: (N,) probabilities of the same examples.
        positive: (N,) the truth.
    """
    return {"n": len(positive), "before": _fit(before, positive), "after": _fit(after, positive)}


def _fit(scores: npt.NDArray[np.float64], positive: npt.NDArray[np.bool_]) -> dict[str, Any]:
    honest, each_once = scored(scores, positive), np.ones(len(scores))
    count, mean_score, observed = honest.points(each_once)
    values = dict(zip(NAMES, honest.values(each_once), strict=False))
    document: dict[str, Any] = plain(
        {
            "ece": float(values["ece"]),
            "brier": float(values["brier"]),
            "count": count.astype(int).tolist(),
            "mean_score": mean_score.tolist(),
            "observed": observed.tolist(),
        }
    )
    return document
