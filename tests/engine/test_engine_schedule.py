"""Order, learning rate and averages of a training, by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from medray.engine.optimizer import load_optimizer, make_optimizer, parameter_groups
from medray.engine.schedule import (
    average,
    balanced,
    epoch_batches,
    learning_rate,
    numbered,
    parts_of,
    share_of,
    shuffled,
    steps_per_epoch,
)


def ranks_of(index: np.ndarray, batch_size: int, workers: int) -> list[list[np.ndarray]]:
    batches = list(epoch_batches(shuffled(index, 7, 0), batch_size, workers))
    return [[share_of(batch, rank, workers) for batch in batches] for rank in range(workers)]


def test_ranks_share_one_permutation_without_overlap() -> None:
    index = np.arange(100, 120)
    ranks = ranks_of(index, 8, 2)
    assert [len(batches) for batches in ranks] == [2, 2]  # 20 examples are two batches of 8; 4 wait for another epoch
    for first, second in zip(*ranks, strict=True):
        assert len(first) == len(second) == 4
        assert not set(first) & set(second)
    seen = np.concatenate([*ranks[0], *ranks[1]])
    assert len(set(seen)) == 16
    assert set(seen) <= set(index)


def test_the_global_batch_does_not_depend_on_the_number_of_workers() -> None:
    (alone,) = ranks_of(np.arange(32), 8, 1)
    pair = ranks_of(np.arange(32), 8, 2)
    assert [set(batch) for batch in alone] == [set(a) | set(b) for a, b in zip(*pair, strict=True)]


def test_epochs_and_seeds_differ_and_repeat() -> None:
    def order(seed: int, epoch: int) -> list[int]:
        found: list[int] = shuffled(np.arange(64), seed, epoch).tolist()
        return found

    assert order(1, 0) == order(1, 0)
    assert order(1, 0) != order(1, 1)
    assert order(1, 0) != order(2, 0)
    assert sorted(order(1, 0)) == list(range(64))


def test_fewer_examples_than_a_batch_are_one_even_batch() -> None:
    ranks = ranks_of(np.arange(5), 8, 2)
    assert [len(batch) for rank in ranks for batch in rank] == [2, 2]
    assert steps_per_epoch(5, 8) == 1
    assert steps_per_epoch(20, 8) == 2


def test_balanced_answers_come_equally_often() -> None:
    answers = np.array([1.0] * 10 + [0.0] * 3 + [2.0] + [np.nan] * 4)
    order = balanced(np.arange(100, 118), answers, 7, 0)
    assert len(order) == 18
    times = np.bincount(order - 100, minlength=18)
    assert [times[:10].sum(), times[10:13].sum(), times[13], times[14:].sum()] == [6, 6, 6, 0]
    assert times[:10].max() == 1  # no frequent answer twice while others wait
    assert times[10:13].tolist() == [2, 2, 2]
    assert order.tolist() != balanced(np.arange(100, 118), answers, 7, 1).tolist()
    assert order.tolist() == balanced(np.arange(100, 118), answers, 7, 0).tolist()


def test_learning_rate_warms_up_and_falls_to_zero() -> None:
    rates = [learning_rate(step, 10, 1.0, 0.2) for step in range(11)]
    assert rates[:2] == [0.5, 1.0]  # two steps of warm-up
    assert rates[2] == 1.0  # the cosine begins at the peak
    assert rates[6] == pytest.approx(0.5)  # half-way: cos(pi / 2) = 0
    assert rates[10] == pytest.approx(0.0)
    assert learning_rate(0, 10, 1.0, 0.0) == 1.0


def test_average_moves_by_one_minus_decay() -> None:
    model = torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.constant_(model.weight, 1.0)
    running = {"weight": torch.zeros(1, 1)}
    average(running, model, decay=0.5, step=0)  # the decay of step 0 is 1 / 10
    assert running["weight"].item() == pytest.approx(0.9)
    average(running, model, decay=0.5, step=1000)
    assert running["weight"].item() == pytest.approx(0.95)


def test_average_copies_counters() -> None:
    model = torch.nn.BatchNorm1d(2)
    running = {name: value.clone() for name, value in model.state_dict().items()}
    model(torch.randn(4, 2))
    average(running, model, decay=0.9, step=5)
    assert running["num_batches_tracked"].item() == 1


def test_only_matrices_decay() -> None:
    model = torch.nn.Sequential(
        torch.nn.Conv2d(1, 2, 3), torch.nn.BatchNorm2d(2), torch.nn.Flatten(), torch.nn.Linear(2, 1)
    )
    heavy, light = parameter_groups(model, 0.1)
    assert (heavy["weight_decay"], light["weight_decay"]) == (0.1, 0.0)
    assert [tuple(p.shape) for p in heavy["params"]] == [(2, 1, 3, 3), (1, 2)]  # type: ignore[attr-defined]
    assert len(light["params"]) == 4  # type: ignore[arg-type]


def test_rows_that_come_again_have_names_of_their_own() -> None:
    assert numbered(np.array([3, 1, 3, 3, 1]), 10).tolist() == [3, 1, 13, 23, 11]
    assert numbered(np.array([4, 2]), 10).tolist() == [4, 2]


@pytest.mark.parametrize(
    ("batch", "workers", "accumulate", "parts"), [(64, 2, 4, 4), (40, 2, 64, 20), (2, 2, 4, 1), (1, 1, 4, 1)]
)
def test_no_part_of_a_batch_is_empty(batch: int, workers: int, accumulate: int, parts: int) -> None:
    assert parts_of(batch, workers, accumulate) == parts


def test_a_loaded_optimizer_lies_in_memory_as_its_parameters_do() -> None:
    """As after an uninterrupted training: other strides would take other, slower kernels."""
    model = torch.nn.Conv2d(3, 4, 3).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    settings = type("Settings", (), {"weight_decay": 0.01, "optimizer": "adamw", "learning_rate": 0.1})
    first, second = make_optimizer(model, settings), make_optimizer(model, settings)
    model(torch.ones(2, 3, 5, 5)).sum().backward()
    first.step()
    state = first.state_dict()
    for values in state["state"].values():
        values |= {name: value.contiguous() for name, value in values.items()}  # as a checkpoint stores it
    load_optimizer(second, state)
    kernel = model.weight
    assert kernel.stride() == (27, 1, 9, 3)
    assert second.state[kernel]["exp_avg"].stride() == kernel.stride()
    torch.testing.assert_close(second.state[kernel]["exp_avg"], first.state[kernel]["exp_avg"], rtol=0, atol=0)
    assert second.state[kernel]["step"] == 1
