"""One or more numbers about one input: one output each, masked where unknown."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch.nn.functional import huber_loss, l1_loss, mse_loss

from medray.contracts import Array, Columns, Sums, Task
from medray.errors import LabelError
from medray.tasks.answers import answers, numbers
from medray.tasks.config import RegressionConfig, RegressionLoss
from medray.tasks.conformal import fit_line, half_width, left_out_errors
from medray.tasks.exact_sums import exact_sum, mean_and_deviation

_LOSSES: dict[RegressionLoss, Callable[..., torch.Tensor]] = {
    "squared": mse_loss,
    "absolute": l1_loss,
    "huber": huber_loss,
}
_FEWEST = 3  # known answers of the tuning split from which a line and an error can be told apart


def targets(rows: Mapping[str, Sequence[Any]], config: RegressionConfig) -> Array:
    """float32 (N, K) in the units of the label file, NaN where missing. Raises `LabelError`."""
    return np.stack([numbers(answers(rows, label), label) for label in config.labels], axis=1).astype(np.float32)


def survey(targets: Array, config: RegressionConfig) -> Sums:
    """{"count": [K], "sum": [K], "squares": [K]}, whole numbers without rounding (`exact_sum`)."""
    known = [column[~np.isnan(column)].astype(np.float64) for column in targets.T]
    return {
        "count": [len(column) for column in known],
        "sum": [exact_sum(column) for column in known],
        "squares": [exact_sum(column**2) for column in known],
    }


def merge(left: Sums, right: Sums) -> Sums:
    """The sums of two parts together."""
    return {name: [a + b for a, b in zip(left[name], right[name], strict=True)] for name in left}


def summarise(sums: Sums, config: RegressionConfig) -> Sums:
    """{"mean": [K], "deviation": [K]} of the training split, in units."""
    columns = zip(sums["count"], sums["sum"], sums["squares"], strict=True)
    found = [mean_and_deviation(*column) for column in columns]
    return {"mean": [mean for mean, _ in found], "deviation": [deviation for _, deviation in found]}


def outputs(config: RegressionConfig) -> int:
    """One output per number."""
    return len(config.labels)


def loss(
    logits: torch.Tensor, targets: torch.Tensor, config: RegressionConfig, summary: Sums
) -> tuple[torch.Tensor, torch.Tensor]:
    """(loss of the standardised numbers, known answers), both sums over all numbers.

    A mean squared loss of 1 is that of answering the training mean.
    """
    known = ~targets.isnan()
    mean, deviation = (
        torch.as_tensor(summary[name], dtype=logits.dtype, device=logits.device) for name in ("mean", "deviation")
    )
    # Masked, not picked out: to know how many there are, a GPU would have to be waited for.
    wanted = torch.where(known, (targets - mean) / deviation, torch.zeros_like(targets))
    return (_LOSSES[config.loss](logits, wanted, reduction="none") * known).sum(), known.sum()


def calibrate(logits: Array, targets: Array, config: RegressionConfig) -> Sums:
    """{"offset": [K], "slope": [K], "half_width": [K]} of the tuning split, all in units.

    Raises:
        LabelError: fewer than 3 known answers to a question.
    """
    out: Sums = {"offset": [], "slope": [], "half_width": []}
    for column, label in enumerate(config.labels):
        known = ~np.isnan(targets[:, column])
        if known.sum() < _FEWEST:
            raise LabelError(
                where=f"labels, question '{label}'",
                found=f"{known.sum()} known answers in the tuning split",
                allowed=f"{_FEWEST} or more: they give the answers their unit and their interval",
                do="widen the tuning split, or leave the question out",
            )
        raw, truth = logits[known, column].astype(np.float64), targets[known, column].astype(np.float64)
        line = fit_line(raw, truth, config.loss)
        out["offset"].append(line.offset)
        out["slope"].append(line.slope)
        out["half_width"].append(half_width(left_out_errors(raw, truth, line), config.interval))
    return out


def decode(logits: Array, config: RegressionConfig, calibration: Sums) -> dict[str, Columns]:
    """Per question the raw output (standardised), the answer in units, and the ends of its interval.

    The ends are None where the tuning split was too small for the interval that the recipe asks.
    """
    raw = np.asarray(logits, dtype=np.float64)
    answer = np.asarray(calibration["offset"]) + np.asarray(calibration["slope"]) * raw
    found: dict[str, Columns] = {}
    for column, label in enumerate(config.labels):
        value, half = answer[:, column], calibration["half_width"][column]
        found[label] = {
            "raw_score": raw[:, column].tolist(),
            "predicted_float_value": value.tolist(),
            "prediction_lower": [None] * len(raw) if half is None else (value - half).tolist(),
            "prediction_upper": [None] * len(raw) if half is None else (value + half).tolist(),
        }
    return found


def questions(config: RegressionConfig) -> tuple[str, ...]:
    """The labels."""
    return config.labels


def margin(logits: torch.Tensor, config: RegressionConfig, label: str) -> torch.Tensor:
    """The number before it has its unit; the answer rises with it."""
    return logits[:, config.labels.index(label)]


def evaluate(
    stored: Mapping[str, Mapping[str, Array]],
    targets: Array,
    config: RegressionConfig,
    subjects: Array,
    resamples: int,
    seed: int,
) -> dict[str, Any]:
    """Metrics by question, with intervals by subject, from stored answers."""
    # Scoring workers never evaluate: scikit-learn loads only here.
    from medray.metrics.evaluate import evaluate_regression

    return {
        label: evaluate_regression(
            stored[label]["predicted_float_value"], targets[:, column],
            stored[label]["prediction_lower"], stored[label]["prediction_upper"], config.interval, subjects,
            resamples=resamples, seed=seed,
        ).to_json()
        for column, label in enumerate(config.labels)
    }  # fmt: skip


TASK = Task(
    name="regression",
    Config=RegressionConfig,
    targets=targets,
    survey=survey,
    merge=merge,
    summarise=summarise,
    outputs=outputs,
    loss=loss,
    calibrate=calibrate,
    decode=decode,
    questions=questions,
    margin=margin,
    evaluate=evaluate,
)
