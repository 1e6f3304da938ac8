"""How good the model would be with fewer subjects: the same training on nested parts of its training split."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from medray import rooms
from medray.contracts import Array, Columns
from medray.drivers.job import Job
from medray.drivers.models.evaluation_parts import Scene
from medray.drivers.models.gather import gather
from medray.drivers.models.leaks import without_copies
from medray.drivers.models.learnt_from import learnt_from
from medray.drivers.models.statistics import statistics
from medray.drivers.models.stored_answers import ANSWER
from medray.drivers.models.train import JOB as TRAIN_JOB
from medray.engine.examples import Examples, write_examples
from medray.engine.fit import fit
from medray.engine.loop import FitSpec
from medray.metrics.macro import with_intervals
from medray.metrics.readings import whole_answers
from medray.metrics.records import plain
from medray.planning.splits import LEARNT, TUNING, nested
from medray.recipes.train import TrainRecipe
from medray.storage.plans import Plan, read_plan
from medray.storage.uri import join


def learning_curve(scene: Scene, plan: Plan, job: Job) -> dict[str, Any] | None:
    """The metric that decides, on the tuning split, by share of the training subjects and seed.

    Each training has a folder of its own in the evaluation's: one that is done is not done again, and
    vacuum takes them all once the evaluation is committed. The held-out split is never read.

    Returns:
        None where the recipe asks for none. Else `split`, and `points`: `share`, `seed`, `examples` and
        `subjects` learnt from, `label`, `metric`, `value`, `lower`, `upper`; or `reason` where the part
        is too small to learn from.
    """
    asked = scene.recipe.learning_curve
    if asked is None:
        return None
    trained = read_plan(job.store, scene.recipe.lake, TRAIN_JOB, scene.model.card["run_id"])
    recipe = TrainRecipe.model_validate(trained.recipe)
    files, learnt = learnt_from(scene, job, LEARNT)
    clean = without_copies(scene.reading, *gather(files, learnt, job.store), job)
    examples, subjects = clean.examples, clean.subjects
    points = []
    for share in asked.shares:
        kept = (examples.split == 1) | nested(subjects, share, f"learning curve {scene.recipe.seed}")
        rows = np.flatnonzero(kept)
        for seed in asked.seeds:
            job.tell.say(f"learning curve: {share:g} of the training subjects, seed {seed}")
            folder = join(scene.recipe.lake, "training", plan.run_id, f"share-{share:g}-seed-{seed}")
            found = _point(scene, recipe, examples.take(rows), subjects[rows], seed, folder, job)
            points += [{"share": share, "seed": seed, **line} for line in found]
    return {"split": TUNING, "points": points}


def _point(
    scene: Scene, recipe: TrainRecipe, examples: Examples, subjects: Array, seed: int, folder: str, job: Job
) -> list[dict[str, Any]]:
    """One training, measured: a line for each answer."""
    own = np.flatnonzero(examples.split == 0)
    size = {"examples": len(own), "subjects": len(np.unique(subjects[own]))}
    if len(own) < recipe.training.batch_size:
        return [{**size, "reason": f"fewer than the {recipe.training.batch_size} examples of one batch"}]
    family, task = scene.reading.family, rooms.task(recipe.task.kind)
    summary, told = statistics(recipe, family, task, examples, own, job.store)
    training = recipe.training.model_copy(update={"seed": seed})
    spec = FitSpec(family, recipe.family, summary, task, recipe.task, told, training, job.store, folder)
    write_examples(job.store, spec.examples_uri, examples)
    _, logits, _ = fit(spec, lambda _: None)
    tuning = examples.split == 1
    targets = examples.targets[tuning]
    decoded = task.decode(logits, recipe.task, task.calibrate(logits, targets, recipe.task))
    measured = _measured(scene, recipe, _arrays(decoded, len(targets)), targets, subjects[tuning])
    return [{**size, **line} for line in measured]


def _arrays(decoded: Mapping[str, Columns], count: int) -> dict[str, dict[str, Array]]:
    """Answers as the table of predictions would give them."""
    return {
        label: {name: np.array(columns.get(name, [None] * count)) for name in ANSWER}
        for label, columns in decoded.items()
    }


def _measured(
    scene: Scene, recipe: TrainRecipe, stored: Mapping[str, Mapping[str, Array]], targets: Array, subjects: Array
) -> list[dict[str, Any]]:
    lines = []
    for answer in whole_answers(recipe.task.kind, recipe.task, stored, targets):
        rows = np.flatnonzero(answer.known)
        if not len(rows):
            lines.append({"label": answer.name, "reason": "no known answer in the tuning split"})
            continue
        found = with_intervals(answer.over(rows), subjects[rows], scene.resampling)[0]
        value = plain({"value": found.value, "lower": found.lower, "upper": found.upper})
        lines.append({"label": answer.name, "metric": next(iter(answer.metrics)), **value})
    return lines
