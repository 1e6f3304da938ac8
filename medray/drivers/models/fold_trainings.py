"""The trainings of a cross-validation: one network for each fold and seed, and what it answers out of its fold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from threading import Lock

import numpy as np

from medray.contracts import Array, Columns, Sums, Task
from medray.drivers.inputs.reading import Reading
from medray.drivers.job import Job
from medray.drivers.models.refuse_early import refuse_early
from medray.drivers.models.statistics import statistics
from medray.engine.answers import answered
from medray.engine.examples import Examples, write_examples
from medray.engine.fit import fit
from medray.engine.loop import FitSpec
from medray.engine.side_by_side import places, side_by_side
from medray.narration import Bar
from medray.planning.folds import OUT, TRAIN, TUNING
from medray.recipes.train import TrainRecipe
from medray.storage.uri import join

Stored = Mapping[str, Mapping[str, Array]]


@dataclass(frozen=True)
class Fold:
    """One fold, with what is learnt of it once for all seeds.

    Attributes:
        number: from 0.
        parts: int8 (N,), `TRAIN`, `TUNING` or `OUT` of each example.
        summary, task_summary: of its own training split.
    """

    number: int
    parts: Array
    summary: Sums
    task_summary: Sums

    def rows(self, part: int) -> Array:
        """Row numbers of one part."""
        return np.flatnonzero(self.parts == part)


@dataclass(frozen=True)
class Trained:
    """One network.

    Attributes:
        history: its epochs.
        answers: of the examples that are out of its fold, in order, by its own tuning split's calibration.
    """

    history: list[dict[str, float]]
    answers: dict[str, Columns]


def surveyed(
    recipe: TrainRecipe, reading: Reading, task: Task, examples: Examples, parts: Sequence[Array], job: Job
) -> list[Fold]:
    """The folds with their summaries. What calibration would refuse after the last epoch, it refuses here."""
    folds = []
    for number, part in enumerate(parts):
        learn, tuning = np.flatnonzero(part == TRAIN), examples.targets[part == TUNING]
        refuse_early(recipe, task, recipe.training.workers, len(learn), tuning)
        folds.append(Fold(number, part, *statistics(recipe, reading.family, task, examples, learn, job.store)))
    return folds


def train_folds(
    recipe: TrainRecipe,
    seeds: Sequence[int],
    reading: Reading,
    task: Task,
    examples: Examples,
    folds: Sequence[Fold],
    run_id: str,
    job: Job,
) -> dict[int, list[Trained]]:
    """Seed -> the network of each fold, in order. Those that an earlier attempt has finished are not trained again.

    Raises:
        EngineError: trainings failed; the others are finished and kept.
    """
    at_once, threads = places(recipe.training, len(seeds) * len(folds))
    folder = join(recipe.lake, "training", run_id)
    specs = {
        (seed, fold.number): _spec(recipe, reading, task, fold, seed, folder, threads, job)
        for seed in seeds
        for fold in folds
    }
    for (_, number), spec in specs.items():
        write_examples(job.store, spec.examples_uri, replace(examples, split=folds[number].parts))
    job.tell.say(f"{len(folds)} folds, {len(seeds)} seed(s): {len(specs)} trainings, {at_once} at a time")
    with job.tell.bar("cross-validate", len(specs), run_id=run_id) as bar:
        told = _Told(bar)
        works = [
            partial(_trained, spec, folds[number], examples.targets, f"fold {number + 1}, seed {seed}", told)
            for (seed, number), spec in specs.items()
        ]
        done = dict(zip(specs, side_by_side(works, at_once), strict=True))
    return {seed: [done[seed, fold.number] for fold in folds] for seed in seeds}


def _spec(
    recipe: TrainRecipe, reading: Reading, task: Task, fold: Fold, seed: int, folder: str, threads: int, job: Job
) -> FitSpec:
    return FitSpec(
        family=reading.family,
        family_config=recipe.family,
        family_summary=fold.summary,
        task=task,
        task_config=recipe.task,
        task_summary=fold.task_summary,
        training=recipe.training.model_copy(update={"seed": seed}),
        store=job.store,
        folder=join(folder, f"fold-{fold.number + 1}-seed-{seed}"),
        threads=threads,
    )


class _Told:
    """A bar that trainings in several threads move."""

    def __init__(self, bar: Bar) -> None:
        self._bar, self._lock = bar, Lock()

    def epoch(self, name: str, record: dict[str, float]) -> None:
        with self._lock:
            self._bar.advance(0, f"{name}: epoch {record['epoch']:.0f}, tuning {record['tuning_loss']:.4f}")

    def done(self, name: str) -> None:
        with self._lock:
            self._bar.advance(1, f"{name}: done")


def _trained(spec: FitSpec, fold: Fold, targets: Array, name: str, told: _Told) -> Trained:
    _, logits, history = fit(spec, lambda record: told.epoch(name, record))
    calibration = spec.task.calibrate(logits, targets[fold.rows(TUNING)], spec.task_config)
    out = answered(spec, fold.rows(OUT))
    told.done(name)
    return Trained(history, spec.task.decode(out, spec.task_config, calibration))


def pooled(folds: Sequence[Fold], trained: Sequence[Trained]) -> dict[str, dict[str, Array]]:
    """Every example's answer by the network of the fold that it is out of: label -> column -> (N,)."""
    order = np.argsort(np.concatenate([fold.rows(OUT) for fold in folds]))
    return {
        label: {
            name: np.array([value for one in trained for value in one.answers[label][name]])[order] for name in columns
        }
        for label, columns in trained[0].answers.items()
    }
