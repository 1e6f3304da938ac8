"""What the classic models read of some examples."""

from __future__ import annotations

import numpy as np

from medray.contracts import Array, Sums
from medray.drivers.inputs.reading import Reading
from medray.drivers.job import Job
from medray.engine.examples import Examples, Values

_BATCH = 1024


def summaries(reading: Reading, summary: Sums, examples: Examples, index: Array, job: Job) -> Array:
    """float32 (len(index), F): plain summaries of the examples at `index`, in that order.

    Args:
        summary: the family's, of a training split.
    """
    values = Values(job.store, examples)
    parts = [
        reading.family.simple(values.gather(index[start : start + _BATCH]), reading.config, summary)
        for start in range(0, len(index), _BATCH)
    ]
    return np.concatenate(parts)
