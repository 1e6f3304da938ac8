"""One yes-or-no question: one logit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from medray.contracts import Array, Columns, Sums, Task
from medray.tasks import bernoulli
from medray.tasks.answers import answers, booleans
from medray.tasks.config import BinaryConfig
from medray.tasks.weights import add, weigh


def targets(rows: Mapping[str, Sequence[Any]], config: BinaryConfig) -> Array:
    """float32 (N, 1) of 0 and 1, NaN where missing. Raises `LabelError` for other values."""
    return booleans(answers(rows, config.label), config.label)[:, None]


def survey(targets: Array, config: BinaryConfig) -> Sums:
    """{"counts": [[no, yes]]}."""
    return bernoulli.count(targets)


def summarise(sums: Sums, config: BinaryConfig) -> Sums:
    """{"weights": [[w_no, w_yes]]}."""
    return weigh(sums, config.class_weights)


def outputs(config: BinaryConfig) -> int:
    """1."""
    return 1


def loss(
    logits: torch.Tensor, targets: torch.Tensor, config: BinaryConfig, summary: Sums
) -> tuple[torch.Tensor, torch.Tensor]:
    """(weighted cross entropy in nats, known answers), both sums."""
    return bernoulli.loss(logits, targets, summary, config.label_smoothing)


def calibrate(logits: Array, targets: Array, config: BinaryConfig) -> Sums:
    """{"temperature": [1], "bias": [1], "threshold": [1]} of the tuning split."""
    return bernoulli.calibrate(logits, targets, config.threshold)


def decode(logits: Array, config: BinaryConfig, calibration: Sums) -> dict[str, Columns]:
    """{label: raw score, calibrated probability, answer, threshold}, each a list of N."""
    return bernoulli.decode(logits, config.labels, calibration)


def questions(config: BinaryConfig) -> tuple[str, ...]:
    """The label."""
    return config.labels


def evaluate(
    stored: Mapping[str, Mapping[str, Array]],
    targets: Array,
    config: BinaryConfig,
    subjects: Array,
    resamples: int,
    seed: int,
) -> dict[str, Any]:
    """Metrics by question, with intervals by subject, from stored answers."""
    # Scoring workers never evaluate: scikit-learn loads only here.
    from medray.metrics.evaluate import evaluate_binary

    answer = stored[config.label]
    found = evaluate_binary(
        answer["predicted_boolean_probability"], targets[:, 0], answer["predicted_boolean_value"],
        float(answer["threshold"][0]), subjects, resamples=resamples, seed=seed,
    )  # fmt: skip
    return {config.label: found.to_json()}


TASK = Task(
    name="binary",
    Config=BinaryConfig,
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
