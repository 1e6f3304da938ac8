"""The task that a model has learnt."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from medray import rooms
from medray.contracts import Task
from medray.storage.models import Registered, load_definition
from medray.storage.store import Store


def learnt_task(store: Store, lake: str, model: Registered) -> tuple[Task, Any]:
    """The task and the config that the model was trained with."""
    return task_of(load_definition(store, lake, model.sha256))


def task_of(definition: Mapping[str, Any]) -> tuple[Task, Any]:
    """What a model's definition holds of them.

    Raises:
        KeyError, RecipeError, ValidationError: a task or a config that this medray does not know.
    """
    task = rooms.task(definition["task"])
    return task, task.Config.model_validate(definition["task_config"])
