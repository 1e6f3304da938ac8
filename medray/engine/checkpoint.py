"""Checkpoints: one safetensors file an epoch, put into the lake whole, readable without pickle.

Ray Train's own checkpoints are registered some time after `report` returns; a worker that dies in
between loses an epoch. These are there when the put returns, for a restarted worker group and for
a new process alike.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors

from medray.storage.store import Store
from medray.storage.uri import join

_KEPT = 2


@dataclass
class Progress:
    """Where a training stands after `epoch` epochs (0: not begun)."""

    epoch: int = 0
    best_epoch: int = 0
    best_loss: float = float("inf")
    finished: bool = False
    history: list[dict[str, float]] = field(default_factory=list)


@dataclass
class State:
    """Everything that a training needs to go on."""

    weights: dict[str, torch.Tensor]
    average: dict[str, torch.Tensor]
    best: dict[str, torch.Tensor]
    optimizer: dict[str, Any]
    progress: Progress


def save_checkpoint(store: Store, folder: str, state: State) -> None:
    """Put the state of an epoch, then remove all but the last two."""
    tensors: dict[str, torch.Tensor] = {}
    for part in ("weights", "average", "best"):
        tensors |= {f"{part}/{name}": value for name, value in getattr(state, part).items()}
    scalars: dict[str, Any] = {}
    for parameter, values in state.optimizer["state"].items():
        tensors |= {f"optimizer/{parameter}/{name}": value for name, value in values.items()}
    scalars["param_groups"] = state.optimizer["param_groups"]
    metadata = {"progress": json.dumps(asdict(state.progress)), "optimizer": json.dumps(scalars)}
    data = save_tensors({name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}, metadata)
    store.replace(_uri(folder, state.progress.epoch), data)
    for old in range(max(state.progress.epoch - _KEPT - 1, 0), state.progress.epoch - _KEPT + 1):
        if old > 0 and store.exists(_uri(folder, old)):
            store.delete(_uri(folder, old))


def load_checkpoint(store: Store, folder: str) -> State | None:
    """The last epoch's state on the CPU, or None at the beginning."""
    try:
        files = [item.uri for item in store.walk(folder) if item.uri.endswith(".checkpoint")]
    except FileNotFoundError:
        return None
    if not files:
        return None
    data = store.read(max(files))
    metadata = _metadata(data)
    parts: dict[str, dict[str, torch.Tensor]] = {"weights": {}, "average": {}, "best": {}, "optimizer": {}}
    for name, value in load_tensors(data).items():
        part, _, rest = name.partition("/")
        parts[part][rest] = value
    return State(
        parts["weights"],
        parts["average"],
        parts["best"],
        _optimizer(parts["optimizer"], json.loads(metadata["optimizer"])),
        Progress(**json.loads(metadata["progress"])),
    )


def _optimizer(tensors: Mapping[str, torch.Tensor], scalars: Mapping[str, Any]) -> dict[str, Any]:
    state: dict[int, dict[str, torch.Tensor]] = {}
    for name, value in tensors.items():
        parameter, _, field_name = name.partition("/")
        state.setdefault(int(parameter), {})[field_name] = value
    return {"state": state, "param_groups": scalars["param_groups"]}


def _metadata(data: bytes) -> dict[str, str]:
    # safetensors: 8 bytes little-endian header length, then a JSON header
    length = int.from_bytes(data[:8], "little")
    metadata: dict[str, str] = json.loads(data[8 : 8 + length])["__metadata__"]
    return metadata


def _uri(folder: str, epoch: int) -> str:
    return join(folder, f"{epoch:06d}.checkpoint")
