"""What the events of each code say over a window, without their order in time in between."""

from __future__ import annotations

import torch

from medray.nn.events import Events

NAMES = ("mean", "min", "max", "first", "last", "std", "slope")
CHANNELS = (*NAMES, "count", "has")


def _reduce(cell: torch.Tensor, value: torch.Tensor, cells: int, reduce: str, start: float) -> torch.Tensor:
    empty = value.new_full((cells,), start)
    return empty.scatter_reduce(0, cell, value, reduce, include_self=True)


def summaries(events: Events, codes: int, since: float) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Plain statistics of each code's values in the newest hours.

    Args:
        codes: the first so many of the vocabulary are looked at.
        since: hours before the prediction from which events count; static facts always do.

    Returns:
        (statistics (N, codes, len(NAMES)) in the order of `NAMES`, the slope per hour, 0 where no
        value is known; values (N, codes) and events (N, codes), counts).
    """
    n = events.code.shape[0]
    looked_at = events.present & (events.code <= codes) & (events.static | (events.hours <= since))
    row, column = looked_at.nonzero(as_tuple=True)
    cell = row * codes + events.code[row, column] - 1
    happened = torch.bincount(cell, minlength=n * codes).to(events.value.dtype)
    has = events.has_value[row, column]
    cell, value, hours = cell[has], events.value[row, column][has], events.hours[row, column][has]
    cells = n * codes
    count = _reduce(cell, torch.ones_like(value), cells, "sum", 0.0)
    safe = count.clamp(min=1.0)
    mean = _reduce(cell, value, cells, "sum", 0.0) / safe
    low, high = _reduce(cell, value, cells, "amin", torch.inf), _reduce(cell, value, cells, "amax", -torch.inf)
    newest, oldest = _reduce(cell, hours, cells, "amin", torch.inf), _reduce(cell, hours, cells, "amax", -torch.inf)
    last, first = (_mean_where(hours == at[cell], cell, value, cells) for at in (newest, oldest))
    away, time = value - mean[cell], (_reduce(cell, hours, cells, "sum", 0.0) / safe)[cell] - hours
    std = (_reduce(cell, away * away, cells, "sum", 0.0) / safe).sqrt()
    slope = _reduce(cell, away * time, cells, "sum", 0.0) / (_reduce(cell, time * time, cells, "sum", 0.0) + 1.0)
    statistics = torch.stack([mean, low, high, first, last, std, slope], dim=-1)
    statistics = torch.where((count > 0)[:, None], statistics, 0.0)
    return statistics.view(n, codes, -1), count.view(n, codes), happened.view(n, codes)


def _mean_where(there: torch.Tensor, cell: torch.Tensor, value: torch.Tensor, cells: int) -> torch.Tensor:
    total = _reduce(cell[there], value[there], cells, "sum", 0.0)
    return total / _reduce(cell[there], torch.ones_like(value[there]), cells, "sum", 0.0).clamp(min=1.0)


def window_summaries(events: Events, codes: int, hours: float, windows: int) -> torch.Tensor:
    """Plain statistics over the window, its newer half, its newest quarter and so on, each about as
    large as a normal score.

    Args:
        hours: length of the window.
        windows: how many; each is half as long as the one before.

    Returns:
        float (N, codes, windows, len(CHANNELS)): the statistics, the logarithm of the number of
        events, and 1 where a value is known.
    """
    size = events.value.new_ones(len(NAMES))
    size[NAMES.index("slope")] = hours / 4
    size[NAMES.index("std")] = 2.0
    parts = []
    for halved in range(windows):
        statistics, values, happened = summaries(events, codes, hours / 2**halved)
        counts = torch.stack([torch.log1p(happened) / 2, (values > 0).to(size.dtype)], dim=-1)
        parts.append(torch.cat([statistics * size, counts], dim=-1))
    return torch.stack(parts, dim=2)
