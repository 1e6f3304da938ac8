"""The training loop of one distributed worker."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from safetensors.torch import save as save_tensors

from medray.contracts import Array, Family, Sums, Task
from medray.engine.checkpoint import Progress, State, load_checkpoint, save_checkpoint
from medray.engine.examples import Values, read_examples
from medray.engine.schedule import average, epoch_batches, learning_rate, parameter_groups, steps_per_epoch
from medray.nn.memory_format import channels_last
from medray.storage.store import Store
from medray.storage.uri import join

_EVALUATION_BATCH = 128


@dataclass(frozen=True)
class FitSpec:
    """What every worker is told. `folder` is the training's own place in the lake."""

    family: Family
    family_config: Any
    family_summary: Sums
    task: Task
    task_config: Any
    task_summary: Sums
    training: Any
    store: Store
    folder: str

    @property
    def examples_uri(self) -> str:
        return join(self.folder, "examples.arrow")

    @property
    def progress_uri(self) -> str:
        return join(self.folder, "progress.json")

    @property
    def result_uri(self) -> str:
        return join(self.folder, "result.safetensors")


def worker(spec: FitSpec) -> None:
    """Train on this rank; rank 0 leaves the weights and the tuning logits in `result_uri`."""
    import ray.train

    context = ray.train.get_context()
    rank, workers = context.get_world_rank(), context.get_world_size()
    fit = Fit(spec, device_for(context.get_local_world_size()), rank, workers)
    while not fit.done():
        fit.epoch()
        ray.train.report({"epoch": fit.progress.epoch})
    fit.finish()


