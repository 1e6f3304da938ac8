"""Numbers of a row: by its seed alone, evenly spread, and as independent as a user can see."""

from __future__ import annotations

import numpy as np
import torch
from scipy.stats import kstest

from medray.nn.draws import Draws, _mixed


def test_the_mixer_is_splitmix64() -> None:
    # Steele, Lea and Flood (2014): the first outputs of the generator with seed 0, as its authors' C code gives them.
    golden = 0x9E3779B97F4A7C15 - 2**64
    states = torch.tensor([1, 2, 3]) * golden
    found = [int(value) % 2**64 for value in _mixed(states)]
    assert found == [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]


def test_a_row_draws_the_same_in_any_batch() -> None:
    whole = Draws(7, 3, torch.arange(10))
    part = Draws(7, 3, torch.tensor([8, 1]))
    for _ in range(2):
        assert torch.equal(whole.uniform(4)[[8, 1]], part.uniform(4))
        assert torch.equal(whole.normal(2, 3)[[8, 1]], part.normal(2, 3))


def test_calls_rows_epochs_and_seeds_differ() -> None:
    draws = Draws(7, 3, torch.arange(3))
    drawn = [draws.uniform(64), draws.uniform(64), Draws(7, 4, torch.arange(3)).uniform(64)]
    drawn += [Draws(8, 3, torch.arange(3)).uniform(64), Draws(3, 7, torch.arange(3)).uniform(64)]
    rows = torch.cat(drawn)
    assert len({tuple(row.tolist()) for row in rows}) == 15
    correlations = np.corrcoef(rows.numpy()) - np.eye(15)
    assert np.abs(correlations).max() < 0.5  # 64 numbers: 0.125 is one standard error


def test_numbers_are_spread_as_said() -> None:
    uniform = Draws(1, 0, torch.arange(2000)).uniform(50)
    assert 0.0 <= float(uniform.min()) < float(uniform.max()) < 1.0
    assert kstest(uniform.flatten().numpy(), "uniform").pvalue > 1e-3
    assert kstest(uniform[:, 0].numpy(), "uniform").pvalue > 1e-3  # across rows as along them
    normal = Draws(1, 0, torch.arange(2000)).normal(51)  # an odd number: half of a pair is left over
    assert normal.shape == (2000, 51)
    assert kstest(normal.flatten().numpy(), "norm").pvalue > 1e-3
    assert abs(float(np.corrcoef(normal[:, 0].numpy(), normal[:, 26].numpy())[0, 1])) < 0.1  # the halves of a pair
