"""A row's score does not depend on the rows beside it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from medray import rooms
from medray.engine.infer import BATCH, Network
from medray.errors import ModelError

SIZE = max(BATCH.values())

CONFIG = {
    "name": "image", "size": [16, 16], "channels": 1, "window": "full", "modalities": ["CR"], "frames": "single",
    "min_side": 8, "architecture": "small_cnn", "width": 4, "dropout": 0.5,
    "augment": {"rotate_degrees": 0, "translate": 0, "scale": 0, "shear_degrees": 0, "flip_horizontal": False,
                "brightness": 0, "contrast": 0, "gamma": 0, "noise": 0, "erase": 0},
}  # fmt: skip


def _network() -> tuple[Network, np.ndarray]:
    family = rooms.family("image")
    config = family.Config.model_validate(CONFIG)
    values = np.random.default_rng(1).integers(0, 256, (SIZE + 5, 1, 16, 16), dtype=np.uint8)
    summary = family.summarise(family.survey(values, config))
    torch.manual_seed(1)
    weights = {name: value.numpy() for name, value in family.build(config, summary, 2).state_dict().items()}
    return Network(family, config, summary, 2, weights), values


def test_logits_are_the_same_bits_in_any_company() -> None:
    network, values = _network()
    everything = network.logits(np.arange(len(values)), lambda rows: values[rows])
    assert everything.shape == (SIZE + 5, 2)
    for row in (0, 3, SIZE, SIZE + 4):
        alone = network.logits(np.array([row]), lambda rows: values[rows])
        assert np.array_equal(alone[0], everything[row])
    assert len({tuple(row) for row in everything.tolist()}) == SIZE + 5


def test_no_rows_give_no_logits() -> None:
    network, values = _network()
    assert network.logits(np.array([], np.int64), lambda rows: values[rows]).shape == (0, 2)


def test_weights_of_another_network_are_refused() -> None:
    family = rooms.family("image")
    config = family.Config.model_validate(CONFIG)
    with pytest.raises(ModelError, match="1 tensors that do not fit"):
        Network(family, config, {"mean": [0.0], "std": [1.0]}, 1, {"wrong": np.zeros(3, np.float32)})
