"""Model files of an enemy who can write into the lake, each with a hash that fits its bytes where there is
one: every one is refused with a ModelError, none is run, and none takes more memory than its file."""

from __future__ import annotations

import hashlib
import io
import json
import os
import pickle
import resource
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
import torch
from safetensors.numpy import save

from medray.errors import ModelError
from medray.storage.model_files import DEFINITION_BYTES, HEADER_BYTES, WEIGHTS_BYTES
from medray.storage.models import load_definition, load_model, model_subjects, registered, save_model, versions
from medray.storage.store import Store

GOOD = save({"w": np.arange(6, dtype=np.float32)})
DEFINITION = b'{"family": "image", "format": 1}'
RAN: list[str] = []


class Trap:
    """Code that a pickle would run."""

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return RAN.append, ("ran",)


def forged(lake: str, weights: bytes, definition: bytes = DEFINITION) -> str:
    """A whole model under the hash of its bytes."""
    sha256 = hashlib.sha256(hashlib.sha256(weights).digest() + hashlib.sha256(definition).digest()).hexdigest()
    folder = Path(lake, "models", "blobs", sha256)
    folder.mkdir(parents=True)
    (folder / "weights.safetensors").write_bytes(weights)
    (folder / "model.json").write_bytes(definition)
    (folder / "subjects.safetensors").write_bytes(weights)
    return sha256


