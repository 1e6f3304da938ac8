"""What a recipe can learn from, as the lake stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from medray import rooms
from medray.contracts import Task
from medray.drivers.input import DataFile
from medray.drivers.inputs.find import newest_inputs, read_inputs
from medray.drivers.inputs.prepare import prepare_files
from medray.drivers.inputs.problem import derive
from medray.drivers.inputs.reading import Reading, declared
from medray.drivers.job import Job
from medray.drivers.models.labelled import Labelled, labelled_inputs
from medray.recipes.train import TrainRecipe
from medray.storage.snapshot import Snapshot, snapshot


@dataclass(frozen=True)
class Learnable:
    """Attributes:
    state: the lake.
    files: data files; labelled: accepted inputs in them with a known answer, of every split.
    """

    reading: Reading
    task: Task
    state: Snapshot
    files: list[DataFile]
    labelled: list[Labelled]

    def of(self, splits: Sequence[str]) -> list[Labelled]:
        """Those of some splits, in order."""
        return [one for one in self.labelled if one.split in splits]


def learnable(recipe: TrainRecipe, job: Job) -> Learnable:
    """Derive the inputs and answers of the recipe's problem, and read what there is."""
    reading, task = declared(recipe), rooms.task(recipe.task.kind)
    derive(reading.problem, recipe, job)
    state = snapshot(job.store, recipe.lake)
    current = newest_inputs(state, reading)
    files = read_inputs(state, current.values(), reading)
    labelled = labelled_inputs(state, current, files, task, recipe.task, recipe.split.model_dump())
    return Learnable(reading, task, state, files, labelled)


def prepare(recipe: TrainRecipe, known: Learnable, asked: Sequence[Labelled], job: Job) -> None:
    """Prepare the data files that hold some inputs."""
    used = sorted({one.file for one in asked})
    prepare_files(recipe, known.reading, [known.files[number] for number in used], known.state, job)
