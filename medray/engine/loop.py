"""The training loop of one distributed worker."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from safetensors.torch import save as save_tensors

from medray.contracts import Array, Family, Sums, Task
from medray.engine.ahead import ahead
from medray.engine.checkpoint import Place, Progress, State, Uploads, load_checkpoint, newest
from medray.engine.examples import read_examples
from medray.engine.feed import Feed, Part
from medray.engine.forward import Forward
from medray.engine.meters import Meters, epoch_figures
from medray.engine.optimizer import load_optimizer, make_optimizer, shrink
from medray.engine.schedule import average, learning_rate
from medray.engine.session import node_cpus
from medray.engine.start import load_start
from medray.engine.totals import Totals
from medray.nn.memory_format import channels_last
from medray.storage.store import Store
from medray.storage.uri import join

_EVALUATION_BATCH = 128


@dataclass(frozen=True)
class FitSpec:
    """What every worker is told. `folder` is the training's own place in the lake.

    Attributes:
        threads: of a worker on a CPU; None: the workers of a node share its cores.
    """

    family: Family
    family_config: Any
    family_summary: Sums
    task: Task
    task_config: Any
    task_summary: Sums
    training: Any
    store: Store
    folder: str
    threads: int | None = None

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
    fit = Fit(spec, device_for(spec, context.get_local_world_size()), rank, workers)
    while not fit.done():
        fit.epoch()
    fit.finish()


def device_for(spec: FitSpec, local_workers: int) -> torch.device:
    """This worker's device; a CPU is given its share of threads."""
    if torch.cuda.is_available():  # on the node, which does not say that this worker was given one
        import ray.train.torch

        device = torch.device(ray.train.torch.get_device())
        if device.type == "cuda":
            return device
    torch.set_num_threads(spec.threads or max(node_cpus() // local_workers, 1))
    return torch.device("cpu")


def on_device(summary: Sums, device: torch.device) -> Sums:
    """The lists of numbers in it as tensors on the device: a loss that sent them there would wait for the step."""
    return {name: torch.tensor(numbers, dtype=torch.float32, device=device) for name, numbers in summary.items()}


class Fit:
    """The state of one rank of a training. It goes on from the newest checkpoint of its folder."""

    def __init__(self, spec: FitSpec, device: torch.device, rank: int = 0, workers: int = 1) -> None:
        self.spec, self.rank, self.workers, self.device = spec, rank, workers, device
        self.meters = Meters(device)
        self.feed = Feed(spec, read_examples(spec.store, spec.examples_uri), self.meters, rank, workers)
        self.steps = self.feed.steps * spec.training.epochs
        self.task_summary = on_device(spec.task_summary, device)
        torch.manual_seed(spec.training.seed)
        model = spec.family.build(spec.family_config, spec.family_summary, spec.task.outputs(spec.task_config))
        load_start(spec.store, model, spec.training)
        self.model = channels_last(model.to(device))
        self.forward = Forward(self.model, spec.training, device, workers, self.steps)
        self.optimizer = make_optimizer(self.model, spec.training)
        self.average = {name: value.detach().clone() for name, value in self.model.state_dict().items()}
        self.best: dict[str, torch.Tensor] = {}
        self.progress = Progress()
        self.uploads = Uploads(spec.store, spec.folder)
        self._resume()

    def _resume(self) -> None:
        place = self._agreed(newest(self.spec.store, self.spec.folder))
        if place is None:
            return
        state = load_checkpoint(self.spec.store, self.spec.folder, place)
        self.model.load_state_dict(state.weights)
        load_optimizer(self.optimizer, state.optimizer)
        # Copied, not taken: another memory format would choose other kernels and change last bits.
        self.best = {name: torch.empty_like(self.average[name]).copy_(value) for name, value in state.best.items()}
        for name, value in state.average.items():
            self.average[name].copy_(value)
        self.progress = state.progress
        self.meters.sums |= state.progress.meters

    def _agreed(self, place: Place | None) -> Place | None:
        """What rank 0 has found: an upload of a dead worker may end between two looks."""
        found = torch.tensor(place or (0, 0), dtype=torch.int64, device=self.device)
        if self.workers > 1:
            dist.broadcast(found, src=0)
        epoch, step = found.tolist()
        return (epoch, step) if epoch or step else None

    def done(self) -> bool:
        """Whether no epoch is left, patience has run out, or the training has failed."""
        progress = self.progress
        return progress.finished or bool(progress.failed) or progress.epoch >= self.spec.training.epochs

    def epoch(self) -> None:
        """What is left of a pass over the training split, the tuning loss, a checkpoint on its way."""
        training, progress = self.spec.training, self.progress
        progress.loss, progress.known = self._train()
        self._agree()
        sums = self.meters.taken()
        loss, tuning_loss = progress.loss / max(progress.known, 1.0), self._tuning_loss()
        self.meters.taken()  # what tuning reads is no part of training
        figures = self._figures(sums)
        progress.epoch, progress.step, progress.loss, progress.known = progress.epoch + 1, 0, 0.0, 0.0
        if not np.isfinite([loss, tuning_loss]).all():
            progress.failed = f"a loss that is no finite number in epoch {progress.epoch}"
        progress.history.append(
            {"epoch": progress.epoch, "loss": loss, "tuning_loss": tuning_loss, **figures, "ended_at": time.time()}
        )
        if tuning_loss < progress.best_loss:
            progress.best_loss, progress.best_epoch = tuning_loss, progress.epoch
            self.best = {name: value.detach().clone() for name, value in self._candidate().items()}
        if training.patience is not None and progress.epoch - progress.best_epoch >= training.patience:
            progress.finished = True
        if self.rank == 0:
            self._checkpoint()

    def _train(self) -> tuple[float, float]:
        """The steps of this epoch that are not done yet. Returns its loss and its known answers, of all ranks."""
        training, progress = self.spec.training, self.progress
        self.forward.arrange(progress.epoch)
        totals = Totals(self.workers, self.device, (progress.loss, progress.known))
        # On a CPU, the cores that would work ahead are those that train.
        depth = training.read_ahead if self.device.type == "cuda" else 0
        saved = time.monotonic()
        for part in self.meters.timed(ahead(self.feed.parts(progress.epoch, progress.step), depth)):
            totals.add(*self._learn(self.feed.arrived(part)))
            if not part.last:
                continue
            self._step(part.step)
            progress.step += 1
            if self.rank == 0 and time.monotonic() - saved >= training.checkpoint_s and not self.uploads.busy:
                progress.loss, progress.known = totals.values()
                self._checkpoint()
                saved = time.monotonic()
        return totals.values()

    def _learn(self, part: Part) -> tuple[torch.Tensor, torch.Tensor]:
        """Forwards and backwards through a part of a batch."""
        spec = self.spec
        # Dropout depends on seed, step, part and rank alone: a resumed training draws what an uninterrupted one would.
        self._seed(part.seed)
        with self.forward.apart(part.last):
            logits = self.forward(part.inputs)
            loss, known = spec.task.loss(logits, part.targets, spec.task_config, self.task_summary)
            # DDP averages over ranks; scaled so, the step is that of one worker with the whole batch.
            torch.autograd.backward(loss * (self.workers / max(part.known, 1)))
        self.meters.count(len(part.inputs))
        return loss, known

    def _seed(self, seed: int) -> None:
        """As `torch.manual_seed`, which looks for every kind of device first: a millisecond a step."""
        torch.default_generator.manual_seed(seed)
        if self.device.type == "cuda":
            torch.cuda.manual_seed(seed)

    def _step(self, step: int) -> None:
        training = self.spec.training
        rate = learning_rate(step, self.steps, training.learning_rate, training.warmup)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), training.gradient_clip)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        if training.l1:
            shrink(self.model, rate * training.l1)
        if training.ema:
            average(self.average, self.model, training.ema, step)

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
        totals = Totals(1, self.device)
        for rows, logits in self._logits(self.feed.tuning(self.rank, self.workers), self._candidate()):
            targets = self.feed.targets(rows)
            totals.add(*self.spec.task.loss(logits, targets, self.spec.task_config, self.task_summary))
        everywhere = torch.tensor(totals.values(), dtype=torch.float64, device=self.device)
        if self.workers > 1:
            dist.all_reduce(everywhere)
        loss, known = everywhere.tolist()
        return float(loss / known) if known else float("inf")

    @torch.no_grad()
    def _logits(self, index: Array, weights: dict[str, torch.Tensor]) -> Iterator[tuple[Array, torch.Tensor]]:
        """In float32, as scoring does."""
        self.model.eval()
        for start in range(0, len(index), _EVALUATION_BATCH):
            part = index[start : start + _EVALUATION_BATCH]
            yield part, torch.func.functional_call(self.model, weights, (self.feed.inputs(part),))

    def _figures(self, sums: dict[str, float]) -> dict[str, float]:
        """What was measured in this epoch: of all ranks the longest wait and the highest memory."""
        most = torch.tensor([sums["wait_s"], *self.meters.memory()], dtype=torch.float64, device=self.device)
        if self.workers > 1:
            dist.all_reduce(most, op=dist.ReduceOp.MAX)
        wait_s, device, host = most.tolist()
        return epoch_figures({**sums, "wait_s": wait_s}, self.workers, device, host)

    def _checkpoint(self) -> None:
        self.progress.meters = dict(self.meters.sums)
        state = State(self.model.state_dict(), self.average, self.best, self.optimizer.state_dict(), self.progress)
        self.uploads.put(state, self.spec.progress_uri)

    def finish(self) -> None:
        """Rank 0 writes the chosen weights and their logits on the tuning split; nothing, where training has failed."""
        self.uploads.wait()
        if self.rank != 0 or self.progress.failed:
            return
        keep_best = self.spec.training.keep == "best" and self.best
        weights = self.best if keep_best else self._candidate()
        logits = [part.float().cpu() for _, part in self._logits(self.feed.tuning(), weights)]
        outputs = self.spec.task.outputs(self.spec.task_config)
        tensors = {f"weights/{name}": value.detach().cpu().contiguous().clone() for name, value in weights.items()}
        tensors["logits"] = torch.cat(logits) if logits else torch.zeros((0, outputs))
        self.spec.store.replace(self.spec.result_uri, save_tensors(tensors))
