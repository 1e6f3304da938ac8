"""Which columns a recipe declares, and where in a row each stands."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from medray.contracts import Array
from medray.families.tabular.config import Columns, TabularConfig, Take
from medray.ops.code_id import TEXT_SEPARATOR, code_ids


@dataclass(frozen=True)
class Numbers:
    """The columns of one group that are made in one way.

    Attributes:
        hours: how far back events count; None for the whole window.
        take: what makes one number of a code's events.
        slots: int64 (C,), where the columns' codes stand in `Table.ids`.
        columns: the columns' places in a row.
    """

    hours: float | None
    take: Take
    slots: Array
    columns: slice


@dataclass(frozen=True)
class Table:
    """A row's columns: first the numeric ones, group by group, take by take, code by code; then the
    categorical ones.

    Attributes:
        ids: int64 (S,), ids of all codes that any column reads, ascending.
        numbers: the numeric columns.
        categories: for each categorical column int64 (K,), where its codes stand in `ids`.
        numeric: how many numeric columns.
    """

    ids: Array
    numbers: tuple[Numbers, ...]
    categories: tuple[Array, ...]
    numeric: int

    @property
    def width(self) -> int:
        """Columns of a row."""
        return self.numeric + len(self.categories)


def table(config: TabularConfig) -> Table:
    """The columns of a recipe; the same object for the same columns."""
    return _table(config.columns, tuple(config.categories.items()))


def numeric_width(config: TabularConfig) -> int:
    """How many numeric columns a row has."""
    return sum(len(group.codes) * len(group.take) for group in config.columns)


def column_names(config: TabularConfig) -> tuple[str, ...]:
    """What people call each column of a row ("last of HR", "mean of HR, 6 h", "SEX")."""
    numbers = [
        f"{take} of {code}" + ("" if group.hours is None else f", {group.hours:g} h")
        for group in config.columns
        for take in group.take
        for code in group.codes
    ]
    return (*numbers, *config.categories)


@lru_cache(maxsize=16)
def _table(groups: tuple[Columns, ...], categories: tuple[tuple[str, tuple[str, ...]], ...]) -> Table:
    texts = [[f"{code}{TEXT_SEPARATOR}{text}" for text in allowed] for code, allowed in categories]
    ids = np.unique(code_ids([code for codes in (*(group.codes for group in groups), *texts) for code in codes]))
    numbers, column = [], 0
    for group in groups:
        slots = np.searchsorted(ids, code_ids(group.codes))
        for take in group.take:
            numbers.append(Numbers(group.hours, take, slots, slice(column, column + len(slots))))
            column += len(slots)
    return Table(ids, tuple(numbers), tuple(np.searchsorted(ids, code_ids(codes)) for codes in texts), column)