def tensors(header: Any, data: bytes = b"\0" * 24, length: int | None = None) -> bytes:
    """A safetensors file with this header, which may lie about its length."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def one(dtype: Any = "F32", shape: Any = (6,), offsets: Any = (0, 24)) -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


def pickled(write: Callable[[io.BytesIO], object]) -> bytes:
    stream = io.BytesIO()
    write(stream)
    return stream.getvalue()


WEIGHTS: dict[str, Callable[[], bytes]] = {
    "pickle": lambda: pickle.dumps(Trap()),
    "pickle of protocol 0": lambda: pickle.dumps(Trap(), protocol=0),
    "torch zip": lambda: pickled(lambda stream: torch.save({"w": Trap()}, stream)),
    "torch of old": lambda: pickled(
        lambda stream: torch.save({"w": Trap()}, stream, _use_new_zipfile_serialization=False)
    ),
    "joblib": lambda: pickled(lambda stream: joblib.dump(Trap(), stream)),
    "numpy objects": lambda: pickled(lambda stream: np.save(stream, np.array([Trap()], object), allow_pickle=True)),
    "numpy zip": lambda: pickled(lambda stream: np.savez(stream, w=np.array([Trap()], object))),
    "pickle behind tensors": lambda: GOOD + pickle.dumps(Trap()),
    "pickle as a header": lambda: tensors(pickle.dumps(Trap())),
    "nothing": lambda: b"",
    "seven bytes": lambda: b"\0" * 7,
    "a length alone": lambda: struct.pack("<Q", 0),
    "a header beyond the file": lambda: tensors({"w": one()}, length=10_000),
    "a header of 2^63": lambda: tensors({"w": one()}, length=2**63),
    "a header of 2^64 - 1": lambda: tensors({"w": one()}, length=2**64 - 1),
    "a header of 17 MiB": lambda: tensors(b" " * (HEADER_BYTES + 1) + b"{}"),
    "a header cut off": lambda: tensors({"w": one()}, length=20),
    "a header of deep lists": lambda: tensors(b"[" * 200_000),
    "a header of deep objects": lambda: tensors(b'{"a":' * 200_000),
    "a header that is a list": lambda: tensors([one()]),
    "a header that is no text": lambda: tensors(b"\xff\xfe{}"),
    "a number of a million digits": lambda: tensors(b'{"w":' + b"9" * 1_000_000 + b"}"),
    "tensors that overlap": lambda: tensors({"a": one(), "b": one(offsets=(0, 24))}),
    "tensors that half overlap": lambda: tensors(
        {"a": one(shape=(4,), offsets=(0, 16)), "b": one(shape=(4,), offsets=(8, 24))}
    ),
    "a gap": lambda: tensors({"a": one(shape=(2,), offsets=(0, 8)), "b": one(shape=(2,), offsets=(16, 24))}),
    "bytes that nobody names": lambda: tensors({"w": one()}, b"\0" * 40),
    "offsets beyond the file": lambda: tensors({"w": one(shape=(1000,), offsets=(0, 4000))}),
    "offsets backwards": lambda: tensors({"w": one(offsets=(24, 0))}),
    "offsets below zero": lambda: tensors({"w": one(offsets=(-24, 0))}),
    "offsets of 2^64": lambda: tensors({"w": one(offsets=(2**64 - 24, 2**64))}),
    "three offsets": lambda: tensors({"w": one(offsets=(0, 12, 24))}),
    "offsets that are words": lambda: tensors({"w": one(offsets=("0", "24"))}),
    "a name twice": lambda: tensors(
        b'{"w":{"dtype":"F32","shape":[6],"data_offsets":[0,24]},"w":{"dtype":"F32","shape":[6],"data_offsets":[0,24]}}'
    ),
    "a name with a NUL": lambda: tensors({"w\0": one()}),
    "a shape that is too large": lambda: tensors({"w": one(shape=(7,))}),
    "a shape whose product overflows": lambda: tensors({"w": one(shape=(2**32, 2**32, 6))}),
    "a shape below zero": lambda: tensors({"w": one(shape=(-2, -3))}),
    "a shape that is a number": lambda: tensors({"w": one(shape=6)}),
    "a wrong type": lambda: tensors({"w": one(dtype="F64")}),
    "an unknown type": lambda: tensors({"w": one(dtype="OBJECT")}),
    "a type that is a list": lambda: tensors({"w": one(dtype=["F32"])}),
    "an entry that is no object": lambda: tensors({"w": 7}),
    "a million values of nothing": lambda: tensors({"w": one(dtype="F32", shape=(10**12,), offsets=(0, 0))}, b""),
    "a value that is no number": lambda: save({"w": np.array([1, np.nan], np.float32)}),
    "a value without end": lambda: save({"w": np.array([1, np.inf], np.float64)}),
}

DEFINITIONS: dict[str, bytes] = {
    "no JSON": b"\x80\x04K\x01.",
    "a pickle": pickle.dumps({"format": 1}),
    "a list": b"[1]",
    "deep": b'{"a":' * 200_000 + b"1" + b"}" * 200_000,
    "no format": b'{"family": "image"}',
    "a future format": b'{"format": 2}',
    "a format that is a word": b'{"format": "1"}',
    "a format that is true": b'{"format": true}',
    "a name twice": b'{"format": 1, "format": 1}',
    "a number of a million digits": b'{"format": 1, "n": ' + b"9" * 1_000_000 + b"}",
}


def peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def refused(act: Callable[[], object]) -> ModelError:
    """The error of an act that is refused in bounded memory."""
    before = peak()
    with pytest.raises(ModelError) as told:
        act()
    assert peak() - before < 400 * 2**20
    assert RAN == []
    assert all((told.value.where, told.value.found, told.value.allowed, told.value.do))
    assert len(str(told.value)) < 1000
    return told.value


@pytest.mark.parametrize("kind", list(WEIGHTS))
def test_weights_of_an_enemy(store: Store, lake: str, kind: str) -> None:
    sha256 = forged(lake, WEIGHTS[kind]())
    refused(lambda: load_model(store, lake, sha256))
    refused(lambda: model_subjects(store, lake, sha256))


@pytest.mark.parametrize("kind", list(DEFINITIONS))
def test_definitions_of_an_enemy(store: Store, lake: str, kind: str) -> None:
    sha256 = forged(lake, GOOD, DEFINITIONS[kind])
    refused(lambda: load_model(store, lake, sha256))
    refused(lambda: load_definition(store, lake, sha256))


def test_the_honest_one_is_loaded(store: Store, lake: str) -> None:
    assert load_model(store, lake, forged(lake, GOOD)).weights["w"].tolist() == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    "sha256",
    ["../../secret", "/etc", "", ".", "A" * 64, "0" * 63, "0" * 64 + "/../x", "0" * 63 + "\n", "../blobs/" + "0" * 64],
)
def test_a_card_that_points_elsewhere(store: Store, lake: str, sha256: str) -> None:
    for act in (load_model, load_definition, model_subjects):
        assert "no hash" in refused(lambda act=act: act(store, lake, sha256)).found  # type: ignore[misc]


@pytest.mark.parametrize(
    "card", [b"", b"[]", b"{}", pickle.dumps(Trap()), b'{"name": "m", "version": 1, "model_sha256": 7}', b"[" * 100_000]
)
def test_cards_of_an_enemy(store: Store, lake: str, card: bytes) -> None:
    path = Path(lake, "models", "m", "versions", "000001.json")
    path.parent.mkdir(parents=True)
    path.write_bytes(card)
    refused(lambda: versions(store, lake, "m"))
    refused(lambda: registered(store, lake, "m", 1))


@pytest.mark.parametrize("name", ["weights.safetensors", "model.json", ""])
def test_links_out_of_the_lake(store: Store, lake: str, tmp_path: Path, name: str) -> None:
    sha256 = forged(lake, GOOD)
    place = Path(lake, "models", "blobs", sha256, name)
    os.rename(place, tmp_path / "outside")
    place.symlink_to(tmp_path / "outside")
    assert "a link" in refused(lambda: load_model(store, lake, sha256)).found


@pytest.mark.parametrize(("name", "limit"), [("weights.safetensors", WEIGHTS_BYTES), ("model.json", DEFINITION_BYTES)])
def test_a_file_beyond_the_limit_is_not_read(store: Store, lake: str, name: str, limit: int) -> None:
    sha256 = forged(lake, GOOD)
    with Path(lake, "models", "blobs", sha256, name).open("r+b") as stream:
        stream.truncate(limit + 1)  # a hole: it takes no space
    assert f"{limit + 1:,} bytes" in refused(lambda: load_model(store, lake, sha256)).found


def test_subjects_that_are_no_pseudonyms(store: Store, lake: str) -> None:
    sha256 = save_model(store, lake, {"w": np.zeros(1, np.float32)}, {}, {"train": np.array([1], np.int64)})
    path = Path(lake, "models", "blobs", sha256, "subjects.safetensors")
    for bad in ({"train": np.array([1.5])}, {"train": np.array([[1]], np.int64)}):
        path.write_bytes(save(bad))
        refused(lambda: model_subjects(store, lake, sha256))
    path.unlink()
    refused(lambda: model_subjects(store, lake, sha256))
