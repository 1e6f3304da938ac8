"""Calibrated probabilities of the tuning split -> the probability from which the answer is yes."""

from __future__ import annotations

import numpy as np

from medray.contracts import Array
from medray.tasks.config import AtLeast, ThresholdRule


def threshold(probabilities: Array, answers: Array, rule: ThresholdRule) -> float:
    """The cut that does best by `rule` when yes is `probability >= cut`.

    Cuts lie midway between neighbouring scores, so that a new case near a tuning case falls on its
    side. Among equally good cuts the one in the widest gap is taken.

    Args:
        probabilities: float (N,).
        answers: bool (N,).
        rule: "youden" (Youden, Cancer 1950: sensitivity + specificity - 1), "accuracy",
            "min_sensitivity_ppv" (Silva et al., Computing in Cardiology 2012, event 1), or a bound on
            sensitivity or specificity, under which the other one is made as high as it can be.

    Returns:
        The cut; 0.5 where the tuning split holds one answer only. Just above 1 (nobody is yes) where
        that does best although scores reach 1.
    """
    yes, no = int(answers.sum()), int((~answers).sum())
    if yes == 0 or no == 0:
        return 0.5
    scores = np.unique(probabilities)
    edges = np.r_[0.0, scores, 1.0]
    cuts = (edges[:-1] + edges[1:]) / 2
    if scores[-1] >= 1.0:
        cuts[-1] = np.nextafter(1.0, 2.0)  # nobody is yes
    hits = yes - np.searchsorted(np.sort(probabilities[answers]), cuts)
    rejections = np.searchsorted(np.sort(probabilities[~answers]), cuts)
    if isinstance(rule, AtLeast):
        value = _bounded(rule, hits, rejections, yes, no)
    else:
        value = _worth(rule, hits, rejections, yes, no)
    best = np.flatnonzero(np.isclose(value, value.max(), rtol=0.0, atol=1e-12))
    return float(cuts[best[np.argmax(np.diff(edges)[best])]])


def _bounded(rule: AtLeast, hits: Array, rejections: Array, yes: int, no: int) -> Array:
    """The other rate where the bound holds, equal ones ordered by the bounded rate; -1 elsewhere."""
    sensitive = rule.rule == "sensitivity"
    own, all_own = (hits, yes) if sensitive else (rejections, no)
    other = rejections if sensitive else hits
    # in whole numbers, so that a bound of 0.95 is met by 19 of 20
    return np.where(own >= rule.at_least * all_own - 1e-9, other * (all_own + 1) + own, -1)


def _worth(rule: str, hits: Array, rejections: Array, yes: int, no: int) -> Array:
    """What each cut is worth by `rule`, from its true positives and true negatives."""
    if rule == "youden":
        return hits / yes + rejections / no
    if rule == "accuracy":
        return (hits + rejections) / (yes + no)
    # Both rates have the same numerator, so that the lower one has the larger denominator.
    return np.asarray(hits / np.maximum(yes, hits + no - rejections))
