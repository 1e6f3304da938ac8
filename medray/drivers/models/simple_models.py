"""The classic models beside the network, on plain summaries of the very same examples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from medray.baselines.compare import compare
from medray.contracts import Array
from medray.drivers.input import DataFile
from medray.drivers.inputs.reading import Reading
from medray.drivers.job import Job
from medray.drivers.models.evaluation_parts import Scene
from medray.drivers.models.learnt_from import learnt_from
from medray.drivers.models.plain_summaries import summaries
from medray.drivers.models.train import Labelled, gather
from medray.planning.splits import TRAIN
from medray.storage.models import load_definition

_ROWS = 20_000  # to learn from, at most: simple models gain little from more


def beside_the_network(scene: Scene, job: Job) -> list[dict[str, Any]]:
    """The network against linear models and boosted trees that learn from the model's own training
    split: JSON of `medray.baselines.compare`."""
    recipe, model, reading = scene.recipe, scene.model, scene.reading
    answered = [scene.asked[row] for row in sorted(set(scene.answers.position.tolist()))]
    learnt_files, learnt = learnt_from(scene, job, (TRAIN,), _ROWS)
    summary = load_definition(job.store, recipe.lake, model.sha256)["family_summary"]
    features, targets, subjects = _summaries(reading, summary, scene.files, answered, job)
    train_features, train_targets, train_subjects = _summaries(reading, summary, learnt_files, learnt, job)
    return compare(
        scene.config.kind,
        scene.config,
        scene.answers.stored,
        targets,
        subjects,
        train_features,
        train_targets,
        train_subjects,
        features,
        recipe.resamples,
        recipe.seed,
    )


def _summaries(
    reading: Reading, summary: dict[str, Any], files: list[DataFile], inputs: Sequence[Labelled], job: Job
) -> tuple[Array, Array, Array]:
    """Plain summaries, targets and subjects of the examples of some inputs, in order."""
    examples, subjects = gather(files, list(inputs), job)
    return summaries(reading, summary, examples, np.arange(len(subjects)), job), examples.targets, subjects
