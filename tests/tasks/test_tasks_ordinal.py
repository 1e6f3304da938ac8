"""Ordered classes: targets, likelihood, decoding, by hand."""

from __future__ import annotations

from math import log

import numpy as np
import pytest
import torch
from scipy.special import expit, logit

from medray.errors import LabelError
from medray.tasks import ordinal
from medray.tasks.config import OrdinalConfig

NAN = float("nan")
NAMED = OrdinalConfig(kind="ordinal", label="grade", classes=("none", "mild", "severe"), class_weights=False)
DAYS = OrdinalConfig(
    kind="ordinal", label="stay", classes=("below 3", "3 to 7", "7 or more"), class_weights=True, bounds=(3, 7)
)
# above none with 0.8, and then above mild with 0.25: probabilities 0.2, 0.6, 0.2
STEPS = [[logit(0.8), logit(0.25)]]
PLAIN = {"temperature": 1.0, "bias": [0.0, 0.0, 0.0]}


def test_classes_by_name() -> None:
    found = ordinal.targets({"grade": ["severe", 1, None, "none"]}, NAMED)
    np.testing.assert_array_equal(found, np.array([[2], [1], [NAN], [0]], dtype=np.float32))


def test_a_class_begins_at_its_bound() -> None:
    found = ordinal.targets({"stay": [-1, 2.99, 3, 6.9, 7, 400, None, NAN]}, DAYS)
    np.testing.assert_array_equal(found[:, 0], np.array([0, 0, 1, 1, 2, 2, NAN, NAN], dtype=np.float32))
    assert found.dtype == np.float32


def test_a_name_is_no_number() -> None:
    with pytest.raises(LabelError, match="question 'stay', example 0"):
        ordinal.targets({"stay": ["3 to 7"]}, DAYS)


def test_likelihood_by_hand() -> None:
    logits = torch.tensor(STEPS * 4)
    targets = torch.tensor([[0.0], [1.0], [2.0], [NAN]])
    total, count = ordinal.loss(logits, targets, NAMED, {"weights": [[1.0, 2.0, 4.0]]})
    assert float(total) == pytest.approx(-log(0.2) - 2 * log(0.6) - 4 * log(0.2), rel=1e-6)
    assert int(count) == 3


def test_a_step_beyond_the_answer_is_not_asked() -> None:
    logits = torch.tensor([[-1.0, 3.0]], requires_grad=True)
    ordinal.loss(logits, torch.tensor([[0.0]]), NAMED, {"weights": [[1.0] * 3]})[0].backward()
    assert logits.grad is not None
    assert logits.grad.tolist() == [[pytest.approx(expit(-1.0)), 0.0]]


def test_large_logits_stay_finite() -> None:
    total, _ = ordinal.loss(torch.tensor([[1e4, -1e4]]), torch.tensor([[2.0]]), NAMED, {"weights": [[1.0] * 3]})
    assert float(total) == pytest.approx(1e4)


def test_class_weights() -> None:
    sums = ordinal.survey(np.array([[0], [0], [0], [2], [NAN]], dtype=np.float32), DAYS)
    assert sums == {"counts": [[3, 0, 1]]}
    assert ordinal.summarise(sums, DAYS) == {"weights": [[pytest.approx(2 / 3), 1.0, 2.0]]}


def test_decode_by_hand() -> None:
    assert ordinal.outputs(NAMED) == len(STEPS[0])
    found = ordinal.decode(np.array(STEPS), NAMED, PLAIN)
    assert tuple(found) == ordinal.questions(NAMED) == ("grade", "grade//none", "grade//mild", "grade//severe")
    assert found["grade"] == {
        "raw_score": [pytest.approx(0.6 + 2 * 0.2)],
        "predicted_integer_value": [1],
        "predicted_float_value": [pytest.approx(1.0)],
        "predicted_categorical_value": ["mild"],
    }
    shares = [found[name]["predicted_boolean_probability"][0] for name in ordinal.questions(NAMED)[1:]]
    assert shares == pytest.approx([0.2, 0.6, 0.2])
    assert found["grade//mild"]["raw_score"] == [pytest.approx(log(0.6))]


def test_calibration_moves_the_answer_but_not_the_raw_score() -> None:
    # halved logarithms and a bias: 0.2, 0.6, 0.2 become sqrt(0.2), sqrt(0.6), 3 sqrt(0.2) before they add to one
    found = ordinal.decode(np.array(STEPS), NAMED, {"temperature": 2.0, "bias": [0.0, 0.0, log(3)]})
    weight = np.sqrt([0.2, 0.6, 0.2]) * [1, 1, 3]
    weight /= weight.sum()
    assert found["grade"]["predicted_float_value"] == [pytest.approx(weight @ [0, 1, 2])]
    assert found["grade"]["predicted_categorical_value"] == ["severe"]
    assert found["grade"]["raw_score"] == [pytest.approx(1.0)]


def test_the_answer_is_the_median_and_not_the_most_probable_class() -> None:
    # 0.4, 0.3, 0.3: most probable is none, at most half lies on either side of mild
    found = ordinal.decode(np.array([[logit(0.6), logit(0.5)]]), NAMED, PLAIN)
    assert found["grade"]["predicted_categorical_value"] == ["mild"]


def test_temperature_is_recovered() -> None:
    generator = np.random.default_rng(1)
    logits = generator.normal(0, 2, (20000, 2))
    honest = ordinal.log_probabilities(logits) / 2.0 + [0.5, 0.0, -0.5]
    shares = np.exp(honest) / np.exp(honest).sum(axis=1, keepdims=True)
    index = (generator.random((20000, 1)) > shares.cumsum(axis=1)).sum(axis=1)
    found = ordinal.calibrate(logits, index[:, None].astype(np.float32), NAMED)
    assert found["temperature"] == pytest.approx(2.0, rel=0.05)
    np.testing.assert_allclose(np.array(found["bias"]) - found["bias"][1], [0.5, 0.0, -0.5], atol=0.06)


def test_stored_answers_are_evaluated() -> None:
    logits, targets = np.array(STEPS * 3), np.array([[0], [1], [NAN]], dtype=np.float32)
    decoded = ordinal.decode(logits, NAMED, PLAIN)
    stored = {label: {name: np.array(values) for name, values in columns.items()} for label, columns in decoded.items()}
    found = ordinal.evaluate(stored, targets, NAMED, np.arange(3), 20, 1)["grade"]
    assert (found["kind"], found["n"], found["confusion"]) == ("ordinal", 2, [[0, 1, 0], [0, 1, 0], [0, 0, 0]])
    assert found["metrics"]["rank_mae"]["value"] == 0.5
