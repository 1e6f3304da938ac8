"""The `evaluate` driver: answers on subjects the model has never learnt from, against the truth."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

from medray.drivers.input import DataFile
from medray.drivers.inputs.find import newest_inputs, read_inputs
from medray.drivers.inputs.problem import derive
from medray.drivers.inputs.reading import read_by
from medray.drivers.job import Job, Result, host_facts, new_plan
from medray.drivers.models.evaluation_page import evaluation_page
from medray.drivers.models.evaluation_parts import Scene, decision_curves, head, subgroups
from medray.drivers.models.labelled import Labelled, in_split, plan_inputs
from medray.drivers.models.learning_curve import learning_curve
from medray.drivers.models.learnt_images import learnt_images
from medray.drivers.models.learnt_task import learnt_task
from medray.drivers.models.model_card import write_card
from medray.drivers.models.moved import refuse_moved
from medray.drivers.models.other_model import beside_the_other, other_model
from medray.drivers.models.predict import score
from medray.drivers.models.simple_models import beside_the_network
from medray.drivers.models.stored_answers import stored_answers
from medray.drivers.reports import PAGE, report_folder, write_report
from medray.errors import SplitError
from medray.metrics.definitions import definitions
from medray.recipes.evaluate import EvaluateRecipe
from medray.storage.commit import Outcome, commit_run
from medray.storage.failures import told
from medray.storage.models import Registered
from medray.storage.plans import Plan, write_plan
from medray.storage.promotions import choose
from medray.storage.snapshot import Snapshot, snapshot
from medray.storage.uri import join

JOB = "evaluate"
METRICS = "metrics.json"


def evaluate(recipe: EvaluateRecipe, job: Job) -> Result:
    """Metrics with intervals and a report, for a model and one split of its own declaration.

    Inputs that the model, or the one it is measured against, has not answered are scored first.

    Raises:
        SplitError: the split is empty, or holds subjects that one of the models has learnt from.
        RecipeError: the other model does not answer the same question about the same inputs.
    """
    model = choose(job.store, recipe.lake, recipe.model.name, recipe.model.version)
    other = other_model(recipe, model, job)
    derive(read_by(model, recipe.lake, job).problem, recipe, job)
    state = snapshot(job.store, recipe.lake)
    files, asked = _asked(recipe, model, state, job)
    if other is not None:
        refuse_moved(recipe, other, {one.item.subject_id for one in asked}, job)
    plan = _plan(recipe, model, other, job, state, asked)
    if plan.run_id in state.run_ids():
        return Result("already", (plan.run_id,), facts=_written(recipe, plan, job))
    plan = write_plan(job.store, recipe.lake, plan)
    for one in (model, other):
        if one is not None:
            score(recipe, one, job, only={item.item.key for item in asked})
    return _execute(plan, recipe, model, other, files, asked, job)


def _asked(
    recipe: EvaluateRecipe, model: Registered, state: Snapshot, job: Job
) -> tuple[list[DataFile], list[Labelled]]:
    """The labelled inputs of the split and the data files that hold them."""
    reading = read_by(model, recipe.lake, job)
    current = newest_inputs(state, reading)
    files = read_inputs(state, current.values(), reading)
    asked = in_split(recipe.split, model, current, files, state, job)
    if not asked:
        raise SplitError(
            f"recipe {recipe.name}",
            f"no labelled input in the {recipe.split} split",
            "labelled inputs of subjects in that split",
            "look at the labels and at the model's [split]",
        )
    refuse_moved(recipe, model, {one.item.subject_id for one in asked}, job)
    return files, asked


def _plan(
    recipe: EvaluateRecipe,
    model: Registered,
    other: Registered | None,
    job: Job,
    state: Snapshot,
    asked: Sequence[Labelled],
) -> Plan:
    inputs = plan_inputs(asked)
    facts: dict[str, Any] = {
        "model": model.name,
        "model_version": model.version,
        "model_sha256": model.sha256,
        "split": recipe.split,
    }
    if other is not None:
        facts["against"] = {"model": other.name, "version": other.version, "sha256": other.sha256}
    return new_plan(recipe, JOB, f"evaluate {model.name}", job.run_date, state.versions, facts, inputs)


def _execute(
    plan: Plan,
    recipe: EvaluateRecipe,
    model: Registered,
    other: Registered | None,
    files: list[DataFile],
    asked: Sequence[Labelled],
    job: Job,
) -> Result:
    started = time.monotonic()
    state = snapshot(job.store, recipe.lake)
    answers = stored_answers(state, model, asked)
    task, config = learnt_task(job.store, recipe.lake, model)
    scene = Scene(recipe, model, read_by(model, recipe.lake, job), config, state, files, asked, answers)
    metrics = task.evaluate(answers.stored, scene.targets, config, scene.subjects, recipe.resamples, recipe.seed)
    document = {
        **head(scene),
        "answers": metrics,
        "learnt_images": learnt_images(recipe.lake, model, recipe.split, scene.images, job),
        "decision_curves": decision_curves(scene),
        "subgroups": subgroups(scene),
        "against": beside_the_other(scene, other),
        "baselines": beside_the_network(scene, job),
        "learning_curve": learning_curve(scene, plan, job),
        "definitions": definitions(),
    }
    with told(recipe.lake):
        uri = join(report_folder(recipe.lake, plan.run_id), METRICS)
        job.store.replace(uri, json.dumps(document, sort_keys=True, indent=1).encode())
    report = write_report(job, recipe.lake, plan.run_id, evaluation_page(plan, scene, job, document))
    counts = {"inputs": len(asked), "answered": len(scene.answered)}
    commit_run(
        job.store,
        recipe.lake,
        plan,
        Outcome(counts, host_facts=host_facts(started), model_sha256=model.sha256, report_uri=report),
    )
    write_card(recipe.lake, model.name, model.version, job)
    return Result("done", (plan.run_id,), facts=_facts(document, report))


def _facts(document: Mapping[str, Any], report: str) -> dict[str, Any]:
    return {
        "metrics": document["answers"],
        "comparisons": document["baselines"],
        "evaluation": document,
        "report": report,
    }


def _written(recipe: EvaluateRecipe, plan: Plan, job: Job) -> dict[str, Any]:
    folder = report_folder(recipe.lake, plan.run_id)
    with told(recipe.lake):
        document = json.loads(job.store.read(join(folder, METRICS)))
    return _facts(document, join(folder, PAGE))
