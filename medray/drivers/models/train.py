"""The `train` driver: plan the examples, prepare, survey, fit, calibrate, register."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from medray.contracts import Array, Sums
from medray.drivers.job import Job, Result, host_facts, new_plan
from medray.drivers.models.card_facts import card_facts
from medray.drivers.models.gather import gather
from medray.drivers.models.labelled import plan_inputs
from medray.drivers.models.leaks import Clean, copies_told, keep_images, telltales, without_copies
from medray.drivers.models.learnable import Learnable, learnable, prepare
from medray.drivers.models.model_card import write_card
from medray.drivers.models.promote import promoted
from medray.drivers.models.refuse_early import refuse_early
from medray.drivers.models.statistics import statistics
from medray.drivers.models.training_page import training_page
from medray.drivers.models.tuning_reference import tuning_reference
from medray.drivers.reports import PAGE, report_folder, write_report
from medray.engine.examples import Examples, write_examples
from medray.engine.fit import fit
from medray.engine.loop import FitSpec
from medray.engine.start import load_start
from medray.errors import ModelError, SplitError
from medray.planning.bottleneck import advice
from medray.planning.splits import LEARNT, SPLITS, TRAIN, TUNING, check_apart
from medray.recipes.train import TrainRecipe
from medray.storage.audit import Event
from medray.storage.commit import Outcome, commit_run
from medray.storage.failures import told
from medray.storage.models import Registered, register, save_model, versions
from medray.storage.plans import Plan, write_plan
from medray.storage.snapshot import snapshot
from medray.storage.uri import join

JOB = "train"


def train(recipe: TrainRecipe, job: Job, validated: Mapping[str, Any] | None = None) -> Result:
    """Train a model, or say that exactly this training is done.

    Args:
        validated: the cross-validation that went before, for the model's card.

    Raises:
        SplitError: the training or the tuning split is empty.
        EngineError, ModelError: running again resumes from the last finished epoch.
    """
    known = learnable(recipe, job)
    plan = training_plan(JOB, recipe, known, job)
    if plan.run_id in known.state.run_ids():
        return Result("already", (plan.run_id,), facts=_facts_of(job, recipe, plan))
    plan = write_plan(job.store, recipe.lake, plan)
    prepare(recipe, known, known.labelled, job)
    return _execute(plan, recipe, known, job, validated)


def training_plan(kind: str, recipe: TrainRecipe, known: Learnable, job: Job) -> Plan:
    """The plan of a job that learns from the labelled inputs of train and tuning. Held-out ones are only counted.

    Raises:
        SplitError: the training or the tuning split is empty.
    """
    counts = {name: len(known.of([name])) for name in SPLITS}
    for name in LEARNT:
        if not counts[name]:
            raise SplitError(
                f"recipe {recipe.name}, [split]",
                f"no labelled input in the {name} split ({len(known.labelled):,} in all)",
                "labelled inputs that the family takes, in train and tuning",
                "look at what [family] takes, at [task] labels and at [split]",
            )
    learnt = known.of(LEARNT)
    inputs = plan_inputs(learnt, known.files)
    inputs = inputs.add_column(inputs.num_columns - 1, "split", pa.array([one.split for one in learnt], pa.string()))
    facts = {**counts, **_start_of(recipe, job)}
    return new_plan(recipe, kind, f"{kind} {recipe.model.name}", job.run_date, known.state.versions, facts, inputs)


def _start_of(recipe: TrainRecipe, job: Job) -> dict[str, str]:
    """The bytes that the training starts from: others would be another training."""
    start = recipe.training.start
    if start is None:
        return {}
    with told(start.weights):
        return {"start_sha256": hashlib.sha256(job.store.read(start.weights)).hexdigest()}


@dataclass(frozen=True)
class Learnt:
    """What a training has come to.

    Attributes:
        spec: what it was told.
        clean: what it learnt from, train and tuning; suspicions: what it gives away.
        weights: by name. logits: float32 (M, O) of the M tuning examples, in order.
        history: its epochs.
    """

    spec: FitSpec
    clean: Clean
    suspicions: list[str]
    weights: dict[str, Array]
    logits: Array
    history: list[dict[str, float]]

    @property
    def examples(self) -> Examples:
        return self.clean.examples

    @property
    def subjects(self) -> Array:
        return self.clean.subjects

    @property
    def in_train(self) -> Array:
        return np.asarray(self.examples.split == 0)

    @property
    def leaks(self) -> dict[str, Any]:
        """For the model's card."""
        return {"copies": self.clean.copies, "telltales": self.suspicions}

    @property
    def tuning_targets(self) -> Array:
        return self.examples.targets[~self.in_train]


