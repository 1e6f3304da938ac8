"""The `evaluate` driver: answers on subjects the model has never learnt from, against the truth."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from medray import rooms
from medray.contracts import Array
from medray.drivers.input import KEY_COLUMNS, DataFile, input_key
from medray.drivers.inputs.find import newest_inputs, read_inputs
from medray.drivers.inputs.problem import derive
from medray.drivers.inputs.reading import read_by
from medray.drivers.job import Job, Result, host_facts, new_plan
from medray.drivers.models.evaluation_page import evaluation_page
from medray.drivers.models.predict import score
from medray.drivers.models.simple_models import beside_the_network
from medray.drivers.models.train import Labelled, labelled_inputs
from medray.drivers.reports import PAGE, report_folder, write_report
from medray.errors import SplitError
from medray.recipes.score import EvaluateRecipe
from medray.schema.predictions import PREDICTIONS
from medray.storage.commit import Outcome, commit_run
from medray.storage.failures import told
from medray.storage.models import Registered, load_definition, model_subjects
from medray.storage.plans import Plan, write_plan
from medray.storage.promotions import choose
from medray.storage.snapshot import Snapshot, snapshot
from medray.storage.uri import join

JOB = "evaluate"
ANSWER = (
    "raw_score",
    "predicted_boolean_probability",
    "predicted_boolean_value",
    "predicted_integer_value",
    "predicted_float_value",
    "prediction_lower",
    "prediction_upper",
    "threshold",
)
_STORED = (*KEY_COLUMNS, "frame_index", "label", *ANSWER)


def evaluate(recipe: EvaluateRecipe, job: Job) -> Result:
    """Metrics with intervals and a report, for a model and one split of its own declaration.

    Inputs that the model has not answered are scored first.

    Raises:
        SplitError: the split is empty, or holds subjects that the model has learnt from.
    """
    model = choose(job.store, recipe.lake, recipe.model.name, recipe.model.version)
    derive(read_by(model, recipe.lake, job).problem, recipe, job)
    state = snapshot(job.store, recipe.lake)
    files, asked = _asked(recipe, model, state, job)
    plan = _plan(recipe, model, job, state, asked)
    if plan.run_id in state.run_ids():
        return Result("already", (plan.run_id,), facts=_written(recipe, plan, job))
    plan = write_plan(job.store, recipe.lake, plan)
    score(recipe, model, job, only={one.item.key for one in asked})
    return _execute(plan, recipe, model, files, asked, job)


def _asked(
    recipe: EvaluateRecipe, model: Registered, state: Snapshot, job: Job
) -> tuple[list[DataFile], list[Labelled]]:
    """The labelled inputs of the split and the data files that hold them."""
    definition = load_definition(job.store, recipe.lake, model.sha256)
    task = rooms.task(definition["task"])
    reading = read_by(model, recipe.lake, job)
    current = newest_inputs(state, reading)
    files = read_inputs(state, current.values(), reading)
    labelled = labelled_inputs(
        state, current, files, task, task.Config.model_validate(definition["task_config"]), model.card["split"]
    )
    asked = [one for one in labelled if one.split == recipe.split]
    if not asked:
        raise SplitError(
            f"recipe {recipe.name}",
            f"no labelled input in the {recipe.split} split",
            "labelled inputs of subjects in that split",
            "look at the labels and at the model's [split]",
        )
    _refuse_moved(recipe, model, {one.item.subject_id for one in asked}, job)
    return files, asked


def _refuse_moved(recipe: EvaluateRecipe, model: Registered, asked: set[int], job: Job) -> None:
    """Raise SplitError when the model was made with a subject in another split: weights come from train,
    the best epoch, calibration and thresholds from tuning."""
    for split, subjects in model_subjects(job.store, recipe.lake, model.sha256).items():
        moved = asked & set(subjects.tolist())
        if split != recipe.split and moved:
            raise SplitError(
                f"recipe {recipe.name}",
                f"{len(moved)} {recipe.split} subject(s) that the model was made with, in its {split} split",
                f"subjects that were not in its {split} split",
                "give these subjects back their split; a subject is in one split for ever",
            )


def _plan(recipe: EvaluateRecipe, model: Registered, job: Job, state: Snapshot, asked: Sequence[Labelled]) -> Plan:
    inputs = pa.table(
        {
            "chunk": pa.array([0] * len(asked), pa.int32()),
            "input_id": [one.item.id for one in asked],
            "input_version": pa.array([one.item.input_version for one in asked], pa.int32()),
            "targets": pa.array([one.targets.tolist() for one in asked], pa.list_(pa.float32())),
        }
    )
    facts = {"model": model.name, "model_version": model.version, "model_sha256": model.sha256, "split": recipe.split}
    return new_plan(recipe, JOB, f"evaluate {model.name}", job.run_date, state.versions, facts, inputs)


def _execute(
    plan: Plan, recipe: EvaluateRecipe, model: Registered, files: list[DataFile], asked: Sequence[Labelled], job: Job
) -> Result:
    started = time.monotonic()
    state = snapshot(job.store, recipe.lake)
    stored, position = stored_answers(state, model, asked)
    definition = load_definition(job.store, recipe.lake, model.sha256)
    task = rooms.task(definition["task"])
    targets = np.stack([asked[row].targets for row in position])
    subjects = np.array([asked[row].item.subject_id for row in position], np.int64)
    config = task.Config.model_validate(definition["task_config"])
    metrics = task.evaluate(stored, targets, config, subjects, recipe.resamples, recipe.seed)
    reading = read_by(model, recipe.lake, job)
    answered = [asked[row] for row in sorted(set(position.tolist()))]
    comparisons = beside_the_network(recipe, model, reading, config, state, job, stored, files, answered)
    folder = report_folder(recipe.lake, plan.run_id)
    inputs = [asked[row].item for row in position]
    page = evaluation_page(plan, recipe, model, state, job, metrics, comparisons, stored, targets, inputs)
    with told(recipe.lake):
        job.store.replace(join(folder, "metrics.json"), json.dumps(metrics, sort_keys=True, indent=1).encode())
        job.store.replace(join(folder, "comparisons.json"), json.dumps(comparisons, sort_keys=True, indent=1).encode())
    report = write_report(job, recipe.lake, plan.run_id, page)
    counts = {"inputs": len(asked), "answered": len(set(position.tolist()))}
    commit_run(
        job.store,
        recipe.lake,
        plan,
        Outcome(counts, host_facts=host_facts(started), model_sha256=model.sha256, report_uri=report),
    )
    return Result("done", (plan.run_id,), facts={"metrics": metrics, "comparisons": comparisons, "report": report})


def stored_answers(
    state: Snapshot, model: Registered, asked: Sequence[Labelled]
) -> tuple[dict[str, dict[str, Array]], Array]:
    """The model's stored answers: by label each column (N,), and for each of the N examples the
    position of its input in `asked`. An input has one example a frame, and none when it could not
    be scored."""
    wanted = {one.item.key: row for row, one in enumerate(asked)}
    same = (pc.field("model_sha256") == model.sha256) & (pc.field("status") == "scored")
    rows = [
        row for batch in state.scan(PREDICTIONS, _STORED, same) for row in batch.to_pylist() if input_key(row) in wanted
    ]
    by_label: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        by_label.setdefault(row["label"], []).append(row)
    for group in by_label.values():
        group.sort(key=lambda row: (wanted[input_key(row)], row["frame_index"]))
    if not by_label:
        raise SplitError(
            "evaluation",
            "no input that could be scored",
            "one or more",
            "look at the quarantine table and at the model's range",
        )
    first = next(iter(by_label.values()))
    position = np.array([wanted[input_key(row)] for row in first])
    stored = {
        label: {name: np.array([row[name] for row in group]) for name in ANSWER} for label, group in by_label.items()
    }
    return stored, position


def _written(recipe: EvaluateRecipe, plan: Plan, job: Job) -> dict[str, Any]:
    folder = report_folder(recipe.lake, plan.run_id)
    with told(recipe.lake):
        metrics = json.loads(job.store.read(join(folder, "metrics.json")))
        comparisons = json.loads(job.store.read(join(folder, "comparisons.json")))
    return {"metrics": metrics, "comparisons": comparisons, "report": join(folder, PAGE)}
