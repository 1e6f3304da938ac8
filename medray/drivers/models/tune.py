"""The `tune` driver: plan the examples, prepare and survey once, run the trials, write the best recipe."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from medray import rooms
from medray.contracts import Task
from medray.drivers.input import DataFile
from medray.drivers.inputs.find import newest_inputs, read_inputs
from medray.drivers.inputs.prepare import prepare_files
from medray.drivers.inputs.problem import derive
from medray.drivers.inputs.reading import Reading, declared
from medray.drivers.job import Job, Result, host_facts
from medray.drivers.models.leaks import without_copies
from medray.drivers.models.search_page import best_recipe, numbers, search_page
from medray.drivers.models.train import Labelled, gather, labelled_inputs, training_plan
from medray.drivers.reports import report_folder, write_report
from medray.engine.asha import Rule
from medray.engine.examples import write_examples
from medray.engine.search import Trial, best, search
from medray.engine.survey import survey
from medray.engine.trial_spec import TrialSpec, trial_folder
from medray.planning.splits import SPLITS, TRAIN, TUNING
from medray.recipes.tune import TuneRecipe
from medray.storage.commit import Outcome, commit_run
from medray.storage.failures import told
from medray.storage.plans import Plan, write_plan
from medray.storage.snapshot import snapshot
from medray.storage.uri import join

JOB = "tune"
RECIPE, NUMBERS = "best.toml", "search.json"


def tune(recipe: TuneRecipe, job: Job) -> Result:
    """Search settings, or say that exactly this search is done.

    Raises:
        SplitError: the training or the tuning split is empty.
        EngineError: running again goes on from the last finished epoch of each trial.
    """
    reading, task = declared(recipe), rooms.task(recipe.task.kind)
    derive(reading.problem, recipe, job)
    state = snapshot(job.store, recipe.lake)
    current = newest_inputs(state, reading)
    files = read_inputs(state, current.values(), reading)
    labelled = labelled_inputs(state, current, files, task, recipe.task, recipe.split.model_dump())
    plan = training_plan(JOB, recipe, job, state, files, labelled)
    if plan.run_id in state.run_ids():
        return Result("already", (plan.run_id,), facts=_written(recipe, plan, job))
    plan = write_plan(job.store, recipe.lake, plan)
    learnt = [one for one in labelled if one.split in (TRAIN, TUNING)]
    prepare_files(recipe, reading, [files[number] for number in sorted({one.file for one in learnt})], state, job)
    return _execute(plan, recipe, reading, task, files, learnt, job)


def _execute(
    plan: Plan,
    recipe: TuneRecipe,
    reading: Reading,
    task: Task,
    files: list[DataFile],
    learnt: list[Labelled],
    job: Job,
) -> Result:
    started = time.monotonic()
    specs = _specs(plan, recipe, reading, task, files, learnt, job)
    epochs = recipe.training.epochs
    rule = Rule(recipe.search.grace_epochs, recipe.search.reduction, epochs)
    job.tell.say(f"searching with {len(specs)} trials of {epochs} epochs at most")
    with job.tell.bar("tune", len(specs) * epochs, run_id=plan.run_id) as bar:
        trials = search(
            specs,
            rule,
            recipe.search.concurrent,
            lambda number, record: bar.advance(1, f"trial {number}: tuning {record['tuning_loss']:.4f}"),
        )
    facts = numbers(recipe, trials)
    text = best_recipe(plan, recipe, trials)
    folder = report_folder(recipe.lake, plan.run_id)
    with told(recipe.lake):
        job.store.replace(join(folder, RECIPE), text.encode())
        job.store.replace(join(folder, NUMBERS), json.dumps(facts, sort_keys=True, indent=1).encode())
    report = write_report(job, recipe.lake, plan.run_id, search_page(plan, recipe, facts, rule.rungs, RECIPE))
    counts = {**{name: plan.facts[name] for name in SPLITS}, **_ended(trials)}
    commit_run(job.store, recipe.lake, plan, Outcome(counts, host_facts=host_facts(started), report_uri=report))
    winner = best(trials)
    job.tell.say(f"best: trial {winner.number} of {len(trials)}, tuning loss {winner.loss:.4f}")
    job.tell.say(f"train it with: python jobs/train.py {join(folder, RECIPE)}")
    return Result("done", (plan.run_id,), facts=_written(recipe, plan, job))


def _specs(
    plan: Plan,
    recipe: TuneRecipe,
    reading: Reading,
    task: Task,
    files: list[DataFile],
    learnt: list[Labelled],
    job: Job,
) -> list[TrialSpec]:
    """All trials read the same examples and statistics: no searched setting changes what is prepared or surveyed."""
    folder = join(recipe.lake, "training", plan.run_id)
    examples = without_copies(reading, *gather(files, learnt, job), job).examples
    in_train = examples.split == 0
    family = reading.family
    summary = family.summarise(survey(family, recipe.family, job.store, examples, np.flatnonzero(in_train)))
    task_summary = task.summarise(task.survey(examples.targets[in_train], recipe.task), recipe.task)
    base = TrialSpec(
        family,
        recipe.family,
        summary,
        task,
        recipe.task,
        task_summary,
        recipe.training,
        job.store,
        folder,
        threads=1,  # a trial has one CPU: its result does not depend on its neighbours
        shared=folder,
    )
    write_examples(job.store, base.examples_uri, examples)
    trials = [recipe.with_values(values) for values in recipe.trials()]
    return [
        replace(
            base,
            family_config=trial.family,
            training=trial.training.model_copy(update={"workers": 1}),
            folder=trial_folder(folder, number),
        )
        for number, trial in enumerate(trials)
    ]


def _ended(trials: Sequence[Trial]) -> dict[str, int]:
    """How many trials ended how."""
    states = [one.state for one in trials]
    return {"trials": len(trials), **{name: states.count(name) for name in ("finished", "stopped", "failed")}}


def _written(recipe: TuneRecipe, plan: Plan, job: Job) -> dict[str, Any]:
    folder = report_folder(recipe.lake, plan.run_id)
    with told(recipe.lake):
        facts: dict[str, Any] = json.loads(job.store.read(join(folder, NUMBERS)))
    return {**facts, "recipe": join(folder, RECIPE), "report": join(folder, "report.html")}
