from __future__ import annotations

import json
import time

import numpy as np
import pytest

from medray.errors import AccountingError, LabelError, ModelError
from medray.metrics.binary import METRICS, evaluate_binary
from medray.metrics.records import BinaryMetrics

# truth 1 1 1 0 0 0 and one row without a truth; decided at 0.5
SCORES = np.array([0.9, 0.7, 0.4, 0.6, 0.2, 0.1, 0.99])
TARGETS = np.array([1, 1, 1, 0, 0, 0, np.nan])
SUBJECTS = np.array([1, 2, 3, 4, 5, 5, 6])


def evaluated(**changes: object) -> BinaryMetrics:
    given = {
        "scores": SCORES, "targets": TARGETS, "decided": SCORES >= 0.5, "threshold": 0.5, "subjects": SUBJECTS,
        "resamples": 200, "seed": 4,
    }  # fmt: skip
    return evaluate_binary(**(given | changes))  # type: ignore[arg-type]


def test_values_by_hand() -> None:
    found = evaluated()
    assert (found.n, found.n_subjects, found.n_positive) == (6, 5, 3)
    assert vars(found.confusion) == {
        "true_positive": 2, "false_positive": 1, "false_negative": 1, "true_negative": 2,
    }  # fmt: skip
    # of 9 pairs only (0.4, 0.6) is lost; recall steps at precision 1, 1, 3/4
    assert found.metrics["auroc"].value == pytest.approx(8 / 9)
    assert found.metrics["auprc"].value == pytest.approx((1 + 1 + 3 / 4) / 3)
    assert found.metrics["sensitivity"].value == pytest.approx(2 / 3)
    assert found.metrics["ppv"].value == pytest.approx(2 / 3)
    # squared errors 0.01 0.09 0.36 0.36 0.04 0.01
    assert found.metrics["brier"].value == pytest.approx(0.87 / 6)
    assert set(found.metrics) == set(METRICS)


def test_rows_without_a_truth_change_nothing() -> None:
    known = slice(0, 6)
    without = evaluated(
        scores=SCORES[known], targets=TARGETS[known], decided=SCORES[known] >= 0.5, subjects=SUBJECTS[known]
    )
    assert without == evaluated()


def test_stored_decisions_count_not_the_threshold() -> None:
    found = evaluated(decided=np.zeros(7, bool))
    assert found.confusion.true_positive == 0
    assert np.isnan(found.metrics["ppv"].value)
    assert found.metrics["ppv"].undefined == 200


def test_the_resampled_statistic_is_the_reported_value() -> None:
    # every row its own subject and every subject alike: each resample equals the sample
    scores, targets = np.tile(SCORES[:6], 30), np.tile(TARGETS[:6], 30)
    found = evaluated(scores=scores, targets=targets, decided=scores >= 0.5, subjects=np.repeat(np.arange(30), 6))
    for name, estimate in found.metrics.items():
        assert estimate.lower == pytest.approx(estimate.value), name
        assert estimate.upper == pytest.approx(estimate.value), name
    assert found.reliability.lower == pytest.approx(found.reliability.observed)


def test_means_divide_by_the_rows_that_were_drawn() -> None:
    # every squared error is 0.04, so their mean is, however many rows a draw has
    targets = np.array([1.0, 0, 0, 0, 0, 1])
    scores = np.where(targets == 1, 0.8, 0.2)
    found = evaluated(scores=scores, targets=targets, decided=scores >= 0.5, subjects=np.array([1, 2, 2, 2, 3, 3]))
    brier = found.metrics["brier"]
    assert (brier.lower, brier.value, brier.upper) == pytest.approx((0.04, 0.04, 0.04))


def test_reliability_points_are_those_of_the_bins() -> None:
    found = evaluated().reliability
    # six distinct scores, a bin each, in rising order: 0.1 0.2 0.4 0.6 0.7 0.9
    assert found.observed == (0, 0, 1, 0, 1, 1)
    assert found.mean_score == pytest.approx((0.1, 0.2, 0.4, 0.6, 0.7, 0.9))
    assert found.edges == (0.0, 0.2, 0.4, 0.6, 0.7, 0.9, 1.0)


