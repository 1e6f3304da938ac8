"""The networks of a cross-validation beside simple models that learnt on the very same folds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from medray.baselines.answers import BASELINES, Answers, baseline_answers, drawn
from medray.baselines.compare import LEVEL, compared, rows_learnt
from medray.baselines.question import Stored, network_answers, question, truth
from medray.metrics.bootstrap import Resampling

Array = npt.NDArray[Any]
Json = dict[str, Any]


@dataclass(frozen=True)
class FoldRows:
    """One fold as simple models see it.

    Attributes:
        learn: row numbers of the fold's training split.
        asked: row numbers that are out of it.
        learn_features, asked_features: float32 (rows, F) of those, in order.
    """

    learn: Array
    asked: Array
    learn_features: Array
    asked_features: Array


def compare_over_folds(
    kind: str,
    task_config: Any,
    seeds: Sequence[Stored],
    targets: Array,
    subjects: Array,
    folds: Iterable[FoldRows],
    resamples: int,
    seed: int,
) -> list[Json]:
    """JSON of `medray.baselines.compare` over all out-of-fold rows.

    `network` is the mean of the seeds' metrics. `learnt` is that of the fold with the fewest rows.

    Args:
        seeds: for each seed the networks' answers of all N rows, each by its own fold's network.
        targets, subjects: (N, T) with NaN where missing, (N,).
        folds: every row is asked about in one; they are gone through once.
        resamples, seed: of the bootstrap; the seed also draws rows, inner folds and trees.
    """
    asked = question(kind, task_config)
    kinds = {name: baseline for name, baseline in BASELINES.items() if kind in baseline.kinds}
    answers: dict[str, list[tuple[Array, Answers]]] = {name: [] for name in kinds}
    learnt = []
    for fold in folds:
        training = drawn(fold.learn_features, targets[fold.learn], subjects[fold.learn], seed)
        learnt.append(rows_learnt(training))
        for name, baseline in kinds.items():
            found = baseline_answers(baseline, asked, training, fold.asked_features, seed)
            answers[name].append((fold.asked, found))
    shared = {
        "learnt": min(learnt, key=lambda one: int(one["rows"])),
        "resamples": resamples,
        "seed": seed,
        "level": LEVEL,
    }
    networks, known = [network_answers(asked, stored) for stored in seeds], truth(asked, targets)
    lines: list[Json] = []
    for name, baseline in kinds.items():
        simple = pooled(answers[name], len(targets))
        told = baseline.chances_name if asked.by_chance else baseline.number_name
        some = compared(asked, networks, simple, known, subjects, Resampling(resamples, seed, LEVEL))
        lines += [{**line, "baseline": name, "baseline_name": told, **shared} for line in some]
    return lines


def pooled(parts: Sequence[tuple[Array, Answers]], rows: int) -> Answers:
    """One table of answers from those of each fold; a column that could not be learnt in one fold is not
    compared at all."""
    values = np.full((rows, parts[0][1].values.shape[1]), np.nan)
    reasons = [""] * values.shape[1]
    for place, found in parts:
        values[place] = found.values
        reasons = [before or now for before, now in zip(reasons, found.reasons, strict=True)]
    return Answers(values, tuple(reasons))
