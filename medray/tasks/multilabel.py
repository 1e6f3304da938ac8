"""Several yes-or-no questions about one input: one logit each, masked where unanswered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from medray.contracts import Array, Columns, Sums, Task
from medray.tasks import bernoulli
from medray.tasks.answers import answers, booleans
from medray.tasks.config import MultilabelConfig
from medray.tasks.weights import add, weigh


def targets(rows: Mapping[str, Sequence[Any]], config: MultilabelConfig) -> Array:
    """float32 (N, K) of 0 and 1, NaN where missing. Raises `LabelError` for other values."""
    return np.stack([booleans(answers(rows, label), label) for label in config.labels], axis=1)


def survey(targets: Array, config: MultilabelConfig) -> Sums:
    """{"counts": [[no, yes], ...]}, one pair per question."""
    return bernoulli.count(targets)


def summarise(sums: Sums, config: MultilabelConfig) -> Sums:
    """{"weights": [[w_no, w_yes], ...]}, one pair per question."""
    return weigh(sums, config.class_weights)


def outputs(config: MultilabelConfig) -> int:
    """One logit per question."""
    return len(config.labels)


def loss(
    logits: torch.Tensor, targets: torch.Tensor, config: MultilabelConfig, summary: Sums
) -> tuple[torch.Tensor, torch.Tensor]:
    """(weighted cross entropy in nats, known answers), both sums over all questions."""
    return bernoulli.loss(logits, targets, summary, config.label_smoothing, config.focus)


def calibrate(logits: Array, targets: Array, config: MultilabelConfig) -> Sums:
    """{"temperature": [K], "bias": [K], "threshold": [K]} of the tuning split."""
    return bernoulli.calibrate(logits, targets, config.threshold)


def decode(logits: Array, config: MultilabelConfig, calibration: Sums) -> dict[str, Columns]:
    """Per question: raw score, calibrated probability, answer, threshold, each a list of N."""
    return bernoulli.decode(logits, config.labels, calibration)


def questions(config: MultilabelConfig) -> tuple[str, ...]:
    """The labels."""
    return config.labels


def evaluate(
    stored: Mapping[str, Mapping[str, Array]],
    targets: Array,
    config: MultilabelConfig,
    subjects: Array,
    resamples: int,
    seed: int,
) -> dict[str, Any]:
    """Metrics by question, with intervals by subject, from stored answers."""
    # Scoring workers never evaluate: scikit-learn loads only here.
    from medray.metrics.evaluate import evaluate_multilabel

    answers_of = [stored[label] for label in config.labels]
    found = evaluate_multilabel(
        np.stack([answer["predicted_boolean_probability"] for answer in answers_of], axis=1), targets,
        np.stack([answer["predicted_boolean_value"] for answer in answers_of], axis=1),
        [float(answer["threshold"][0]) for answer in answers_of], config.labels, subjects,
        resamples=resamples, seed=seed,
    )  # fmt: skip
    return {"all labels": found.to_json()}


TASK = Task(
    name="multilabel",
    Config=MultilabelConfig,
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