def _execute(
    plan: Plan, recipe: TrainRecipe, known: Learnable, job: Job, validated: Mapping[str, Any] | None
) -> Result:
    started = time.monotonic()
    reading, task = known.reading, known.task
    learnt = _learn(plan, recipe, known, job)
    spec, in_train = learnt.spec, learnt.in_train
    calibration = task.calibrate(learnt.logits, learnt.tuning_targets, recipe.task)
    definition = _definition(recipe, spec.family_summary, spec.task_summary, calibration)
    by_split = {TRAIN: learnt.subjects[in_train], TUNING: learnt.subjects[~in_train]}
    sha256 = save_model(job.store, recipe.lake, learnt.weights, {**definition, "windows": reading.windows}, by_split)
    keep_images(learnt.clean, recipe.lake, sha256, job.store)
    decoded = task.decode(learnt.logits, recipe.task, calibration)
    state = snapshot(job.store, recipe.lake).at(plan.tables_read)
    reference = tuning_reference(reading, spec.family_summary, learnt.examples, learnt.subjects, decoded, state)
    found = {
        "reference": reference,
        "leaks": learnt.leaks,
        "cross_validation": validated,
        **card_facts(recipe, known, learnt.examples, learnt.subjects, decoded, state),
    }
    made, events = _register(plan, recipe, sha256, {**_card(plan, recipe, learnt.history), **found}, job)
    report = _report(plan, recipe, learnt, made, job)
    counts = {**{split: plan.facts[split] for split in SPLITS}, "copies": learnt.clean.copies}
    outcome = Outcome(counts, host_facts=host_facts(started), model_sha256=sha256, events=events, report_uri=report)
    commit_run(job.store, recipe.lake, plan, outcome)
    job.tell.say(f"model card: {write_card(recipe.lake, made.name, made.version, job)}")
    facts = {**_facts(made, learnt.history, started), "report": report}
    job.tell.say(
        f"model {recipe.model.name} version {made.version}, {sha256[:12]}, "
        f"best epoch {facts['best_epoch']} of {len(learnt.history)}"
    )
    return Result("done", (plan.run_id,), facts=facts)


def _learn(plan: Plan, recipe: TrainRecipe, known: Learnable, job: Job) -> Learnt:
    """Survey and train, from where an earlier attempt stands."""
    family, task, store = known.reading.family, known.task, job.store
    clean = without_copies(known.reading, *gather(known.files, known.of(LEARNT), store), job)
    examples, subjects = clean.examples, clean.subjects
    check_apart(subjects, examples.split, f"recipe {recipe.name}, [split]")
    in_train = examples.split == 0
    rows = np.flatnonzero(in_train)
    summary, task_summary = statistics(recipe, family, task, examples, rows, store)
    suspicions = telltales(known.reading, summary, recipe.task, examples, rows, job)
    folder = join(recipe.lake, "training", plan.run_id)
    spec = FitSpec(family, recipe.family, summary, task, recipe.task, task_summary, recipe.training, store, folder)
    write_examples(job.store, spec.examples_uri, examples)
    _refuse_moved_start(plan, recipe, job)
    refuse_early(recipe, task, recipe.training.workers, len(rows), examples.targets[~in_train])
    _refuse_start(spec)
    job.tell.say(
        f"training on {in_train.sum():,} examples, tuning on {(~in_train).sum():,}, {recipe.training.workers} worker(s)"
    )
    with job.tell.bar("train", recipe.training.epochs, run_id=plan.run_id) as bar:
        weights, logits, history = fit(
            spec, lambda record: bar.advance(1, f"loss {record['loss']:.4f}, tuning {record['tuning_loss']:.4f}")
        )
    return Learnt(spec, clean, suspicions, weights, logits, history)


