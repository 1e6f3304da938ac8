"""Windows -> their codes, all events of each of which can be taken away."""

from __future__ import annotations

import numpy as np

from medray.contracts import Array, Parts, Sums
from medray.families.ehr.collate import look_up
from medray.families.ehr.config import EhrConfig
from medray.families.ehr.prepare import CODE, VALUE
from medray.nn.events import CHANNELS
from medray.ops.code_id import code_trait


def parts(example: Array, config: EhrConfig, summary: Sums) -> Parts:
    """One part for each code of the window that the network knows; padding belongs to the first.

    Args:
        example: (max_events,) of `prepare.layout`.
    """
    index = look_up(example[CODE], config, summary)
    places = np.unique(index[index > 0])
    event = np.searchsorted(places, index)
    values = np.full(len(places), np.nan)
    known = (index > 0) & np.isfinite(example[VALUE])
    values[event[known]] = example[VALUE][known]  # of events of one code the last one written, the latest, stays
    names = tuple(code_trait(summary["codes"][place - 1]) for place in places)
    return Parts(names, values, np.repeat(event[:, None], len(CHANNELS), axis=1))
