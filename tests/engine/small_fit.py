"""A training of seconds in one process: records of three numbers, of which one says the answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from medray import rooms
from medray.contracts import Window
from medray.engine.examples import Examples, write_examples
from medray.engine.loop import Fit, FitSpec
from medray.ops.code_id import code_ids
from medray.recipes.train import Training
from medray.storage.shards import Key, write_shard
from medray.storage.store import LAKE

CODES = ("A", "B", "C")
FAMILY: dict[str, Any] = {
    "name": "tabular", "columns": [{"codes": list(CODES), "take": ["last"]}], "min_events": 1, "architecture": "mlp",
    "width": 8, "layers": 2, "dropout": 0.2,
}  # fmt: skip
TASK: dict[str, Any] = {"kind": "binary", "label": "ill", "class_weights": False, "threshold": "youden"}
TRAINING: dict[str, Any] = {
    "epochs": 4, "batch_size": 8, "learning_rate": 0.01, "weight_decay": 0.01, "seed": 3, "ema": 0.9,
    "checkpoint_s": 1000,
}  # fmt: skip


def spec_in(folder: Path, *, rows: int = 60, positive: float = 0.5, **training: Any) -> FitSpec:
    """A spec whose examples stand: A above 0 is ill; a fifth of the rows are for tuning."""
    family, task = rooms.family("tabular"), rooms.task("binary")
    config, task_config = family.Config(**FAMILY), task.Config(**TASK)
    draw = np.random.default_rng(1)
    ill = draw.random(rows) < positive
    numbers = draw.normal(0, 1, (rows, 3)).astype(np.float32)
    numbers[:, 0] = np.abs(numbers[:, 0]) * np.where(ill, 1, -1)
    windows = [Window(code_ids(CODES), np.ones(3, np.float32), values) for values in numbers]
    values = [family.prepare(window, config)[0].values for window in windows]
    shard = str(folder / "shard.arrow")
    write_shard(LAKE, shard, [Key(str(n), 1, 0) for n in range(rows)], values, family.layout(config), {})
    split = (np.arange(rows) % 5 == 0).astype(np.int8)
    examples = Examples(
        (shard,), np.zeros(rows, np.int32), np.arange(rows, dtype=np.int32), split, ill[:, None].astype(np.float32)
    )
    spec = FitSpec(
        family, config, family.summarise(family.survey(np.stack(values), config)),
        task, task_config, task.summarise(task.survey(examples.targets, task_config), task_config),
        Training(**TRAINING | training), LAKE, str(folder / "training"), threads=1,
    )  # fmt: skip
    write_examples(LAKE, spec.examples_uri, examples)
    return spec


def trained(spec: FitSpec) -> Fit:
    """A training from where its folder stands to its end."""
    fit = Fit(spec, torch.device("cpu"))
    while not fit.done():
        fit.epoch()
    fit.finish()
    return fit


def curve(fit: Fit) -> list[tuple[float, float]]:
    return [(record["loss"], record["tuning_loss"]) for record in fit.progress.history]
