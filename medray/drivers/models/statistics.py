"""What a family and a task learn of a training split before the network does."""

from __future__ import annotations

from medray.contracts import Array, Family, Sums, Task
from medray.engine.examples import Examples
from medray.engine.survey import survey
from medray.recipes.train import TrainRecipe
from medray.storage.store import Store


def statistics(
    recipe: TrainRecipe, family: Family, task: Task, examples: Examples, rows: Array, store: Store
) -> tuple[Sums, Sums]:
    """The summaries of family and task, of the examples at `rows`."""
    values = family.summarise(survey(family, recipe.family, store, examples, rows))
    return values, task.summarise(task.survey(examples.targets[rows], recipe.task), recipe.task)
