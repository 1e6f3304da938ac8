"""Shapley values of parts: what each adds, averaged over the orders in which parts may come."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from medray.attribution.explanation import Explanation
from medray.contracts import Array

Value = Callable[[Array], Array]  # bool (M, P), the parts that are there -> float64 (M,)
MOST_CELLS = 2**22  # of masks in memory at once


def shapley(value: Value, parts: int, permutations: int, seed: int) -> Explanation:
    """Sampled Shapley values (Castro, Gomez and Tejada, Computers & Operations Research 2009) of pairs
    of an order and its reverse (Mitchell et al., JMLR 2022), with respect to one reference: "baseline
    Shapley" (Sundararajan and Najmi, ICML 2020), which SHAP estimates for one background example.

    In each order the amounts sum up to the whole change, so they do after any number of orders.
    Effects of single parts and of pairs of parts are exact after two orders; of larger groups
    `standard_errors`, over the pairs, tell how sure the average is (NaN for one pair).

    Args:
        permutations: orders, an even number.
    """
    base, output = (float(one) for one in value(np.stack([np.zeros(parts, bool), np.ones(parts, bool)])))
    rng = np.random.default_rng(seed)
    pairs = permutations // 2
    found = np.zeros((pairs, parts))
    at_once = max(1, MOST_CELLS // max(2 * parts * parts, 1))
    for start in range(0, pairs if parts else 0, at_once):
        orders = np.stack([rng.permutation(parts) for _ in range(min(at_once, pairs - start))])
        added = _added(value, np.concatenate([orders, orders[:, ::-1]]), base, output)
        found[start : start + len(orders)] = added.reshape(2, len(orders), parts).mean(axis=0)
    spread = found.std(axis=0, ddof=1) / np.sqrt(pairs) if pairs > 1 else np.full(parts, np.nan)
    looked_at = 2 + 2 * pairs * max(parts - 1, 0)
    return Explanation(output, base, found.mean(axis=0), spread, complete=True, evaluations=looked_at)


def _added(value: Value, orders: Array, base: float, output: float) -> Array:
    """float64 (O, P): what each part adds when it comes, of orders (O, P)."""
    count, parts = orders.shape
    place = np.argsort(orders, axis=1)  # of each part in its order
    masks = place[:, None, :] < np.arange(1, parts)[None, :, None]
    between = value(masks.reshape(-1, parts)).reshape(count, parts - 1)
    steps = np.concatenate([np.full((count, 1), base), between, np.full((count, 1), output)], axis=1)
    return np.take_along_axis(np.diff(steps, axis=1), place, axis=1)
