"""Digests of the images that a model was made with, beside its subjects:
models/blobs/<model_sha256>/images.safetensors, none where it reads no images."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from safetensors.numpy import save as save_tensors

from medray.contracts import Array
from medray.errors import ModelError
from medray.storage.failures import told
from medray.storage.model_files import WEIGHTS_BYTES, tensors_of
from medray.storage.store import Store
from medray.storage.uri import join


def save_images(store: Store, lake: str, sha256: str, digests: Mapping[str, Array]) -> None:
    """Keep split -> int64 digests with a stored model, unless they stand."""
    with told(lake):
        store.put_if_absent(
            _uri(lake, sha256), save_tensors({name: np.unique(found) for name, found in digests.items()})
        )


def model_images(store: Store, lake: str, sha256: str) -> dict[str, Array]:
    """Split -> int64 digests, sorted; empty of a model that reads no images, or is older than they are.

    Raises:
        ModelError: the file holds something else.
    """
    uri, where = _uri(lake, sha256), f"model {sha256[:12]} in {lake}"
    with told(lake):
        if not store.exists(uri):
            return {}
        size = store.size(uri)
        found = tensors_of(store.read(uri), where) if size <= WEIGHTS_BYTES else {"": np.zeros(0)}
    if any(digests.dtype != np.int64 or digests.ndim != 1 for digests in found.values()):
        raise ModelError(where, "images that are no list of int64", "digests", "restore the folder from a backup")
    return found


def _uri(lake: str, sha256: str) -> str:
    return join(lake, "models", "blobs", sha256, "images.safetensors")
