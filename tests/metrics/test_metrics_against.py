"""Two models on the same rows: DeLong's test pair by pair, McNemar's against scipy's binomial test."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn.metrics import roc_auc_score

from medray.metrics.against import against, delong, mcnemar
from medray.metrics.bootstrap import Resampling
from medray.metrics.measures import Measured, yes_no

DRAWS = Resampling(300, 1, 0.95)


def by_pairs(first: np.ndarray, second: np.ndarray, positive: np.ndarray) -> tuple[float, float]:
    """Difference and variance as the paper writes them, over all pairs of a positive and a negative."""
    kernels = []
    for scores in (first, second):
        x, y = scores[positive][:, None], scores[~positive][None, :]
        kernels.append((x > y) + 0.5 * (x == y))
    ten, one = (np.cov([kernel.mean(axis=axis) for kernel in kernels]) for axis in (1, 0))
    m, n = positive.sum(), (~positive).sum()
    covariance = ten / m + one / n
    contrast = np.array([1.0, -1.0])
    return float(kernels[0].mean() - kernels[1].mean()), float(contrast @ covariance @ contrast)


@pytest.mark.parametrize("digits", [1, 9])
def test_delong_is_the_variance_over_all_pairs(digits: int) -> None:
    rng = np.random.default_rng(3)
    positive = rng.random(80) < 0.3
    first, second = (np.round(positive + rng.normal(0, spread, 80), digits) for spread in (1.0, 1.5))
    found = delong(first, second, positive)
    difference, variance = by_pairs(first, second, positive)
    assert found.difference == pytest.approx(difference)
    assert found.difference == pytest.approx(roc_auc_score(positive, first) - roc_auc_score(positive, second))
    assert found.standard_error == pytest.approx(np.sqrt(variance))


def test_delong_holds_its_level() -> None:
    rng = np.random.default_rng(4)
    positive = np.arange(120) < 60
    rejected = 0
    for _ in range(300):
        shared = positive + rng.normal(0, 1, 120)
        rejected += delong(shared + rng.normal(0, 1, 120), shared + rng.normal(0, 1, 120), positive).p < 0.05
    assert 5 <= rejected <= 27  # 15 expected of 300; four standard deviations


@pytest.mark.parametrize(("first", "second"), [(0, 0), (1, 5), (9, 3), (7, 7), (0, 6)])
def test_mcnemar_is_the_binomial_test(first: int, second: int) -> None:
    expected = binomtest(first, first + second).pvalue if first + second else 1.0
    assert mcnemar(first, second) == pytest.approx(expected)


def two(rows: int = 200) -> tuple[Measured, Measured]:
    rng = np.random.default_rng(5)
    truth = (rng.random(rows) < 0.4).astype(float)
    good, poor = (np.clip(0.5 + 0.3 * (truth - 0.5) + rng.normal(0, spread, rows), 0, 1) for spread in (0.1, 0.4))
    truth[:3] = np.nan
    return yes_no("a", good, truth, good >= 0.5), yes_no("a", poor, truth, poor >= 0.5)


def test_a_better_model_is_found_by_every_test() -> None:
    lines = {line["metric"]: line for line in against(*two(), np.arange(200), DRAWS)}
    assert set(lines) == {"auroc", "auprc", "sensitivity", "specificity", "ppv", "brier"}
    area = lines["auroc"]
    assert (area["verdict"], area["n"]) == ("better", 197)
    assert area["delong"]["difference"] == pytest.approx(area["difference"]["value"])
    assert area["delong"]["p"] < 0.001
    assert area["model"] - area["other"] == pytest.approx(area["difference"]["value"])
    found = lines["sensitivity"]["mcnemar"]
    positives = two()[0].positive
    assert positives is not None
    gained = (found["only_model"] - found["only_other"]) / positives[3:].sum()
    assert gained == pytest.approx(lines["sensitivity"]["difference"]["value"])
    assert lines["brier"]["verdict"] == "better"
    assert lines["brier"]["difference"]["value"] < 0


def test_tests_of_independent_rows_are_not_given_where_subjects_have_several() -> None:
    lines = {line["metric"]: line for line in against(*two(), np.arange(200) // 2, DRAWS)}
    assert "not independent" in lines["auroc"]["delong"]["reason"]
    assert "not independent" in lines["specificity"]["mcnemar"]["reason"]
    assert lines["auroc"]["p"] is not None


def test_a_model_against_itself_differs_in_nothing() -> None:
    good, _ = two()
    lines = {line["metric"]: line for line in against(good, good, np.arange(200), DRAWS)}
    assert lines["auroc"]["delong"] == {"reason": "both models rank all pairs alike"}
    assert {line["verdict"] for line in lines.values()} == {"no better"}
    assert lines["sensitivity"]["mcnemar"]["p"] == 1.0
