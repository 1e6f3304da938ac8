"""What a model reads: a family as a recipe or a model declares it, and the problem that asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from medray import rooms
from medray.contracts import Family
from medray.drivers.job import Job
from medray.errors import ModelError, RecipeError
from medray.recipes.problem import Problem
from medray.recipes.train import PrepareRecipe, TrainRecipe
from medray.storage.models import Registered, load_definition
from medray.storage.shards import prepare_hash

WINDOWS = 3  # raised when the same problem and events would give other windows


@dataclass(frozen=True)
class Reading:
    """Attributes:
    family, config: the family with its `[family]`.
    problem: who is asked about and when; None for images, which are asked about one by one.
    """

    family: Family
    config: Any
    problem: Problem | None

    @property
    def hash(self) -> str:
        """What prepared values depend on."""
        key = self.family.prepare_key(self.config)
        return prepare_hash(self.family.name, {**key, "windows": self.windows} if self.windows else key)

    @property
    def windows(self) -> int | None:
        """The rules by which windows are made of events; None for images."""
        return WINDOWS if self.problem else None

    def document(self) -> dict[str, Any]:
        """As JSON; `reading_of` reads it."""
        return {
            "family": self.family.name,
            "family_config": self.config.model_dump(mode="json"),
            "problem": self.problem.model_dump(mode="json") if self.problem else None,
        }


def declared(recipe: PrepareRecipe | TrainRecipe) -> Reading:
    """What a recipe declares."""
    return Reading(rooms.family(recipe.family.name), recipe.family, recipe.problem)


def reading_of(document: Mapping[str, Any]) -> Reading:
    """What a plan or a model's definition holds.

    Raises:
        ValidationError: a config that this medray does not know.
    """
    family = rooms.family(document["family"])
    problem = document.get("problem")
    return Reading(
        family,
        family.Config.model_validate(document["family_config"]),
        Problem.model_validate(problem) if problem else None,
    )


def read_by(model: Registered, lake: str, job: Job) -> Reading:
    """What a model reads, with the config that it was trained with."""
    definition = load_definition(job.store, lake, model.sha256)
    try:
        reading = reading_of(definition)
    except (KeyError, TypeError, RecipeError) as error:
        raise ModelError(
            f"model {model.name} version {model.version}",
            f"a family that this medray does not know: {definition.get('family')!r:.40}",
            ", ".join(sorted(rooms.FAMILIES)),
            "score it with the medray that trained it",
        ) from error
    except ValidationError as error:
        raise ModelError(
            f"model {model.name} version {model.version}",
            f"a config that the family {definition['family']!r} of this medray does not know "
            f"({error.error_count()} mistakes)",
            "a model of this version's families",
            "score it with the medray that trained it, or train it again",
        ) from error
    # A model of records from before the rules had a number is of the first.
    if reading.windows != definition.get("windows", 1 if reading.problem else None):
        raise ModelError(
            f"model {model.name} version {model.version}",
            "a model that learnt from windows made by the rules of another medray",
            f"windows of the rules {WINDOWS}: a text beside a number is no part of an event's code, a static fact of "
            "a target's code is no input",
            "score it with the medray that trained it, or train it again",
        )
    return reading
