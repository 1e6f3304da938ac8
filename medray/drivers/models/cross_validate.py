"""The `cross_validate` driver: networks for every fold and seed, and what they answer out of their folds.

The held-out split is never read. Whatever is learnt comes from a fold's own train and tuning.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from medray.baselines.over_folds import FoldRows, compare_over_folds
from medray.contracts import Array
from medray.drivers.inputs.reading import Reading
from medray.drivers.job import Job, Result, host_facts, new_plan
from medray.drivers.models.fold_results import RESAMPLES, divided, measured
from medray.drivers.models.fold_trainings import Fold, pooled, surveyed, train_folds
from medray.drivers.models.gather import gather
from medray.drivers.models.labelled import Labelled, plan_inputs
from medray.drivers.models.leaks import digests_of, telltales
from medray.drivers.models.learnable import Learnable, learnable, prepare
from medray.drivers.models.plain_summaries import summaries
from medray.drivers.reports import PAGE, lineage_of, report_folder, write_report
from medray.engine.examples import Examples
from medray.planning.folds import OUT, TRAIN, assign_folds, groups, parts_of_fold
from medray.planning.splits import LEARNT, check_apart
from medray.recipes.train import Folds, Split, TrainRecipe
from medray.report.cross_validation import cross_validation_report, verdicts
from medray.report.render import render
from medray.storage.commit import Outcome, commit_run
from medray.storage.failures import told
from medray.storage.plans import Plan, write_plan
from medray.storage.uri import join

JOB = "cross_validate"
_NUMBERS = "cross_validation.json"
_SHARE = 0.2  # of a fold's other subjects that tune, where a label gives the recipe's split
Json = dict[str, Any]


def cross_validate(recipe: TrainRecipe, asked: Folds, job: Job) -> Result:
    """Train and measure every fold with every seed, or say that exactly this is done.

    Raises:
        SplitError: there are too few subjects for so many folds.
        EngineError: trainings failed; running again repeats none that has finished.
    """
    known = learnable(recipe, job)
    labelled = known.of(LEARNT)
    plan = _plan(recipe, known, labelled, job)
    if plan.run_id in known.state.run_ids():
        return Result("already", (plan.run_id,), facts=_facts(plan, recipe, _written(plan, recipe, job)))
    plan = write_plan(job.store, recipe.lake, plan)
    prepare(recipe, known, labelled, job)
    return _execute(plan, recipe, asked, known, labelled, job)


def _plan(recipe: TrainRecipe, known: Learnable, labelled: Sequence[Labelled], job: Job) -> Plan:
    inputs = plan_inputs(labelled, known.files)
    facts = {**known.reading.document(), "inputs": len(labelled)}
    plan = new_plan(recipe, JOB, f"cross_validate {recipe.name}", job.run_date, known.state.versions, facts, inputs)
    # The name that the model will have, and the machine, change nothing of it.
    return replace(plan, recipe={name: part for name, part in plan.recipe.items() if name not in ("model", "compute")})


def _execute(
    plan: Plan, recipe: TrainRecipe, asked: Folds, known: Learnable, labelled: Sequence[Labelled], job: Job
) -> Result:
    started = time.monotonic()
    reading, task = known.reading, known.task
    examples, subjects = gather(known.files, labelled, job.store)
    group, parts = _divided(recipe, asked, reading, examples, subjects, job)
    folds = surveyed(recipe, reading, task, examples, parts, job)
    if recipe.training.start is not None:
        job.tell.warn("[training.start] weights: nobody knows whether they have seen subjects that are out of a fold")
    suspicions = telltales(reading, folds[0].summary, recipe.task, examples, folds[0].rows(TRAIN), job)
    trained = train_folds(recipe, asked.seeds, reading, task, examples, folds, plan.run_id, job)
    seeds = [pooled(folds, trained[seed]) for seed in asked.seeds]
    rows = _rows(reading, examples, folds, job)
    comparisons = compare_over_folds(
        recipe.task.kind, recipe.task, seeds, examples.targets, subjects, rows, RESAMPLES, asked.seeds[0]
    )
    columns = recipe.task.labels
    found = {
        "folds": divided(folds, subjects, group, examples.targets, columns),
        "seeds": list(asked.seeds),
        **measured(task, recipe.task, seeds, examples.targets, subjects, folds, asked.seeds[0]),
        "resamples": RESAMPLES,
        "curves": {str(seed): [one.history for one in trained[seed]] for seed in asked.seeds},
        "comparisons": comparisons,
        "verdicts": verdicts(comparisons, len(asked.seeds)),
        "telltales": suspicions,
    }
    return _commit(plan, recipe, found, len(subjects), started, job)


def _divided(
    recipe: TrainRecipe, asked: Folds, reading: Reading, examples: Examples, subjects: Array, job: Job
) -> tuple[Array, list[Array]]:
    """The group of each example, and the parts of each fold; nobody and no image is in two of them."""
    images = digests_of(reading, examples, job.store)
    group = groups(subjects, images)
    joined = len(np.unique(subjects)) - len(np.unique(group))
    if joined:
        job.tell.warn(
            f"{joined:,} subjects have images of others, the same to the last pixel: they stay in one fold",
            event="leak",
            joined=joined,
        )
    fold = assign_folds(group, examples.targets, asked.count, asked.salt)
    share = tuning_share(recipe.split)
    parts = [
        parts_of_fold(subjects, group, examples.targets, fold, number, share, asked.salt)
        for number in range(asked.count)
    ]
    if images is not None:
        for number, part in enumerate(parts, start=1):
            check_apart(images[images != 0], part[images != 0], f"fold {number}", "image(s)")
    return group, parts


def tuning_share(split: Split) -> float:
    """The part of the subjects in train and tuning that tunes, as the recipe's own split has it."""
    if split.tuning is None or split.held_out is None:
        return _SHARE
    return split.tuning / (1 - split.held_out)


