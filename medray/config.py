"""Recipes: TOML at the door, frozen models behind it, every mistake told at once.

Importing this loads neither Ray nor torch: a laptop checks a recipe in a second.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from medray.errors import RecipeError
from medray.recipes.card import CardText
from medray.recipes.evaluate import EvaluateRecipe
from medray.recipes.explain import ExplainRecipe
from medray.recipes.ingest import IngestRecipe
from medray.recipes.ingest_ehr import IngestEhrRecipe
from medray.recipes.recipe import Recipe
from medray.recipes.score import Night, PredictRecipe, night_of
from medray.recipes.train import PrepareRecipe, TrainRecipe
from medray.recipes.tune import TuneRecipe

JOBS: dict[str, type[Recipe]] = {
    "ingest_dicom": IngestRecipe,
    "ingest_ehr": IngestEhrRecipe,
    "prepare": PrepareRecipe,
    "train": TrainRecipe,
    "tune": TuneRecipe,
    "predict": PredictRecipe,
    "evaluate": EvaluateRecipe,
    "explain": ExplainRecipe,
    "nightly": Night,
}


def load(path: str, changes: Sequence[str] = ()) -> Recipe:
    """The recipe in a TOML file, or in the JSON of `resolved`, with `a.b=c` changes applied.

    Raises:
        RecipeError: the file cannot be read, or has mistakes; the message lists all of them.
    """
    return parse(_changed(_read(path), changes), where=f"recipe {path}")


def parse(document: Mapping[str, Any], where: str) -> Recipe:
    """The recipe in a parsed document. See `load`."""
    job = document.get("job") if isinstance(document, Mapping) else None
    if str(job) not in JOBS:
        raise RecipeError(where, f"job = {job!r}", ", ".join(JOBS), "name the job at the top of the file")
    try:
        model = night_of(document) if job == "nightly" else JOBS[str(job)]
        recipe = model.model_validate(document)
    except ValidationError as error:
        raise _told(where, str(job), [_mistake(item) for item in error.errors()]) from error
    if mistakes := recipe.mistakes():
        raise _told(where, str(job), mistakes)
    return recipe


def _told(where: str, job: str, mistakes: Sequence[str]) -> RecipeError:
    return RecipeError(
        where,
        f"{len(mistakes)} mistake{'s' * (len(mistakes) > 1)}:\n  " + "\n  ".join(mistakes) + "\n",
        f"the keys of a {job} recipe as in jobs/recipes",
        "correct them all and run `medray check` again",
    )


def resolved(recipe: Recipe) -> dict[str, Any]:
    """The recipe as JSON, defaults filled in; it holds references to secrets, never secrets."""
    return recipe.model_dump(mode="json")


def load_card(path: str) -> CardText:
    """What people say of a model, in a TOML file: the fields of `[model.card]`, at its top.

    Raises:
        RecipeError: the file cannot be read, or has mistakes; the message lists all of them.
    """
    try:
        return CardText.model_validate(_read(path))
    except ValidationError as error:
        raise RecipeError(
            f"card {path}",
            "; ".join(_mistake(item) for item in error.errors()),
            f"texts: {', '.join(CardText.model_fields)}",
            "correct the file",
        ) from error


def _read(path: str) -> dict[str, Any]:
    try:
        text = Path(path).read_text(encoding="utf-8")
        document: dict[str, Any] = json.loads(text) if path.endswith(".json") else tomllib.loads(text)
    except OSError as error:
        raise RecipeError(
            f"recipe {path}", f"no readable file ({error.strerror})", "a TOML file", "check the path"
        ) from error
    except (tomllib.TOMLDecodeError, json.JSONDecodeError, UnicodeDecodeError) as error:
        raise RecipeError(
            f"recipe {path}", f"text that is not TOML ({error})", "TOML 1.0", "correct the line"
        ) from error
    return document


def _changed(document: dict[str, Any], changes: Sequence[str]) -> dict[str, Any]:
    for change in changes:
        path, equals, text = change.partition("=")
        if not equals or not path.strip():
            raise RecipeError("--set", repr(change), "a.b=c", "write the key, an equals sign and the value")
        *tables, key = path.strip().split(".")
        place = document
        for table in tables:
            place = place.setdefault(table, {})
            if not isinstance(place, dict):
                raise RecipeError("--set", repr(change), "a key below a table", f"{table} is a value, not a table")
        place[key] = _value(text.strip())
    return document


def _value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _mistake(item: Mapping[str, Any]) -> str:
    place = ".".join(str(part) for part in item["loc"]) or "recipe"
    silent = item["type"] in ("missing", "extra_forbidden") or "deidentify" in item["loc"]  # a secret may stand there
    given = "" if silent else f" (found {item['input']!r})"
    return f"{place}: {item['msg']}{given}"
