"""What a training would come to grief over, refused before it begins."""

from __future__ import annotations

import numpy as np

from medray.contracts import Array, Task
from medray.errors import SplitError
from medray.recipes.train import TrainRecipe


def refuse_early(recipe: TrainRecipe, task: Task, workers: int, learning: int, tuning_targets: Array) -> None:
    """Look at what is there to learn from and to tune on.

    Args:
        learning: number of training examples.
        tuning_targets: float32 (M, T), NaN where not known.

    Raises:
        SplitError: fewer training examples than workers, or no known answer to tune on.
        LabelError: what calibration would raise after the last epoch.
    """
    where = f"recipe {recipe.name}, [split]"
    if learning < workers:
        raise SplitError(
            where,
            f"{learning} training example(s) for {workers} worker(s)",
            "an example or more for each worker",
            "name fewer [training] workers, or label more inputs",
        )
    if np.isnan(tuning_targets).all():
        raise SplitError(
            where,
            f"no known answer among {len(tuning_targets)} tuning example(s)",
            "one or more: they tell which epoch is the best, and calibrate the answers",
            "look at the labels of the tuning split, or widen it",
        )
    task.calibrate(np.zeros((len(tuning_targets), task.outputs(recipe.task)), np.float32), tuning_targets, recipe.task)
