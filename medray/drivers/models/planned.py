"""What a run that answers was planned to read, opened and prepared."""

from __future__ import annotations

from dataclasses import dataclass

from medray.drivers.input import DataFile
from medray.drivers.inputs.find import read_inputs
from medray.drivers.inputs.prepare import prepare_files
from medray.drivers.inputs.reading import Reading, read_by
from medray.drivers.job import Job
from medray.recipes.recipe import Recipe
from medray.storage.models import Registered
from medray.storage.plans import Plan
from medray.storage.promotions import choose
from medray.storage.snapshot import Snapshot, snapshot


@dataclass(frozen=True)
class Planned:
    """Attributes:
    state: the lake as the plan read it.
    files: the plan's data files, prepared.
    """

    model: Registered
    reading: Reading
    state: Snapshot
    files: list[DataFile]


def planned(plan: Plan, recipe: Recipe, job: Job) -> Planned:
    """All of it follows from the plan: a later attempt reads the same."""
    model = choose(job.store, recipe.lake, plan.facts["model"], plan.facts["model_version"])
    reading = read_by(model, recipe.lake, job)
    state = snapshot(job.store, recipe.lake).at(plan.tables_read)
    files = read_inputs(state, plan.facts["data_files"], reading)
    prepare_files(recipe, reading, files, state, job)
    return Planned(model, reading, state, files)
