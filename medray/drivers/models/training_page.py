"""What the report of a training shows, gathered from its epochs and its examples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from medray.contracts import Array, Sums
from medray.drivers.reports import lineage_of
from medray.recipes.train import TrainRecipe
from medray.report.fitting import Answer, fitting_report
from medray.storage.models import Registered
from medray.storage.plans import Plan


def training_page(
    plan: Plan,
    recipe: TrainRecipe,
    made: Registered,
    history: Sequence[Mapping[str, float]],
    advice: Sequence[str],
    targets: Array,
    task_summary: Sums,
) -> str:
    """The report as one HTML page.

    Args:
        advice: what to do about devices that wait, and what to look at before the model is trusted.
        targets: float32 (N, T) of the training split.
        task_summary: with the weights of the answers, where the task has some.
    """
    best = min(range(len(history)), key=lambda row: history[row]["tuning_loss"])
    return fitting_report(
        title=f"Training of {made.name} version {made.version}",
        subtitle=f"{recipe.family.name}, {recipe.task.kind}; {len(targets):,} training examples",
        facts=(("Run", plan.run_id[:12]), ("Run date", plan.run_date), ("Model", made.sha256[:12])),
        history=history,
        best_epoch=best + 1,
        advice=advice,
        answers=_answers(recipe, targets, task_summary),
        settings=_settings(recipe),
        lineage=lineage_of(plan, **{"Model SHA-256": made.sha256}),
    )


def _answers(recipe: TrainRecipe, targets: Array, task_summary: Sums) -> list[Answer]:
    """How often each answer stands in the training split, is drawn, and counts."""
    if "weights" not in task_summary:
        return []
    names = getattr(recipe.task, "classes", ("no", "yes"))
    found = []
    for column, (question, weights) in enumerate(zip(recipe.task.labels, task_summary["weights"], strict=True)):
        counts = [int(np.count_nonzero(targets[:, column] == number)) for number in range(len(names))]
        there = sum(count > 0 for count in counts)
        for name, count, weight in zip(names, counts, weights, strict=True):
            drawn = count / max(sum(counts), 1)
            if recipe.training.sampling == "balanced":
                drawn = 1 / there if count else 0.0
            found.append(Answer(question, str(name), count, drawn, float(weight)))
    return found


def _settings(recipe: TrainRecipe) -> dict[str, str]:
    """`[training]` as it was, and what of the family and the task keeps a network from learning by heart."""
    shown: dict[str, Any] = recipe.training.model_dump(mode="json")
    for section, name in ((recipe.family, "dropout"), (recipe.task, "label_smoothing"), (recipe.task, "focus")):
        if hasattr(section, name):
            shown[name] = getattr(section, name)
    return {name.replace("_", " "): _said(value) for name, value in shown.items()}


def _said(value: Any) -> str:
    if value is None or value == []:
        return "none"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
