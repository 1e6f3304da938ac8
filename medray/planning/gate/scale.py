"""How the scores of a label are counted: bins that its model's reference fixes."""

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
        """Counts by bin; of categories the last is any other."""
        if self.edges is not None:
            places = np.searchsorted(self.edges, np.asarray(found, float), side="right")
            return [int(one) for one in np.bincount(places, minlength=len(self.edges) + 1)]
        assert self.values is not None
        known = {value: place for place, value in enumerate(self.values)}
        counts = [0] * (len(known) + 1)
        for one in found:
            counts[known.get(one, len(known))] += 1
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
    if len(found) and isinstance(found[0], str):
        return Scale(None, tuple(sorted(set(found))))
    numbers = np.asarray(found, float)
    if not len(numbers):
        return Scale((), None)
    inner = np.unique(np.quantile(numbers, np.arange(1, _PARTS) / _PARTS))
    return Scale(tuple(inner[inner > numbers.min()].tolist()), None)
