"""What stands for nothing is what an input that says nothing becomes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from medray import rooms
from medray.contracts import Array, Window
from medray.ops.code_id import code_id, code_trait

CPU = torch.device("cpu")
NAN = float("nan")
TABULAR = {
    "name": "tabular", "columns": [{"codes": ["HR", "K"], "take": ["last"]}], "categories": {"SEX": ["F", "M"]},
    "min_events": 0, "architecture": "mlp", "width": 4, "layers": 1, "dropout": 0.0,
}  # fmt: skip
EHR = {
    "name": "ehr", "max_events": 6, "min_events": 0, "vocabulary": 2, "min_count": 1, "hours": 24.0, "width": 8,
    "architecture": "gru_d", "step_hours": 6.0, "summary_codes": 0, "members": 1, "dropout": 0.0, "event_dropout": 0.0,
}  # fmt: skip
STILL = dict.fromkeys(
    ("rotate_degrees", "translate", "scale", "shear_degrees", "brightness", "contrast", "gamma", "noise", "erase"), 0
)
IMAGE = {
    "name": "image", "size": (8, 8), "channels": 1, "window": "full", "modalities": ["CR"], "frames": "first",
    "min_side": 8, "architecture": "small_cnn", "width": 4, "dropout": 0.0,
    "augment": STILL | {"flip_horizontal": False},
}  # fmt: skip


def referred(recipe: dict[str, Any], learnt: Array, example: Array, word: str) -> tuple[Any, Any, Any]:
    """(the reference, a function that collates an example, the parts)."""
    family = rooms.family(recipe["name"])
    config = family.Config(**recipe)
    summary = family.summarise(family.survey(learnt, config))

    def collated(one: Array) -> Any:
        return family.collate(one[None], config, summary, CPU)

    assert word in family.references
    parts = family.parts(example, config, summary) if family.parts else None
    return family.reference(collated(example), config, summary, word), collated, parts


def test_a_black_image_is_black_and_a_mean_one_has_the_mean_of_training() -> None:
    images = np.random.default_rng(0).integers(0, 256, (4, 1, 8, 8)).astype(np.uint8)
    black, collated, parts = referred(IMAGE, images, images[0], "black")
    assert torch.allclose(black, collated(np.zeros((1, 8, 8), np.uint8)), atol=1e-6)
    mean, _, _ = referred(IMAGE, np.full((4, 1, 8, 8), 100, np.uint8), images[0], "mean")
    assert mean.abs().max() == 0.0
    assert parts is None


def test_a_missing_row_is_one_without_any_number_and_a_mean_one_has_the_means() -> None:
    rows = np.array([[60, NAN, 1], [80, 4, 0], [100, 5, 0]], np.float32)
    missing, collated, parts = referred(TABULAR, rows, rows[0], "missing")
    # HR was never missing in training: the network knows no other word for it than the mean
    assert missing.tolist() == collated(np.full(3, NAN, np.float32)).tolist() == [[0, 0, 0, 1, 0, 0]]
    mean, _, _ = referred(TABULAR, rows, rows[0], "mean")
    assert mean.tolist() == collated(np.array([80, 4.5, NAN], np.float32)).tolist() == [[0] * 6]
    assert parts.names == ("last of HR", "last of K", "SEX")
    assert parts.values.tolist()[0::2] == [60.0, 1.0]
    assert parts.of.tolist() == [0, 1, 0, 1, 2, 2]


def window(*events: tuple[str, float, float]) -> Array:
    family = rooms.family("ehr")
    codes, hours, values = zip(*events, strict=True) if events else ((), (), ())
    made = Window(np.array([code_id(code) for code in codes], np.int64), np.float32(hours), np.float32(values))
    block: Array = family.prepare(made, family.Config(**EHR))[0].values
    return block


@pytest.mark.parametrize("word", ["missing", "median"])
def test_of_a_window_all_events_go_or_the_values_become_ordinary(word: str) -> None:
    learnt = np.stack([window(("HR", 3, value), ("SEX//F", NAN, NAN), ("HR", 1, value)) for value in (60, 70, 90)])
    example = window(("SEX//F", NAN, NAN), ("HR", 5, 90), ("RARE", 4, 1), ("HR", 2, 60))
    found, collated, parts = referred(EHR, learnt, example, word)
    if word == "missing":
        assert found.tolist() == collated(window()).tolist()
    else:
        ordinary = collated(window(("HR", 5, 70), ("HR", 2, 70)))
        assert found[0][found[0, :, 0] > 0].tolist() == ordinary[0][ordinary[0, :, 0] > 0].tolist()
    # the rare code is none of the vocabulary: it adds nothing, and is no part
    assert sorted(parts.names) == sorted(code_trait(code_id(code)) for code in ("HR", "SEX//F"))
    last = dict(zip(parts.names, parts.values.tolist(), strict=True))
    assert last[code_trait(code_id("HR"))] == 60.0
    assert np.isnan(last[code_trait(code_id("SEX//F"))])
    assert parts.of.shape == tuple(found.shape[1:])
    heart, of = parts.names.index(code_trait(code_id("HR"))), parts.of[:, 0]
    assert [at for at in range(4) if of[at] == heart and collated(example)[0, at, 0] > 0] == [1, 3]
