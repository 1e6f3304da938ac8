"""What a night, or the reference of a model, looked like: scores and traits as counts, by group.

A group is "all", "site <key>" or "scanner <key>". All of it is JSON, as it stands in footers of
chunk files, in model cards and in `runs`; counts of parts add up to those of the whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypedDict

from medray.planning.gate.scale import PROBABILITY, Scale, scale_of

ALL = "all"


class Group(TypedDict):
    """Attributes:
    inputs, subjects: how many were scored. A subject in two chunks counts twice.
    scores, traits: counts of `Scale.count` by label and by trait.
    """

    inputs: int
    subjects: int
    scores: dict[str, list[int]]
    traits: dict[str, list[int]]


Observed = dict[str, Group]


class Reference(TypedDict):
    """What a model was calibrated on: the scales of its scores and traits, and their counts there."""

    scores: dict[str, dict[str, Any]]
    traits: dict[str, dict[str, Any]]
    counts: Group


class Scales:
    """The scales of a reference."""

    def __init__(self, reference: Reference) -> None:
        self.scores = {name: Scale.read(one) for name, one in reference["scores"].items()}
        self.traits = {name: Scale.read(one) for name, one in reference["traits"].items()}


Quantities = Mapping[str, Any]  # sequences or arrays of N values by name


def reference_of(scores: Quantities, traits: Quantities, inputs: int, subjects: int) -> Reference:
    """The reference that these values of the tuning split make.

    Args:
        scores: the value of `score_values` of each example, by label.
        traits: as a family names them, of some of the examples.
    """
    score_scales = {
        name: PROBABILITY if _probabilities(values) else scale_of(values) for name, values in scores.items()
    }
    trait_scales = {name: scale_of(values) for name, values in traits.items()}
    return {
        "scores": {name: scale.document() for name, scale in score_scales.items()},
        "traits": {name: scale.document() for name, scale in trait_scales.items()},
        "counts": {
            "inputs": inputs,
            "subjects": subjects,
            "scores": {name: scale.count(scores[name]) for name, scale in score_scales.items()},
            "traits": {name: scale.count(traits[name]) for name, scale in trait_scales.items()},
        },
    }


def score_values(columns: Mapping[str, Any]) -> Any:
    """The one column of an answer that is watched: its probability, else its number, else its class."""
    for name in ("predicted_boolean_probability", "predicted_float_value", "predicted_categorical_value"):
        if name in columns:
            return columns[name]
    raise KeyError(f"an answer without a value to watch: {sorted(columns)}")


def observe(
    members: Sequence[Sequence[str]],
    inputs: Sequence[Any],
    subjects: Sequence[int],
    scores: Quantities,
    traits: Quantities,
    scales: Scales,
) -> Observed:
    """Counts of N scored examples by group.

    Args:
        members: (N,) groups of each example.
        inputs, subjects: (N,) of which input and subject each is.
        scores, traits: (N,) values by name; names that `scales` lacks are left out.
    """
    rows: dict[str, list[int]] = {}
    for row, groups in enumerate(members):
        for group in groups:
            rows.setdefault(group, []).append(row)
    return {
        group: {
            "inputs": len({inputs[row] for row in chosen}),
            "subjects": len({subjects[row] for row in chosen}),
            "scores": _counted(scores, scales.scores, chosen),
            "traits": _counted(traits, scales.traits, chosen),
        }
        for group, chosen in sorted(rows.items())
    }


def together(parts: Iterable[Observed]) -> Observed:
    """The counts of all parts."""
    whole: Observed = {}
    for part in parts:
        for group, counts in part.items():
            whole[group] = _added(whole[group], counts) if group in whole else counts
    return whole


def _added(left: Group, right: Group) -> Group:
    return {
        "inputs": left["inputs"] + right["inputs"],
        "subjects": left["subjects"] + right["subjects"],
        "scores": _sums(left["scores"], right["scores"]),
        "traits": _sums(left["traits"], right["traits"]),
    }


def _sums(left: dict[str, list[int]], right: dict[str, list[int]]) -> dict[str, list[int]]:
    both = left.keys() & right.keys()
    added = {name: [a + b for a, b in zip(left[name], right[name], strict=True)] for name in both}
    return {**left, **right, **added}


def _counted(values: Quantities, scales: Mapping[str, Scale], rows: Sequence[int]) -> dict[str, list[int]]:
    return {name: scale.count([values[name][row] for row in rows]) for name, scale in scales.items() if name in values}


def _probabilities(values: Sequence[Any]) -> bool:
    return all(isinstance(one, float) and 0.0 <= one <= 1.0 for one in values)
