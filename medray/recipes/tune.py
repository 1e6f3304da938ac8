"""`tune`: a train recipe, and what of it is searched."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from pydantic import Field, ValidationError

from medray.recipes.draws import OneOf, Range, Values, draw
from medray.recipes.recipe import Section
from medray.recipes.train import TrainRecipe

_LEARNING = (
    "batch_size", "learning_rate", "weight_decay", "warmup", "ema", "gradient_clip", "optimizer", "l1", "sampling",
    "frozen", "frozen_epochs",
)  # fmt: skip
_MOST_TOLD = 5  # trials that are no recipe


class Search(Section):
    """How settings are searched.

    Attributes:
        trials: how many settings are tried, the recipe's own among them.
        seed: of the settings that are drawn. All trials share the seed of `[training]`.
        grace_epochs: epochs that every trial is given.
        reduction: ASHA's factor: after grace_epochs, and each time a trial has come so many times
            as far, it goes on when it is among the best 1 / reduction of the trials that came there
            before it.
        concurrent: trials side by side; as many as the cluster takes, when absent.
        ranges: by the setting's name in the recipe, such as "training.learning_rate". Choices that
            are tables ("family") set several keys together, and take away what only others name.
    """

    trials: int = Field(ge=2, le=1000)
    seed: int = Field(ge=0)
    grace_epochs: int = Field(ge=1)
    reduction: int = Field(ge=2)
    concurrent: int | None = Field(default=None, ge=1)
    ranges: dict[str, Range] = Field(min_length=1)


class TuneRecipe(TrainRecipe):
    """One search. What it finds is a train recipe."""

    job: Literal["tune"]  # type: ignore[assignment]
    search: Search

    def trials(self) -> list[Values]:
        """The settings of every trial, by name; the first are the recipe's own."""
        own = {name: _own(self, name) for name in self.search.ranges}
        return draw(self.search.ranges, own, self.search.trials, self.search.seed)

    def with_values(self, values: Values) -> TrainRecipe:
        """The train recipe with some settings, the rest as the person wrote it.

        Raises:
            ValidationError: together they are no recipe.
        """
        document = self.model_dump(mode="json", exclude_unset=True, exclude_none=True, exclude={"search"})
        changed = {**document, "job": "train"}
        for name, value in values.items():
            _set(changed, name, value, _named(self, name))
        return TrainRecipe.model_validate(changed)

    def mistakes(self) -> list[str]:
        """Settings that may not be searched or are not there, ends and trials that are no train recipe."""
        unknown = [told for name in self.search.ranges for told in self._unsearchable(name)]
        found = [*unknown, *self._said_twice(), *self._too_patient()]
        if unknown:
            return found
        ends = [*self._bad_ends()]
        return [*found, *(ends or self._bad_trials())]

    def _unsearchable(self, name: str) -> Iterator[str]:
        """Why a name is no setting that a search may change."""
        section, _, key = name.partition(".")
        allowed = {"training": _LEARNING, "family": self.family.searchable}.get(section)
        if allowed is None:
            yield f"{_place(name)}: only [training] and [family] are searched: what else there is says what is asked"
            return
        chosen = self.search.ranges[name]
        keys = [key] if key else sorted({one for choice in chosen.ends for one in _keys(choice)})
        if not key and not all(isinstance(choice, dict) for choice in chosen.ends):
            yield f"{_place(name)}: a whole section needs choices that are tables: of = [{{ key = value }}, ...]"
        for one in keys:
            first = one.split(".")[0]
            if first not in allowed or not _has(self, f"{section}.{one}"):
                known = [word for word in allowed if _has(self, f"{section}.{word}")]
                yield f"{_place(name)}: {section}.{one} is not searched; of [{section}] these are: {', '.join(known)}"

    def _said_twice(self) -> Iterator[str]:
        seen: dict[str, str] = {}
        for name, chosen in self.search.ranges.items():
            tables = isinstance(chosen, OneOf) and all(isinstance(choice, dict) for choice in chosen.of)
            keys = {f"{name}.{key}" for choice in chosen.ends for key in _keys(choice)} if tables else {name}
            for key in sorted(keys):
                if key in seen:
                    yield f"{_place(name)}: {key} is searched by {_place(seen[key])} already"
                seen[key] = name

    def _too_patient(self) -> Iterator[str]:
        if self.search.grace_epochs > self.training.epochs:
            yield (
                f"search.grace_epochs: {self.search.grace_epochs} is more than the {self.training.epochs} epochs of "
                "[training]"
            )

    def _bad_ends(self) -> Iterator[str]:
        """Ends and choices that are no recipe, with the rest of the recipe as it stands."""
        for name, chosen in self.search.ranges.items():
            if not isinstance(chosen, OneOf) and not _is_number(_own(self, name)):
                yield f"{_place(name)}: a range of numbers, where the recipe has {_own(self, name)!r}"
                continue
            for end in chosen.ends:
                if told := self._refused({name: end}):
                    yield f"{_place(name)}: {end!r} makes no train recipe: {told}"

    def _bad_trials(self) -> list[str]:
        """Settings that are right one by one, and make no recipe together."""
        told = [(number, values, self._refused(values)) for number, values in enumerate(self.trials())]
        bad = [
            f"search: trial {number} ({said(values)}) makes no train recipe: {why}"
            for number, values, why in told
            if why
        ]
        more = [f"search: {len(bad) - _MOST_TOLD} more trials make none"] if len(bad) > _MOST_TOLD else []
        return [*bad[:_MOST_TOLD], *more]

    def _refused(self, values: Values) -> str:
        try:
            self.with_values(values)
        except ValidationError as error:
            return "; ".join(f"{'.'.join(map(str, item['loc'])) or 'recipe'}: {item['msg']}" for item in error.errors())
        return ""


def said(values: Values) -> str:
    """Settings in words: `training.learning_rate = 0.003, ...`."""
    return ", ".join(f"{name} = {value}" for name, value in flat(values).items())


def flat(values: Values) -> Values:
    """Settings by the name of each single key: what a table sets stands key by key."""
    found: Values = {}
    for name, value in values.items():
        found |= {f"{name}.{key}": one for key, one in value.items()} if isinstance(value, dict) else {name: value}
    return found


def _set(document: dict[str, Any], name: str, value: Any, named: set[str]) -> None:
    *tables, key = name.split(".")
    place = document
    for table in tables:
        place = place.setdefault(table, {})
    if isinstance(value, dict):
        kept = {one: other for one, other in place.get(key, {}).items() if one not in named}
        value = {**kept, **value}
    place[key] = value


def _named(recipe: TuneRecipe, name: str) -> set[str]:
    """The keys that any choice of a range sets: a choice that leaves one out takes it away."""
    return {key for choice in recipe.search.ranges[name].ends for key in _keys(choice)}


def _own(recipe: TuneRecipe, name: str) -> Any:
    """What the recipe itself has; of choices that are tables, the keys that any of them names."""
    value = _at(recipe, name)
    if not isinstance(value, dict):
        return value
    named = _named(recipe, name)
    return {key: one for key, one in value.items() if key in named and one is not None}


def _at(recipe: TuneRecipe, name: str) -> Any:
    place: Any = recipe.model_dump(mode="json")
    for key in name.split("."):
        place = place[key]
    return place


def _has(recipe: TuneRecipe, name: str) -> bool:
    try:
        _at(recipe, name)
    except (KeyError, TypeError):
        return False
    return True


def _keys(choice: Any) -> list[str]:
    return list(choice) if isinstance(choice, Mapping) else []


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _place(name: str) -> str:
    return f'search.ranges."{name}"'
