"""Temperature and bias on tuning logits."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, softmax

from medray.tasks import bernoulli, multiclass
from medray.tasks.calibration import Calibration, fit, identity
from medray.tasks.config import MulticlassConfig

CONFIG = MulticlassConfig(kind="multiclass", label="v", classes=("a", "b", "c"), class_weights=True)


def test_two_scores_are_calibrated_to_their_frequencies() -> None:
    # 1 of 4 yes at logit -1, 3 of 4 at logit 1, a thousand times over: p = sigmoid(z log 3)
    logits = np.repeat([-1.0, -1.0, -1.0, -1.0, 1.0, 1.0, 1.0, 1.0], 1000)[:, None]
    targets = np.repeat([0, 0, 0, 1, 0, 1, 1, 1], 1000)[:, None].astype(np.float32)
    found = bernoulli.calibrate(logits, targets, "youden")
    assert found["temperature"] == [pytest.approx(1 / np.log(3), rel=1e-2)]
    assert found["bias"] == [pytest.approx(0.0, abs=1e-3)]


def test_temperature_and_bias_are_recovered() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 4, (20000, 1))
    targets = (rng.random((20000, 1)) < expit(logits / 2.5 - 0.8)).astype(np.float32)
    found = bernoulli.calibrate(logits, targets, "youden")
    assert found["temperature"] == [pytest.approx(2.5, rel=0.05)]
    assert found["bias"] == [pytest.approx(-0.8, abs=0.05)]


def test_class_biases_are_recovered() -> None:
    rng = np.random.default_rng(1)
    logits = rng.normal(0, 3, (20000, 3))
    truth = softmax(logits / 2.0 + [1.0, 0.0, -1.0], axis=1)
    index = (rng.random((20000, 1)) > truth.cumsum(axis=1)).sum(axis=1)
    found = multiclass.calibrate(logits, index[:, None].astype(np.float32), CONFIG)
    assert found["temperature"] == pytest.approx(2.0, rel=0.05)
    np.testing.assert_allclose(found["bias"], [1.0, 0.0, -1.0], atol=0.06)


def test_separated_classes_keep_finite_probabilities() -> None:
    logits = np.array([[-30.0], [-20.0], [20.0], [30.0]])
    targets = np.array([[0], [0], [1], [1]], dtype=np.float32)
    found = bernoulli.calibrate(logits, targets, "accuracy")
    probability = expit(logits[:, 0] / found["temperature"][0] + found["bias"][0])
    # Platt's targets for two yes and two no are 1/4 and 3/4
    assert 0.2 < probability[0] < probability[1] < 0.3
    assert found["threshold"] == [pytest.approx(0.5, abs=1e-3)]


@pytest.mark.parametrize("answers", [[], [1], [1, 1, 1], [0, 0]])
def test_one_answer_only_changes_nothing(answers: list[int]) -> None:
    logits = np.linspace(-1, 1, len(answers))[:, None]
    found = bernoulli.calibrate(logits, np.array(answers, dtype=np.float32).reshape(-1, 1), "youden")
    assert found == {"temperature": [1.0], "bias": [0.0], "threshold": [0.5]}


def test_scores_that_point_the_wrong_way_keep_their_slope() -> None:
    logits = np.array([[0.0, 2.0], [0.0, 1.0], [0.0, -1.0], [0.0, -2.0]] * 50)
    found = fit(logits, np.array([0, 0, 1, 1] * 50))
    assert found.temperature == 1.0
    assert found.biases == pytest.approx((0.0, 0.0), abs=1e-4)
    assert fit(logits, np.array([0, 0, 1, 1] * 50), "temperature") == identity(2) == Calibration(1.0, (0.0, 0.0))


def test_scores_that_tell_nothing_still_give_the_right_share() -> None:
    """Balanced weights make a network answer one half; of its 400 cases 20 are ill."""
    ill = np.arange(400) % 20 == 0
    logits = np.where(ill, -0.01, 0.01) + np.tile([-0.1, 0.1], 200)[np.argsort(ill, kind="stable")]
    found = fit(np.stack([np.zeros(400), logits], axis=1), ill.astype(np.int64))
    assert found.temperature == 1.0
    share = (1 / (1 + np.exp(-(logits + found.biases[1] - found.biases[0])))).mean()
    assert share == pytest.approx((20 * 21 / 22 + 380 / 382) / 400, abs=1e-4)  # of Platt's targets


def test_a_class_without_tuning_examples_stays_finite() -> None:
    rng = np.random.default_rng(2)
    index = rng.integers(0, 2, 300)
    logits = rng.normal(0, 1, (300, 3)) + 2 * np.eye(3)[index]
    found = multiclass.calibrate(logits, index[:, None].astype(np.float32), CONFIG)
    assert np.isfinite(found["bias"]).all()
    assert 0.1 < found["temperature"] < 3


def test_each_question_is_calibrated_on_its_own_answers() -> None:
    rng = np.random.default_rng(3)
    logits = rng.normal(0, 2, (400, 2))
    targets = (rng.random((400, 2)) < expit(logits)).astype(np.float32)
    targets[:100, 1] = np.nan
    both = bernoulli.calibrate(logits, targets, "youden")
    alone = bernoulli.calibrate(logits[100:, 1:], targets[100:, 1:], "youden")
    assert {name: values[1:] for name, values in both.items()} == alone
