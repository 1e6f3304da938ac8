"""Weights that a training starts from, and the names that a recipe may freeze."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn

from medray.errors import ModelError
from medray.storage.model_files import tensors_of
from medray.storage.store import Store


def load_start(store: Store, model: nn.Module, training: Any) -> None:
    """Put the weights that the recipe names into a network, but for those it leaves out (`start.without`).

    Raises:
        ModelError: the file is no safetensors file, or holds other names or shapes than the network; or the recipe
            freezes what the network does not have.
    """
    own = model.state_dict()
    for prefix in training.frozen:
        if not any(name.startswith(prefix) for name, _ in model.named_parameters()):
            raise _no_such("[training] frozen", prefix, own)
    if all(name.startswith(tuple(training.frozen)) for name, _ in model.named_parameters()):
        raise ModelError("[training] frozen", "nothing that learns", "a part that learns", "freeze fewer names")
    if training.start is None:
        return
    for prefix in training.start.without:
        if not any(name.startswith(prefix) for name in own):
            raise _no_such("[training.start] without", prefix, own)
    found = tensors_of(store.read(training.start.weights), "weights of [training.start]")
    wanted = {name for name in own if not name.startswith(tuple(training.start.without))}
    missing, extra = sorted(wanted - found.keys()), sorted(found.keys() - own.keys())
    shaped = sorted(name for name in wanted & found.keys() if tuple(own[name].shape) != found[name].shape)
    if missing or extra or shaped:
        raise ModelError(
            "weights of [training.start]",
            f"{_some(missing)} missing, {_some(extra)} that the network has not, {_some(shaped)} of another shape",
            "the tensors of this network",
            "leave out parts that are to begin anew with [training.start] without = [...], or give the weights of "
            "the same architecture",
        )
    model.load_state_dict({name: torch.from_numpy(np.asarray(found[name])) for name in wanted}, strict=False)


def _some(names: list[str]) -> str:
    return f"{len(names)} ({', '.join(names[:3])}{', ...' if len(names) > 3 else ''})" if names else "none"


def _no_such(where: str, prefix: str, own: dict[str, Any]) -> ModelError:
    parts = sorted({name.split(".")[0] + "." for name in own})
    return ModelError(
        where, f"{prefix!r}, with which no name begins", f"beginnings of names such as {', '.join(parts[:12])}",
        "correct the beginning",
    )  # fmt: skip
