"""Batches of a training on their way to the device: in one order for all ranks, by seed, epoch and step alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from medray.contracts import Array
from medray.engine.examples import Examples, Values
from medray.engine.meters import Meters
from medray.engine.schedule import balanced, epoch_batches, share_of, shuffled, steps_per_epoch
from medray.nn.draws import Draws


@dataclass(frozen=True)
class Part:
    """What a rank takes in at once: its share of a batch, or the n-th of `accumulate` parts of it.

    Attributes:
        step: of the training, from 0. last: of this step.
        seed: of dropout.
        inputs, targets: on the device.
        known: answers that the whole batch holds, over all ranks and parts.
    """

    step: int
    last: bool
    seed: int
    inputs: torch.Tensor
    targets: torch.Tensor
    known: int


class Feed:
    """The training examples of one rank."""

    def __init__(self, spec: Any, examples: Examples, meters: Meters, rank: int, workers: int) -> None:
        self._spec, self._examples, self._meters, self._device = spec, examples, meters, meters.device
        self._rank, self._workers = rank, workers
        self._values = Values(spec.store, examples)
        self._train = np.flatnonzero(examples.split == 0)

    @property
    def steps(self) -> int:
        """Of an epoch."""
        return steps_per_epoch(len(self._train), self._spec.training.batch_size)

    def parts(self, epoch: int, done: int) -> Iterator[Part]:
        """The parts of an epoch, but for its first `done` steps."""
        training = self._spec.training
        for place, batch in enumerate(epoch_batches(self._order(epoch), training.batch_size, self._workers)):
            if place < done:
                continue
            step = epoch * self.steps + place
            mine = share_of(batch, self._rank, self._workers)
            known = int(np.count_nonzero(~np.isnan(self._examples.targets[batch])))
            for number, rows in enumerate(np.array_split(mine, training.accumulate)):
                yield Part(
                    step,
                    number == training.accumulate - 1,
                    _seed(training.seed, step, number, self._rank),
                    self._augmented(rows, epoch),
                    self.targets(rows),
                    known,
                )

    def _order(self, epoch: int) -> Array:
        training = self._spec.training
        if training.sampling == "balanced":
            return balanced(self._train, self._examples.targets[self._train, 0], training.seed, epoch)
        return shuffled(self._train, training.seed, epoch)

    def _augmented(self, rows: Array, epoch: int) -> torch.Tensor:
        """Each row's changes are its own of this epoch."""
        spec = self._spec
        draws = Draws(spec.training.seed, epoch, torch.from_numpy(rows).to(self._device))
        changed: torch.Tensor = spec.family.augment(self.inputs(rows), spec.family_config, draws)
        return changed

    def tuning(self, rank: int = 0, workers: int = 1) -> Array:
        """Rows of the tuning split, or of a rank's share of it."""
        return np.flatnonzero(self._examples.split == 1)[rank::workers]

    def inputs(self, rows: Array) -> torch.Tensor:
        """Network inputs on the device, not augmented."""
        spec = self._spec
        with self._meters.reading():
            values = self._values.gather(rows)
        made: torch.Tensor = spec.family.collate(values, spec.family_config, spec.family_summary, self._device)
        return made

    def targets(self, rows: Array) -> torch.Tensor:
        """float32 (len(rows), T) on the device."""
        return torch.from_numpy(self._examples.targets[rows]).to(self._device)


def _seed(*parts: int) -> int:
    return int(np.random.SeedSequence(parts).generate_state(1)[0])
