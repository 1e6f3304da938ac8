"""One question with one answer out of several: one logit per class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from scipy.special import softmax
from torch.nn.functional import cross_entropy

from medray.contracts import Array, Columns, Sums, Task
from medray.tasks.answers import answers, class_indices
from medray.tasks.calibration import fit
from medray.tasks.config import CLASS_SEPARATOR, MulticlassConfig
from medray.tasks.weights import add, weigh


def targets(rows: Mapping[str, Sequence[Any]], config: MulticlassConfig) -> Array:
    """float32 (N, 1), the position of the class, NaN where missing. Raises `LabelError`."""
    return class_indices(answers(rows, config.label), config.label, config.classes)[:, None]


def survey(targets: Array, config: MulticlassConfig) -> Sums:
    """{"counts": [[n of class 0, n of class 1, ...]]}."""
    known = targets[~np.isnan(targets)].astype(np.int64)
    return {"counts": [np.bincount(known, minlength=len(config.classes)).tolist()]}


def summarise(sums: Sums, config: MulticlassConfig) -> Sums:
    """{"weights": [[w of class 0, w of class 1, ...]]}."""
    return weigh(sums, config.class_weights)


def outputs(config: MulticlassConfig) -> int:
    """One logit per class."""
    return len(config.classes)


def loss(
    logits: torch.Tensor, targets: torch.Tensor, config: MulticlassConfig, summary: Sums
) -> tuple[torch.Tensor, torch.Tensor]:
    """(weighted cross entropy in nats, known answers), both sums. An answer that is given the probability p already
    counts (1 - p) ** focus (Lin et al., ICCV 2017)."""
    known = ~targets[:, 0].isnan()
    index = torch.where(known, targets[:, 0], torch.zeros_like(targets[:, 0])).long()
    weights = torch.as_tensor(summary["weights"][0], dtype=logits.dtype, device=logits.device)
    # torch's class weights would weigh the smoothed share by the other classes; here an example has one weight
    each = cross_entropy(logits, index, reduction="none", label_smoothing=config.label_smoothing)
    if config.focus:
        each = each * (1.0 - torch.softmax(logits, 1).gather(1, index[:, None])[:, 0]) ** config.focus
    return (each * weights[index] * known).sum(), known.sum()


def calibrate(logits: Array, targets: Array, config: MulticlassConfig) -> Sums:
    """{"temperature": T, "bias": [C]}: probabilities are softmax(logits / T + bias)."""
    known = ~np.isnan(targets[:, 0])
    found = fit(logits[known].astype(np.float64), targets[known, 0].astype(np.int64))
    return {"temperature": found.temperature, "bias": list(found.biases)}


def decode(logits: Array, config: MulticlassConfig, calibration: Sums) -> dict[str, Columns]:
    """The answer to the question, and a probability for each `label//class`.

    The answer is the class with the highest calibrated probability; its raw score is the logit of
    that class.
    """
    raw = np.asarray(logits, dtype=np.float64)
    calibrated = raw / calibration["temperature"] + np.asarray(calibration["bias"])
    probability, winner = softmax(calibrated, axis=1), calibrated.argmax(axis=1)
    question, *per_class = questions(config)
    answer: Columns = {
        "raw_score": np.take_along_axis(raw, winner[:, None], axis=1)[:, 0].tolist(),
        "predicted_integer_value": winner.tolist(),
        "predicted_categorical_value": [config.classes[index] for index in winner],
    }
    return {question: answer} | {
        name: {
            "raw_score": raw[:, column].tolist(),
            "predicted_boolean_probability": probability[:, column].tolist(),
        }
        for column, name in enumerate(per_class)
    }


def questions(config: MulticlassConfig) -> tuple[str, ...]:
    """The label, then `label//class` for each class."""
    return (config.label, *(f"{config.label}{CLASS_SEPARATOR}{name}" for name in config.classes))


def evaluate(
    stored: Mapping[str, Mapping[str, Array]],
    targets: Array,
    config: MulticlassConfig,
    subjects: Array,
    resamples: int,
    seed: int,
) -> dict[str, Any]:
    """Metrics by question, with intervals by subject, from stored answers."""
    # Scoring workers never evaluate: scikit-learn loads only here.
    from medray.metrics.evaluate import evaluate_multiclass

    question, *per_class = questions(config)
    probabilities = np.stack([stored[name]["predicted_boolean_probability"] for name in per_class], axis=1)
    found = evaluate_multiclass(probabilities, targets[:, 0], config.classes, subjects, resamples=resamples, seed=seed)
    return {question: found.to_json()}


TASK = Task(
    name="multiclass",
    Config=MulticlassConfig,
    targets=targets,
    survey=survey,
    merge=add,
    summarise=summarise,
    outputs=outputs,
    loss=loss,
    calibrate=calibrate,
    decode=decode,
    questions=questions,
    evaluate=evaluate,
)
