"""Inputs whose answer is known, each with its split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from medray.contracts import Array, Task
from medray.drivers.input import DataFile, Input, InputKey
from medray.drivers.job import Job
from medray.drivers.labels import answers, latest
from medray.drivers.models.learnt_task import learnt_task
from medray.planning.splits import assign
from medray.storage.models import Registered
from medray.storage.snapshot import Snapshot


@dataclass(frozen=True)
class Labelled:
    """An accepted input with its targets and split."""

    file: int
    item: Input
    targets: Array
    split: str


def labelled_inputs(
    state: Snapshot,
    current: Mapping[InputKey, str],
    files: list[DataFile],
    task: Task,
    config: Any,
    split: dict[str, Any],
) -> list[Labelled]:
    """Accepted inputs of `current` with at least one known answer, in order, each with its split."""
    found = [
        (n, item) for n, file in enumerate(files) for item in file.accepted() if current.get(item.key) == file.path
    ]
    # By key, so that a model does not depend on how the archive was cut into files.
    places = sorted(found, key=lambda place: place[1].key)
    inputs = [item for _, item in places]
    wanted = {*config.labels, *([split["label"]] if split["label"] else [])}
    known = latest(state, wanted)
    targets = task.targets({label: answers(inputs, known, label) for label in config.labels}, config)
    given = answers(inputs, known, split["label"]) if split["label"] else []
    splits = assign(np.array([item.subject_id for item in inputs], np.int64), split, given)
    return [
        Labelled(number, item, targets[row], str(splits[row]))
        for row, (number, item) in enumerate(places)
        if not np.isnan(targets[row]).all() and splits[row] is not None
    ]


def in_split(
    split: str, model: Registered, current: Mapping[InputKey, str], files: list[DataFile], state: Snapshot, job: Job
) -> list[Labelled]:
    """Those in a split, by the model's own task and declaration."""
    task, config = learnt_task(job.store, state.lake, model)
    labelled = labelled_inputs(state, current, files, task, config, model.card["split"])
    return [one for one in labelled if one.split == split]


def plan_inputs(labelled: Sequence[Labelled], files: Sequence[DataFile] | None = None) -> pa.Table:
    """What a plan keeps of them, in order; with the data file of each where `files` are given."""
    paths = {} if files is None else {"data_file": pa.array([files[one.file].path for one in labelled], pa.string())}
    return pa.table(
        {
            "chunk": pa.array([0] * len(labelled), pa.int32()),
            **paths,
            "input_id": pa.array([one.item.id for one in labelled], pa.string()),
            "input_version": pa.array([one.item.input_version for one in labelled], pa.int32()),
            "targets": pa.array([one.targets.tolist() for one in labelled], pa.list_(pa.float32())),
        }
    )