def _refuse_moved_start(plan: Plan, recipe: TrainRecipe, job: Job) -> None:
    if _start_of(recipe, job).get("start_sha256") != plan.facts.get("start_sha256"):
        raise ModelError(
            "weights of [training.start]",
            "other bytes than when the training was planned",
            "a file that stays as it is",
            "give the new weights a name of their own",
        )


def _refuse_start(spec: FitSpec) -> None:
    """What a worker would refuse in its first step is refused now."""
    if spec.training.start is not None or spec.training.frozen:
        outputs = spec.task.outputs(spec.task_config)
        load_start(spec.store, spec.family.build(spec.family_config, spec.family_summary, outputs), spec.training)


def _report(plan: Plan, recipe: TrainRecipe, learnt: Learnt, made: Registered, job: Job) -> str:
    """Write the report, and say aloud what it advises. Returns where it lies."""
    on_gpu = any(record["device_memory_bytes"] for record in learnt.history)
    advised = advice(learnt.history, gpu=on_gpu, read_ahead=recipe.training.read_ahead)
    for sentence in advised:
        job.tell.warn(sentence)
    targets = learnt.examples.targets[learnt.in_train]
    advised += [*([copies_told(learnt.clean.copies)] if learnt.clean.copies else []), *learnt.suspicions]
    page = training_page(plan, recipe, made, learnt.history, advised, targets, learnt.spec.task_summary)
    return write_report(job, recipe.lake, plan.run_id, page)


def _register(
    plan: Plan, recipe: TrainRecipe, sha256: str, card: dict[str, Any], job: Job
) -> tuple[Registered, list[Event]]:
    """The model as a version of its name, in production where the recipe says so."""
    made = register(job.store, recipe.lake, recipe.model.name, sha256, card)
    if not recipe.model.promote:
        return made, []
    return made, [promoted(recipe.lake, made.name, made.version, plan.run_id, job)[1]]


def _definition(recipe: TrainRecipe, family_summary: Sums, task_summary: Sums, calibration: Sums) -> dict[str, Any]:
    return {
        "family": recipe.family.name,
        "family_config": recipe.family.model_dump(mode="json"),
        "family_summary": family_summary,
        "problem": recipe.problem.model_dump(mode="json") if recipe.problem else None,
        "task": recipe.task.kind,
        "task_config": recipe.task.model_dump(mode="json"),
        "task_summary": task_summary,
        "calibration": calibration,
    }


def _card(plan: Plan, recipe: TrainRecipe, history: list[dict[str, float]]) -> dict[str, Any]:
    return {
        "run_id": plan.run_id,
        "trained_on": plan.run_date,
        "code_version": plan.code_version,
        "recipe_sha256": plan.recipe_sha256,
        "tables_read": plan.tables_read,
        "split": recipe.split.model_dump(mode="json"),
        "training": recipe.training.model_dump(mode="json"),
        "examples": plan.facts,
        "history": history,
    }


def _facts(made: Registered, history: list[dict[str, float]], started: float) -> dict[str, Any]:
    best = min(history, key=lambda record: record["tuning_loss"])
    return {
        "model": made.name,
        "version": made.version,
        "model_sha256": made.sha256,
        "best_epoch": int(best["epoch"]),
        "epochs": len(history),
        "seconds": round(time.monotonic() - started, 2),
    }


def _facts_of(job: Job, recipe: TrainRecipe, plan: Plan) -> dict[str, Any]:
    for made in versions(job.store, recipe.lake, recipe.model.name):
        if made.card.get("run_id") == plan.run_id:
            facts = _facts(made, list(made.card["history"]), time.monotonic())
            return {**facts, "report": join(report_folder(recipe.lake, plan.run_id), PAGE)}
    return {}
