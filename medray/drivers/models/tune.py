"""The `tune` driver: plan the examples, prepare and survey once, run the trials, write the best recipe."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from medray.drivers.job import Job, Result, host_facts
from medray.drivers.models.gather import gather
from medray.drivers.models.leaks import without_copies
from medray.drivers.models.learnable import Learnable, learnable, prepare
from medray.drivers.models.refuse_early import refuse_early
from medray.drivers.models.search_page import best_recipe, numbers, search_page
from medray.drivers.models.statistics import statistics
from medray.drivers.models.train import training_plan
from medray.drivers.reports import report_folder, write_report
from medray.engine.asha import Rule
from medray.engine.examples import write_examples
from medray.engine.search import Trial, best, search
from medray.engine.trial_spec import TrialSpec, trial_folder
from medray.planning.splits import LEARNT, SPLITS
from medray.recipes.tune import TuneRecipe
from medray.storage.commit import Outcome, commit_run
from medray.storage.failures import told
from medray.storage.plans import Plan, write_plan
from medray.storage.uri import join

JOB = "tune"
RECIPE, NUMBERS = "best.toml", "search.json"


def tune(recipe: TuneRecipe, job: Job) -> Result:
    """Search settings, or say that exactly this search is done.

    Raises:
        SplitError: the training or the tuning split is empty.
        EngineError: running again goes on from the last finished epoch of each trial.
    """
    known = learnable(recipe, job)
    plan = training_plan(JOB, recipe, known, job)
    if plan.run_id in known.state.run_ids():
        return Result("already", (plan.run_id,), facts=_written(recipe, plan, job))
    plan = write_plan(job.store, recipe.lake, plan)
    prepare(recipe, known, known.of(LEARNT), job)
    return _execute(plan, recipe, known, job)


def _execute(plan: Plan, recipe: TuneRecipe, known: Learnable, job: Job) -> Result:
    started = time.monotonic()
    specs = _specs(plan, recipe, known, job)
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


def _specs(plan: Plan, recipe: TuneRecipe, known: Learnable, job: Job) -> list[TrialSpec]:
    """All trials read the same examples and statistics: no searched setting changes what is prepared or surveyed."""
    folder = join(recipe.lake, "training", plan.run_id)
    family, task = known.reading.family, known.task
    examples = without_copies(known.reading, *gather(known.files, known.of(LEARNT), job.store), job).examples
    rows = np.flatnonzero(examples.split == 0)
    refuse_early(recipe, task, 1, len(rows), examples.targets[examples.split == 1])
    summary, task_summary = statistics(recipe, family, task, examples, rows, job.store)
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
