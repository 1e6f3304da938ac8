"""Prepared events -> tokens for the network: place in the vocabulary, hours, normal score of the value."""

from __future__ import annotations

import numpy as np
import torch

from medray.contracts import Array, Sums
from medray.families.ehr.config import EhrConfig
from medray.families.ehr.prepare import CODE, HOURS, VALUE
from medray.families.ehr.scale import normal_scores


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
    score = np.zeros(examples.shape, np.float32)
    score[has_value] = normal_scores(examples[VALUE][has_value], index[has_value], summary)
    # a static fact is as old as the window: the last value of its code is a later one
    hours = np.where(present, np.fmin(examples[HOURS], config.hours), 0.0)
    static = present & np.isnan(examples[HOURS])
    tokens = np.stack([index, hours, score, has_value, static], axis=-1, dtype=np.float32, casting="unsafe")
    return torch.from_numpy(tokens).to(device)
