"""The examples that a model was made of, as its own training planned them."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from medray.drivers.input import DataFile
from medray.drivers.inputs.find import read_inputs
from medray.drivers.inputs.prepare import prepare_files
from medray.drivers.job import Job
from medray.drivers.models.evaluation_parts import Scene
from medray.drivers.models.labelled import Labelled
from medray.drivers.models.train import JOB as TRAIN_JOB
from medray.storage.plans import read_plan


def learnt_from(
    scene: Scene, job: Job, splits: Collection[str], most: int | None = None
) -> tuple[list[DataFile], list[Labelled]]:
    """The prepared inputs of some splits; a seeded part of them where there are more than `most`."""
    recipe = scene.recipe
    plan = read_plan(job.store, recipe.lake, TRAIN_JOB, scene.model.card["run_id"])
    rows = plan.inputs.filter(np.isin(np.asarray(plan.inputs["split"]), sorted(splits)))
    if most is not None and rows.num_rows > most:
        chosen = np.random.default_rng(recipe.seed).choice(rows.num_rows, most, replace=False)
        rows = rows.take(np.sort(chosen))
    files = read_inputs(scene.state, rows["data_file"].unique().to_pylist(), scene.reading)
    prepare_files(recipe, scene.reading, files, scene.state, job)
    number = {file.path: place for place, file in enumerate(files)}
    items = [{item.key: item for item in file.inputs} for file in files]
    learnt = []
    for row in rows.to_pylist():
        file = number[row["data_file"]]
        item = items[file][row["input_id"], row["input_version"]]
        learnt.append(Labelled(file, item, np.array(row["targets"], np.float32), row["split"]))
    return files, learnt
