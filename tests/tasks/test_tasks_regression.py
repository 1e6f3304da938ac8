"""Numbers: exact sums, losses, conformal intervals and decoding, by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from medray.errors import LabelError
from medray.tasks import regression
from medray.tasks.config import RegressionConfig, RegressionLoss
from medray.tasks.conformal import Line, fit_line, half_width, left_out_errors
from medray.tasks.exact_sums import exact_sum, mean_and_deviation

NAN = float("nan")
CONFIG = RegressionConfig(kind="regression", labels=("rate", "stay"), loss="squared", interval=0.8)
SUMMARY = {"mean": [80.0, 3.0], "deviation": [10.0, 2.0]}
float32 = st.floats(width=32, allow_nan=False, allow_infinity=False)


def config(loss: RegressionLoss) -> RegressionConfig:
    return CONFIG.model_copy(update={"loss": loss})


def test_numbers_keep_their_units_and_missing_answers_are_nan() -> None:
    found = regression.targets({"stay": [1, None, 2.5], "rate": [NAN, np.int64(70), np.float32(81.5)]}, CONFIG)
    np.testing.assert_array_equal(found, np.array([[NAN, 1], [70, NAN], [81.5, 2.5]], dtype=np.float32))
    assert found.dtype == np.float32


@pytest.mark.parametrize("value", ["71", True, np.bool_(False), float("inf"), 1e39])
def test_what_is_no_number_is_refused(value: Any) -> None:
    with pytest.raises(LabelError, match="question 'rate', example 1"):
        regression.targets({"rate": [1, value], "stay": [1, 1]}, CONFIG)


@given(st.lists(float32, max_size=30), st.integers(0, 30))
def test_sums_depend_on_no_order_and_no_cut(values: list[float], cut: int) -> None:
    targets = np.array([[value, NAN] for value in values], dtype=np.float32).reshape(-1, 2)
    whole = regression.survey(targets, CONFIG)
    assert regression.merge(*(regression.survey(part, CONFIG) for part in (targets[:cut], targets[cut:]))) == whole
    assert regression.survey(targets[::-1], CONFIG) == whole
    assert whole["count"] == [len(values), 0]


def test_the_smallest_and_the_largest_float_are_added_without_rounding() -> None:
    smallest, largest = 2.0**-149, float(np.finfo(np.float32).max)
    for values in ([smallest, largest, -largest], [smallest**2, largest**2, -(largest**2)]):
        assert exact_sum(np.array(values)) == exact_sum(np.array(values[:1])) > 0


def test_mean_and_deviation_by_hand() -> None:
    sums = regression.survey(np.array([[60, 1e7 + 1], [80, 1e7 + 3], [100, NAN]], dtype=np.float32), CONFIG)
    found = regression.summarise(sums, CONFIG)
    assert found == {"mean": [80.0, 1e7 + 2], "deviation": [pytest.approx((800 / 3) ** 0.5), 1.0]}


def test_one_can_always_divide_by_the_deviation() -> None:
    assert mean_and_deviation(0, 0, 0) == (0.0, 1.0)
    values = np.array([0.1, 0.1, 0.1], dtype=np.float32).astype(np.float64)
    assert mean_and_deviation(3, exact_sum(values), exact_sum(values**2)) == (values[0], 1.0)


@pytest.mark.parametrize(
    ("loss", "expected"),
    # standardised: 1.5 against 1.0, -2 against 1, and one unknown
    [("squared", 0.25 + 9.0), ("absolute", 0.5 + 3.0), ("huber", 0.125 + 2.5)],
)
def test_losses_of_standardised_numbers(loss: RegressionLoss, expected: float) -> None:
    logits = torch.tensor([[1.5, 7.0], [1.0, -2.0]])
    targets = torch.tensor([[90.0, NAN], [NAN, 5.0]])
    total, count = regression.loss(logits, targets, config(loss), SUMMARY)
    assert float(total) == pytest.approx(expected)
    assert int(count) == 2


def test_answering_the_mean_has_a_squared_loss_of_one() -> None:
    targets = np.random.default_rng(0).normal(5, 3, (100, 2)).astype(np.float32)
    summary = regression.summarise(regression.survey(targets, CONFIG), CONFIG)
    total, count = regression.loss(torch.zeros(100, 2), torch.from_numpy(targets), CONFIG, summary)
    assert float(total / count) == pytest.approx(1.0, rel=1e-5)


@pytest.mark.parametrize("loss", ["squared", "absolute", "huber"])
def test_outputs_find_their_units(loss: RegressionLoss) -> None:
    generator = np.random.default_rng(0)
    outputs = generator.normal(size=4000)
    line = fit_line(outputs, 80 + 12 * outputs + generator.normal(0, 3, 4000), loss)
    assert line.offset == pytest.approx(80, abs=0.2)
    assert line.slope == pytest.approx(12, abs=0.2)


def test_the_line_is_of_the_kind_that_the_loss_learns() -> None:
    # no output: the best constant is the mean, the median, or between them
    truth = np.array([0.0, 0.0, 0.0, 0.0, 10.0])
    best = {loss: fit_line(np.zeros(5), truth, loss) for loss in ("squared", "absolute", "huber")}
    assert best["squared"] == Line(pytest.approx(2.0), 0.0)
    assert best["absolute"] == Line(pytest.approx(0.0, abs=0.1), 0.0)
    # deviation 4: 4 c = 4, where the far answer pulls with its limit of one deviation
    assert best["huber"] == Line(pytest.approx(1.0, abs=0.01), 0.0)


def test_outputs_that_point_the_wrong_way_are_not_used() -> None:
    assert fit_line(np.array([1.0, 2.0, 3.0]), np.array([6.0, 5.0, 1.0]), "squared") == Line(pytest.approx(4.0), 0.0)


def test_left_out_errors_are_those_of_refitting() -> None:
    generator = np.random.default_rng(0)
    outputs = generator.normal(size=12)
    truth = 3 + 2 * outputs + generator.normal(size=12)
    found = left_out_errors(outputs, truth, fit_line(outputs, truth, "squared"))
    for row in range(12):
        rest = np.arange(12) != row
        alone = fit_line(outputs[rest], truth[rest], "squared")
        assert found[row] == pytest.approx(abs(truth[row] - alone(outputs[row])))


def test_a_row_that_alone_decides_the_slope_has_no_bound() -> None:
    outputs, truth = np.array([0.0, 0.0, 0.0, 1.0]), np.array([1.0, 2.0, 3.0, 9.0])
    found = left_out_errors(outputs, truth, fit_line(outputs, truth, "squared"))
    assert found == pytest.approx([1.5, 0.0, 1.5, np.inf])


def test_a_constant_answer_is_refitted_as_a_constant() -> None:
    # leaving 6 out of 6, 5, 1 leaves a mean of 3, and so on; the outputs have no part in it
    outputs, truth = np.array([1.0, 2.0, 9.0]), np.array([6.0, 5.0, 1.0])
    found = left_out_errors(outputs, truth, fit_line(outputs, truth, "squared"))
    assert found == pytest.approx([3.0, 1.5, 4.5])


def test_conformal_quantile_by_hand() -> None:
    errors = np.array([5.0, 1.0, 4.0, 2.0, 3.0, 6.0, 9.0, 8.0, 7.0])
    assert half_width(errors, 0.8) == 8.0  # the 8th of 9: (9 + 1) * 0.8
    assert half_width(errors, 0.81) == 9.0  # 8.1, rounded up
    assert half_width(errors, 0.9) == 9.0
    assert half_width(errors, 0.91) is None  # nine errors cannot promise more than nine in ten
    assert half_width(np.array([1.0, np.inf]), 0.6) is None
    # 100 * 0.55 is a little more than 55 in floats
    assert half_width(np.arange(1.0, 100.0), 0.55) == 55.0


def test_intervals_cover_what_was_asked() -> None:
    generator = np.random.default_rng(5)
    inside = []
    for _ in range(800):
        outputs, truth = generator.normal(size=(2, 30))
        line = fit_line(outputs[:29], truth[:29], "squared")
        half = half_width(left_out_errors(outputs[:29], truth[:29], line), 0.8)
        assert half is not None
        inside.append(abs(truth[29] - line(outputs[29])) <= half)
    assert np.mean(inside) == pytest.approx(0.8, abs=0.04)


def test_calibration_and_decoding_together() -> None:
    outputs = np.array([[-1.0, 0], [0, 1], [1, 2], [0, 3]], dtype=np.float32)
    # rate = 80 + 10 z with errors 0, 1, 0, -1; stay is known three times, which is too few for 0.8
    targets = np.array([[70, 2], [81, 3], [90, NAN], [79, 5]], dtype=np.float32)
    found = regression.calibrate(outputs, targets, CONFIG)
    assert found["offset"] == pytest.approx([80.0, 2.0])
    assert found["slope"] == pytest.approx([10.0, 1.0])
    # leverage of z = 0 is 1/4; the 4th of 4 errors
    assert found["half_width"] == [pytest.approx(4 / 3), None]
    decoded = regression.decode(outputs[:1], CONFIG, found)
    assert decoded["rate"] == {
        "raw_score": [-1.0], "predicted_float_value": [pytest.approx(70.0)],
        "prediction_lower": [pytest.approx(70 - 4 / 3)], "prediction_upper": [pytest.approx(70 + 4 / 3)],
    }  # fmt: skip
    assert decoded["stay"]["prediction_lower"] == decoded["stay"]["prediction_upper"] == [None]


def test_a_number_that_tuning_hardly_knows_is_refused() -> None:
    targets = np.array([[1, 1], [2, 2], [3, NAN]], dtype=np.float32)
    with pytest.raises(LabelError, match=r"question 'stay'.*2 known answers"):
        regression.calibrate(np.zeros((3, 2)), targets, CONFIG)


def test_stored_answers_are_evaluated() -> None:
    targets = np.array([[70, 2], [81, 3], [NAN, 4]], dtype=np.float32)
    answers = {
        "predicted_float_value": [72.0, 80.0, 5.0], "prediction_lower": [71, 78, 0], "prediction_upper": [75] * 3,
    }  # fmt: skip
    unbounded = answers | {"prediction_lower": [None] * 3, "prediction_upper": [None] * 3}
    stored = {
        label: {name: np.array(values) for name, values in columns.items()}
        for label, columns in (("rate", answers), ("stay", unbounded))
    }
    found = regression.evaluate(stored, targets, CONFIG, np.arange(3), 20, 1)
    assert found["rate"]["metrics"]["mae"]["value"] == 1.5
    assert found["rate"]["metrics"]["coverage"]["value"] == 0.0
    assert found["rate"]["nominal"] == 0.8
    assert found["stay"]["n"] == 3
    assert found["stay"]["metrics"]["coverage"]["value"] is None
