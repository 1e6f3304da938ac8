"""Explaining the answers for one chunk of inputs, on an actor that holds the model."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from medray.contracts import Array, Parts
from medray.drivers.input import InputKey
from medray.drivers.inputs.headers import Header, headers_of
from medray.drivers.models.loaded import loaded
from medray.drivers.models.stamp import Stamp
from medray.recipes.explain import WITHOUT_REFERENCE, Effort
from medray.schema.attributions import ATTRIBUTIONS, MAP_DTYPE, REST
from medray.storage.chunk_file import Facts, read_facts, write_table
from medray.storage.commit import data_path
from medray.storage.delta import table_uri
from medray.storage.failures import told
from medray.storage.shards import open_shard
from medray.storage.store import Store
from medray.storage.uri import join

Methods = tuple[str, ...]


@dataclass(frozen=True)
class Question:
    """What is asked of every input of a run."""

    label: str
    reference: str | None
    seed: int
    effort: Effort

    def document(self) -> dict[str, Any]:
        """As JSON; `of` reads it."""
        named = {"label": self.label, "reference": self.reference, "seed": self.seed}
        return {**named, "effort": self.effort.model_dump(mode="json")}

    @staticmethod
    def of(document: Mapping[str, Any]) -> Question:
        effort = Effort.model_validate(document["effort"])
        return Question(document["label"], document["reference"], document["seed"], effort)


@dataclass(frozen=True)
class AttributeChunk:
    """Some inputs of one data file: accepted ones with the methods to do, and why the others are not."""

    number: int
    data_file: str
    shard: str
    accepted: Mapping[InputKey, Methods]
    refused: Mapping[InputKey, tuple[str, Methods]]

    @property
    def asked(self) -> int:
        """Explanations."""
        abstained = sum(len(methods) for _, methods in self.refused.values())
        return abstained + sum(len(methods) for methods in self.accepted.values())


@dataclass(frozen=True)
class MakeExplainer:
    """Called once in each actor. `names`: what people call traits of codes."""

    store: Store
    lake: str
    stamp: Stamp
    question: Question
    names: Mapping[str, str]

    def __call__(self) -> Explainer:
        return Explainer(self)


class Explainer:
    """A model with its task, explaining chunks. `device`: this process's, unless one is named."""

    def __init__(self, made: MakeExplainer, device: str | None = None) -> None:
        self._store, self._lake, self._stamp, self._question = made.store, made.lake, made.stamp, made.question
        self._names = made.names
        self._model = loaded(made.store, made.lake, made.stamp.model, device)

    def __call__(self, chunk: AttributeChunk) -> Facts:
        path = data_path(self._stamp.run_id, f"{chunk.number:06d}")
        uri = join(table_uri(self._lake, ATTRIBUTIONS.name), path)
        with told(self._lake):
            standing = read_facts(self._store, uri)
            if standing is not None:
                return standing
            wanted = chunk.accepted.keys() | chunk.refused.keys()
            headers = headers_of(self._store, self._lake, chunk.data_file, self._model.reading, wanted)
            rows, explained = self._explained(chunk, headers)
            rows += self._abstained(chunk, headers)
            reasons = Counter(reason for reason, methods in chunk.refused.values() for _ in methods)
            facts = {
                "chunk": chunk.number,
                "path": path,
                "explained": explained,
                "abstained": reasons.total(),
                "quarantined": chunk.asked - explained - reasons.total(),
                "reasons": dict(reasons),
            }
            table = pa.Table.from_pylist(rows, schema=ATTRIBUTIONS.schema)
            return write_table(self._store, uri, ATTRIBUTIONS, table.to_batches(), facts)

    def _explained(self, chunk: AttributeChunk, headers: Mapping[InputKey, Header]) -> tuple[list[dict[str, Any]], int]:
        """Rows for every prepared example of the accepted inputs, and how many explanations that are;
        several frames of an input count once."""
        if not chunk.accepted:
            return [], 0
        shard = open_shard(self._store, chunk.shard)
        rows: list[dict[str, Any]] = []
        found: set[InputKey] = set()
        places = zip(*(shard.keys[name].to_pylist() for name in ("uid", "input_version", "frame_index")), strict=True)
        for place, (uid, version, frame) in enumerate(places):
            key = (uid, version)
            if key in chunk.accepted:
                found.add(key)
                example = np.array(shard.values[place])  # the mapped file is not to be written to
                shared = {**self._row(headers[key], example), "frame_index": frame, "status": "explained"}
                rows += self.rows_of(example, chunk.accepted[key], f"{uid}\x1f{version}\x1f{frame}", shared)
        return rows, sum(len(chunk.accepted[key]) for key in found)

    def rows_of(self, example: Array, methods: Methods, name: str, shared: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The rows of one example; what is drawn follows from its `name`, not from its neighbours."""
        from medray.attribution.methods import Effort as Looked
        from medray.attribution.methods import of_parts, of_places

        asked, model = self._question, self._model
        family, config = model.reading.family, model.reading.config
        inputs = model.network.inputs(example[None])
        reference = inputs
        if asked.reference is not None:
            reference = family.reference(inputs, config, model.summary, asked.reference)
        effort = Looked(**asked.effort.model_dump(include={"steps", "permutations", "samples", "grid"}))
        shared = {**shared, "predicted_boolean_probability": self._probability(example)}
        parts = family.parts(example, config, model.summary) if family.parts else None
        rows = []
        for method in methods:
            said = {**shared, "method": method, "reference": self._reference(method)}
            if parts is None:
                found = of_places(method, self._margin, model.network.module, inputs, reference, effort)
                rows.append({**said, **_told(found), **_map(found.amounts)})
            else:
                seed = _seed(asked.seed, name, asked.label, method)
                count = len(parts.names)
                found = of_parts(method, self._margin, inputs, reference, parts.of, count, effort, seed)
                rows += [{**said, **_told(found), **row} for row in self._ranked(found, parts)]
        return rows

    def _margin(self, inputs: Any) -> Any:
        model = self._model
        return model.task.margin(model.network.module(inputs), model.task_config, self._question.label)

    def _probability(self, example: Array) -> float | None:
        one = np.zeros(1, np.int64)
        logits = self._model.network.logits(one, lambda rows: np.repeat(example[None], len(rows), axis=0))
        answer = self._model.decode(logits)[self._question.label]
        values = answer.get("predicted_boolean_probability")
        return float(values[0]) if values else None

    def _reference(self, method: str) -> str | None:
        return None if method in WITHOUT_REFERENCE else self._question.reference

    def _ranked(self, found: Any, parts: Parts) -> list[dict[str, Any]]:
        """One row for each of the largest amounts, and one for all others together."""
        order = np.argsort(-np.abs(found.amounts), kind="stable")
        shown, others = np.split(order, [self._question.effort.features])
        rows: list[dict[str, Any]] = [
            {
                "feature": self._names.get(parts.names[part], parts.names[part]),
                "rank": rank,
                "feature_value": _known(parts.values[part]),
                "attribution": float(found.amounts[part]),
                "standard_error": None if found.standard_errors is None else _known(found.standard_errors[part]),
            }
            for rank, part in enumerate(shown.tolist(), start=1)
        ]
        return [*rows, {"feature": REST, "attribution": float(found.amounts[others].sum())}]

    def _abstained(self, chunk: AttributeChunk, headers: Mapping[InputKey, Header]) -> list[dict[str, Any]]:
        return [
            {
                **self._row(headers[key], None),
                "method": method,
                "reference": self._reference(method),
                "status": "abstained",
                "reason": reason,
            }
            for key, (reason, methods) in sorted(chunk.refused.items())
            for method in methods
        ]

    def _row(self, header: Header, example: Array | None) -> dict[str, Any]:
        stamped = self._stamp.columns()
        stamped["explained_at"] = stamped.pop("scored_at")
        return {**header.of(example), "task": self._model.task.name, "label": self._question.label, **stamped}


def _seed(seed: int, name: str, label: str, method: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{seed}\x1f{name}\x1f{label}\x1f{method}".encode()).digest()[:8], "big")


def _told(found: Any) -> dict[str, Any]:
    names = ("output", "base_value", "completeness_error", "fit", "evaluations")
    return {name: getattr(found, name) for name in names}


def _map(amounts: Array) -> dict[str, Any]:
    rows, columns = amounts.shape
    data = np.ascontiguousarray(amounts, MAP_DTYPE).tobytes()
    return {"attribution": float(amounts.sum()), "map": data, "map_rows": rows, "map_columns": columns}


def _known(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None
