"""What a training knows of its model for the card: words, data, how good it is on the tuning split, calibration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.special import expit, softmax

from medray.contracts import Array, Columns, Task
from medray.drivers.models.composition import composition
from medray.drivers.models.learnable import Learnable
from medray.engine.examples import Examples
from medray.metrics.calibration_change import calibration_change
from medray.planning.model_card import without_curves
from medray.planning.model_words import cohort, question, targets
from medray.planning.splits import HELD_OUT, LEARNT, SPLITS, TUNING
from medray.recipes.train import TrainRecipe
from medray.storage.snapshot import Snapshot

RESAMPLES = 500
_METHODS = {
    "platt": "a slope and a bias (Platt 1999; of several classes a bias each, Alexandari 2020)",
    "temperature": "a temperature (Guo 2017)",
    "isotonic": "a rising curve (isotonic regression, Zadrozny and Elkan 2002)",
    "none": "nothing: probabilities are the network's own",
}
_OF_NUMBERS = "a line, and an interval from the errors on left-out tuning answers (conformal)"


def card_facts(
    recipe: TrainRecipe,
    known: Learnable,
    examples: Examples,
    subjects: Array,
    decoded: Mapping[str, Columns],
    state: Snapshot,
) -> dict[str, Any]:
    """JSON: `declared`, `task`, `data`, `tuning` (metrics by question with intervals by subject) and `calibration`.

    Of the held-out split only inputs and subjects are counted, never its answers.

    Args:
        examples, subjects: what was learnt from, training and tuning examples, (N,).
        decoded: calibrated answers of the tuning examples, in their order.
        state: the lake as the training read it.
    """
    tuning = examples.split == 1
    stored = {label: {name: np.array(column) for name, column in columns.items()} for label, columns in decoded.items()}
    metrics = known.task.evaluate(
        stored, examples.targets[tuning], recipe.task, subjects[tuning], RESAMPLES, recipe.training.seed
    )
    config = recipe.task.model_dump(mode="json")
    return {
        "declared": recipe.model.card.model_dump(),
        "task": config,
        "data": {
            "question": question(config),
            "cohort": cohort(recipe.problem, recipe.family.model_dump(mode="json")),
            "targets": targets(recipe.problem, recipe.task.labels),
            "splits": _splits(known, recipe.task, examples),
            **composition(state, known.reading, known.files, known.of(LEARNT)),
        },
        "tuning": without_curves(metrics),
        "calibration": {
            "method": _method(recipe.task),
            "questions": _changes(recipe.task, stored, examples.targets[tuning]),
        },
    }


def _method(config: Any) -> str:
    words = _OF_NUMBERS if config.kind == "regression" else _METHODS[config.calibration]
    return words if getattr(config, "calibration", "") == "none" else f"{words}, fitted on the tuning split"


def _splits(known: Learnable, config: Any, examples: Examples) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for split in SPLITS:
        items = [one.item for one in known.of([split])]
        found[split] = {"inputs": len(items), "subjects": len({item.subject_id for item in items})}
        if split != HELD_OUT:
            chosen = examples.targets[examples.split == (split == TUNING)]
            found[split] |= {"examples": len(chosen), "answers": _answers(known.task, config, chosen)}
    return found


def _answers(task: Task, config: Any, values: Array) -> dict[str, dict[str, float]]:
    """By question how many examples have each answer; of a number its mean and deviation."""
    sums = task.survey(values, config)
    if "counts" in sums:
        classes = getattr(config, "classes", ("no", "yes"))
        return {
            label: dict(zip(classes, counts, strict=True))
            for label, counts in zip(config.labels, sums["counts"], strict=True)
        }
    found = task.summarise(sums, config)
    told = zip(config.labels, sums["count"], found["mean"], found["deviation"], strict=True)
    return {label: {"known": known, "mean": mean, "deviation": spread} for label, known, mean, spread in told}


def _changes(config: Any, stored: Mapping[str, Mapping[str, Array]], truth: Array) -> dict[str, Any]:
    """What the calibration did to each probability, by question (by class, where one of several is right)."""
    asked = [label for label, columns in stored.items() if "predicted_boolean_probability" in columns]
    if not asked:
        return {}
    raw = np.stack([stored[label]["raw_score"] for label in asked])
    several = config.kind in ("multiclass", "ordinal")
    before = softmax(raw, axis=0) if several else expit(raw)
    changes = {}
    for place, label in enumerate(asked):
        column = truth[:, 0 if several else place]
        known = ~np.isnan(column)
        after = stored[label]["predicted_boolean_probability"][known]
        changes[label] = calibration_change(before[place][known], after, column[known] == (place if several else 1))
    return changes
