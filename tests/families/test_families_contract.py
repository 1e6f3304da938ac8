"""What every family x task promises, whatever the room."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, get_args

import numpy as np
import pytest
import torch

from medray import rooms
from medray.contracts import Array, Example, Family, Layout, Sums, Task, Window
from medray.families.ehr import config as ehr
from medray.families.image.config import SMALLEST_SIDE
from medray.families.tabular import config as tabular
from medray.nn.draws import Draws
from medray.ops.code_id import code_ids
from medray.schema.predictions import PREDICTIONS

pytestmark = pytest.mark.usefixtures("one_thread")

STILL = {
    "rotate_degrees": 0, "translate": 0, "scale": 0, "shear_degrees": 0, "flip_horizontal": False,
    "brightness": 0, "contrast": 0, "gamma": 0, "noise": 0, "erase": 0,
}  # fmt: skip
LIVELY = STILL | {"rotate_degrees": 10, "translate": 0.1, "noise": 0.1, "contrast": 0.2}
IMAGE = {
    "name": "image", "size": (32, 32), "channels": 1, "window": "full", "modalities": ["CR"], "frames": "first",
    "min_side": 8, "architecture": "small_cnn", "width": 8, "dropout": 0.0, "augment": LIVELY,
}  # fmt: skip
FAMILIES: dict[str, dict[str, Any]] = {
    "image": IMAGE,
    "image, colour": IMAGE | {"channels": 3, "size": (16, 24)},
    **{f"image, {name}": IMAGE | {"architecture": name, "width": None} for name in ("densenet121", "efficientnet_b0")},
    **{
        f"image, {name}": IMAGE | {"architecture": name, "width": None, "size": (16, 16)}
        for name in ("resnet18", "resnet50")
    },
}
EHR = {
    "name": "ehr", "max_events": 40, "min_events": 1, "vocabulary": 16, "min_count": 1, "hours": 24.0, "width": 16,
    "summary_codes": 8, "members": 1, "dropout": 0.0, "event_dropout": 0.3, "code_dropout": 0.1,
}  # fmt: skip
FAMILIES |= {
    "ehr, gru_d": EHR | {"architecture": "gru_d", "step_hours": 3.0},
    "ehr, transformer": EHR | {"architecture": "transformer", "layers": 2, "heads": 2},
}
TABULAR = {
    "name": "tabular", "columns": [
        {"codes": [f"LAB//{number}" for number in range(6)], "take": ["last", "mean", "hours_since"]},
        {"codes": ["LAB//6", "LAB//7"], "take": ["slope", "count"], "hours": 12},
    ],
    "categories": {"LAB": ["8", "9", "10"]}, "min_events": 1, "width": 16, "layers": 2, "dropout": 0.0,
}  # fmt: skip
FAMILIES |= {
    "tabular, mlp": TABULAR | {"architecture": "mlp"},
    "tabular, ft_transformer": TABULAR | {"architecture": "ft_transformer", "heads": 2},
}
TASKS: dict[str, dict[str, Any]] = {
    "binary": {"kind": "binary", "label": "fracture", "class_weights": True, "threshold": "youden"},
    "multilabel": {
        "kind": "multilabel", "labels": ["fracture", "effusion"], "class_weights": True, "threshold": "accuracy",
    },
    "multiclass": {"kind": "multiclass", "label": "view", "classes": ["ap", "pa", "ll"], "class_weights": True},
    "ordinal": {
        "kind": "ordinal", "label": "stay", "classes": ["days", "a week", "weeks"], "class_weights": True,
        "bounds": [3, 7],
    },
    "regression": {"kind": "regression", "labels": ["rate", "stay"], "loss": "squared", "interval": 0.8},
}  # fmt: skip
ANSWERS = {
    "fracture": [True, False, 1, 0, None, True],
    "effusion": [None, False, False, True, True, None],
    "view": ["ap", "pa", "ll", 0, None, 1],
    "stay": [1.5, 3, 21.0, 6, None, 0.1],
    "rate": [80, 64.5, 71, None, None, 123.0],
}
PYTHON_TYPES = {"bool": bool, "double": float, "int64": int, "string": str}
CPU = torch.device("cpu")


@dataclass(frozen=True)
class Pair:
    """One family and one task with their configs and six prepared examples."""

    family: Family
    family_config: Any
    task: Task
    task_config: Any
    examples: Array
    targets: Array

    def family_summary(self) -> Sums:
        return self.family.summarise(self.family.survey(self.examples, self.family_config))

    def task_summary(self) -> Sums:
        return self.task.summarise(self.task.survey(self.targets, self.task_config), self.task_config)

    def network(self) -> torch.nn.Module:
        torch.manual_seed(7)
        return self.family.build(self.family_config, self.family_summary(), self.task.outputs(self.task_config))

    def inputs(self) -> torch.Tensor:
        return self.family.collate(self.examples, self.family_config, self.family_summary(), CPU)

    def loss(self, logits: torch.Tensor, targets: Array) -> tuple[torch.Tensor, torch.Tensor]:
        return self.task.loss(logits, torch.from_numpy(targets), self.task_config, self.task_summary())

    def logits(self) -> Array:
        with torch.no_grad():
            return self.network().eval()(self.inputs()).numpy()


Prepare = Callable[[Window], Sequence[Example]]


def _random_bytes(layout: Layout, prepare: Prepare) -> Array:
    return np.random.default_rng(3).integers(0, 256, (6, *layout.shape)).astype(layout.dtype)


def _random_windows(layout: Layout, prepare: Prepare) -> Array:
    """Of 10 to 50 events of a dozen codes, two of them static facts."""
    draw, codes = np.random.default_rng(3), code_ids([f"LAB//{number}" for number in range(12)])
    blocks = []
    for events in draw.integers(10, 51, 6):
        hours = np.r_[[np.nan, np.nan], np.sort(draw.uniform(0, 30, events))[::-1]].astype(np.float32)
        values = np.where(draw.random(events + 2) < 0.2, np.nan, draw.normal(50, 20, events + 2)).astype(np.float32)
        blocks.append(prepare(Window(draw.choice(codes, events + 2), hours, values))[0].values)
    return np.stack(blocks)


NOT_AUGMENTED = {"tabular"}
EXAMPLES = {"image": _random_bytes, "ehr": _random_windows, "tabular": _random_windows}


def make(family_name: str, task_name: str) -> Pair:
    family = rooms.family(FAMILIES[family_name]["name"])
    task = rooms.task(task_name)
    config, task_config = family.Config(**FAMILIES[family_name]), task.Config(**TASKS[task_name])
    examples = EXAMPLES[family.name](family.layout(config), lambda window: family.prepare(window, config))
    return Pair(family, config, task, task_config, examples, task.targets(ANSWERS, task_config))


WITH_EVERY_TASK = [name for name in FAMILIES if name in ("image", "image, colour") or not name.startswith("image")]


@pytest.fixture(params=product(WITH_EVERY_TASK, TASKS), ids=" x ".join)
def pair(request: pytest.FixtureRequest) -> Pair:
    return make(*request.param)


@pytest.fixture(params=FAMILIES)
def family_pair(request: pytest.FixtureRequest) -> Pair:
    return make(request.param, "multilabel")


def test_every_room_is_under_this_test() -> None:
    assert {config["name"] for config in FAMILIES.values()} == set(rooms.FAMILIES)
    assert set(TASKS) == set(rooms.TASKS)
    assert all(rooms.family(name).name == name for name in rooms.FAMILIES)
    assert all(rooms.task(name).name == name for name in rooms.TASKS)


def test_every_architecture_is_under_this_test() -> None:
    named = {(config["name"], config["architecture"]) for config in FAMILIES.values()}
    every = {
        "image": SMALLEST_SIDE, "ehr": get_args(ehr.Architecture), "tabular": get_args(tabular.Architecture),
    }  # fmt: skip
    assert named == {(name, architecture) for name, rooms in every.items() for architecture in rooms}


def test_targets_are_float32_with_nan_where_missing(pair: Pair) -> None:
    assert pair.targets.dtype == np.float32
    assert pair.targets.ndim == 2
    assert len(pair.targets) == 6
    assert np.isnan(pair.targets[4, 0])
    assert not np.isnan(pair.targets[0, 0])


def test_family_sums_are_additive(pair: Pair) -> None:
    config, survey = pair.family_config, pair.family.survey
    parts = pair.family.merge(survey(pair.examples[:2], config), survey(pair.examples[2:], config))
    assert parts == survey(pair.examples, config)


def test_task_sums_are_additive(pair: Pair) -> None:
    config, survey = pair.task_config, pair.task.survey
    parts = pair.task.merge(survey(pair.targets[:2], config), survey(pair.targets[2:], config))
    assert parts == survey(pair.targets, config)


def test_inputs_are_float32_and_augmentation_keeps_their_form(pair: Pair) -> None:
    inputs = pair.inputs()
    assert inputs.dtype == torch.float32
    rows = torch.arange(len(inputs))
    drawn = [Draws(seed, 0, rows) for seed in (1, 1, 2)]
    first, again, other = (pair.family.augment(inputs.clone(), pair.family_config, draws) for draws in drawn)
    assert first.shape == inputs.shape
    assert first.dtype == inputs.dtype
    assert torch.equal(first, again)
    assert torch.equal(first, other) == (pair.family.name in NOT_AUGMENTED)


def test_logits_and_loss_have_the_right_form(pair: Pair) -> None:
    logits = pair.network().train()(pair.inputs())
    assert logits.shape == (6, pair.task.outputs(pair.task_config))
    total, count = pair.loss(logits, pair.targets)
    assert total.shape == count.shape == ()
    assert torch.isfinite(total)
    assert total > 0
    assert count == np.count_nonzero(~np.isnan(pair.targets))


def test_gradients_reach_every_parameter(family_pair: Pair) -> None:
    network = family_pair.network().train()
    family_pair.loss(network(family_pair.inputs()), family_pair.targets)[0].backward()
    without = [name for name, value in network.named_parameters() if value.grad is None or not value.grad.any()]
    assert without == []
    assert all(torch.isfinite(value.grad).all() for value in network.parameters() if value.grad is not None)


def test_loss_is_additive_over_examples(pair: Pair) -> None:
    logits = torch.from_numpy(pair.logits())
    parts = [pair.loss(logits[part], pair.targets[part]) for part in (slice(0, 2), slice(2, 6))]
    total, count = pair.loss(logits, pair.targets)
    assert sum(part[0] for part in parts) == pytest.approx(float(total), rel=1e-5)
    assert sum(int(part[1]) for part in parts) == int(count)


def test_masked_labels_change_nothing(pair: Pair) -> None:
    logits = pair.logits()
    masked = np.full_like(pair.targets[:2], np.nan)
    more_logits, more_targets = np.r_[logits, logits[:2] + 5.0], np.r_[pair.targets, masked]
    without, with_masked = torch.from_numpy(logits), torch.from_numpy(more_logits).requires_grad_()
    total, count = pair.loss(with_masked, more_targets)
    total.backward()
    expected = pair.loss(without, pair.targets)
    assert (float(total.detach()), int(count)) == (pytest.approx(float(expected[0]), rel=1e-6), int(expected[1]))
    assert with_masked.grad is not None
    assert not with_masked.grad[-2:].any()
    assert torch.isfinite(with_masked.grad).all()
    assert pair.task.survey(more_targets, pair.task_config) == pair.task.survey(pair.targets, pair.task_config)
    calibrate = pair.task.calibrate
    assert calibrate(more_logits, more_targets, pair.task_config) == calibrate(logits, pair.targets, pair.task_config)


def test_all_labels_masked_is_a_loss_of_zero(pair: Pair) -> None:
    total, count = pair.loss(torch.from_numpy(pair.logits()), np.full_like(pair.targets, np.nan))
    assert (float(total.detach()), int(count)) == (0.0, 0)


def _learns_four_examples(pair: Pair, learning_rate: float) -> bool:
    """The loss of four examples stays below 0.1 nats for two steps, within 60 steps."""
    inputs, targets, network = pair.inputs()[:4], pair.targets[:4], pair.network().train()
    optimiser = torch.optim.AdamW(network.parameters(), lr=learning_rate)
    previous = float("inf")
    for _ in range(60):
        total, count = pair.loss(network(inputs), targets)
        mean = total / count
        if max(previous, mean.item()) < 0.1:
            return True
        previous = mean.item()
        optimiser.zero_grad()
        mean.backward()
        optimiser.step()
    return False


def test_each_task_can_learn_four_examples(pair: Pair) -> None:
    assert _learns_four_examples(pair, 1e-2)


@pytest.mark.parametrize("name", [name for name, config in FAMILIES.items() if config["width"] is None])
def test_each_network_can_learn_four_examples(name: str) -> None:
    assert _learns_four_examples(make(name, "binary"), 1e-3)


def test_decode_gives_prediction_columns_in_order(pair: Pair) -> None:
    logits = pair.logits()
    calibration = pair.task.calibrate(logits, pair.targets, pair.task_config)
    decoded = pair.task.decode(logits, pair.task_config, calibration)
    assert tuple(decoded) == pair.task.questions(pair.task_config)
    for columns in decoded.values():
        assert set(columns) <= set(PREDICTIONS.schema.names)
        for name, values in columns.items():
            kind = PYTHON_TYPES[str(PREDICTIONS.schema.field(name).type)]
            assert len(values) == 6
            assert all(type(value) is kind for value in values), name
    backwards = pair.task.decode(logits[::-1], pair.task_config, calibration)
    for label, columns in decoded.items():
        assert backwards[label] == {name: values[::-1] for name, values in columns.items()}


def test_everything_survives_pickle(pair: Pair) -> None:
    again = pickle.loads(pickle.dumps(pair))
    assert again.family == pair.family
    assert again.task == pair.task
    assert again.family_config == pair.family_config
    assert np.array_equal(again.logits(), pair.logits())


def test_build_is_fixed_by_the_seed(family_pair: Pair) -> None:
    first, second = family_pair.network().state_dict(), family_pair.network().state_dict()
    assert list(first) == list(second)
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_prepare_key_is_json_and_ignores_the_network(pair: Pair) -> None:
    other = pair.family_config.model_copy(update={"dropout": 0.7})
    assert pair.family.prepare_key(other) == pair.family.prepare_key(pair.family_config)
