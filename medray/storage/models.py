"""The model store: immutable, content-addressed, data only.

models/blobs/<model_sha256>/   weights.safetensors, model.json, subjects.safetensors
models/<name>/versions/<n>.json   the card of version n, put if absent
models/<name>/descriptions/<version>/<n>.json   what people say of it since (`descriptions.py`)
models/<name>/promotions/<n>.json   which version is in production (`promotions.py`)

`model_sha256` covers weights and model.json (configs, summaries, calibration), not the card.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save as save_tensors

from medray.contracts import Array
from medray.errors import ModelError
from medray.storage.dated import folders
from medray.storage.failures import told
from medray.storage.model_files import DEFINITION_BYTES, FORMAT, WEIGHTS_BYTES, definition_of, object_of, tensors_of
from medray.storage.store import Store
from medray.storage.uri import is_s3, join

_SHA256 = re.compile("[0-9a-f]{64}")


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
    """A version of a named model. `card` holds what was known when it was made: lineage, data, split, tuning
    metrics, and what its recipe says of it."""

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
        ModelError: it is missing, damaged, forged, or written by a newer medray.
    """
    where = _where(lake, sha256)
    tensors = _read(store, lake, sha256, "weights.safetensors", WEIGHTS_BYTES)
    described = _read(store, lake, sha256, "model.json", DEFINITION_BYTES)
    if _sha256(tensors, described) != sha256:
        raise ModelError(
            where, "bytes that do not match its name", "unchanged files", "restore the folder from a backup"
        )
    return Model(sha256, tensors_of(tensors, where), definition_of(described, where))


def load_definition(store: Store, lake: str, sha256: str) -> Mapping[str, Any]:
    """A model's definition without its weights; `load_model` checks the bytes of both."""
    return definition_of(_read(store, lake, sha256, "model.json", DEFINITION_BYTES), _where(lake, sha256))


def model_subjects(store: Store, lake: str, sha256: str) -> dict[str, Array]:
    """Split -> int64 pseudonyms of the subjects that the model was made with, sorted.

    Raises:
        ModelError: the file is missing, or holds something else.
    """
    where = _where(lake, sha256)
    subjects = tensors_of(_read(store, lake, sha256, "subjects.safetensors", WEIGHTS_BYTES), where)
    if any(found.dtype != np.int64 or found.ndim != 1 for found in subjects.values()):
        raise ModelError(where, "subjects that are no list of int64", "pseudonyms", "restore the folder from a backup")
    return subjects


def _read(store: Store, lake: str, sha256: str, name: str, most_bytes: int) -> bytes:
    """One of the files of a model, if it is no larger than that and stands where it says."""
    where = _where(lake, sha256)
    if not _SHA256.fullmatch(sha256):
        raise ModelError("a model's card", "a model_sha256 that is no hash", "64 hex digits", "restore the card")
    uri = join(lake, "models", "blobs", sha256, name)
    if not is_s3(uri) and (Path(uri).is_symlink() or Path(uri).parent.is_symlink()):
        raise ModelError(where, f"a link in place of {name}", "a file of the lake", "copy the model's folder whole")
    with told(lake):
        if not store.exists(uri):
            raise ModelError(
                where, f"no such model (no {name})", "a model of this lake", "train it, or copy its folder whole"
            )
        if (size := store.size(uri)) > most_bytes:
            raise ModelError(where, f"a {name} of {size:,} bytes", f"{most_bytes:,}", "restore the file")
        return store.read(uri)


def _where(lake: str, sha256: str) -> str:
    return f"model {sha256[:12]} in {lake}"


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


def names(store: Store, lake: str) -> list[str]:
    """The names of the lake's models, sorted."""
    with told(lake):
        return sorted(name for name in folders(store, join(lake, "models")) if name != "blobs")


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
    card = object_of(document, "a model's card", "card")
    name, version, sha256 = (card.get(key) for key in ("name", "version", "model_sha256"))
    if not (isinstance(name, str) and isinstance(version, int) and isinstance(sha256, str)):
        raise ModelError(
            "a model's card", "no name, version or hash", "a card as medray writes it", "restore the card from a backup"
        )
    return Registered(name, version, sha256, card)


def _version_uri(lake: str, name: str, version: int) -> str:
    return join(lake, "models", name, "versions", f"{version:06d}.json")


def _sha256(tensors: bytes, described: bytes) -> str:
    return hashlib.sha256(hashlib.sha256(tensors).digest() + hashlib.sha256(described).digest()).hexdigest()
