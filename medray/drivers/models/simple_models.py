"""The classic models beside the network, on plain summaries of the very same examples."""

from __future__ import annotations

from typing import Any

import numpy as np

from medray.baselines.compare import compare
from medray.contracts import Array
from medray.drivers.job import Job
from medray.drivers.models.evaluation_parts import Scene
from medray.drivers.models.gather import gather
from medray.drivers.models.leaks import digests_of
from medray.drivers.models.learnt_from import learnt_from
from medray.drivers.models.plain_summaries import summaries
from medray.engine.examples import Examples
from medray.planning.duplicates import learnt_before
from medray.planning.splits import TRAIN
from medray.storage.models import load_definition

_ROWS = 20_000  # to learn from, at most: simple models gain little from more


def beside_the_network(scene: Scene, job: Job) -> list[dict[str, Any]]:
    """The network against linear models and boosted trees that learn from the model's own training
    split: JSON of `medray.baselines.compare`."""
    recipe, model, reading = scene.recipe, scene.model, scene.reading
    learnt_files, learnt = learnt_from(scene, job, (TRAIN,), _ROWS)
    summary = load_definition(job.store, recipe.lake, model.sha256)["family_summary"]
    train, train_subjects = _without_the_evaluated(scene, *gather(learnt_files, learnt, job.store), job)
    features, train_features = (
        summaries(reading, summary, examples, np.arange(len(examples.row)), job) for examples in (scene.examples, train)
    )
    return compare(
        scene.config.kind,
        scene.config,
        scene.answers.stored,
        scene.targets,
        scene.subjects,
        train_features,
        train.targets,
        train_subjects,
        features,
        recipe.resamples,
        recipe.seed,
    )


def _without_the_evaluated(scene: Scene, train: Examples, subjects: Array, job: Job) -> tuple[Examples, Array]:
    """Images that are evaluated are not learnt first, under whatever names."""
    learnt = digests_of(scene.reading, train, job.store)
    if scene.images is None or learnt is None:
        return train, subjects
    kept = ~learnt_before(learnt, {scene.recipe.split: scene.images})
    return train.take(kept), subjects[kept]
