"""Sums over all ranks that no step waits for."""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as dist


class Totals:
    """The running sums of loss and known answers of all ranks, float64."""

    def __init__(self, workers: int, device: torch.device, begin: tuple[float, float] = (0.0, 0.0)) -> None:
        self._workers = workers
        self._sums = torch.tensor(begin, dtype=torch.float64, device=device)
        self._way: tuple[torch.Tensor, Any] | None = None

    def add(self, loss: torch.Tensor, known: torch.Tensor) -> None:
        """One rank's part; every rank adds as often."""
        self._arrive()
        pair = torch.stack([loss.detach().double(), known.detach().double()])
        work = dist.all_reduce(pair, async_op=True) if self._workers > 1 else None
        self._way = pair, work

    def values(self) -> tuple[float, float]:
        """(loss, known answers)."""
        self._arrive()
        loss, known = self._sums.tolist()
        return loss, known

    def _arrive(self) -> None:
        if self._way is not None:
            pair, work = self._way
            if work is not None:
                work.wait()
            self._sums += pair
            self._way = None
