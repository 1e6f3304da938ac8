"""For whom a model is measured apart: traits of inputs as groups with names and an order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

MOST_VALUES = 12  # of a trait that its recipe names no values for
OTHER = "other"


@dataclass(frozen=True)
class Trait:
    """One trait of N inputs.

    Attributes:
        title: in words, with its unit.
        groups: N names, None where not known.
        order: the names in the order in which they are told; those too that no input has.
        absent: why no input has it; None where one has.
    """

    title: str
    groups: tuple[str | None, ...]
    order: tuple[str, ...]
    absent: str | None = None


def missing(title: str, count: int, why: str) -> Trait:
    """A trait that none of `count` inputs has."""
    return Trait(title, (None,) * count, (), why)


def age_bands(years: Sequence[float | None], starts: Sequence[float], title: str) -> Trait:
    """Ages in bands; each begins where `starts` (rising) says, the last one is open."""
    names = [_band(low, high) for low, high in zip(starts, [*starts[1:], None], strict=True)]
    below = f"below {starts[0]:g}"
    groups = [None if age is None else _band_of(age, starts, names, below) for age in years]
    return Trait(title, tuple(groups), (*((below,) if below in groups else ()), *names))


def _band(low: float, high: float | None) -> str:
    """ "18-39", "90+", "0.5 to below 2"."""
    if high is None:
        return f"{low:g}+"
    if float(low).is_integer() and float(high).is_integer():
        return f"{low:g}-{high - 1:g}" if high - 1 > low else f"{low:g}"
    return f"{low:g} to below {high:g}"


def _band_of(age: float, starts: Sequence[float], names: Sequence[str], below: str) -> str:
    reached = [name for start, name in zip(starts, names, strict=True) if age >= start]
    return reached[-1] if reached else below


def named(values: Sequence[str | None], names: Mapping[str, str], title: str) -> Trait:
    """Values under their names, and all that have none together; without names as they are.

    A trait without names and with more than `MOST_VALUES` values is absent: they may be words of a
    text, which no report shows.
    """
    if names:
        groups = [None if value is None else names.get(value, OTHER) for value in values]
        told = tuple(dict.fromkeys(names.values()))
        return Trait(title, tuple(groups), (*told, *((OTHER,) if OTHER in groups and OTHER not in told else ())))
    found = sorted({value for value in values if value is not None})
    if len(found) > MOST_VALUES:
        why = f"{len(found):,} different values: say in the recipe's [subgroups] which have a name"
        return missing(title, len(values), why)
    return Trait(title, tuple(values), tuple(found))


def keyed(values: Sequence[str | None], title: str) -> Trait:
    """Keys, those of most inputs first."""
    counted: dict[str, int] = {}
    for value in values:
        if value is not None:
            counted[value] = counted.get(value, 0) + 1
    order = sorted(counted, key=lambda value: (-counted[value], value))
    return Trait(title, tuple(values), tuple(order))
