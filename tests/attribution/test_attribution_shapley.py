"""SHAP against the exact Shapley values, LIME against a regression by another program."""

from __future__ import annotations

from itertools import combinations
from math import factorial

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge

from medray.attribution.lime import lime
from medray.attribution.methods import Effort, of_parts
from medray.attribution.presence import presence
from medray.attribution.shapley import Value, shapley
from medray.contracts import Array

PARTS = 5


def small_net() -> Value:
    """A dense network of five inputs, by which of them are there instead of 0."""
    torch.manual_seed(3)
    net = torch.nn.Sequential(torch.nn.Linear(PARTS, 16), torch.nn.Tanh(), torch.nn.Linear(16, 1)).requires_grad_(False)
    inputs = 2 * torch.randn(1, PARTS)
    return presence(lambda rows: net(rows)[:, 0], inputs, torch.zeros(1, PARTS), np.arange(PARTS), np.arange(PARTS))


def enumerated(value: Value, parts: int) -> Array:
    """Shapley values by their definition: over all coalitions of the others."""
    out = np.zeros(parts)
    for part in range(parts):
        others = [one for one in range(parts) if one != part]
        for size in range(parts):
            weight = factorial(size) * factorial(parts - size - 1) / factorial(parts)
            for coalition in combinations(others, size):
                masks = np.zeros((2, parts), bool)
                masks[:, list(coalition)] = True
                masks[1, part] = True
                without, with_it = value(masks)
                out[part] += weight * (with_it - without)
    return out


def test_sampled_values_are_the_exact_ones_within_their_standard_errors() -> None:
    value, exact = small_net(), enumerated(small_net(), PARTS)
    found = shapley(value, PARTS, permutations=400, seed=1)
    assert found.standard_errors is not None
    assert np.abs(found.amounts - exact).max() < 0.03 * np.abs(exact).max()
    assert (np.abs(found.amounts - exact) <= 4 * found.standard_errors + 1e-6).all()
    assert found.amounts.sum() == pytest.approx(found.output - float(found.base_value or 0), abs=1e-9)
    assert found.completeness_error is not None
    assert found.completeness_error < 1e-6


def test_pairs_of_parts_are_exact_after_two_orders() -> None:
    """f = 3 a + 4 b c: a gets 3, b and c share 4, d nothing."""
    found = shapley(lambda there: 3.0 * there[:, 0] + 4.0 * there[:, 1] * there[:, 2] + 7.0, 4, 2, seed=5)
    assert found.amounts.tolist() == [3.0, 2.0, 2.0, 0.0]
    assert (found.base_value, found.output) == (7.0, 14.0)


@pytest.mark.parametrize("method", ["shap", "lime"])
def test_an_explanation_is_its_seed_and_its_row(method: str) -> None:
    """The same again, other numbers for another seed, and nothing of a part that is as in the reference."""
    torch.manual_seed(2)
    net = torch.nn.Sequential(torch.nn.Linear(6, 9), torch.nn.Tanh(), torch.nn.Linear(9, 1)).requires_grad_(False)
    inputs, reference = torch.tensor([[1.0, -2.0, 0.0, 1.5, 0.5, 2.0]]), torch.zeros(1, 6)
    of = np.array([0, 0, 1, 2, 3, 4])  # the first two numbers are one part

    def amounts(seed: int) -> Array:
        effort = Effort(steps=8, permutations=4, samples=100, grid=4)
        return of_parts(method, lambda x: net(x)[:, 0], inputs, reference, of, 5, effort, seed).amounts

    assert amounts(1).tolist() == amounts(1).tolist()
    assert amounts(1).tolist() != amounts(2).tolist()
    assert amounts(1)[1] == 0.0
    assert (amounts(1)[[0, 2, 3, 4]] != 0.0).all()


def test_nothing_to_take_away_is_explained_by_nothing() -> None:
    effort = Effort(steps=8, permutations=4, samples=50, grid=4)
    same = torch.ones(1, 3)
    for method in ("shap", "lime"):
        found = of_parts(method, lambda x: x.sum(dim=1), same, same, np.arange(3), 3, effort, 0)
        assert (found.output, found.base_value, found.amounts.tolist()) == (3.0, 3.0, [0.0, 0.0, 0.0])


def test_lime_is_the_weighted_ridge_regression_of_another_program() -> None:
    value, seen = small_net(), []

    def kept(masks: Array) -> Array:
        seen.append((masks, value(masks)))
        return seen[-1][1]

    found = lime(kept, PARTS, samples=300, seed=4)
    (masks, answers), *more = seen
    assert not more
    assert masks[0].all()
    assert set((~masks[1:]).sum(axis=1).tolist()) == {1, 2, 3, 4, 5}
    weights = np.exp(-(((1 - np.sqrt(masks.mean(axis=1))) / 0.25) ** 2))
    weights *= len(masks) / weights.sum()
    other = Ridge(alpha=1.0).fit(masks, answers, weights)
    assert found.amounts == pytest.approx(other.coef_, abs=1e-9)
    assert found.base_value == pytest.approx(other.intercept_, abs=1e-9)
    assert found.fit == pytest.approx(other.score(masks, answers, weights), abs=1e-9)
    assert found.completeness_error is None


def test_lime_of_one_part_is_what_it_adds() -> None:
    found = lime(lambda masks: 1.0 + 2.0 * masks[:, 0], 1, samples=50, seed=1)
    assert (found.output, found.base_value, found.amounts.tolist(), found.fit) == (3.0, 1.0, [2.0], 1.0)
