"""The network as it is called in training: over all ranks, in its precision, compiled where that pays."""

from __future__ import annotations

import os
import shutil
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch

from medray.engine.optimizer import hold, rest

_COMPILE_STEPS = 2000  # compiling takes a minute, and gains a fifth of a step


class Forward:
    """Calls a model that stays as it is: names, buffers and weights are its own."""

    def __init__(self, model: torch.nn.Module, training: Any, device: torch.device, workers: int, steps: int) -> None:
        """
        Args:
            steps: of the whole training.
        """
        self._model, self._training, self._device, self._workers = model, training, device, workers
        pays = device.type == "cuda" and steps >= _COMPILE_STEPS and _has_compiler()
        self._compiles = training.compile == "yes" or (training.compile == "auto" and pays)
        self._spread: torch.nn.parallel.DistributedDataParallel | None = None
        self._called: Any = None

    def arrange(self, epoch: int) -> None:
        """Make it ready to train in this epoch: parts of it may be frozen, or set free from now on."""
        training = self._training
        held = training.frozen_epochs is None or epoch < training.frozen_epochs
        if hold(self._model, training.frozen, held) or self._called is None:
            self._called = self._model
            if self._workers > 1:  # DDP notes which parameters learn when it is made
                ids = [self._device.index] if self._device.type == "cuda" else None
                self._called = self._spread = torch.nn.parallel.DistributedDataParallel(self._model, device_ids=ids)
            if self._compiles:
                self._called = torch.compile(self._called)
        self._called.train()
        if held:
            rest(self._model, training.frozen)

    def __call__(self, inputs: torch.Tensor) -> torch.Tensor:
        """float32 logits."""
        with self._precision():
            logits: torch.Tensor = self._called(inputs)
        return logits.float()

    def apart(self, last: bool) -> AbstractContextManager[Any]:
        """Gradients of all parts of a batch but the last stay on their rank."""
        return nullcontext() if last or self._spread is None else self._spread.no_sync()

    def _precision(self) -> AbstractContextManager[Any]:
        wanted = self._training.precision
        if wanted == "auto":
            wanted = "bfloat16" if self._device.type == "cuda" and _knows_bfloat16() else "float32"
        return nullcontext() if wanted == "float32" else torch.autocast(self._device.type, torch.bfloat16)


def _has_compiler() -> bool:
    """Triton builds its launchers with the system's C compiler, and fails without one."""
    return bool(os.environ.get("CC") or shutil.which("gcc") or shutil.which("clang"))


def _knows_bfloat16() -> bool:
    """Whether the GPU computes in it: older ones emulate it, slower than float32."""
    return bool(torch.cuda.is_bf16_supported(including_emulation=False))
