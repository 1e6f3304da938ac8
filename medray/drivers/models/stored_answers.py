"""What a model has answered, as the table of predictions holds it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow.compute as pc

from medray.contracts import Array
from medray.drivers.input import KEY_COLUMNS, input_key
from medray.drivers.models.labelled import Labelled
from medray.errors import SplitError
from medray.schema.predictions import PREDICTIONS
from medray.storage.models import Registered
from medray.storage.snapshot import Snapshot

ANSWER = (
    "raw_score",
    "predicted_boolean_probability",
    "predicted_boolean_value",
    "predicted_integer_value",
    "predicted_float_value",
    "prediction_lower",
    "prediction_upper",
    "threshold",
)
_STORED = (*KEY_COLUMNS, "frame_index", "label", *ANSWER)


@dataclass(frozen=True)
class Answers:
    """N examples, by input and frame.

    Attributes:
        stored: by label each column of `ANSWER`, (N,).
        position: (N,) the place of each example's input among those asked.
        frame: (N,) its frame_index.
    """

    stored: dict[str, dict[str, Array]]
    position: Array
    frame: Array

    def places(self) -> dict[tuple[int, int], int]:
        """(input, frame) -> the place of the example."""
        pairs = zip(self.position.tolist(), self.frame.tolist(), strict=True)
        return {pair: place for place, pair in enumerate(pairs)}

    def at(self, rows: Array) -> dict[str, dict[str, Array]]:
        """The answers of some examples, in their order."""
        return {
            label: {name: values[rows] for name, values in columns.items()} for label, columns in self.stored.items()
        }


def stored_answers(state: Snapshot, model: Registered, asked: Sequence[Labelled]) -> Answers:
    """The model's stored answers. An input has one example a frame, and none when it could not be scored.

    Raises:
        SplitError: no input has an answer.
    """
    wanted = {one.item.key: row for row, one in enumerate(asked)}
    same = (pc.field("model_sha256") == model.sha256) & (pc.field("status") == "scored")
    rows = [
        row for batch in state.scan(PREDICTIONS, _STORED, same) for row in batch.to_pylist() if input_key(row) in wanted
    ]
    by_label: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        by_label.setdefault(row["label"], []).append(row)
    for group in by_label.values():
        group.sort(key=lambda row: (wanted[input_key(row)], row["frame_index"]))
    if not by_label:
        raise SplitError(
            f"evaluation of {model.name} version {model.version}",
            "no input that could be scored",
            "one or more",
            "look at the quarantine table and at the model's range",
        )
    first = next(iter(by_label.values()))
    stored = {
        label: {name: np.array([row[name] for row in group]) for name in ANSWER} for label, group in by_label.items()
    }
    position = np.array([wanted[input_key(row)] for row in first])
    return Answers(stored, position, np.array([row["frame_index"] or 0 for row in first]))
