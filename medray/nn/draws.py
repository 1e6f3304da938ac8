"""Random numbers that belong to a row: they follow from its seed alone, not from its neighbours or the device."""

from __future__ import annotations

import math
from functools import cached_property

import torch

_GOLDEN, _FIRST, _SECOND = (value - 2**64 for value in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))
_FINEST = 2.0**-24  # a float32 holds 24 bits


def _right(value: torch.Tensor, bits: int) -> torch.Tensor:
    """Shifted as if unsigned."""
    return (value >> bits) & ((1 << (64 - bits)) - 1)


def _mixed(value: torch.Tensor) -> torch.Tensor:
    """The finaliser of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014), on int64 that wrap around."""
    value = (value ^ _right(value, 30)) * _FIRST
    value = (value ^ _right(value, 27)) * _SECOND
    return value ^ _right(value, 31)


class Draws:
    """A stream of numbers for each of N rows, made by counting (Salmon et al., SC 2011): the same on every device,
    in any batch, after any restart."""

    def __init__(self, seed: int, epoch: int, rows: torch.Tensor) -> None:
        """
        Args:
            seed, epoch: not negative.
            rows: int64 (N,), what names each row for ever. Numbers are drawn on its device.
        """
        self._seed, self._epoch, self._rows = seed, epoch, rows
        self._calls = 0

    @cached_property
    def _keys(self) -> torch.Tensor:
        """int64 (N,)."""
        device = self._rows.device
        keys = torch.tensor([self._seed, self._epoch], dtype=torch.int64, device=device)
        first, second = _mixed(_mixed(keys) + _GOLDEN * torch.tensor([1, 2], device=device))
        mixed: torch.Tensor = _mixed(self._rows * _GOLDEN + first) ^ second
        return mixed

    def _bits(self, count: int) -> torch.Tensor:
        """int64 (N, count)."""
        self._calls += 1
        counter = torch.arange(count, device=self._rows.device) + (self._calls << 32)
        return _mixed(self._keys[:, None] + counter * _GOLDEN)

    def uniform(self, *shape: int) -> torch.Tensor:
        """float32 (N, *shape) in [0, 1); each call gives new numbers."""
        count = math.prod(shape)
        return (_right(self._bits(count), 40).float() * _FINEST).view(-1, *shape)

    def normal(self, *shape: int) -> torch.Tensor:
        """float32 (N, *shape), standard normal (Box and Muller, 1958)."""
        count = math.prod(shape)
        bits = self._bits((count + 1) // 2)
        radius = torch.sqrt(-2.0 * torch.log((_right(bits, 40) + 1).float() * _FINEST))
        angle = (bits & 0xFFFFFF).float() * (_FINEST * 2.0 * math.pi)
        return torch.cat([radius * torch.cos(angle), radius * torch.sin(angle)], 1)[:, :count].reshape(-1, *shape)
