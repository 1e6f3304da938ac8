"""How scores would have to be stretched and shifted to be honest: Cox's slope and intercept."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

NEAREST = 1e-6  # to 0 and 1 that a score counts as: its logit would be infinite
MANY = 5000  # rows from which on log-odds count as rounded to
GRID = 1 / 256  # which moves a slope by less than one in ten thousand
STEPS = 60
SETTLED = 1e-10


@dataclass(frozen=True)
class LogOdds:
    """Rows (N,) gathered by their log-odds, which serves every weighting of them.

    Attributes:
        cells: (G,) log-odds, rising.
        cell: (N,) the place of each row among them.
        outcomes: (N,) 1.0 positive, 0.0 negative.
    """

    cells: Floats
    cell: npt.NDArray[np.int64]
    outcomes: Floats


def log_odds(scores: Floats, positive: Bools) -> LogOdds:
    """Probabilities (N,) beside the truth; those within 1e-6 of 0 or 1 as if they stood there."""
    found = logit(np.clip(scores, NEAREST, 1 - NEAREST))
    cells, cell = np.unique(np.round(found / GRID) * GRID if len(found) > MANY else found, return_inverse=True)
    return LogOdds(cells, cell.astype(np.int64), positive.astype(np.float64))


def slope_and_intercept(rows: LogOdds, weights: Floats) -> tuple[float, float]:
    """Calibration slope, and calibration intercept (calibration in the large), of weighted rows.

    The slope b of logit P(y) = a + b * log-odds: 1 is honest, below 1 too extreme, above 1 too
    timid. The intercept a of logit P(y) = a + log-odds: 0 is honest, above 0 scores are too low on
    the whole (Cox, Biometrika 1958; Van Calster et al., BMC Medicine 2019).

    Returns:
        NaN where the likelihood has no maximum: one class only, and for the slope scores that
        separate the classes or are all alike.
    """
    every: Floats = np.bincount(rows.cell, weights, len(rows.cells)).astype(np.float64)
    positive: Floats = np.bincount(rows.cell, weights * rows.outcomes, len(rows.cells)).astype(np.float64)
    some = every > 0
    z, mass, hits = rows.cells[some], every[some], positive[some]
    if not 0 < hits.sum() < mass.sum():
        return float("nan"), float("nan")
    shift = _fitted(np.ones((1, len(z))), z, mass, hits)[0]
    yes, no = z[hits > 0], z[hits < mass]
    # Else the likeliest slope is infinite: what follows would find out too, after many steps.
    overlap = yes[0] < no[-1] and no[0] < yes[-1]
    slope = _fitted(np.stack([np.ones_like(z), z]), np.zeros_like(z), mass, hits)[1] if overlap else float("nan")
    return float(slope), float(shift)


def _fitted(columns: Floats, offset: Floats, mass: Floats, hits: Floats) -> Floats:
    """Coefficients (K,) of columns (K, G) of the likeliest logistic regression: Newton's method, its
    step halved until the gradient shrinks; NaN where it does not settle."""
    at = np.zeros(len(columns))
    at[1:] = 1.0
    chance = expit(_weighted(at, columns) + offset)
    gradient = (columns * (hits - mass * chance)).sum(axis=1)
    for _ in range(STEPS):
        spread = mass * chance * (1 - chance)
        curvature = np.array([[(one * other * spread).sum() for other in columns] for one in columns])
        if not np.linalg.det(curvature) > 0:
            break
        step = np.linalg.solve(curvature, gradient)
        if np.abs(step).max() <= SETTLED * max(1.0, np.abs(at).max()):
            return np.asarray(at + step)
        size = np.abs(gradient).max()
        for _ in range(STEPS):
            chance = expit(_weighted(at + step, columns) + offset)
            gradient = (columns * (hits - mass * chance)).sum(axis=1)
            if np.abs(gradient).max() < size or size <= SETTLED * mass.sum():
                break
            step = step / 2
        at = at + step
    return np.full(len(at), np.nan)


def _weighted(at: Floats, columns: Floats) -> Floats:
    # no BLAS here: its threads cost more than they save, and sums would depend on how many there are
    return np.asarray((columns * at[:, None]).sum(axis=0))
