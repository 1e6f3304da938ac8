"""What arrays an evaluation takes; every refusal says what was found, in counts only."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from medray.errors import AccountingError, LabelError, ModelError

Array = npt.NDArray[Any]


def check_lengths(where: str, *arrays: Array) -> None:
    """Raises AccountingError unless all arrays have as many rows."""
    lengths = [len(array) for array in arrays]
    if len(set(lengths)) > 1:
        raise AccountingError(
            where=where,
            found=f"arrays of {', '.join(map(str, lengths))} rows",
            allowed="one row per prediction in each of them",
            do="pass scores, targets, decisions and subjects of the same predictions",
        )


def check_truth(where: str, targets: Array) -> None:
    """Raises LabelError unless every target is 0, 1 or NaN."""
    wrong = int(np.count_nonzero(~(np.isnan(targets) | np.isin(targets, (0, 1)))))
    if wrong:
        raise LabelError(
            where=where,
            found=f"{wrong} of {targets.size} targets with another value",
            allowed="1 (positive), 0 (negative) or NaN (not known)",
            do="map the label's values to 0 and 1 before evaluating",
        )


def check_classes(where: str, targets: Array, count: int) -> None:
    """Raises LabelError unless every target is NaN or a whole number in [0, count)."""
    wrong = int(np.count_nonzero(~(np.isnan(targets) | np.isin(targets, np.arange(count)))))
    if wrong:
        raise LabelError(
            where=where,
            found=f"{wrong} of {targets.size} targets that name no class",
            allowed=f"a class index from 0 to {count - 1}, or NaN (not known)",
            do="pass targets as indices into `classes`",
        )


def check_probabilities(where: str, scores: Array) -> None:
    """Raises ModelError unless every score is in [0, 1]."""
    wrong = int(np.count_nonzero(~((scores >= 0) & (scores <= 1))))
    if wrong:
        raise ModelError(
            where=where,
            found=f"{wrong} of {scores.size} scores that are no probability",
            allowed="finite numbers from 0 to 1 wherever the truth is known",
            do="leave abstained rows out, and pass calibrated probabilities rather than logits",
        )


def check_finite(where: str, predictions: Array) -> None:
    """Raises ModelError unless every prediction is a finite number."""
    wrong = int(np.count_nonzero(~np.isfinite(predictions)))
    if wrong:
        raise ModelError(
            where=where,
            found=f"{wrong} of {predictions.size} predictions that are no number",
            allowed="finite numbers wherever the truth is known",
            do="leave abstained rows out, and pass predictions in the units of the truth",
        )
