"""Labelled inputs -> the prepared examples that stand for them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from medray.contracts import Array
from medray.drivers.input import DataFile
from medray.drivers.models.labelled import Labelled
from medray.engine.examples import Examples
from medray.planning.splits import TRAIN
from medray.storage.shards import open_shard
from medray.storage.store import Store


def gather(files: Sequence[DataFile], labelled: Sequence[Labelled], store: Store) -> tuple[Examples, Array]:
    """Where each example lies, and its subject. One input gives an example per prepared frame; an
    input that could not be decoded gives none."""
    used = sorted({one.file for one in labelled})
    number = {file: position for position, file in enumerate(used)}
    rows: dict[int, dict[tuple[str, int], list[int]]] = {}
    for file in used:
        shard = open_shard(store, files[file].shard)
        rows[file] = {}
        for row, key in enumerate(
            zip(shard.keys["uid"].to_pylist(), shard.keys["input_version"].to_pylist(), strict=True)
        ):
            rows[file].setdefault(key, []).append(row)
    places = [(one, row) for one in labelled for row in rows[one.file].get(one.item.key, [])]
    examples = Examples(
        tuple(files[file].shard for file in used),
        np.array([number[one.file] for one, _ in places], np.int32),
        np.array([row for _, row in places], np.int32),
        np.array([0 if one.split == TRAIN else 1 for one, _ in places], np.int8),
        np.stack([one.targets for one, _ in places]).astype(np.float32),
    )
    return examples, np.array([one.item.subject_id for one, _ in places], np.int64)
