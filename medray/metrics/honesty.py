"""Whether probabilities are honest, with intervals: one sample, before or after calibration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from medray.metrics.calibration import bin_of, brier, equal_mass_edges, expected_calibration_error, reliability
from medray.metrics.recalibration import LogOdds, log_odds, slope_and_intercept
from medray.metrics.records import Estimate, Honesty, Reliability

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

NAMES = ("brier", "ece", "calibration_slope", "calibration_intercept")
BINS = 10


@dataclass(frozen=True)
class Scores:
    """Probabilities (N,) with their truth (N,), and the bins that all resamples share."""

    scores: Floats
    outcomes: Floats
    log_odds: LogOdds
    edges: Floats
    bins: npt.NDArray[np.int64]

    def values(self, weights: Floats) -> Floats:
        """Row weights (N,) -> `NAMES`, then the share of positives of each bin."""
        points = self.points(weights)
        slope, intercept = slope_and_intercept(self.log_odds, weights)
        honest = brier(self.scores, self.outcomes, weights)
        return np.array([honest, expected_calibration_error(points), slope, intercept, *points[2]])

    def record(self, found: Sequence[Estimate]) -> Honesty:
        """What `values` gave, with its intervals, as a record."""
        mass, mean_score, _ = self.points(np.ones_like(self.scores))
        shares = found[len(NAMES) :]
        return Honesty(
            metrics=dict(zip(NAMES, found, strict=False)),
            reliability=Reliability(
                edges=tuple(self.edges.tolist()),
                count=tuple(mass.astype(int).tolist()),
                mean_score=tuple(mean_score.tolist()),
                observed=tuple(share.value for share in shares),
                lower=tuple(share.lower for share in shares),
                upper=tuple(share.upper for share in shares),
            ),
        )

    def points(self, weights: Floats) -> Floats:
        """(3, bins) of `calibration.reliability`."""
        return reliability(self.scores, self.outcomes, weights, self.bins, len(self.edges) - 1)


def scored(scores: Floats, positive: Bools) -> Scores:
    """Probabilities (N,) in [0, 1] beside the truth (N,)."""
    edges = equal_mass_edges(scores, BINS)
    return Scores(scores, positive.astype(np.float64), log_odds(scores, positive), edges, bin_of(scores, edges))
