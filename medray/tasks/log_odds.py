"""Scores of classes -> how far one is ahead of all others."""

from __future__ import annotations

import torch


def log_odds(scores: torch.Tensor, column: int) -> torch.Tensor:
    """(N,): log p / (1 - p) of one class, where `scores` (N, C) are log-probabilities up to a constant."""
    others = torch.cat([scores[:, :column], scores[:, column + 1 :]], dim=1)
    return scores[:, column] - torch.logsumexp(others, dim=1)
