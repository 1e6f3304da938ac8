"""Order, learning rate and weight averaging of a training: pure functions of seed, epoch and step."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import torch

from medray.contracts import Array


def epoch_batches(index: Array, seed: int, epoch: int, batch_size: int, rank: int, workers: int) -> Iterator[Array]:
    """This rank's part of every global batch: the same permutation on each rank, sliced, sorted.

    The last, smaller batch is left out (its rows come in other epochs), unless it is the only one.
    """
    order = np.random.default_rng([seed, epoch]).permutation(index)
    whole = max(len(order) // batch_size, 1)
    for step in range(whole):
        batch = order[step * batch_size : (step + 1) * batch_size]
        usable = len(batch) // workers * workers
        yield np.sort(batch[:usable][rank::workers])


def steps_per_epoch(examples: int, batch_size: int) -> int:
    return max(examples // batch_size, 1)


def learning_rate(step: int, steps: int, peak: float, warmup: float) -> float:
    """Linear warm-up over `warmup` x steps, then a cosine to zero at the last step."""
    warm = int(steps * warmup)
    if step < warm:
        return peak * (step + 1) / warm
    return peak * 0.5 * (1 + math.cos(math.pi * (step - warm) / max(steps - warm, 1)))


def average(running: dict[str, torch.Tensor], model: torch.nn.Module, decay: float, step: int) -> None:
    """Move the running average of weights and buffers towards the model, in place.

    The decay grows from 1/11 (step 0) to `decay`, so that the first steps are forgotten.
    """
    now = min(decay, (1 + step) / (10 + step))
    for name, value in model.state_dict().items():
        if value.is_floating_point():
            running[name].lerp_(value, 1 - now)
        else:
            running[name].copy_(value)


def parameter_groups(model: torch.nn.Module, weight_decay: float) -> list[dict[str, object]]:
    """Weight decay on matrices and kernels; none on biases and normalisation."""
    heavy = [p for p in model.parameters() if p.requires_grad and p.ndim > 1]
    light = [p for p in model.parameters() if p.requires_grad and p.ndim <= 1]
    return [{"params": heavy, "weight_decay": weight_decay}, {"params": light, "weight_decay": 0.0}]
