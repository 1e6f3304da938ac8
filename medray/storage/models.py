"""The model store: immutable, content-addressed, data only.

models/blobs/<model_sha256>/   weights.safetensors, model.json, subjects.safetensors
models/<name>/versions/<n>.json   the card of version n, put if absent
models/<name>/promotions/<n>.json   which version is in production (`promotions.py`)

`model_sha256` covers weights and model.json (configs, summaries, calibration), not the card.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors

from medray.contracts import Array
from medray.errors import ModelError
from medray.storage.failures import told
from medray.storage.store import Store
from medray.storage.uri import join

FORMAT = 1


@dataclass(frozen=True)
class Model:
    """A model as it is stored.

    Attributes:
        sha256: of weights and definition.
        weights: tensors by name.
        definition: family, family_config, family_summary, problem, task, task_config, task_summary,
            calibration, windows (JSON).
    """

    sha256: str
    weights: Mapping[str, Array]
    definition: Mapping[str, Any]


@dataclass(frozen=True)
class Registered:
    """A version of a named model. `card` holds lineage, split and tuning metrics."""

    name: str
    version: int
    sha256: str
    card: Mapping[str, Any]


def save_model(
    store: Store,
    lake: str,
    weights: Mapping[str, Array],
    definition: Mapping[str, Any],
    subjects: Mapping[str, Array],
) -> str:
    """Store the model. Returns its `model_sha256`.

    Args:
        subjects: split -> int64 pseudonyms of those that the model was made with; evaluation refuses
            them in any other split.
    """
    tensors = save_tensors({name: np.ascontiguousarray(value) for name, value in sorted(weights.items())})
    described = json.dumps({"format": FORMAT, **definition}, sort_keys=True).encode()
    sha256 = _sha256(tensors, described)
    folder = join(lake, "models", "blobs", sha256)
    with told(lake):
        by_split = {split: np.unique(found) for split, found in subjects.items()}
        store.put_if_absent(join(folder, "subjects.safetensors"), save_tensors(by_split))
        store.put_if_absent(join(folder, "weights.safetensors"), tensors)
        store.put_if_absent(join(folder, "model.json"), described)
    return sha256


def load_model(store: Store, lake: str, sha256: str) -> Model:
    """Read a model and check its bytes.

    Raises:
        ModelError: it is missing, damaged, or written by a newer medray.
    """
    folder = join(lake, "models", "blobs", sha256)
    where = f"model {sha256[:12]} in {lake}"
    with told(lake):
        try:
            tensors, described = store.read(join(folder, "weights.safetensors")), store.read(join(folder, "model.json"))
        except FileNotFoundError as error:
            raise ModelError(
                where, "no such model", "a model of this lake", "train it, or copy its folder whole"
            ) from error
    if _sha256(tensors, described) != sha256:
        raise ModelError(
            where, "bytes that do not match its name", "unchanged files", "restore the folder from a backup"
        )
    definition = json.loads(described)
    if definition["format"] > FORMAT:
        raise ModelError(where, f"format {definition['format']}", f"format {FORMAT} or older", "upgrade medray")
    try:
        return Model(sha256, load_tensors(tensors), definition)
    except SafetensorError as error:
        raise ModelError(where, "weights that are no safetensors file", "safetensors", "restore the file") from error


def load_definition(store: Store, lake: str, sha256: str) -> Mapping[str, Any]:
    """A model's definition without its weights; `load_model` checks the bytes of both."""
    with told(lake):
        definition: dict[str, Any] = json.loads(store.read(join(lake, "models", "blobs", sha256, "model.json")))
    return definition


def model_subjects(store: Store, lake: str, sha256: str) -> dict[str, Array]:
    """Split -> int64 pseudonyms of the subjects that the model was made with, sorted."""
    with told(lake):
        data = store.read(join(lake, "models", "blobs", sha256, "subjects.safetensors"))
    subjects: dict[str, Array] = load_tensors(data)
    return subjects


def register(store: Store, lake: str, name: str, sha256: str, card: Mapping[str, Any]) -> Registered:
    """Give the model the next version number of a name; the same run's model keeps its number."""
    for one in versions(store, lake, name):
        if one.sha256 == sha256 and one.card.get("run_id") == card.get("run_id"):
            return one
    version = len(versions(store, lake, name)) + 1
    while True:
        document = json.dumps({"name": name, "version": version, "model_sha256": sha256, **card}, sort_keys=True)
        with told(lake):
            if store.put_if_absent(_version_uri(lake, name, version), document.encode()):
                return Registered(name, version, sha256, card)
        version += 1


def versions(store: Store, lake: str, name: str) -> list[Registered]:
    """All versions of a name, in order; empty when there is none."""
    with told(lake):
        try:
            listed = list(store.walk(join(lake, "models", name, "versions")))
        except FileNotFoundError:
            return []
        return [_registered(store.read(item.uri)) for item in listed if item.uri.endswith(".json")]


def registered(store: Store, lake: str, name: str, version: int) -> Registered:
    """A version by its number.

    Raises:
        ModelError: there is no such version.
    """
    with told(lake):
        try:
            return _registered(store.read(_version_uri(lake, name, version)))
        except FileNotFoundError as error:
            have = ", ".join(str(item.version) for item in versions(store, lake, name)) or "none"
            raise ModelError(
                f"model {name!r} in {lake}",
                f"no version {version}",
                f"versions: {have}",
                "name one of them, or train the model",
            ) from error


def _registered(document: bytes) -> Registered:
    card = json.loads(document)
    return Registered(card["name"], card["version"], card["model_sha256"], card)


def _version_uri(lake: str, name: str, version: int) -> str:
    return join(lake, "models", name, "versions", f"{version:06d}.json")


def _sha256(tensors: bytes, described: bytes) -> str:
    return hashlib.sha256(hashlib.sha256(tensors).digest() + hashlib.sha256(described).digest()).hexdigest()
