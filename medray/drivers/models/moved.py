"""A model is not evaluated on whom it was made with."""

from __future__ import annotations

from medray.drivers.job import Job
from medray.errors import SplitError
from medray.recipes.evaluate import EvaluateRecipe
from medray.storage.models import Registered, model_subjects


def refuse_moved(recipe: EvaluateRecipe, model: Registered, asked: set[int], job: Job) -> None:
    """Raise SplitError when the model was made with a subject in another split: weights come from train,
    the best epoch, calibration and thresholds from tuning."""
    for split, subjects in model_subjects(job.store, recipe.lake, model.sha256).items():
        moved = asked & set(subjects.tolist())
        if split != recipe.split and moved:
            raise SplitError(
                f"recipe {recipe.name}",
                f"{len(moved)} {recipe.split} subject(s) that the model {model.name} version {model.version} was "
                f"made with, in its {split} split",
                f"subjects that were not in its {split} split",
                "give these subjects back their split; a subject is in one split for ever",
            )
