"""A loaded network that turns prepared values into logits, the same for a row in any batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from medray.contracts import Array, Family
from medray.errors import ModelError
from medray.nn.memory_format import channels_last

BATCH = {"cpu": 16, "cuda": 64}  # by kind of device; of images of 224 x 224 more would not stay in a CPU's caches


class Network:
    """One model on one device: this process's, unless `device` names another."""

    def __init__(
        self,
        family: Family,
        config: Any,
        summary: dict[str, Any],
        outputs: int,
        weights: dict[str, Array],
        device: str | None = None,
    ) -> None:
        self._family, self._config, self._summary, self._outputs = family, config, summary, outputs
        self._device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        if self._device.type == "cpu":
            torch.set_num_threads(1)  # N single-threaded actors beat one with N threads, and are exact
        self._model = family.build(config, summary, outputs)
        try:
            self._model.load_state_dict({name: torch.from_numpy(value) for name, value in weights.items()})
        except RuntimeError as error:
            raise ModelError(
                "model weights",
                f"{len(weights)} tensors that do not fit the network of the model's config",
                f"the tensors of a {family.name} network with {outputs} output(s)",
                "train the model again: its weights and its config belong to different models",
            ) from error
        self._model = channels_last(self._model.to(self._device)).eval()

    @property
    def module(self) -> torch.nn.Module:
        """The network, in evaluation, on its device."""
        return self._model

    def inputs(self, values: Array) -> torch.Tensor:
        """Prepared values (N, ...) as the network reads them, on its device."""
        return self._family.collate(values, self._config, self._summary, self._device)

    @torch.no_grad()
    def logits(self, rows: Array, gather: Callable[[Array], Array]) -> Array:
        """float32 (len(rows), outputs).

        Every batch has the same size (the last is filled by repeating a row), so that kernels are
        chosen alike and a row's logits do not depend on its neighbours.
        """
        out = np.empty((len(rows), self._outputs), np.float32)
        size = BATCH[self._device.type]
        for start in range(0, len(rows), size):
            part = rows[start : start + size]
            padded = np.concatenate([part, np.repeat(part[-1:], size - len(part))])
            out[start : start + len(part)] = self._model(self.inputs(gather(padded)))[: len(part)].float().cpu().numpy()
        return out
