"""The model that an evaluation measures its own against: the same question, inputs and subjects."""

from __future__ import annotations

from typing import Any

import numpy as np

from medray.drivers.inputs.reading import read_by
from medray.drivers.job import Job
from medray.drivers.models.evaluation_parts import Scene
from medray.drivers.models.stored_answers import stored_answers
from medray.errors import RecipeError
from medray.metrics.against import against
from medray.metrics.readings import whole_answers
from medray.recipes.evaluate import EvaluateRecipe
from medray.storage.models import Registered, load_definition
from medray.storage.promotions import choose


def other_model(recipe: EvaluateRecipe, model: Registered, job: Job) -> Registered | None:
    """The model of `[against]`, None where the recipe names none.

    Raises:
        RecipeError: it is the same model, or answers another question about other inputs.
    """
    if recipe.against is None:
        return None
    other = choose(job.store, recipe.lake, recipe.against.name, recipe.against.version)
    if other.sha256 == model.sha256:
        raise _refused(recipe, "the very model that is evaluated", "another model")
    sides = [_asked(recipe, one, job) for one in (model, other)]
    for what in sides[0]:
        if sides[0][what] != sides[1][what]:
            raise _refused(recipe, f"a model with another {what}", f"the {what} of the model that is evaluated")
    return other


def _refused(recipe: EvaluateRecipe, found: str, allowed: str) -> RecipeError:
    return RecipeError(f"recipe {recipe.name}, [against]", found, allowed, "name another model or version")


def _asked(recipe: EvaluateRecipe, model: Registered, job: Job) -> dict[str, Any]:
    """What must be equal for two models to be compared."""
    definition = load_definition(job.store, recipe.lake, model.sha256)
    config = definition["task_config"]
    reading = read_by(model, recipe.lake, job)
    return {
        "task": definition["task"],
        "label": config.get("labels") or config.get("label"),
        "list of classes": config.get("classes"),
        "bounds of classes": config.get("bounds"),
        "problem": reading.problem.name if reading.problem else None,
    }


def beside_the_other(scene: Scene, other: Registered | None) -> dict[str, Any] | None:
    """Both models on the examples that both have answered; None without another model."""
    if other is None:
        return None
    theirs = stored_answers(scene.state, other, scene.asked)
    place = theirs.places()
    pairs = [(row, place[pair]) for pair, row in scene.answers.places().items() if pair in place]
    own_rows, other_rows = np.array(pairs, np.int64).reshape(-1, 2).T
    kind, targets = scene.config.kind, scene.targets[own_rows]
    ours = whole_answers(kind, scene.config, scene.answers.at(own_rows), targets)
    beside = whole_answers(kind, scene.config, theirs.at(other_rows), targets)
    subjects = scene.subjects[own_rows]
    lines = [
        line for own, one in zip(ours, beside, strict=True) for line in against(own, one, subjects, scene.resampling)
    ]
    return {
        "model": {"name": other.name, "version": other.version, "sha256": other.sha256},
        "examples": {
            "both": len(pairs),
            "only_model": len(scene.inputs) - len(pairs),
            "only_other": len(theirs.position) - len(pairs),
        },
        "lines": lines,
    }
