"""Checkpoints: safetensors files, each put into the lake whole, readable without pickle.

Ray Train's own checkpoints are registered some time after `report` returns; a worker that dies in
between loses an epoch. These are written beside the training by `Uploads`, for a restarted worker group and for
a new process alike.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors

from medray.storage.store import Store
from medray.storage.uri import join

_KEPT = 2
_ENDING = ".checkpoint"
Place = tuple[int, int]  # epochs that are finished, steps done in the next


@dataclass
class Progress:
    """Where a training stands after `epoch` epochs (0: not begun) and `step` steps of the next.

    `loss` and `known` are the sums over those steps, `meters` what was measured in them.
    """

    epoch: int = 0
    step: int = 0
    loss: float = 0.0
    known: float = 0.0
    meters: dict[str, float] = field(default_factory=dict)
    best_epoch: int = 0
    best_loss: float = float("inf")
    finished: bool = False
    failed: str = ""
    history: list[dict[str, float]] = field(default_factory=list)

    @property
    def place(self) -> Place:
        return self.epoch, self.step


@dataclass
class State:
    """Everything that a training needs to go on."""

    weights: dict[str, torch.Tensor]
    average: dict[str, torch.Tensor]
    best: dict[str, torch.Tensor]
    optimizer: dict[str, Any]
    progress: Progress


@dataclass(frozen=True)
class Taken:
    """A state that further training does not change."""

    place: Place
    tensors: dict[str, torch.Tensor]
    metadata: dict[str, str]


def take(state: State) -> Taken:
    """A copy of the state in memory."""
    tensors: dict[str, torch.Tensor] = {}
    for part in ("weights", "average", "best"):
        tensors |= {f"{part}/{name}": value for name, value in getattr(state, part).items()}
    for parameter, values in state.optimizer["state"].items():
        tensors |= {f"optimizer/{parameter}/{name}": value for name, value in values.items()}
    metadata = {
        "progress": json.dumps(asdict(state.progress)),
        "optimizer": json.dumps({"param_groups": state.optimizer["param_groups"]}),
    }
    copied = {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items() if value is not None}
    return Taken(state.progress.place, copied, metadata)


def save_checkpoint(store: Store, folder: str, taken: Taken) -> None:
    """Put a state, then remove all but the last two that are there."""
    store.replace(_uri(folder, taken.place), save_tensors(taken.tensors, taken.metadata))
    for old in _listed(store, folder)[:-_KEPT]:
        store.delete(_uri(folder, old))


class Uploads:
    """Checkpoints on their way into the lake, one at a time, while training goes on."""

    def __init__(self, store: Store, folder: str) -> None:
        self._store, self._folder = store, folder
        self._thread = ThreadPoolExecutor(1, "checkpoint")
        self._last: Future[None] | None = None

    @property
    def busy(self) -> bool:
        return self._last is not None and not self._last.done()

    def put(self, state: State, progress_uri: str) -> None:
        """Send the state on its way, and after it, where the training stands: of one that has failed, that alone.
        Waits for the one before, and raises what that one raised."""
        self.wait()
        progress = state.progress
        taken = None if progress.failed else take(state)
        told = json.dumps({"history": progress.history, "place": progress.place, "failed": progress.failed}).encode()

        def write() -> None:
            if taken is not None:
                save_checkpoint(self._store, self._folder, taken)
            self._store.replace(progress_uri, told)

        self._last = self._thread.submit(write)

    def wait(self) -> None:
        """Until everything stands."""
        if self._last is not None:
            self._last.result()


def newest(store: Store, folder: str) -> Place | None:
    """The last checkpoint's place, or None at the beginning."""
    return max(_listed(store, folder), default=None)


def load_checkpoint(store: Store, folder: str, place: Place) -> State:
    """A checkpoint's state on the CPU."""
    data = store.read(_uri(folder, place))
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


def _listed(store: Store, folder: str) -> list[Place]:
    """Places of the checkpoints that stand, oldest first."""
    try:
        names = [item.uri.rsplit("/", 1)[-1] for item in store.walk(folder)]
    except FileNotFoundError:
        return []
    found = [name.removesuffix(_ENDING).split("-") for name in names if name.endswith(_ENDING)]
    return sorted((int(epoch), int(step)) for epoch, step in found)


def _uri(folder: str, place: Place) -> str:
    return join(folder, f"{place[0]:06d}-{place[1]:08d}{_ENDING}")
