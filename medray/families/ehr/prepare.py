"""One window of events -> a block of fixed size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from medray.contracts import Array, Example, Layout, Window
from medray.families.ehr.config import EhrConfig

PREPARE_VERSION = 1  # raised when the same window and config would give other bytes

PREPARE_COLUMNS: tuple[str, ...] = ()  # a `Window` holds all there is

CODE, HOURS, VALUE = "f0", "f1", "f2"  # numpy's names of the fields; code 0 is no event


def layout(config: EhrConfig) -> Layout:
    """(max_events,) of code id, hours before the prediction, value."""
    return Layout(shape=(config.max_events,), dtype="i8,f4,f4")


def prepare_key(config: EhrConfig) -> Mapping[str, Any]:
    """What the prepared events depend on; vocabulary, network and augmentation are no part of it."""
    return {**config.model_dump(mode="json", include={"name", "max_events"}), "prepare_version": PREPARE_VERSION}


def _kept(hours: Array, most: int) -> Array:
    """Positions of static facts and of the newest events, in order; static facts come first."""
    static = min(int(np.isnan(hours).sum()), most)
    return np.concatenate([np.arange(static), np.arange(len(hours) - (most - static), len(hours))])


def prepare(window: Window, config: EhrConfig) -> Sequence[Example]:
    """The one example of a window: its events, oldest first, then padding of zeros.

    Raises:
        ValueError: an event is later than the prediction time. No input can cause that, only a
            mistake in the making of windows: the job must stop.
    """
    if (window.hours < 0).any():
        raise ValueError("a window holds an event after its prediction time: what is predicted would leak")
    block = np.zeros(config.max_events, layout(config).dtype)
    kept = slice(None) if len(window.code) <= config.max_events else _kept(window.hours, config.max_events)
    events = block[: min(len(window.code), config.max_events)]
    events[CODE], events[HOURS], events[VALUE] = window.code[kept], window.hours[kept], window.value[kept]
    return [Example(frame_index=0, values=block)]
