"""Order, learning rate and weight averaging of a training: pure functions of seed, epoch and step."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import torch

from medray.contracts import Array


def epoch_batches(order: Array, batch_size: int, workers: int) -> Iterator[Array]:
    """The global batches of one epoch, each divisible among the workers.

    The last, smaller batch is left out (its rows come in other epochs), unless it is the only one.
    """
    for step in range(steps_per_epoch(len(order), batch_size)):
        batch = order[step * batch_size : (step + 1) * batch_size]
        yield batch[: len(batch) // workers * workers]


def share_of(batch: Array, rank: int, workers: int) -> Array:
    """A rank's part of a global batch, sorted, so that it is read forwards."""
    return np.sort(batch[rank::workers])


def steps_per_epoch(examples: int, batch_size: int) -> int:
    return max(examples // batch_size, 1)


def parts_of(batch: int, workers: int, accumulate: int) -> int:
    """Into how many parts a rank's share of a batch is divided, so that none is empty."""
    return max(min(accumulate, batch // workers), 1)


def shuffled(index: Array, seed: int, epoch: int) -> Array:
    """Every example once, in the order of this epoch."""
    return np.random.default_rng([seed, epoch]).permutation(index)


def balanced(index: Array, answers: Array, seed: int, epoch: int) -> Array:
    """As many examples as there are, each answer equally often.

    Args:
        index: (N,) the examples.
        answers: float (N,), NaN where not known: such examples are left out.

    Returns:
        (N,) shuffled. Of an answer with n_i of N examples and m answers, each example comes N / (m n_i) times, rounded
        up or down; which of them come once more, the epoch draws.
    """
    generator = np.random.default_rng([seed, epoch])
    known = np.unique(answers[~np.isnan(answers)])
    drawn = []
    for place, answer in enumerate(known):
        rows = generator.permutation(index[answers == answer])
        wanted = len(index) * (place + 1) // len(known) - len(index) * place // len(known)
        drawn.append(np.resize(rows, wanted))
    return generator.permutation(np.concatenate(drawn))


def numbered(order: Array, count: int) -> Array:
    """Rows (each below `count`) with `count` added for each time that they came before: what names a repeat."""
    by = np.argsort(order, kind="stable")
    first = np.flatnonzero(np.diff(order[by], prepend=-1))
    times = np.arange(len(order)) - np.repeat(first, np.diff(first, append=len(order)))
    out = order.copy()
    out[by] += times * count
    return out


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
