"""One window of events -> the row of numbers that a network reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from medray.contracts import Array, Example, Layout, Window
from medray.families.tabular.columns import Table, table
from medray.families.tabular.config import TabularConfig
from medray.families.tabular.takes import TAKES, Runs, runs, select

PREPARE_VERSION = 1  # raised when the same window and config would give other numbers


def layout(config: TabularConfig) -> Layout:
    """float32 (columns,)."""
    return Layout(shape=(table(config).width,), dtype="float32")


def prepare_key(config: TabularConfig) -> Mapping[str, Any]:
    """What the prepared numbers depend on; the network is no part of it."""
    names = {"name", "columns", "categories"}
    return {**config.model_dump(mode="json", include=names), "prepare_version": PREPARE_VERSION}


def _known(window: Window, columns: Table) -> tuple[Runs, Array]:
    """The events that columns read, and for each code int64 the place of its latest event, or -1."""
    slot = np.searchsorted(columns.ids, window.code)
    slot[slot == len(columns.ids)] = 0
    (place,) = np.nonzero(columns.ids[slot] == window.code)
    slot = slot[place]
    latest = np.full(len(columns.ids), -1)
    latest[slot] = place  # of events of one code the last one written, the latest, stays
    order = np.argsort(slot, kind="stable")
    place = place[order]
    return runs(slot[order], window.hours[place].astype(float), window.value[place].astype(float)), latest


def _numbers(events: Runs, columns: Table, row: Array) -> None:
    selected: dict[tuple[float | None, str], Runs] = {}
    by_code = np.empty(len(columns.ids))
    for group in columns.numbers:
        which, number = TAKES[group.take]
        key = (group.hours, which)
        if key not in selected:
            selected[key] = select(events, group.hours, which)
        part = selected[key]
        by_code.fill(0.0 if group.take == "count" else np.nan)
        if len(part.start):
            by_code[part.slot[part.start]] = number(part)
        row[group.columns] = by_code[group.slots]


def prepare(row: Window, config: TabularConfig) -> Sequence[Example]:
    """One example: the columns of a window.

    Args:
        row: what is known of one subject at one time.

    Returns:
        float32 (columns,): numbers, NaN where there is none; then categories as their place in the
        recipe's list, NaN where none of them is known.
    """
    columns = table(config)
    events, latest = _known(row, columns)
    values = np.empty(columns.width, dtype=np.float32)
    _numbers(events, columns, values)
    for column, slots in enumerate(columns.categories, start=columns.numeric):
        newest = int(np.argmax(latest[slots]))
        values[column] = newest if latest[slots[newest]] >= 0 else np.nan
    return [Example(frame_index=0, values=values)]
