"""Plain summaries of a window: what the classic models beside the network learn from."""

from __future__ import annotations

import numpy as np
import torch

from medray.contracts import Array, Sums
from medray.families.ehr.collate import known_codes, look_up
from medray.families.ehr.config import EhrConfig
from medray.families.ehr.prepare import CODE, HOURS, VALUE
from medray.nn.event_summaries import NAMES, summaries
from medray.nn.events import Events

MOST_CODES = 128


def _events(examples: Array, config: EhrConfig, summary: Sums) -> Events:
    """In the codes' own units."""
    has_value = np.isfinite(examples[VALUE])
    return Events(
        code=torch.from_numpy(look_up(examples[CODE], config, summary)),
        hours=torch.from_numpy(np.fmin(examples[HOURS], config.hours)),
        value=torch.from_numpy(np.where(has_value, examples[VALUE], 0.0)),
        has_value=torch.from_numpy(has_value),
        static=torch.from_numpy(np.isnan(examples[HOURS])),
    )


def simple(examples: Array, config: EhrConfig, summary: Sums) -> Array:
    """Mean, min, max and last value, and number of events, of the most frequent codes.

    Codes that had no value in the training split give their number of events only.

    Returns:
        float32 (N, F); NaN where a code has no value, 0 events where it is unseen.
    """
    codes = min(known_codes(config, summary), MOST_CODES)
    statistics, values, happened = summaries(_events(examples, config, summary), codes, np.inf)
    chosen = statistics[..., [NAMES.index(name) for name in ("mean", "min", "max", "last")]]
    chosen = torch.where((values > 0)[..., None], chosen, torch.nan)
    valued = torch.tensor([bool(values) for values in summary["values"][:codes]])
    return torch.cat([chosen[:, valued].flatten(1), happened], dim=1).float().numpy()
