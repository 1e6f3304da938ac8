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
WHOLE = ("mean", "min", "max", "last", "first", "std")
NEWER = ("mean", "min", "max", "std")


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
    """Mean, min, max, last and first value, spread, and number of events, of the most frequent codes;
    then mean, min, max, spread and number in the newer half of the window.

    Codes that had no value in the training split give their number of events only.

    Returns:
        float32 (N, F); NaN where a code has no value, 0 events where it is unseen.
    """
    codes = min(known_codes(config, summary), MOST_CODES)
    events = _events(examples, config, summary)
    valued = torch.tensor([bool(values) for values in summary["values"][:codes]])
    parts = []
    for names, since in ((WHOLE, np.inf), (NEWER, config.hours / 2)):
        statistics, values, happened = summaries(events, codes, since)
        chosen = statistics[..., [NAMES.index(name) for name in names]]
        chosen = torch.where((values > 0)[..., None], chosen, torch.nan)
        parts += [chosen[:, valued].flatten(1), happened]
    return torch.cat(parts, dim=1).float().numpy()
