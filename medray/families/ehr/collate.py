"""Prepared events -> tokens for the network: place in the vocabulary, hours, normal score of the value."""

from __future__ import annotations

import numpy as np
import torch

from medray.contracts import Array, Sums
from medray.families.ehr.config import EhrConfig
from medray.families.ehr.prepare import CODE, HOURS, VALUE
from medray.nn.events import CHANNELS


def known_codes(config: EhrConfig, summary: Sums) -> int:
    """How many codes the network knows: frequent enough, and within the recipe's vocabulary."""
    examples = np.array(summary["examples"], np.int64)
    return int(min((examples >= config.min_count).sum(), config.vocabulary))


def look_up(codes: Array, config: EhrConfig, summary: Sums) -> Array:
    """int64, as `codes`: 1 for the most frequent code and so on; 0 for padding and unknown codes."""
    known = known_codes(config, summary)
    ids = np.array([0, *summary["codes"][:known]], np.int64)
    order = np.argsort(ids)
    place = np.searchsorted(ids[order], codes)
    place[place == len(ids)] = 0
    index = order[place]
    return np.where(ids[index] == codes, index, 0)


def normal_scores(values: Array, index: Array, summary: Sums) -> Array:
    """float32 (M,): where each value stands among the training values of its code.

    Args:
        values: float32 (M,), finite.
        index: int64 (M,), the code's place from 1.
        summary: its values and scores are the knots of a broken line, level outside.
    """
    order = np.argsort(index, kind="stable")
    codes, starts = np.unique(index[order], return_index=True)
    out = np.zeros(len(values), np.float32)
    for code, rows in zip(codes, np.split(order, starts)[1:], strict=True):
        if summary["values"][code - 1]:
            out[rows] = np.interp(values[rows], summary["values"][code - 1], summary["scores"][code - 1])
    return out


def collate(examples: Array, config: EhrConfig, summary: Sums, device: torch.device) -> torch.Tensor:
    """One token per event; events of unknown codes become padding.

    Args:
        examples: (N, max_events) of `prepare.layout`.
        summary: `survey.summarise` of the training split.

    Returns:
        float32 (N, max_events, C) with the channels of `medray.nn.events`.
    """
    index = look_up(examples[CODE], config, summary)
    present = index > 0
    has_value = present & np.isfinite(examples[VALUE])
    tokens = np.zeros((*examples.shape, len(CHANNELS)), np.float32)
    tokens[..., 0] = index
    # a static fact is as old as the window: the last value of its code is a later one
    tokens[..., 1] = np.where(present, np.fmin(examples[HOURS], config.hours), 0.0)
    tokens[has_value, 2] = normal_scores(examples[VALUE][has_value], index[has_value], summary)
    tokens[..., 3] = has_value
    tokens[..., 4] = present & np.isnan(examples[HOURS])
    return torch.from_numpy(tokens).to(device)
