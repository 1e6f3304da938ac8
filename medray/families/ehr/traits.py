"""Windows -> how much is in them and the last values of their most frequent codes."""

from __future__ import annotations

import numpy as np

from medray.contracts import Array, Sums
from medray.families.ehr.config import EhrConfig
from medray.families.ehr.prepare import CODE, VALUE
from medray.ops.code_id import code_trait

MOST_CODES = 40


def traits(examples: Array, config: EhrConfig, summary: Sums) -> dict[str, Array]:
    """Number of events, and of each frequent code its last value.

    Args:
        examples: (N, max_events) of `prepare.layout`.
        summary: names the codes, the most frequent first.

    Returns:
        float32 (N,) each: "events", and `code_trait` for the 40 codes of the most training
        examples: the last value, or the number of events of a code that had none in training; NaN
        where the window has none.
    """
    codes = examples[CODE]
    found = {"events": (codes != 0).sum(axis=1).astype(np.float32)}
    for code, values in list(zip(summary["codes"], summary["values"], strict=True))[:MOST_CODES]:
        here = codes == code
        if values:
            valued = here & np.isfinite(examples[VALUE])
            last = valued.shape[1] - 1 - np.argmax(valued[:, ::-1], axis=1)
            column = np.where(valued.any(axis=1), examples[VALUE][np.arange(len(codes)), last], np.nan)
        else:
            count = here.sum(axis=1)
            column = np.where(count > 0, count, np.nan)
        found[code_trait(code)] = column.astype(np.float32)
    return found
