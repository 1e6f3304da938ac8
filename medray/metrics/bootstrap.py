"""Percentile bootstrap that resamples subjects with all their rows (the cluster bootstrap).

Efron and Tibshirani 1993, chapter 13, and Field and Welsh 2007 for clusters. Rows of one subject are
kept together because they are alike: resampling rows would pretend to more evidence than there is.
Where every resample gives the same value (a perfect AUROC, a sensitivity of 1) the interval has no
width and says nothing; it is not a promise.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from medray.errors import RecipeError
from medray.metrics.records import Estimate

Floats = npt.NDArray[np.float64]
Statistic = Callable[[Floats], Floats]


@dataclass(frozen=True)
class Resampling:
    """How intervals are made.

    Raises RecipeError for no resamples or a level outside (0, 1).

    Attributes:
        resamples: how many are drawn.
        seed: of the generator; the same seed, subjects and count give the same draws.
        level: the probability that an interval covers, in (0, 1).
    """

    resamples: int
    seed: int
    level: float

    def __post_init__(self) -> None:
        if self.resamples < 1 or not 0 < self.level < 1:
            raise RecipeError(
                where="bootstrap",
                found=f"resamples {self.resamples} and level {self.level}",
                allowed="1 resample or more and a level between 0 and 1",
                do="1000 resamples and a level of 0.95 are usual",
            )


def replicates(statistic: Statistic, subjects: npt.NDArray[np.int64], resampling: Resampling) -> Floats:
    """Values (resamples, K) of a statistic over resampled subjects, NaN where it is not defined.

    Args:
        statistic: row weights (N,) -> (K,). A weight counts how often the row's subject was drawn.
        subjects: (N,) who each row is of.
        resampling: how many draws, from which seed.
    """
    generator = np.random.default_rng(resampling.seed)
    known, member = np.unique(subjects, return_inverse=True)
    rows = []
    for _ in range(resampling.resamples):
        drawn = generator.integers(0, len(known), len(known))
        times = np.bincount(drawn, minlength=len(known)).astype(np.float64)
        rows.append(statistic(times[member]))
    return np.stack(rows)


def without_bias(value: float, drawn: Floats) -> Floats:
    """Replicates (resamples,) of a distance, moved so that their median is its value; none is below 0.

    For a calibration error: rows that come twice look like a pattern, so that it is larger in nearly every
    resample than in the sample, and its percentile interval would leave the value itself out.
    """
    if np.isnan(drawn).all():
        return drawn
    return np.asarray(np.maximum(drawn - (np.nanmedian(drawn) - value), 0.0))


def estimates(values: Floats, drawn: Floats, subject_count: int, level: float) -> list[Estimate]:
    """Each value (K,) with its percentile interval over `drawn` (resamples, K).

    Resamples where a value is not defined (no positive was drawn, nothing was called positive) are
    left out of its interval and counted in `undefined`. One subject alone gives no interval.
    """
    undefined = np.isnan(drawn).sum(axis=0)
    tails = [(1 - level) / 2, (1 + level) / 2]
    found = []
    for index, value in enumerate(values):
        usable = drawn[~np.isnan(drawn[:, index]), index]
        known = len(usable) > 0 and subject_count > 1 and not np.isnan(value)
        lower, upper = np.quantile(usable, tails) if known else (np.nan, np.nan)
        found.append(Estimate(float(value), float(lower), float(upper), int(undefined[index])))
    return found
