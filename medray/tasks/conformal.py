"""Network outputs and numbers of the tuning split -> units, and how far off an answer may be."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from medray.contracts import Array
from medray.tasks.config import RegressionLoss

_SCIPY_LOSS = {"squared": ("linear", 1.0), "absolute": ("soft_l1", 0.01), "huber": ("huber", 1.0)}


@dataclass(frozen=True)
class Line:
    """The answer is `offset + slope * output`."""

    offset: float
    slope: float

    def __call__(self, outputs: Array) -> Array:
        return self.offset + self.slope * outputs


def fit_line(outputs: Array, truth: Array, loss: RegressionLoss) -> Line:
    """The line that loses least on the tuning split: calibration intercept and slope (Cox,
    Biometrika 1958; Steyerberg, Clinical Prediction Models, 2019, chapter 15).

    Args:
        outputs: float (N,) of the network, on the standardised scale.
        truth: float (N,) in units, N >= 1.
        loss: of the recipe; "absolute" is smoothed within a hundredth of a standard deviation.

    Returns:
        The line; without slope where outputs do not rise with the truth, so that the answer is
        the best constant.
    """
    scale = float(truth.std()) or 1.0
    shape, knee = _SCIPY_LOSS[loss]

    from scipy.optimize import least_squares  # scoring does without it

    def fitted(design: Array) -> Array:
        start = np.linalg.lstsq(design, truth / scale, rcond=None)[0]
        found = least_squares(
            lambda at: design @ at - truth / scale, start, lambda _: design, loss=shape, f_scale=knee, x_scale="jac"
        )
        return np.asarray(found.x * scale)

    if np.ptp(outputs) > 0:
        offset, slope = fitted(np.stack([np.ones_like(outputs), outputs], axis=1)).tolist()
        if slope > 0:
            return Line(offset, slope)
    return Line(float(fitted(np.ones((len(truth), 1)))[0]), 0.0)


def left_out_errors(outputs: Array, truth: Array, line: Line) -> Array:
    """Absolute errors (N,) as if each answer had not been there when the line was fitted.

    An error of least squares grows by 1 / (1 - leverage) when its row is left out (the jackknife
    residual, as in Barber et al., Annals of Statistics 2021); infinite where a row alone decides.
    """
    spread = outputs - outputs.mean()
    total = float(np.sum(spread**2))
    leverage = 1.0 / len(outputs) + (spread**2 / total if line.slope and total else 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        errors = np.abs(truth - line(outputs)) / np.maximum(1.0 - leverage, 0.0)
    return np.asarray(np.where(np.isnan(errors), np.inf, errors))


def half_width(errors: Array, coverage: float) -> float | None:
    """Half the width of an interval that covers a new answer with probability `coverage`.

    Split conformal prediction (Lei et al., JASA 2018): the ceil((N + 1) * coverage)-th smallest of
    N absolute errors, for answers drawn alike.

    Returns:
        The half-width; None where N is too small to promise so much.
    """
    place = math.ceil(round((len(errors) + 1) * coverage, 9))
    if place > len(errors):
        return None
    found = float(np.sort(errors)[place - 1])
    return found if math.isfinite(found) else None
