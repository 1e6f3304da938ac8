"""Isotonic calibration against scikit-learn and by hand, and the choice of a calibration."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy.special import expit
from sklearn.isotonic import IsotonicRegression

from medray.tasks import bernoulli, multiclass
from medray.tasks.calibration import fit
from medray.tasks.config import BinaryConfig, MulticlassConfig
from medray.tasks.isotonic import NO_CURVE, Curve, fit_curve

BINARY: dict[str, Any] = {"kind": "binary", "label": "x", "class_weights": False, "threshold": "youden"}
CLASSES: dict[str, Any] = {"kind": "multiclass", "label": "x", "classes": ("a", "b", "c"), "class_weights": False}


def test_violators_are_pooled_and_what_lies_between_is_on_a_straight_line() -> None:
    # shares by logit: 0: 0/1, 1: 1/2, 2: 0/1, 3: 1/1; 1 and 2 are pooled to 1/3
    found = fit_curve(np.array([0.0, 1, 1, 2, 3]), np.array([0, 1, 0, 0, 1], bool))
    margin = 1 / 7  # of five answers
    assert found == Curve((0.0, 1.0, 2.0, 3.0), (margin, 1 / 3, 1 / 3, 1 - margin))
    assert found(np.array([-9.0, 0.5, 1.5, 2.5, 99.0])) == pytest.approx(
        [margin, (margin + 1 / 3) / 2, 1 / 3, (1 / 3 + 1 - margin) / 2, 1 - margin]
    )


@pytest.mark.parametrize("ties", [1, 10])
def test_it_is_the_isotonic_regression_of_scikit_learn(ties: int) -> None:
    rng = np.random.default_rng(ties)
    logits = np.round(rng.normal(0, 2, 600) * ties) / ties
    answers = rng.random(600) < expit(1.5 * logits - 0.5)
    margin = 1 / 602
    theirs = IsotonicRegression(y_min=margin, y_max=1 - margin, out_of_bounds="clip").fit(logits, answers)
    asked = np.r_[logits, rng.normal(0, 3, 500)]
    np.testing.assert_allclose(fit_curve(logits, answers)(asked), theirs.predict(asked), atol=1e-12)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.floats(-50, 50), st.booleans()), min_size=2, max_size=30))
def test_it_never_falls_and_no_row_depends_on_another(cases: list[tuple[float, bool]]) -> None:
    logits, answers = (np.array(part) for part in zip(*cases, strict=True))
    curve = fit_curve(logits, answers)
    if curve == NO_CURVE:
        return
    asked = np.sort(np.r_[logits, np.linspace(-60, 60, 201)])
    together = curve(asked)
    assert (np.diff(together) >= 0).all()
    assert together.tolist() == [curve(asked[row : row + 1])[0] for row in range(len(asked))]


@pytest.mark.parametrize("answers", [[], [1, 1, 1], [0, 0], [1, 0]])
def test_nothing_to_learn_leaves_the_scores_alone(answers: list[int]) -> None:
    logits = np.arange(len(answers), dtype=float)[:, None]
    targets = np.array(answers, np.float32).reshape(-1, 1)
    found = bernoulli.calibrate(logits, targets, "youden", "isotonic")
    decoded = bernoulli.decode(np.array([[0.3]]), ("x",), found)["x"]
    assert decoded["predicted_boolean_probability"] == [expit(0.3)]


def test_each_question_has_its_own_curve_and_the_raw_score_stays() -> None:
    rng = np.random.default_rng(1)
    logits = rng.normal(0, 2, (300, 2))
    targets = np.stack([rng.random(300) < expit(logits[:, 0]), np.ones(300)], axis=1).astype(np.float32)
    calibration = bernoulli.calibrate(logits, targets, "youden", "isotonic")
    decoded = bernoulli.decode(logits, ("a", "b"), calibration)
    margin = 1 / 302
    theirs = IsotonicRegression(y_min=margin, y_max=1 - margin).fit_transform(logits[:, 0], targets[:, 0])
    np.testing.assert_allclose(decoded["a"]["predicted_boolean_probability"], theirs, atol=1e-12)
    np.testing.assert_array_equal(decoded["b"]["predicted_boolean_probability"], expit(logits[:, 1]))
    assert decoded["a"]["raw_score"] == logits[:, 0].tolist()


def test_temperature_keeps_one_half_where_it_was() -> None:
    # 1 of 4 yes at logit -1, 2 of 4 at 1
    logits = np.repeat([-1.0, 1.0], 4000)[:, None]
    targets = np.r_[np.repeat([0, 0, 0, 1], 1000), np.repeat([0, 0, 1, 1], 1000)][:, None].astype(np.float32)
    found = bernoulli.calibrate(logits, targets, "youden", "temperature")
    # turned to one side 3 of 4 and 2 of 4: sigmoid(s) = 5/8, so s = log(5/3)
    assert found["temperature"] == [pytest.approx(1 / np.log(5 / 3), rel=1e-3)]
    assert found["bias"] == [0.0]


def test_none_is_the_network_itself() -> None:
    logits, targets = np.array([[-3.0], [1.0], [2.0]]), np.array([[1], [0], [1]], np.float32)
    found = bernoulli.calibrate(logits, targets, "youden", "none")
    assert (found["temperature"], found["bias"]) == ([1.0], [0.0])


def test_a_temperature_of_classes_has_no_biases() -> None:
    rng = np.random.default_rng(4)
    logits = 3 * rng.normal(0, 1, (6000, 3))
    index = np.array([rng.choice(3, p=row) for row in np.exp(logits / 3) / np.exp(logits / 3).sum(axis=1)[:, None]])
    found = multiclass.calibrate(logits, index[:, None], MulticlassConfig(**CLASSES, calibration="temperature"))
    assert found["temperature"] == pytest.approx(3.0, rel=0.08)
    assert found["bias"] == [0.0, 0.0, 0.0]
    assert fit(logits, index, "none").temperature == 1.0


def test_platt_is_what_nobody_has_to_choose() -> None:
    assert BinaryConfig(**BINARY).calibration == MulticlassConfig(**CLASSES).calibration == "platt"


@pytest.mark.parametrize(
    ("config", "document"),
    [
        (MulticlassConfig, {**CLASSES, "calibration": "isotonic"}),
        (BinaryConfig, {**BINARY, "threshold": {"rule": "sensitivity", "at_least": 1.5}}),
        (BinaryConfig, {**BINARY, "threshold": {"rule": "ppv", "at_least": 0.5}}),
    ],
)
def test_what_has_no_meaning_is_refused(config: Any, document: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        config(**document)
