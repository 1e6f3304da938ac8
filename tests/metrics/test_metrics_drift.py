from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ks_2samp

from medray.metrics.drift import drift


def test_psi_by_hand() -> None:
    # half a count more a bin: (80.5, 20.5) / 101 and (50.5, 50.5) / 101
    p, q = np.array([80.5, 20.5]) / 101, np.array([50.5, 50.5]) / 101
    assert drift([80, 20], [50, 50], ordered=False).psi == pytest.approx(((q - p) * np.log(q / p)).sum())


def test_the_same_shares_are_no_drift() -> None:
    found = drift([100, 300, 600], [10, 30, 60], ordered=True)
    assert found.psi < 0.01
    assert found.ks == pytest.approx(0.0, abs=1e-12)
    assert min(found.psi_p, found.ks_p) > 0.9


def test_ks_is_the_largest_distance_of_cumulative_shares() -> None:
    rng = np.random.default_rng(1)
    one, other = rng.normal(0, 1, 500), rng.normal(0.5, 1, 80)
    edges = np.linspace(-6, 6, 4001)
    found = drift(np.histogram(one, edges)[0].tolist(), np.histogram(other, edges)[0].tolist(), ordered=True)
    right = ks_2samp(one, other)
    assert found.ks == pytest.approx(right.statistic, abs=0.01)
    assert right.pvalue < found.ks_p < 3 * right.pvalue  # the asymptotic one, and never the smaller


def test_chance_alone_is_rarely_far() -> None:
    """Of 400 small nights of the reference's own distribution about 1% have a p below 0.01."""
    rng = np.random.default_rng(2)
    edges = np.linspace(-4, 4, 41)
    reference = np.histogram(rng.normal(size=5000), edges)[0].tolist()
    nights = [np.histogram(rng.normal(size=60), edges)[0].tolist() for _ in range(400)]
    found = [drift(reference, night, ordered=True) for night in nights]
    assert np.mean([one.psi > 0.25 for one in found]) > 0.02  # the index alone would hold these nights
    assert np.mean([one.psi_p < 0.01 for one in found]) < 0.03
    assert np.mean([one.ks_p < 0.01 for one in found]) < 0.03


def test_frames_of_few_inputs_prove_less() -> None:
    many = drift([500, 500], [90, 10], ordered=True)
    few = drift([500, 500], [90, 10], ordered=True, inputs=5)
    assert few.psi == many.psi
    assert few.psi_p > many.psi_p


def test_categories_have_no_cumulative_distance() -> None:
    found = drift([50, 50], [100, 0], ordered=False)
    assert (found.ks, found.ks_p) == (0.0, 1.0)
    assert found.psi > 1


def test_sparse_bins_are_merged_to_a_tenth_of_the_reference() -> None:
    """A thousand bins with one reference value each would make a PSI of anything."""
    reference, tonight = [1] * 1000, [1 if place % 10 == 0 else 0 for place in range(1000)]
    assert drift(reference, tonight, ordered=True).psi < 0.01
