"""One command for both: the cross-validation that a train recipe asks for, and then its model."""

from __future__ import annotations

from medray.drivers.job import Job, Result
from medray.drivers.models.cross_validate import cross_validate
from medray.drivers.models.train import train
from medray.recipes.train import TrainRecipe


def train_validated(recipe: TrainRecipe, job: Job) -> Result:
    """Train a model; with `[folds]`, cross-validate first. What is done already is not repeated.

    Raises:
        MedrayError: of either. A model is trained only after its cross-validation is committed.
    """
    if recipe.folds is None:
        return train(recipe, job)
    found = cross_validate(recipe, recipe.folds, job)
    if found.status == "already":
        job.tell.say(f"cross-validation: already done, run {found.run_ids[0][:12]}")
    trained = train(recipe, job, found.facts)
    both = {found.status, trained.status}
    return Result(
        "already" if both == {"already"} else "done",
        found.run_ids + trained.run_ids,
        facts={**trained.facts, "cross_validation": found.facts},
    )
