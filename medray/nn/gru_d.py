"""GRU-D: a recurrent network for values that are missing most of the time."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from medray.nn.events import Events


def grid(events: Events, codes: int, hours: float, steps: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Events on a regular grid of time, oldest step first; static facts stand in the first step.

    Args:
        codes: V, the vocabulary without padding.
        hours: length of the window; older events fall into the first step.

    Returns:
        float (N, steps, V) each: mean value, 0 where none; number of values; number of events.
    """
    n = events.code.shape[0]
    row, column = events.present.nonzero(as_tuple=True)
    back = (events.hours[row, column] * (steps / hours)).long().clamp(max=steps - 1)
    cell = (row * steps + steps - 1 - back) * codes + events.code[row, column] - 1
    has = events.has_value[row, column].to(events.value.dtype)
    added = torch.stack([events.value[row, column] * has, has, torch.ones_like(has)], dim=-1)
    total, values, count = added.new_zeros(n * steps * codes, 3).index_add(0, cell, added).unbind(-1)
    mean = total / values.clamp(min=1.0)
    return mean.view(n, steps, codes), values.view(n, steps, codes), count.view(n, steps, codes)


def since_last(seen: torch.Tensor) -> torch.Tensor:
    """Steps since the last seen value before each step: counts (N, T, V) -> float (N, T, V).

    1 right after a value; where nothing has been seen, steps since the start.
    """
    step = torch.arange(seen.shape[1], device=seen.device, dtype=seen.dtype).view(1, -1, 1)
    last = torch.where(seen > 0, step, torch.zeros_like(step)).cummax(dim=1).values
    return step - functional.pad(last, (0, 0, 1, 0))[:, :-1]


def carried(values: torch.Tensor, seen: torch.Tensor) -> torch.Tensor:
    """The last seen value before or at each step; 0 where nothing has been seen yet."""
    step = torch.arange(1, seen.shape[1] + 1, device=seen.device).view(1, -1, 1)
    last = torch.where(seen > 0, step, torch.zeros_like(step)).cummax(dim=1).values
    return functional.pad(values, (0, 0, 1, 0)).gather(1, last)


class GruD(nn.Module):
    """Che et al., Scientific Reports 2018: inputs decay to the mean (0) and the hidden state to 0
    with the time since a value was last seen, at learned rates; masks are inputs of every gate.

    Args:
        codes: V.
        hours, steps: the grid.
        width: features of the hidden state.
        dropout: share of inputs and of recurrent features dropped, one mask for all steps (Gal and
            Ghahramani, NeurIPS 2016).
    """

    def __init__(self, codes: int, hours: float, steps: int, width: int, dropout: float) -> None:
        super().__init__()
        self.codes, self.hours, self.steps, self.width, self.dropout = codes, hours, steps, width, dropout
        self.input_decay = nn.Parameter(torch.rand(codes) * 0.2)
        self.input_decay_bias = nn.Parameter(torch.zeros(codes))
        self.hidden_decay = nn.Linear(codes, width)
        self.gates = nn.Linear(2 * codes, 3 * width)
        self.recurrent = nn.Linear(width, 3 * width)
        nn.init.orthogonal_(self.recurrent.weight)

    def forward(self, events: Events) -> torch.Tensor:
        """The last hidden state, (N, width)."""
        mean, values, count = grid(events, self.codes, self.hours, self.steps)
        delta = since_last(count) * (self.hours / self.steps)
        decay = torch.exp(-functional.relu(self.input_decay * delta + self.input_decay_bias))
        inputs = torch.where(values > 0, mean, decay * carried(mean, values))
        inputs = self._same_for_all_steps(torch.cat([inputs, torch.log1p(count)], dim=-1))
        fade = torch.exp(-functional.relu(self.hidden_decay(torch.log1p(delta))))
        return self._run(self.gates(inputs), fade)

    def _same_for_all_steps(self, inputs: torch.Tensor) -> torch.Tensor:
        return inputs * functional.dropout(torch.ones_like(inputs[:, :1]), self.dropout, self.training)

    def _run(self, gates: torch.Tensor, fade: torch.Tensor) -> torch.Tensor:
        hidden = gates.new_zeros(gates.shape[0], self.width)
        keep = functional.dropout(torch.ones_like(hidden), self.dropout, self.training)
        for step in range(self.steps):
            hidden = hidden * fade[:, step]
            reset_in, update_in, new_in = gates[:, step].chunk(3, dim=-1)
            reset, update, new = self.recurrent(hidden * keep).chunk(3, dim=-1)
            gate = torch.sigmoid(update_in + update)
            candidate = torch.tanh(new_in + torch.sigmoid(reset_in + reset) * new)
            hidden = gate * hidden + (1.0 - gate) * candidate
        return hidden
