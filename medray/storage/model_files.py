"""The bytes of a stored model as values: data of a closed form, or a ModelError. Nothing in them is ever run.

Whoever can write into the lake can forge a whole model, hash and all. What stands here is that reading one
gives tensors and JSON or a message, in memory that follows the files' sizes, which are bounded.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load as load_tensors

from medray.contracts import Array
from medray.errors import ModelError

FORMAT = 1
WEIGHTS_BYTES = 8 * 2**30
DEFINITION_BYTES = 64 * 2**20
HEADER_BYTES = 16 * 2**20  # some 100,000 tensors
_DTYPES = {
    "BOOL": 1, "U8": 1, "I8": 1, "U16": 2, "I16": 2, "F16": 2,
    "U32": 4, "I32": 4, "F32": 4, "U64": 8, "I64": 8, "F64": 8,
}  # fmt: skip
_RESTORE = "restore the folder from a backup, or train the model again"


def tensors_of(data: bytes, where: str) -> dict[str, Array]:
    """The tensors of a safetensors file by name.

    Raises:
        ModelError: it is none, its header does not describe its bytes, or a value is no finite number.
    """
    _check_header(data, where)
    try:
        tensors: dict[str, Array] = load_tensors(data)
    except (SafetensorError, ValueError, TypeError, KeyError, OverflowError) as error:
        raise _no_tensors(where, "a safetensors file that cannot be read") from error
    for name, values in tensors.items():
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            raise ModelError(where, f"values of {name[:80]!r} that are no finite numbers", "finite numbers", _RESTORE)
    return tensors


def definition_of(data: bytes, where: str) -> dict[str, Any]:
    """A model's definition.

    Raises:
        ModelError: it is no JSON object, or of another format.
    """
    definition = object_of(data, where, "model.json")
    version = definition.get("format")
    if not isinstance(version, int) or isinstance(version, bool) or not 1 <= version <= FORMAT:
        raise ModelError(where, f"format {version!r:.20}", f"format {FORMAT} or older", "upgrade medray")
    return definition


def object_of(data: bytes, where: str, name: str) -> dict[str, Any]:
    """A JSON object each of whose names stands once. Raises `ModelError`."""
    try:
        found = json.loads(data, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise ModelError(where, f"a {name} that is no JSON", "a JSON object", _RESTORE) from error
    if not isinstance(found, dict):
        raise ModelError(where, f"a {name} that is no JSON object", "a JSON object", _RESTORE)
    return found


def _check_header(data: bytes, where: str) -> None:
    """The header's length, JSON and places, before a reader trusts them."""
    length = int.from_bytes(data[:8], "little")
    if len(data) < 8 or length > len(data) - 8:
        raise _no_tensors(where, f"a file of {len(data):,} bytes that begins like no safetensors file")
    if length > HEADER_BYTES:
        raise _no_tensors(where, f"a header of {length:,} bytes")
    header = object_of(data[8 : 8 + length], where, "header of tensors")
    header.pop("__metadata__", None)
    places = sorted(_place(name, entry, where) for name, entry in header.items())
    end = 0
    for start, stop in places:
        if start != end:
            raise _no_tensors(where, "tensors that overlap or leave gaps")
        end = stop
    if end != len(data) - 8 - length:
        raise _no_tensors(where, f"tensors of {end:,} bytes in {len(data) - 8 - length:,}")


def _place(name: str, entry: Any, where: str) -> tuple[int, int]:
    """Where a tensor's bytes begin and end: as many as its type and shape need."""
    try:
        width, shape, (start, stop) = _DTYPES[entry["dtype"]], entry["shape"], entry["data_offsets"]
        fits = all(_is_count(number) for number in (*shape, start, stop)) and width * math.prod(shape) == stop - start
    except (KeyError, TypeError, ValueError):
        fits = False
    if not fits or "\0" in name:
        raise _no_tensors(where, f"a tensor {name[:80]!r} whose type, shape or place cannot be")
    return start, stop


def _is_count(number: Any) -> bool:
    return type(number) is int and 0 <= number < 2**48


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name that stands twice")
    return found


def _no_tensors(where: str, found: str) -> ModelError:
    return ModelError(where, found, "a safetensors file as medray writes it", _RESTORE)