def _rows(reading: Reading, examples: Examples, folds: Sequence[Fold], job: Job) -> Iterator[FoldRows]:
    """What the classic models read, one fold at a time."""
    for fold in folds:
        learn, out = fold.rows(TRAIN), fold.rows(OUT)
        yield FoldRows(
            learn,
            out,
            summaries(reading, fold.summary, examples, learn, job),
            summaries(reading, fold.summary, examples, out, job),
        )


def _commit(plan: Plan, recipe: TrainRecipe, found: Json, count: int, started: float, job: Job) -> Result:
    folder = report_folder(recipe.lake, plan.run_id)
    page = render(
        cross_validation_report(
            f"Cross-validation of {recipe.name}", found, lineage_of(plan, **{"Run date": plan.run_date})
        )
    )
    with told(recipe.lake):
        job.store.replace(join(folder, _NUMBERS), json.dumps(found, sort_keys=True, indent=1).encode())
    report = write_report(job, recipe.lake, plan.run_id, page)
    counts = {
        "inputs": plan.facts["inputs"],
        "examples": count,
        "folds": len(found["folds"]),
        "trainings": len(found["folds"]) * len(found["seeds"]),
    }
    commit_run(job.store, recipe.lake, plan, Outcome(counts, host_facts=host_facts(started), report_uri=report))
    for sentence in found["verdicts"]:
        job.tell.say(sentence)
    job.tell.say(f"cross-validation: run {plan.run_id[:12]}, report {report}")
    return Result("done", (plan.run_id,), facts=_facts(plan, recipe, found))


def _written(plan: Plan, recipe: TrainRecipe, job: Job) -> Json:
    with told(recipe.lake):
        found: Json = json.loads(job.store.read(join(report_folder(recipe.lake, plan.run_id), _NUMBERS)))
    return found


def _facts(plan: Plan, recipe: TrainRecipe, found: Json) -> Json:
    """What the model's card says of it."""
    told = ("answer", "metric", "value", "lower", "upper", "over_seeds", "over_folds")
    return {
        "run_id": plan.run_id,
        "report": join(report_folder(recipe.lake, plan.run_id), PAGE),
        "folds": len(found["folds"]),
        "seeds": found["seeds"],
        "metrics": [{name: one[name] for name in told} for one in found["metrics"]],
        "verdicts": found["verdicts"],
        "telltales": found["telltales"],
    }
