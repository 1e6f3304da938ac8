"""One yes-or-no question: the multilabel task with one label, and an evaluation of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from scipy.special import expit

from medray.contracts import Array
from medray.tasks import multilabel
from medray.tasks.config import BinaryConfig


def evaluate(
    stored: Mapping[str, Mapping[str, Array]],
    targets: Array,
    config: BinaryConfig,
    subjects: Array,
    resamples: int,
    seed: int,
) -> dict[str, Any]:
    """Metrics of the question, with intervals by subject, from stored answers."""
    # Scoring workers never evaluate: scikit-learn loads only here.
    from medray.metrics.evaluate import evaluate_binary

    answer = stored[config.label]
    found = evaluate_binary(
        answer["predicted_boolean_probability"], targets[:, 0], answer["predicted_boolean_value"],
        float(answer["threshold"][0]), subjects, resamples=resamples, seed=seed,
        raw=expit(answer["raw_score"]),
    )  # fmt: skip
    return {config.label: found.to_json()}


# `BinaryConfig.labels` has one name: everything but the evaluation is the same with K = 1.
TASK = replace(multilabel.TASK, name="binary", Config=BinaryConfig, evaluate=evaluate)
