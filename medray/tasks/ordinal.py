"""One question whose answers have an order: one logit for each step upwards.

Logit j says how likely the answer is above class j once it is known to be at least class j: CORN
(Shi, Cao and Raschka, Pattern Analysis and Applications 2023), whose likelihood is that of the
continuation-ratio model (McCullagh and Nelder 1989, section 5.2.5). Unlike one logit a class it
knows the order, and unlike proportional odds each step may weigh the evidence its own way; the
probabilities of "at least class k" can never cross.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from scipy.special import log_expit, softmax
from torch.nn.functional import logsigmoid

from medray.contracts import Array, Columns, Sums, Task
from medray.tasks.answers import answers, class_indices, numbers
from medray.tasks.calibration import fit
from medray.tasks.config import CLASS_SEPARATOR, OrdinalConfig
from medray.tasks.log_odds import log_odds
from medray.tasks.weights import add, weigh


def targets(rows: Mapping[str, Sequence[Any]], config: OrdinalConfig) -> Array:
    """float32 (N, 1), the position of the class, NaN where missing. Raises `LabelError`."""
    values = answers(rows, config.label)
    if config.bounds is None:
        return class_indices(values, config.label, config.classes)[:, None]
    found = numbers(values, config.label)
    place = np.searchsorted(np.asarray(config.bounds), found, side="right")
    return np.where(np.isnan(found), np.nan, place).astype(np.float32)[:, None]


def survey(targets: Array, config: OrdinalConfig) -> Sums:
    """{"counts": [[n of class 0, n of class 1, ...]]}."""
    known = targets[~np.isnan(targets)].astype(np.int64)
    return {"counts": [np.bincount(known, minlength=len(config.classes)).tolist()]}


def summarise(sums: Sums, config: OrdinalConfig) -> Sums:
    """{"weights": [[w of class 0, w of class 1, ...]]}."""
    return weigh(sums, config.class_weights)


def outputs(config: OrdinalConfig) -> int:
    """One logit per step from a class to the next."""
    return len(config.classes) - 1


def loss(
    logits: torch.Tensor, targets: torch.Tensor, config: OrdinalConfig, summary: Sums
) -> tuple[torch.Tensor, torch.Tensor]:
    """(weighted negative log-likelihood in nats, known answers), both sums."""
    known = ~targets[:, 0].isnan()
    index = torch.where(known, targets[:, 0], torch.zeros_like(targets[:, 0])).long()
    weights = torch.as_tensor(summary["weights"][0], dtype=logits.dtype, device=logits.device)
    step = torch.arange(logits.shape[1], device=logits.device)
    passed = (logsigmoid(logits) * (step < index[:, None])).sum(dim=1)
    stopped = (logsigmoid(-logits) * (step == index[:, None])).sum(dim=1)
    return ((-passed - stopped) * weights[index] * known).sum(), known.sum()


def log_probabilities(logits: Array) -> Array:
    """Logits (N, C - 1) of the steps -> log-probabilities (N, C) of the classes."""
    raw = np.asarray(logits, dtype=np.float64)
    nothing = np.zeros((len(raw), 1))
    passed = np.concatenate([nothing, np.cumsum(log_expit(raw), axis=1)], axis=1)
    return np.asarray(passed + np.concatenate([log_expit(-raw), nothing], axis=1))


def calibrate(logits: Array, targets: Array, config: OrdinalConfig) -> Sums:
    """{"temperature": T, "bias": [C]}: probabilities are softmax(log-probabilities / T + bias)."""
    known = ~np.isnan(targets[:, 0])
    found = fit(log_probabilities(logits[known]), targets[known, 0].astype(np.int64), config.calibration)
    return {"temperature": found.temperature, "bias": list(found.biases)}


def decode(logits: Array, config: OrdinalConfig, calibration: Sums) -> dict[str, Columns]:
    """The answer to the question, and a probability for each `label//class`.

    The answer is the median class, which has the lowest expected error in classes; its float
    value is the expected rank, from 0. Raw scores are the expected rank and the log-probabilities
    before calibration.
    """
    raw = log_probabilities(logits)
    probability = softmax(raw / calibration["temperature"] + np.asarray(calibration["bias"]), axis=1)
    median = (np.cumsum(probability, axis=1)[:, :-1] < 0.5).sum(axis=1)
    rank = np.arange(len(config.classes))
    question, *per_class = questions(config)
    answer: Columns = {
        "raw_score": (np.exp(raw) * rank).sum(axis=1).tolist(),
        "predicted_integer_value": median.tolist(),
        "predicted_float_value": (probability * rank).sum(axis=1).tolist(),
        "predicted_categorical_value": [config.classes[index] for index in median],
    }
    return {question: answer} | {
        name: {
            "raw_score": raw[:, column].tolist(),
            "predicted_boolean_probability": probability[:, column].tolist(),
        }
        for column, name in enumerate(per_class)
    }


def questions(config: OrdinalConfig) -> tuple[str, ...]:
    """The label, then `label//class` for each class."""
    return (config.label, *(f"{config.label}{CLASS_SEPARATOR}{name}" for name in config.classes))


def margin(logits: torch.Tensor, config: OrdinalConfig, label: str) -> torch.Tensor:
    """Log-odds of a class before calibration; of the question itself, the expected rank."""
    nothing = torch.zeros_like(logits[:, :1])
    passed = torch.cat([nothing, logsigmoid(logits).cumsum(dim=1)], dim=1)
    scores = passed + torch.cat([logsigmoid(-logits), nothing], dim=1)
    question, *per_class = questions(config)
    if label == question:
        return (scores.exp() * torch.arange(scores.shape[1], device=scores.device)).sum(dim=1)
    return log_odds(scores, per_class.index(label))


def evaluate(
    stored: Mapping[str, Mapping[str, Array]],
    targets: Array,
    config: OrdinalConfig,
    subjects: Array,
    resamples: int,
    seed: int,
) -> dict[str, Any]:
    """Metrics by question, with intervals by subject, from stored answers."""
    # Scoring workers never evaluate: scikit-learn loads only here.
    from medray.metrics.evaluate import evaluate_ordinal

    question, *per_class = questions(config)
    raw = np.exp(np.stack([stored[name]["raw_score"] for name in per_class], axis=1))
    found = evaluate_ordinal(
        np.stack([stored[name]["predicted_boolean_probability"] for name in per_class], axis=1), targets[:, 0],
        stored[question]["predicted_integer_value"], config.classes, subjects, resamples=resamples, seed=seed, raw=raw,
    )  # fmt: skip
    return {question: found.to_json()}


TASK = Task(
    name="ordinal",
    Config=OrdinalConfig,
    targets=targets,
    survey=survey,
    merge=add,
    summarise=summarise,
    outputs=outputs,
    loss=loss,
    calibrate=calibrate,
    decode=decode,
    questions=questions,
    margin=margin,
    evaluate=evaluate,
)
