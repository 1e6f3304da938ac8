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
from medray.engine.schedule import balanced, epoch_batches, numbered, parts_of, share_of, shuffled, steps_per_epoch
from medray.engine.side_stream import SideStream
from medray.nn.draws import Draws


@dataclass(frozen=True)
class Part:
    """What a rank takes in at once: its share of a batch, or the n-th of `accumulate` parts of it.

    Attributes:
        step: of the training, from 0. last: of this step.
        seed: of dropout.
        inputs, targets: on the device, where they may still be on their way (`Feed.arrived`).
        known: answers that the whole batch holds, over all ranks and parts.
        ready: when inputs and targets have arrived; None on a CPU.
    """

    step: int
    last: bool
    seed: int
    inputs: torch.Tensor
    targets: torch.Tensor
    known: int
    ready: torch.cuda.Event | None


class Feed:
    """The training examples of one rank."""

    def __init__(self, spec: Any, examples: Examples, meters: Meters, rank: int, workers: int) -> None:
        self._spec, self._examples, self._meters, self._device = spec, examples, meters, meters.device
        self._rank, self._workers = rank, workers
        self._values = Values(spec.store, examples)
        self._train = np.flatnonzero(examples.split == 0)
        self._side = SideStream(meters.device)

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
            known = int(np.count_nonzero(~np.isnan(self._examples.targets[batch % self._count])))
            parts = parts_of(len(batch), self._workers, training.accumulate)
            for number, names in enumerate(np.array_split(mine, parts)):
                rows = names % self._count
                with self._side.making():
                    inputs, targets = self._augmented(rows, names, epoch), self.targets(rows)
                    ready = self._side.mark()
                seed = _seed(training.seed, step, number, self._rank)
                yield Part(step, number == parts - 1, seed, inputs, targets, known, ready)

    def arrived(self, part: Part) -> Part:
        """The part, when the device's own work may read it."""
        self._side.take(part.ready, part.inputs, part.targets)
        return part

    @property
    def _count(self) -> int:
        return len(self._examples.split)

    def _order(self, epoch: int) -> Array:
        """Rows of this epoch; those that come again are named otherwise (`numbered`)."""
        training = self._spec.training
        if training.sampling == "balanced":
            drawn = balanced(self._train, self._examples.targets[self._train, 0], training.seed, epoch)
            return numbered(drawn, self._count)
        return shuffled(self._train, training.seed, epoch)

    def _augmented(self, rows: Array, names: Array, epoch: int) -> torch.Tensor:
        """Each row's changes are its own of this epoch, and of each time that it comes."""
        spec = self._spec
        draws = Draws(spec.training.seed, epoch, torch.from_numpy(names).to(self._device))
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
