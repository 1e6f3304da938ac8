"""Vocabulary and scale from exact counts: by hand."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from medray.contracts import Array, Window
from medray.families.ehr.config import EhrConfig
from medray.families.ehr.prepare import prepare
from medray.families.ehr.simple import simple
from medray.families.ehr.survey import from_bins, merge, summarise, survey, to_bins

CONFIG = EhrConfig(
    name="ehr", max_events=5, min_events=0, vocabulary=8, min_count=1, hours=48.0, width=8, architecture="gru_d",
    step_hours=4.0, summary_codes=4, members=1, dropout=0.0, event_dropout=0.0,
)  # fmt: skip
NAN = float("nan")


def examples(*rows: list[tuple[int, float, float]]) -> Array:
    windows = [np.array(row, float).reshape(-1, 3).T for row in rows]
    made = [Window(c.astype(np.int64), h.astype(np.float32), v.astype(np.float32)) for c, h, v in windows]
    return np.stack([prepare(window, CONFIG)[0].values for window in made])


TWO = examples([(7, NAN, 2.0), (9, 3.0, NAN), (7, 1.0, 4.0), (7, 0.5, NAN)], [(9, 2.0, float("inf")), (11, 1.0, 2.0)])


def bins(*values: float) -> list[int]:
    return to_bins(np.array(values, np.float32)).tolist()


def test_counts_per_code() -> None:
    assert survey(TWO, CONFIG) == {
        "7": {"examples": 1, "bins": bins(2.0, 4.0), "counts": [1, 1]},
        "9": {"examples": 2, "bins": [], "counts": []},
        "11": {"examples": 1, "bins": bins(2.0), "counts": [1]},
    }


def test_equal_values_share_a_bin() -> None:
    counted = survey(examples([(7, 3.0, 2.0), (7, 2.0, 2.0), (7, 1.0, 2.001)]), CONFIG)
    assert counted["7"]["counts"] == [3]


def test_any_grouping_gives_the_same_text() -> None:
    draw = np.random.default_rng(0)
    rows = [[(int(draw.integers(1, 9)), 1.0, float(draw.normal())) for _ in range(5)] for _ in range(30)]
    whole = examples(*rows)
    left = merge(merge(survey(whole[:3], CONFIG), survey(whole[3:20], CONFIG)), survey(whole[20:], CONFIG))
    right = merge(survey(whole[:11], CONFIG), merge(survey(whole[11:11], CONFIG), survey(whole[11:], CONFIG)))
    assert json.dumps(left) == json.dumps(right) == json.dumps(survey(whole, CONFIG))


def test_bins_are_the_nearest_of_eight_significant_bits() -> None:
    values = np.array([0.0, -1.0, 1.0 + 1 / 256, 1.0 + 1 / 257, 255.0, 257.4, 3.4028e38, -3.4028e38, 7.4], np.float32)
    nearest = from_bins(to_bins(values))
    assert np.isfinite(nearest).all()
    assert nearest[[0, 1, 4, 5]].tolist() == [0.0, -1.0, 255.0, 258.0]
    assert nearest[2] == 1.0 + 1 / 128
    assert nearest[3] == 1.0
    assert nearest[[1, 4, 5, 8]] / values[[1, 4, 5, 8]] == pytest.approx(1.0, abs=2**-8)


def knots_of(**counts: Any) -> tuple[list[float], list[float]]:
    summary = summarise({"5": {"examples": 1} | counts})
    return summary["values"][0], summary["scores"][0]


def test_values_stand_at_the_normal_scores_of_their_ranks() -> None:
    values, scores = knots_of(bins=bins(2.0, 6.0, -8.0), counts=[2, 1, 1])
    assert values == [-8.0, 2.0, 6.0]
    assert scores == [pytest.approx(s, abs=1e-3) for s in (-1.15035, 0.0, 1.15035)]  # of 1/8, 1/2 and 7/8


def test_tails_are_told_apart_up_to_one_in_a_thousand() -> None:
    _, scores = knots_of(bins=bins(0.0, 1.0, 2.0), counts=[1, 9_998, 1])
    assert scores == [pytest.approx(s, abs=1e-3) for s in (-3.0902, 0.0, 3.0902)]


def test_many_values_are_thinned_evenly_with_both_ends() -> None:
    many = [float(value) for value in range(1, 201)]
    values, scores = knots_of(bins=bins(*many), counts=[1] * 200)
    assert len(values) <= 31
    assert (values[0], values[-1]) == (1.0, 200.0)
    assert np.diff(scores).min() > 0
    assert np.diff(scores).max() < 0.4


@pytest.mark.parametrize(("values", "scores"), [([7.0], [0.0]), ([], [])])
def test_constant_or_absent_values_have_no_spread(values: list[float], scores: list[float]) -> None:
    assert knots_of(bins=bins(*values), counts=[3] * len(values)) == (values, scores)


def test_the_codes_of_most_examples_come_first() -> None:
    nothing = {"bins": [], "counts": []}
    sums = {"3": {"examples": 1} | nothing, "10": {"examples": 2} | nothing, "2": {"examples": 1} | nothing}
    assert summarise(sums)["codes"] == [10, 2, 3]
    assert summarise(sums)["examples"] == [2, 1, 1]


def test_plain_summaries_are_in_own_units_with_nan_where_unseen() -> None:
    summary = summarise(survey(TWO, CONFIG))
    assert summary["codes"] == [9, 7, 11]
    found = simple(TWO, CONFIG, summary)
    assert found.dtype == np.float32
    # mean, min, max, last of codes 7 and 11 (no value of 9 is known), then events of 9, 7 and 11
    expected = [
        [3.0, 2.0, 4.0, 4.0, NAN, NAN, NAN, NAN, 1.0, 3.0, 0.0],
        [NAN, NAN, NAN, NAN, 2.0, 2.0, 2.0, 2.0, 1.0, 0.0, 1.0],
    ]
    np.testing.assert_array_equal(found, expected)
