"""What decisions are worth once a threshold is set: four counts and the rates made of them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from medray.metrics.records import Confusion

Bools = npt.NDArray[np.bool_]

RATES = ("accuracy", "sensitivity", "specificity", "ppv", "npv", "f1", "min_sensitivity_ppv")


def confusion(decided: Bools, positive: Bools) -> Confusion:
    """The four counts of decisions (N,) against the truth (N,)."""
    return Confusion(
        true_positive=int(np.count_nonzero(decided & positive)),
        false_positive=int(np.count_nonzero(decided & ~positive)),
        false_negative=int(np.count_nonzero(~decided & positive)),
        true_negative=int(np.count_nonzero(~decided & ~positive)),
    )


def rates(true_positive: float, false_positive: float, false_negative: float, true_negative: float) -> dict[str, float]:
    """Every name of `RATES` with its value in [0, 1], NaN where its denominator is zero.

    Counts may be weighted sums. Sensitivity and specificity belong to the test; PPV and NPV
    also depend on how many examples are positive. The lower of sensitivity and PPV is event 1 of
    the PhysioNet/CinC challenge 2012 (Silva et al., Computing in Cardiology 2012); both have the
    same numerator, so it is the one with the larger denominator.
    """
    correct = true_positive + true_negative
    wrong = false_positive + false_negative
    return {
        "accuracy": _ratio(correct, correct + wrong),
        "sensitivity": _ratio(true_positive, true_positive + false_negative),
        "specificity": _ratio(true_negative, true_negative + false_positive),
        "ppv": _ratio(true_positive, true_positive + false_positive),
        "npv": _ratio(true_negative, true_negative + false_negative),
        "f1": _ratio(2 * true_positive, 2 * true_positive + wrong),
        "min_sensitivity_ppv": _ratio(true_positive, true_positive + max(false_positive, false_negative)),
    }


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole > 0 else float("nan")
