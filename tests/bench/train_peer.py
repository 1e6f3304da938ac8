"""One training, by one of the ways that `train.py` compares: the same network, optimizer, batches and examples.

    python tests/bench/train_peer.py make --family image --rows 4096 --data FOLDER
    python tests/bench/train_peer.py medray --family image --workers 2 --epochs 4 --data FOLDER

Prints one line of JSON: seconds of each epoch's steps, the mean loss of the last epoch, memory, and how busy a GPU was.

- `ceiling`: a plain loop (DDP where there are several workers) over batches that lie in memory, ready for the network.
- `loader`: the same loop fed by torch's DataLoader over the Parquet file, in memory as Arrow; batches are taken whole.
- `rows`: the same with the DataLoader's usual way, row by row, in a worker process.
- `lightning`: a LightningModule and a Trainer over `loader`.
- `medray`: `engine.fit` on Ray Train over the prepared cache.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
import torch.multiprocessing as processes

from medray import rooms
from medray.contracts import Array, Family, Sums, Task, Window
from medray.engine.examples import Examples, write_examples
from medray.engine.loop import FitSpec
from medray.engine.meters import Meters, own_bytes
from medray.engine.optimizer import parameter_groups
from medray.engine.schedule import learning_rate
from medray.nn.memory_format import channels_last
from medray.ops.code_id import code_ids
from medray.recipes.train import Training
from medray.storage.shards import Key, write_shard
from medray.storage.store import LAKE

NO_CHANGE = {
    "rotate_degrees": 0, "translate": 0, "scale": 0, "shear_degrees": 0, "flip_horizontal": False,
    "brightness": 0, "contrast": 0, "gamma": 0, "noise": 0, "erase": 0,
}  # fmt: skip
FAMILIES: dict[str, dict[str, Any]] = {
    "image": {
        "name": "image", "size": [64, 64], "channels": 1, "window": "full", "modalities": ["DX"], "frames": "single",
        "min_side": 8, "architecture": "small_cnn", "width": 16, "dropout": 0.0, "augment": NO_CHANGE,
    },
    "record": {
        "name": "ehr", "max_events": 128, "min_events": 1, "vocabulary": 64, "min_count": 1, "hours": 48.0,
        "width": 64, "summary_codes": 16, "members": 1, "dropout": 0.0, "event_dropout": 0.0, "code_dropout": 0.0,
        "architecture": "gru_d", "step_hours": 2.0,
    },
}  # fmt: skip
TASK = {"kind": "binary", "label": "ill", "class_weights": False, "threshold": "youden"}
DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
BATCH, RATE, DECAY, CLIP, WARMUP = 64, 1e-3, 0.01, 1.0, 0.1


@dataclass(frozen=True)
class Data:
    """A Parquet file of prepared examples, and what a network needs to know of them."""

    family: Family
    config: Any
    task: Task
    task_config: Any
    values: Array
    targets: Array
    summary: Sums
    task_summary: Sums

    def network(self) -> torch.nn.Module:
        torch.manual_seed(1)
        built = self.family.build(self.config, self.summary, self.task.outputs(self.task_config))
        return channels_last(built.to(DEVICE))

    def inputs(self, values: Array) -> torch.Tensor:
        return self.family.collate(values, self.config, self.summary, torch.device("cpu"))

    def loss(self, logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        total, known = self.task.loss(logits, targets, self.task_config, self.task_summary)
        return total / known


def make(name: str, rows: int, folder: Path) -> None:
    """Draw examples and write them as Parquet: a fixed-size binary and an answer each."""
    family = rooms.family(FAMILIES[name]["name"])
    config = family.Config.model_validate(FAMILIES[name])
    draw, layout = np.random.default_rng(0), family.layout(config)
    if name == "image":
        values = draw.integers(0, 256, (rows, *layout.shape)).astype(layout.dtype)
    else:
        codes = code_ids([f"LAB//{number}" for number in range(64)])
        values = np.stack([family.prepare(_window(draw, codes), config)[0].values for _ in range(rows)])
    width = values[0].nbytes
    column = pa.Array.from_buffers(pa.binary(width), rows, [None, pa.py_buffer(np.ascontiguousarray(values))])
    ill = (draw.random(rows) < 0.3).astype(np.float32)
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({"values": column, "ill": ill}), folder / f"{name}.parquet", row_group_size=1024)


def _window(draw: np.random.Generator, codes: Array) -> Window:
    events = int(draw.integers(60, 129))
    hours = np.sort(draw.uniform(0, 48, events))[::-1].astype(np.float32)
    return Window(draw.choice(codes, events), hours, draw.normal(50, 20, events).astype(np.float32))


def read(name: str, folder: Path) -> Data:
    family, task = rooms.family(FAMILIES[name]["name"]), rooms.task("binary")
    config, task_config = family.Config.model_validate(FAMILIES[name]), task.Config.model_validate(TASK)
    table = pq.read_table(folder / f"{name}.parquet").combine_chunks()
    layout = family.layout(config)
    flat = np.frombuffer(table["values"].chunk(0).buffers()[1], layout.dtype)
    values, targets = flat.reshape(table.num_rows, *layout.shape), table["ill"].to_numpy()[:, None]
    summary = family.summarise(family.survey(values, config))
    task_summary = task.summarise(task.survey(targets, task_config), task_config)
    return Data(family, config, task, task_config, values, targets, summary, task_summary)


Batches = Callable[[int], Iterator[tuple[torch.Tensor, torch.Tensor]]]


def loop(data: Data, batches: Batches, epochs: int, rank: int, workers: int) -> dict[str, Any]:
    """The plain loop that people write."""
    network: Any = data.network()
    if workers > 1:
        network = torch.nn.parallel.DistributedDataParallel(network)
    optimizer = torch.optim.AdamW(parameter_groups(network, DECAY), lr=RATE)
    steps = epochs * (len(data.values) // BATCH)
    seconds, busy, step, mean, meters = [], [], 0, 0.0, Meters(DEVICE)
    for epoch in range(epochs):
        started, total = time.perf_counter(), torch.zeros((), device=DEVICE)
        for given in meters.timed(batches(epoch)):
            inputs, targets = (tensor.to(DEVICE, non_blocking=True) for tensor in given)
            for group in optimizer.param_groups:
                group["lr"] = learning_rate(step, steps, RATE, WARMUP)
            loss = data.loss(network(inputs), targets)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), CLIP)
            optimizer.step()
            total, step = total + loss.detach(), step + 1
        mean = float(total) / max(len(data.values) // BATCH, 1)
        seconds.append(time.perf_counter() - started)
        sums = meters.taken()
        busy.append(sums["busy_s"] / sums["looked_s"] if sums["looked_s"] else None)
    return {"epochs": seconds, "loss": mean, "gpu_busy": busy}


def ceiling(data: Data, rank: int, workers: int) -> Batches:
    mine = np.arange(len(data.values) // BATCH * BATCH).reshape(-1, BATCH)[:, rank::workers]
    ready = [(data.inputs(data.values[rows]).to(DEVICE), torch.from_numpy(data.targets[rows])) for rows in mine]
    return lambda epoch: iter(ready)


class Whole(torch.utils.data.Dataset[Any]):
    """Takes the rows of a batch at once."""

    def __init__(self, data: Data) -> None:
        self.data = data

    def __len__(self) -> int:
        return len(self.data.values)

    def __getitem__(self, row: int) -> tuple[Array, Array]:
        return self.data.values[row], self.data.targets[row]

    def __getitems__(self, rows: list[int]) -> tuple[torch.Tensor, torch.Tensor]:
        return self.data.inputs(self.data.values[rows]), torch.from_numpy(self.data.targets[rows])


class OneByOne(torch.utils.data.Dataset[Any]):
    """Takes one row after the other, as tutorials do."""

    def __init__(self, data: Data) -> None:
        self.data = data

    def __len__(self) -> int:
        return len(self.data.values)

    def __getitem__(self, row: int) -> tuple[torch.Tensor, torch.Tensor]:
        return self.data.inputs(self.data.values[row : row + 1])[0], torch.from_numpy(self.data.targets[row])


def loader(data: Data, rank: int, workers: int, dataset: Any, **settings: Any) -> Any:
    sampler = torch.utils.data.DistributedSampler(dataset, workers, rank, shuffle=True, drop_last=True)
    return torch.utils.data.DataLoader(dataset, BATCH // workers, sampler=sampler, drop_last=True, **settings)


def _fed(peer: str, data: Data, rank: int, workers: int) -> Batches:
    if peer == "ceiling":
        return ceiling(data, rank, workers)
    if peer == "loader":
        fed = loader(data, rank, workers, Whole(data), collate_fn=lambda batch: batch)
    else:
        fed = loader(data, rank, workers, OneByOne(data), num_workers=1)

    def batches(epoch: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        fed.sampler.set_epoch(epoch)
        return iter(fed)

    return batches


def rank_of(rank: int, asked: argparse.Namespace, sent: Any) -> None:
    """One process of a plain loop."""
    torch.set_num_threads(max((os.cpu_count() or 1) // asked.workers, 1))
    if asked.workers > 1:
        os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(asked.port))
        if DEVICE.type == "cuda":
            torch.cuda.set_device(rank)
        backend = "nccl" if DEVICE.type == "cuda" else "gloo"
        torch.distributed.init_process_group(backend, rank=rank, world_size=asked.workers)
    data = read(asked.family, asked.data)
    found = loop(data, _fed(asked.peer, data, rank, asked.workers), asked.epochs, rank, asked.workers)
    if rank == 0:
        sent.put(found | {"own_mb": own_bytes() / 1e6})
    if asked.workers > 1:
        torch.distributed.destroy_process_group()


def plain(asked: argparse.Namespace) -> dict[str, Any]:
    sent = processes.get_context("spawn").SimpleQueue()
    processes.spawn(rank_of, (asked, sent), asked.workers)
    found: dict[str, Any] = sent.get()
    return found


def lightning(asked: argparse.Namespace) -> dict[str, Any]:
    import lightning as pl

    data = read(asked.family, asked.data)
    steps = asked.epochs * (len(data.values) // BATCH)
    seconds: list[float] = []

    class Module(pl.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.network = data.network()

        def training_step(self, batch: Any, _: int) -> torch.Tensor:
            return data.loss(self.network(batch[0]), batch[1])

        def configure_optimizers(self) -> Any:
            optimizer = torch.optim.AdamW(parameter_groups(self.network, DECAY), lr=RATE)
            follows = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: learning_rate(step, steps, 1.0, WARMUP))
            return {"optimizer": optimizer, "lr_scheduler": {"scheduler": follows, "interval": "step"}}

        def on_train_epoch_start(self) -> None:
            self.started = time.perf_counter()

        def on_train_epoch_end(self) -> None:
            seconds.append(time.perf_counter() - self.started)

    torch.set_num_threads(max((os.cpu_count() or 1) // asked.workers, 1))
    batches = torch.utils.data.DataLoader(
        Whole(data), BATCH // asked.workers, shuffle=True, drop_last=True, collate_fn=lambda batch: batch
    )
    trainer = pl.Trainer(
        max_epochs=asked.epochs, accelerator="auto", devices=asked.workers,
        strategy="ddp" if asked.workers > 1 else "auto", gradient_clip_val=CLIP, logger=False,
        enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
    )  # fmt: skip
    trainer.fit(Module(), batches)
    if not trainer.is_global_zero:  # this script again, started by the first
        raise SystemExit(0)
    return {"epochs": seconds, "loss": None, "own_mb": own_bytes() / 1e6}


def medray(asked: argparse.Namespace) -> dict[str, Any]:
    """The shard is written from the Parquet file first, as `prepare` leaves it."""
    from medray.engine.fit import fit
    from medray.engine.session import session

    data = read(asked.family, asked.data)
    rows, folder = len(data.values), asked.data / f"run-{os.getpid()}"
    shard = str(folder / "shard.arrow")
    layout = data.family.layout(data.config)
    write_shard(LAKE, shard, [Key(str(row), 1, 0) for row in range(rows)], list(data.values), layout, {})
    places, tuned = np.arange(rows + 2, dtype=np.int32), np.zeros(rows + 2, np.int8)
    places[-2:], tuned[-2:] = 0, 1  # two examples for tuning: all others train, as beside it
    targets = np.concatenate([data.targets, [[0.0], [1.0]]]).astype(np.float32)
    training = Training(
        epochs=asked.epochs, batch_size=BATCH, learning_rate=RATE, weight_decay=DECAY, seed=1, warmup=WARMUP,
        gradient_clip=CLIP, workers=asked.workers,
    )  # fmt: skip
    spec = FitSpec(
        data.family, data.config, data.summary, data.task, data.task_config, data.task_summary, training, LAKE,
        str(folder / "training"),
    )  # fmt: skip
    write_examples(LAKE, spec.examples_uri, Examples((shard,), np.zeros(rows + 2, np.int32), places, tuned, targets))
    del data
    with session(asked.workers + 1, None):
        _, _, history = fit(spec, lambda record: None)
    return {
        "epochs": [record["seconds"] for record in history],
        "loss": history[-1]["loss"],
        "own_mb": history[-1]["host_memory_bytes"] / 1e6,
        "wait": [round(record["wait_share"], 3) for record in history],
        "gpu_busy": [record.get("gpu_busy") for record in history],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("peer", choices=["make", "ceiling", "loader", "rows", "lightning", "medray"])
    parser.add_argument("--family", choices=list(FAMILIES), required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=4096)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--port", type=int, default=29511)
    asked = parser.parse_args()
    if asked.peer == "make":
        make(asked.family, asked.rows, asked.data)
        return
    ways = {"lightning": lightning, "medray": medray}
    print(json.dumps(ways.get(asked.peer, plain)(asked)))


if __name__ == "__main__":
    main()
