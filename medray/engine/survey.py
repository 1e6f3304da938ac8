"""Dataset statistics as a map-reduce over shards."""

from __future__ import annotations

from typing import Any

import numpy as np

from medray.contracts import Array, Family, Sums
from medray.engine.examples import Examples
from medray.storage.shards import open_shard
from medray.storage.store import Store

_ROWS = 4096


def survey(family: Family, config: Any, store: Store, examples: Examples, index: Array) -> Sums:
    """The family's additive sums over the examples at `index`, one Ray task a shard."""
    import ray

    tasks = ray.remote(num_cpus=1)(_survey_shard)
    pending = [
        tasks.remote(family, config, store, uri, examples.row[index[examples.shard[index] == number]])
        for number, uri in enumerate(examples.shards)
    ]
    parts: list[Sums] = [part for part in ray.get(pending) if part is not None]
    total = parts[0]
    for part in parts[1:]:
        total = family.merge(total, part)
    return total


def _survey_shard(family: Family, config: Any, store: Store, uri: str, rows: Array) -> Sums | None:
    values = open_shard(store, uri).values
    total: Sums | None = None
    for start in range(0, len(rows), _ROWS):
        part = family.survey(np.asarray(values[rows[start : start + _ROWS]]), config)
        total = part if total is None else family.merge(total, part)
    return total
