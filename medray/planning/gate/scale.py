"""How one quantity is counted, so that nights can be laid over each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

_PARTS = 20  # of a quantity's reference values, about equally many in each


@dataclass(frozen=True)
class Scale:
    """Bins of a number, or the values of a category.

    Attributes:
        edges: inner edges, rising; a number on an edge belongs above it. None for categories.
        values: the categories. None for numbers.
    """

    edges: tuple[float, ...] | None
    values: tuple[str, ...] | None

    @property
    def ordered(self) -> bool:
        return self.edges is not None

    def count(self, found: Sequence[Any]) -> list[int]:
        """Counts by bin (of categories: the last is any other), then how many are missing (None, NaN)."""
        if self.edges is not None:
            numbers = np.array([np.nan if one is None else one for one in found], float)
            known = numbers[~np.isnan(numbers)]
            bins = np.bincount(np.searchsorted(self.edges, known, side="right"), minlength=len(self.edges) + 1)
            return [*bins.tolist(), len(numbers) - len(known)]
        assert self.values is not None
        places = {value: place for place, value in enumerate(self.values)}
        counts = [0] * (len(places) + 2)
        for one in found:
            counts[-1 if one is None else places.get(one, len(places))] += 1
        return counts

    def document(self) -> dict[str, Any]:
        """As JSON; `read` reads it."""
        return {"edges": self.edges, "values": self.values}

    @classmethod
    def read(cls, document: dict[str, Any]) -> Scale:
        edges, values = document["edges"], document["values"]
        return cls(None if edges is None else tuple(edges), None if values is None else tuple(values))


PROBABILITY = Scale(tuple(np.linspace(0, 1, 41)[1:-1].tolist()), None)


def scale_of(found: Sequence[Any]) -> Scale:
    """The scale of a reference's values: bins of about a twentieth each, or its categories."""
    known = [one for one in found if one is not None]
    if known and isinstance(known[0], str):
        return Scale(None, tuple(sorted(set(known))))
    numbers = np.array(known, float)
    numbers = numbers[np.isfinite(numbers)]
    if not len(numbers):
        return Scale((), None)
    inner = np.unique(np.quantile(numbers, np.arange(1, _PARTS) / _PARTS))
    return Scale(tuple(inner[inner > numbers.min()].tolist()), None)
