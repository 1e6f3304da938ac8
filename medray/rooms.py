"""Which word of a recipe means which room. Rooms are loaded when asked for, not before."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import cast

from medray.contracts import Family, RecordSource, Source, Task
from medray.errors import RecipeError

FAMILIES = {
    "ehr": "medray.families.ehr.spec:FAMILY",
    "image": "medray.families.image.spec:FAMILY",
    "tabular": "medray.families.tabular.spec:FAMILY",
}
TASKS = {
    "binary": "medray.tasks.binary:TASK",
    "multiclass": "medray.tasks.multiclass:TASK",
    "multilabel": "medray.tasks.multilabel:TASK",
    "ordinal": "medray.tasks.ordinal:TASK",
    "regression": "medray.tasks.regression:TASK",
}
SOURCES = {
    "dicom": "medray.dicom.spec:SOURCE",
}
RECORD_SOURCES = {
    "fhir": "medray.ehr.fhir.spec:SOURCE",
    "meds": "medray.ehr.meds.spec:SOURCE",
    "omop": "medray.ehr.omop.spec:SOURCE",
    "tables": "medray.ehr.tables.spec:SOURCE",
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
    """The family of that name. Raises `RecipeError` for an unknown name."""
    return cast(Family, _load("family", FAMILIES, name))


def task(name: str) -> Task:
    """The task of that name. Loads torch. Raises `RecipeError` for an unknown name."""
    return cast(Task, _load("task", TASKS, name))


def source(name: str) -> Source:
    """The source of that name. Raises `RecipeError` for an unknown name."""
    return cast(Source, _load("source", SOURCES, name))


def record_source(name: str) -> RecordSource:
    """The record source of that name. Raises `RecipeError` for an unknown name."""
    return cast(RecordSource, _load("source", RECORD_SOURCES, name))
