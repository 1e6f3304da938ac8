"""What a calibration has done to the scores of one yes-or-no question."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from medray.metrics.calibration import bin_of, brier, equal_mass_edges, expected_calibration_error, reliability
from medray.metrics.records import plain

BINS = 10


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
    edges = equal_mass_edges(scores, BINS)
    points = reliability(
        scores, positive.astype(np.float64), np.ones_like(scores), bin_of(scores, edges), len(edges) - 1
    )
    found = {
        "ece": expected_calibration_error(points),
        "brier": brier(scores, positive),
        "count": points[0].astype(int).tolist(),
        "mean_score": points[1].tolist(),
        "observed": points[2].tolist(),
    }
    document: dict[str, Any] = plain(found)
    return document
