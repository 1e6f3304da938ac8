"""Rows -> normalised network inputs on the device."""

from __future__ import annotations

import numpy as np
import torch
from torch.nn.functional import one_hot

from medray.contracts import Array, Sums
from medray.families.tabular.columns import numeric_width
from medray.families.tabular.config import TabularConfig


def collate(examples: Array, config: TabularConfig, summary: Sums, device: torch.device) -> torch.Tensor:
    """Numbers with mean 0 and standard deviation 1, drawn to the limits that training has seen; 0 where missing.

    Args:
        examples: float32 (N, columns) of `prepare`.
        summary: `survey.summarise` of the training split.

    Returns:
        float32 (N, 2 D + K): D numbers; for each of them 1 where it is missing, if it ever was in
        training; for each category one of its K places, none where unknown.
    """
    rows = torch.from_numpy(np.ascontiguousarray(examples)).to(device)
    numbers, categories = rows.tensor_split([numeric_width(config)], dim=1)
    low, high, mean, std, missing = (
        torch.tensor(summary[name], dtype=torch.float32, device=device)
        for name in ("low", "high", "mean", "std", "missing")
    )
    known = torch.isfinite(numbers)
    normal = (torch.clamp(numbers.nan_to_num(), low, high) - mean) / std
    parts = [torch.where(known, normal, 0.0), (~known & (missing > 0.0)).float()]
    for column, texts in zip(categories.unbind(1), config.categories.values(), strict=True):
        place = torch.where(torch.isfinite(column), column, len(texts)).long()
        parts.append(one_hot(place, len(texts) + 1)[:, :-1].float())
    return torch.cat(parts, 1)
