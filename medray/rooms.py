"""Which word of a recipe means which room. Rooms are loaded when asked for, not before."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import cast

from medray.contracts import Family, Source, Task
from medray.errors import RecipeError

FAMILIES = {
    "image": "medray.families.image.spec:FAMILY",
}
TASKS = {
    "binary": "medray.tasks.binary:TASK",
    "multiclass": "medray.tasks.multiclass:TASK",
    "multilabel": "medray.tasks.multilabel:TASK",
}
SOURCES = {
    "dicom": "medray.dicom.spec:SOURCE",
}


def _load(kind: str, table: Mapping[str, str], name: str) -> object:
    if name not in table:
        raise RecipeError(
            where=f"recipe, {kind}",
            found=f"'{name}'",
            allowed=", ".join(sorted(table)),
            do=f"name one of the allowed words for the {kind}",
        )
    module, attribute = table[name].split(":")
    return getattr(import_module(module), attribute)


def family(name: str) -> Family:
    """The family of that name. Loads torch. Raises `RecipeError` for an unknown name."""
    return cast(Family, _load("family", FAMILIES, name))


def task(name: str) -> Task:
    """The task of that name. Loads torch. Raises `RecipeError` for an unknown name."""
    return cast(Task, _load("task", TASKS, name))


def source(name: str) -> Source:
    """The source of that name. Raises `RecipeError` for an unknown name."""
    return cast(Source, _load("source", SOURCES, name))
