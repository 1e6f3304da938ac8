"""What a model was calibrated on, counted: what the gate lays each night over."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from medray.contracts import Array, Columns, Sums
from medray.drivers.inputs.reading import Reading
from medray.drivers.models.trait_names import trait_names
from medray.engine.examples import Examples
from medray.planning.gate.observed import Reference, reference_of, score_values
from medray.storage.shards import open_shard
from medray.storage.snapshot import Snapshot

_MOST = 4000  # examples whose traits are looked at: enough for shares to half a percent


def tuning_reference(
    reading: Reading,
    summary: Sums,
    examples: Examples,
    subjects: Array,
    decoded: Mapping[str, Columns],
    state: Snapshot,
) -> Reference:
    """Scores of the tuning split, and traits of up to 4,000 of its examples, evenly spread.

    Args:
        subjects: int64 (N,), of all examples.
        decoded: answers of the tuning examples, in their order.
        state: the lake as the training read it.
    """
    tuning = np.flatnonzero(examples.split == 1)
    chosen = tuning[np.unique(np.linspace(0, len(tuning) - 1, min(len(tuning), _MOST)).astype(int))]
    found: dict[str, list[Array]] = {}
    for shard in np.unique(examples.shard[chosen]).tolist():
        values = open_shard(state.store, examples.shards[shard]).values
        rows = np.sort(examples.row[chosen][examples.shard[chosen] == shard])
        for name, column in reading.family.traits(np.asarray(values[rows]), reading.config, summary).items():
            found.setdefault(name, []).append(column)
    scores = {label: score_values(columns) for label, columns in decoded.items()}
    traits = {name: np.concatenate(columns).tolist() for name, columns in found.items()}
    reference = reference_of(scores, traits, len(tuning), len(np.unique(subjects[tuning])))
    return {**reference, "names": trait_names(found, state)}