def test_repeated_rows_of_a_subject_are_no_new_evidence() -> None:
    generator = np.random.default_rng(1)
    truth = (generator.random(60) < 0.5).astype(float)
    score = np.clip(0.5 + 0.2 * (truth - 0.5) + generator.normal(0, 0.2, 60), 0, 1)
    scores, targets = np.repeat(score, 25), np.repeat(truth, 25)

    def width(subjects: np.ndarray, rows: slice = slice(None)) -> float:
        found = evaluated(
            scores=scores[rows], targets=targets[rows], decided=scores[rows] >= 0.5, subjects=subjects[rows]
        ).metrics["auroc"]
        return found.upper - found.lower

    who = np.repeat(np.arange(60), 25)
    by_subject, by_row = width(who), width(np.arange(1500))
    assert by_subject == pytest.approx(width(who, slice(None, None, 25)))
    assert by_subject > 3 * by_row  # the square root of 25 is 5


def test_resamples_of_one_class_are_counted_and_left_out() -> None:
    found = evaluated(
        scores=np.array([0.9, 0.2, 0.1]), targets=np.array([1.0, 0, 0]), decided=np.array([True, False, False]),
        subjects=np.array([1, 2, 3]), resamples=2000,
    )  # fmt: skip
    # without the positive (2/3)^3 = 0.296; the positive three times (1/3)^3 = 0.037
    assert found.one_class_resamples / 2000 == pytest.approx(9 / 27, abs=0.04)
    assert found.metrics["auroc"].undefined == found.one_class_resamples
    assert (found.metrics["auroc"].lower, found.metrics["auroc"].upper) == (1, 1)


@pytest.mark.parametrize("keep", [slice(0, 3), slice(3, 6), slice(6, 7), slice(0, 0)])
def test_one_class_or_none_gives_null_and_not_an_error(keep: slice) -> None:
    found = evaluated(scores=SCORES[keep], targets=TARGETS[keep], decided=SCORES[keep] >= 0.5, subjects=SUBJECTS[keep])
    written = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert written["metrics"]["auroc"] == {"value": None, "lower": None, "upper": None, "undefined": 200}
    assert written["roc"] == {"x": [], "y": []}


def test_json_holds_every_field() -> None:
    written = json.loads(json.dumps(evaluated().to_json(), allow_nan=False))
    assert written["kind"] == "binary"
    assert written["threshold"] == 0.5
    assert sum(written["histogram"]["negative"]) == sum(written["histogram"]["positive"]) == 3
    assert sum(written["reliability"]["count"]) == 6
    assert (written["resamples"], written["seed"], written["level"]) == (200, 4, 0.95)


def test_a_lower_level_gives_a_narrower_interval() -> None:
    wide, narrow = evaluated(level=0.95).metrics["brier"], evaluated(level=0.5).metrics["brier"]
    assert wide.lower < narrow.lower < narrow.upper < wide.upper


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"subjects": SUBJECTS[:3]}, AccountingError),
        ({"targets": TARGETS + 1}, LabelError),
        ({"scores": SCORES * 5}, ModelError),
        ({"scores": np.where(SCORES > 0.8, np.nan, SCORES)}, ModelError),
    ],
)
def test_wrong_arrays_are_refused(changes: dict[str, object], error: type[Exception]) -> None:
    with pytest.raises(error, match="evaluate_binary: found"):
        evaluated(**changes)


def test_a_score_without_a_truth_may_be_anything() -> None:
    assert evaluated(scores=np.where(np.isnan(TARGETS), np.nan, SCORES)).n == 6


def test_intervals_of_many_rows_take_seconds() -> None:
    generator = np.random.default_rng(0)
    scores = generator.random(100_000)
    targets = (generator.random(100_000) < scores).astype(float)
    began = time.process_time()
    evaluated(scores=scores, targets=targets, decided=scores >= 0.5, subjects=np.arange(100_000) // 2, resamples=100)
    assert time.process_time() - began < 4  # about 1 s; sorting anew each time takes more than 6 s
