"""What a night, or the reference of a model, looked like: scores and traits as counts, by group.

A group is "all", "site <key>" or "scanner <key>". All of it is JSON, as it stands in footers of
chunk files, in model cards and in `runs`; counts of parts add up to those of the whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NotRequired, TypedDict

import numpy as np

from medray.planning.gate.scale import PROBABILITY, Scale, scale_of
from medray.planning.gate.trait_bins import TraitCounts, added, count_traits

ALL = "all"


class Group(TypedDict):
    """Attributes:
    inputs, subjects: how many were scored. A subject in two chunks counts twice.
    scores: counts of `Scale.count` by label.
    traits: counts of `count_traits` by trait.
    """

    inputs: int
    subjects: int
    scores: dict[str, list[int]]
    traits: dict[str, TraitCounts]


Observed = dict[str, Group]


class Reference(TypedDict):
    """What a model was calibrated on.

    Attributes:
        scales: of its scores, by label.
        counts: of its tuning split.
        names: what people are shown, of traits whose name says nothing to them.
    """

    scales: dict[str, dict[str, Any]]
    counts: Group
    names: NotRequired[dict[str, str]]


Quantities = Mapping[str, Any]  # sequences or arrays of N values by name


def scales_of(reference: Reference) -> dict[str, Scale]:
    """The scale of each label's scores."""
    return {label: Scale.read(one) for label, one in reference["scales"].items()}


def known_as(reference: Reference, trait: str) -> str:
    """A trait as people know it."""
    return reference.get("names", {}).get(trait, trait)


def reference_of(scores: Quantities, traits: Quantities, inputs: int, subjects: int) -> Reference:
    """The reference that these values of the tuning split make.

    Args:
        scores: the value of `score_values` of each example, by label.
        traits: as a family names them, of some of the examples.
    """
    scales = {label: PROBABILITY if _probabilities(values) else scale_of(values) for label, values in scores.items()}
    return {
        "scales": {label: scale.document() for label, scale in scales.items()},
        "counts": {
            "inputs": inputs,
            "subjects": subjects,
            "scores": {label: scale.count(scores[label]) for label, scale in scales.items()},
            "traits": {name: count_traits(np.asarray(values)) for name, values in traits.items()},
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
    scales: Mapping[str, Scale],
) -> Observed:
    """Counts of N scored examples by group.

    Args:
        members: (N,) groups of each example.
        inputs, subjects: (N,) of which input and subject each is.
        scores, traits: (N,) values by name.
        scales: of each label.
    """
    rows: dict[str, list[int]] = {}
    for row, groups in enumerate(members):
        for group in groups:
            rows.setdefault(group, []).append(row)
    return {
        group: {
            "inputs": len({inputs[row] for row in chosen}),
            "subjects": len({subjects[row] for row in chosen}),
            "scores": {label: scales[label].count([values[row] for row in chosen]) for label, values in scores.items()},
            "traits": {name: count_traits(np.asarray(values)[chosen]) for name, values in traits.items()},
        }
        for group, chosen in sorted(rows.items())
    }


def together(parts: Iterable[Observed]) -> Observed:
    """The counts of all parts, which one model has scored."""
    whole: Observed = {}
    for part in parts:
        for group, counts in part.items():
            whole[group] = _both(whole[group], counts) if group in whole else counts
    return whole


def judged_groups(observed: Observed, fewest: int) -> Iterator[tuple[str, Group]]:
    """The groups with subjects enough; the only site or scanner tells what all inputs tell, and is left out."""
    for group, counts in observed.items():
        if counts["subjects"] >= fewest and (group == ALL or counts["inputs"] < observed[ALL]["inputs"]):
            yield group, counts


def traits_together(parts: Iterable[Group]) -> dict[str, TraitCounts]:
    """The traits of all parts, whichever models have scored them."""
    whole: dict[str, TraitCounts] = {}
    for part in parts:
        for name, counts in part["traits"].items():
            whole[name] = added(whole[name], counts) if name in whole else counts
    return whole


def _both(left: Group, right: Group) -> Group:
    scores = {
        label: [a + b for a, b in zip(left["scores"][label], right["scores"][label], strict=True)]
        for label in left["scores"].keys() & right["scores"].keys()
    }
    return {
        "inputs": left["inputs"] + right["inputs"],
        "subjects": left["subjects"] + right["subjects"],
        "scores": {**left["scores"], **right["scores"], **scores},
        "traits": traits_together((left, right)),
    }


def _probabilities(values: Sequence[Any]) -> bool:
    return all(isinstance(one, float) and 0.0 <= one <= 1.0 for one in values)
