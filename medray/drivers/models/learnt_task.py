"""The task that a model has learnt."""

from __future__ import annotations

from typing import Any

from medray import rooms
from medray.contracts import Task
from medray.storage.models import Registered, load_definition
from medray.storage.store import Store


def learnt_task(store: Store, lake: str, model: Registered) -> tuple[Task, Any]:
    """The task and the config that the model was trained with."""
    definition = load_definition(store, lake, model.sha256)
    task = rooms.task(definition["task"])
    return task, task.Config.model_validate(definition["task_config"])
