"""Scoring one data file's inputs, on an actor that holds the model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from medray.contracts import Array, Columns
from medray.drivers.input import InputKey
from medray.drivers.inputs.headers import Header, headers_of
from medray.drivers.models.loaded import loaded
from medray.drivers.models.stamp import Stamp
from medray.errors import ModelError
from medray.planning.gate.observed import ALL, Observed, observe, scales_of, score_values
from medray.schema.predictions import PREDICTIONS
from medray.storage.chunk_file import Facts, read_facts, write_table
from medray.storage.commit import data_path
from medray.storage.delta import table_uri
from medray.storage.failures import told
from medray.storage.shards import open_shard
from medray.storage.store import Store
from medray.storage.uri import join


@dataclass(frozen=True)
class PredictChunk:
    """The inputs of one data file to answer: accepted ones, and why the others are not."""

    number: int
    data_file: str
    shard: str
    accepted: frozenset[InputKey]
    refused: Mapping[InputKey, str]


@dataclass(frozen=True)
class MakeScorer:
    """Called once in each actor."""

    store: Store
    lake: str
    stamp: Stamp

    def __call__(self) -> Scorer:
        return Scorer(self.store, self.lake, self.stamp)


class Scorer:
    """A model with its task, answering chunks. `device`: this process's, unless one is named."""

    def __init__(self, store: Store, lake: str, stamp: Stamp, device: str | None = None) -> None:
        self._store, self._lake, self._stamp = store, lake, stamp
        self._model = loaded(store, lake, stamp.model, device)
        reference = stamp.model.card.get("reference")
        self._scales = scales_of(reference) if reference else None

    def __call__(self, chunk: PredictChunk) -> Facts:
        path = data_path(self._stamp.run_id, f"{chunk.number:06d}")
        uri = join(table_uri(self._lake, PREDICTIONS.name), path)
        with told(self._lake):
            standing = read_facts(self._store, uri)
            if standing is not None:
                return standing
            answers, answered, observed = self.answers(chunk)
            rows = pa.Table.from_pylist(answers, schema=PREDICTIONS.schema)
            facts = {
                "chunk": chunk.number,
                "path": path,
                "scored": answered,
                "abstained": len(chunk.refused),
                "quarantined": len(chunk.accepted) - answered,
                "reasons": dict(Counter(chunk.refused.values())),
                "observed": observed,
            }
            return write_table(self._store, uri, PREDICTIONS, rows.to_batches(), facts)

    def answers(self, chunk: PredictChunk) -> tuple[list[dict[str, Any]], int, Observed]:
        """Rows of all inputs, how many inputs are scored, and what these looked like."""
        wanted = chunk.accepted | chunk.refused.keys()
        headers = headers_of(self._store, self._lake, chunk.data_file, self._model.reading, wanted)
        scored, answered, observed = self._scored(chunk, headers)
        abstained = [self._abstained(headers[key], reason) for key, reason in sorted(chunk.refused.items())]
        return [*scored, *(row for group in abstained for row in group)], answered, observed

    def _scored(
        self, chunk: PredictChunk, headers: Mapping[InputKey, Header]
    ) -> tuple[list[dict[str, Any]], int, Observed]:
        """Rows for every prepared example of the accepted inputs, how many inputs that are, and what
        they looked like."""
        if not chunk.accepted:
            return [], 0, {}
        shard = open_shard(self._store, chunk.shard)
        layout = self._model.reading.family.layout(self._model.reading.config)
        if shard.values.shape[1:] != layout.shape:
            raise ModelError(
                f"model {self._stamp.model.name}",
                f"prepared examples of shape {shard.values.shape[1:]}",
                f"{layout.shape}",
                "prepare the inputs with this model's [family]",
            )
        keys = list(zip(shard.keys["uid"].to_pylist(), shard.keys["input_version"].to_pylist(), strict=True))
        rows = np.array([row for row, key in enumerate(keys) if key in chunk.accepted], np.int64)
        if not len(rows):
            return [], 0, {}
        logits = self._model.network.logits(rows, lambda index: np.asarray(shard.values[index]))
        decoded = self._model.decode(logits)
        frames = shard.keys["frame_index"].to_pylist()
        answers = []
        for position, row in enumerate(rows.tolist()):
            header = headers[keys[row]].of(shard.values[row])
            shared = {**self._row(header), "frame_index": frames[row], "status": "scored"}
            answers += [
                {**shared, "label": label, **{name: column[position] for name, column in columns.items()}}
                for label, columns in decoded.items()
            ]
        answered = [keys[row] for row in rows.tolist()]
        observed = self._observed(np.asarray(shard.values[rows]), [headers[key] for key in answered], answered, decoded)
        return answers, len(set(answered)), observed

    def _observed(
        self, values: Array, headers: Sequence[Header], keys: Sequence[InputKey], decoded: Mapping[str, Columns]
    ) -> Observed:
        if self._scales is None:
            return {}
        return observe(
            [(ALL, *header.groups) for header in headers],
            keys,
            [header.columns["subject_id"] for header in headers],
            {label: score_values(columns) for label, columns in decoded.items()},
            self._model.reading.family.traits(values, self._model.reading.config, self._model.summary),
            self._scales,
        )

    def _abstained(self, header: Header, reason: str) -> list[dict[str, Any]]:
        labels: Sequence[str] = self._model.task.questions(self._model.task_config)
        row = self._row(header.of(None))
        return [{**row, "label": label, "status": "abstained", "reason": reason} for label in labels]

    def _row(self, header: Mapping[str, Any]) -> dict[str, Any]:
        return {**header, "task": self._model.task.name, **self._stamp.columns()}
