"""Two versions of a model side by side: what was asked otherwise, what they learnt from, how good each is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from medray.planning.model_card import answers_of

Card = Mapping[str, Any]
_ABOUT_THE_RUN = ("name", "compute")  # of a recipe: nothing of the model follows from it


def compared(
    first: Card, second: Card, recipes: tuple[Mapping[str, Any], Mapping[str, Any]], same_tuning: bool | None
) -> dict[str, Any]:
    """JSON: `recipe` and `data` are what differs, {"what", "first", "second"}; `metrics` is all that both were
    measured by, {"split", "question", "metric", "first", "second"}, each a value with its interval or None.

    Args:
        first, second: model cards.
        recipes: of their trainings.
        same_tuning: whether both have the very same tuning inputs; None: not known.
    """
    return {
        "name": first["name"],
        "versions": [first["version"], second["version"]],
        "recipe": _differences(*({k: v for k, v in one.items() if k not in _ABOUT_THE_RUN} for one in recipes)),
        "data": _differences(*(_data(one) for one in (first, second))),
        "metrics": [row for split in ("held_out", "tuning") for row in _metrics(split, first, second)],
        "same_tuning": same_tuning,
    }


def _data(card: Card) -> dict[str, Any]:
    about = {name: card["data"].get(name) for name in ("question", "cohort", "targets", "splits", "groups", "years")}
    return {**about, "tables": card["sources"]}


def _differences(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[dict[str, Any]]:
    left, right = dict(_flat(first)), dict(_flat(second))
    names = [*left, *(name for name in right if name not in left)]
    return [
        {"what": name, "first": left.get(name), "second": right.get(name)}
        for name in names
        if left.get(name) != right.get(name)
    ]


def _flat(document: Mapping[str, Any], place: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in document.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{place}{name}.")
        else:
            yield f"{place}{name}", value


def _metrics(split: str, first: Card, second: Card) -> Iterator[dict[str, Any]]:
    measured = [_of_split(split, card) for card in (first, second)]
    questions = dict.fromkeys(question for one in measured for question in one)
    for question in questions:
        metrics = [one.get(question, {}).get("metrics", {}) for one in measured]
        for name in dict.fromkeys(name for one in metrics for name in one):
            values = dict(zip(("first", "second"), (one.get(name) for one in metrics), strict=True))
            yield {"split": split, "question": question, "metric": name, **values}


def _of_split(split: str, card: Card) -> Card:
    """By question: of the held-out split as the newest evaluation has it, of the tuning split as the training has."""
    if split == "tuning":
        return answers_of(card["tuning"])
    found = (one["metrics"] for one in card["evaluations"] if one["split"] == split and one["metrics"])
    return answers_of(next(found, {}))