def device_for(local_workers: int) -> torch.device:
    if torch.cuda.is_available():
        import ray.train.torch

        return torch.device(ray.train.torch.get_device())
    torch.set_num_threads(max((os.cpu_count() or 1) // local_workers, 1))
    return torch.device("cpu")


class Fit:
    """The state of one rank between epochs. It goes on from the newest checkpoint of its folder."""

    def __init__(self, spec: FitSpec, device: torch.device, rank: int = 0, workers: int = 1) -> None:
        self.spec, self.rank, self.workers, self.device = spec, rank, workers, device
        self.examples = read_examples(spec.store, spec.examples_uri)
        self.values = Values(spec.store, self.examples)
        self.train = np.flatnonzero(self.examples.split == 0)
        self.tuning = np.flatnonzero(self.examples.split == 1)
        torch.manual_seed(spec.training.seed)
        model = spec.family.build(spec.family_config, spec.family_summary, spec.task.outputs(spec.task_config))
        self.model = channels_last(model.to(device))
        self.optimizer = torch.optim.AdamW(
            parameter_groups(self.model, spec.training.weight_decay), lr=spec.training.learning_rate
        )
        self.average = {name: value.detach().clone() for name, value in self.model.state_dict().items()}
        self.best: dict[str, torch.Tensor] = {}
        self.progress = Progress()
        self._resume()
        ids = [device.index] if device.type == "cuda" else None
        self.ddp = torch.nn.parallel.DistributedDataParallel(self.model, device_ids=ids) if workers > 1 else self.model

    def _resume(self) -> None:
        state = load_checkpoint(self.spec.store, self.spec.folder)
        if state is None:
            return
        self.model.load_state_dict(state.weights)
        self.optimizer.load_state_dict(state.optimizer)
        # Copied, not taken: another memory format would choose other kernels and change last bits.
        self.best = {name: torch.empty_like(self.average[name]).copy_(value) for name, value in state.best.items()}
        for name, value in state.average.items():
            self.average[name].copy_(value)
        self.progress = state.progress

    def done(self) -> bool:
        return self.progress.finished or self.progress.epoch >= self.spec.training.epochs

    def epoch(self) -> None:
        """One pass over the training split, the tuning loss, a checkpoint."""
        started = time.monotonic()
        training, number = self.spec.training, self.progress.epoch
        loss = self._train(number)
        tuning_loss = self._tuning_loss()
        progress = self.progress
        progress.epoch = number + 1
        if tuning_loss < progress.best_loss:
            progress.best_loss, progress.best_epoch = tuning_loss, progress.epoch
            self.best = {name: value.detach().clone() for name, value in self._candidate().items()}
        progress.history.append(
            {"epoch": progress.epoch, "loss": loss, "tuning_loss": tuning_loss, "seconds": time.monotonic() - started}
        )
        if training.patience is not None and progress.epoch - progress.best_epoch >= training.patience:
            progress.finished = True
        if self.rank == 0:
            state = State(self.model.state_dict(), self.average, self.best, self.optimizer.state_dict(), progress)
            save_checkpoint(self.spec.store, self.spec.folder, state)
            self.spec.store.replace(self.spec.progress_uri, json.dumps(asdict(progress)).encode())

    def _train(self, number: int) -> float:
        spec, training = self.spec, self.spec.training
        steps = steps_per_epoch(len(self.train), training.batch_size)
        self.ddp.train()
        # Dropout and augmentation depend on seed, epoch, step and rank alone: a resumed training
        # draws what an uninterrupted one would.
        torch.manual_seed(_seed(training.seed, number, self.rank))
        generator = torch.Generator(self.device)
        total = torch.zeros(2, dtype=torch.float64, device=self.device)
        batches = epoch_batches(self.train, training.seed, number, training.batch_size, self.rank, self.workers)
        for step, index in enumerate(batches, start=number * steps):
            generator.manual_seed(_seed(training.seed, step, self.rank, 1))
            for group in self.optimizer.param_groups:
                group["lr"] = learning_rate(step, steps * training.epochs, training.learning_rate, training.warmup)
            inputs = spec.family.collate(
                self.values.gather(index), spec.family_config, spec.family_summary, self.device
            )
            inputs = spec.family.augment(inputs, spec.family_config, generator)
            targets = torch.from_numpy(self.examples.targets[index]).to(self.device)
            loss, count = spec.task.loss(self.ddp(inputs), targets, spec.task_config, spec.task_summary)
            everywhere = self._sum(count.detach().clone().double())
            self.optimizer.zero_grad(set_to_none=True)
            # DDP averages over ranks; scaled so, the step is that of one worker with the whole batch
            scaled = loss * (self.workers / everywhere.clamp(min=1.0)).to(loss.dtype)
            torch.autograd.backward(scaled)
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), training.gradient_clip)
            self.optimizer.step()
            if training.ema:
                average(self.average, self.model, training.ema, step)
            total += torch.stack([loss.detach().double(), count.detach().double()])
        self._agree()
        loss_sum, known = self._sum(total).tolist()
        return float(loss_sum / max(known, 1.0))

    def _agree(self) -> None:
        """Every rank takes the buffers of rank 0, whose state is the one that is kept: without this
        the tuning loss would depend on which ranks have been replaced."""
        if self.workers > 1:
            buffers = dict(self.model.named_buffers())
            for value in (*buffers.values(), *(self.average[name] for name in buffers)):
                dist.broadcast(value, src=0)

    def _candidate(self) -> dict[str, torch.Tensor]:
        """The weights that would become the model now."""
        return self.average if self.spec.training.ema else self.model.state_dict()

    def _tuning_loss(self) -> float:
        total = torch.zeros(2, dtype=torch.float64, device=self.device)
        mine = self.tuning[self.rank :: self.workers]
        for index, logits in self._logits(mine, self._candidate()):
            targets = torch.from_numpy(self.examples.targets[index]).to(self.device)
            loss, count = self.spec.task.loss(logits, targets, self.spec.task_config, self.spec.task_summary)
            total += torch.stack([loss.double(), count.double()])
        loss_sum, known = self._sum(total).tolist()
        return float(loss_sum / known) if known else float("inf")

    @torch.no_grad()
    def _logits(self, index: Array, weights: dict[str, torch.Tensor]) -> Iterator[tuple[Array, torch.Tensor]]:
        self.model.eval()
        for start in range(0, len(index), _EVALUATION_BATCH):
            part = index[start : start + _EVALUATION_BATCH]
            inputs = self.spec.family.collate(
                self.values.gather(part), self.spec.family_config, self.spec.family_summary, self.device
            )
            yield part, torch.func.functional_call(self.model, weights, (inputs,))

    def _sum(self, value: torch.Tensor) -> torch.Tensor:
        if self.workers > 1:
            dist.all_reduce(value)
        return value

    def finish(self) -> None:
        """Rank 0 writes the chosen weights and their logits on the tuning split."""
        if self.rank != 0:
            return
        keep_best = self.spec.training.keep == "best" and self.best
        weights = self.best if keep_best else self._candidate()
        logits = [part.float().cpu() for _, part in self._logits(self.tuning, weights)]
        outputs = self.spec.task.outputs(self.spec.task_config)
        tensors = {f"weights/{name}": value.detach().cpu().contiguous().clone() for name, value in weights.items()}
        tensors["logits"] = torch.cat(logits) if logits else torch.zeros((0, outputs))
        self.spec.store.replace(self.spec.result_uri, save_tensors(tensors))


def _seed(*parts: int) -> int:
    return int(np.random.SeedSequence(parts).generate_state(1)[0])
