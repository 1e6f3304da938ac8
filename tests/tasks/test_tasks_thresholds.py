"""Cuts by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medray.tasks.config import AtLeast, ThresholdRule
from medray.tasks.thresholds import threshold


def cut(probabilities: list[float], answers: list[int], rule: ThresholdRule) -> float:
    return threshold(np.array(probabilities), np.array(answers, dtype=bool), rule)


def test_the_cut_lies_midway_between_the_classes() -> None:
    assert cut([0.1, 0.2, 0.6, 0.9], [0, 0, 1, 1], "youden") == pytest.approx(0.4)
    assert cut([0.1, 0.2, 0.6, 0.9], [0, 0, 1, 1], "accuracy") == pytest.approx(0.4)


def test_the_rules_differ_where_classes_are_unequal() -> None:
    probabilities, answers = [0.1, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8], [0, 1, 0, 1, 1, 1, 1]
    # from 0.2 on: 5 of 5 yes, 1 of 2 no -> 6 right, J 0.5; from 0.45: 4 of 5, 2 of 2 -> 6 right, J 0.8
    assert cut(probabilities, answers, "youden") == pytest.approx(0.45)
    # equally right at 0.2 and 0.45: the wider gap wins
    assert cut(probabilities, answers, "accuracy") == pytest.approx(0.2)
    assert cut([0.1, 0.3, 0.4, 0.5, 0.55, 0.6], [0, 1, 1, 0, 1, 1], "accuracy") == pytest.approx(0.2)


def test_the_lower_of_sensitivity_and_ppv() -> None:
    probabilities = [0.1] * 20 + [0.3] + [0.4] * 3 + [0.6] * 4
    answers = [0] * 20 + [1] + [0] * 3 + [1, 1, 1, 0]
    # from 0.2: 4 of 4 found, 4 of 8 right; from 0.5: 3 of 4 found, 3 of 4 right
    assert cut(probabilities, answers, "min_sensitivity_ppv") == pytest.approx(0.5)
    # 1 + 20/24 beats 3/4 + 23/24
    assert cut(probabilities, answers, "youden") == pytest.approx(0.2)


@given(st.lists(st.tuples(st.integers(1, 99), st.booleans()), min_size=2, max_size=30))
def test_no_cut_has_a_higher_event_1_score(cases: list[tuple[int, bool]]) -> None:
    percent, answers = (np.array(part) for part in zip(*cases, strict=True))
    probabilities = percent / 100
    if answers.all() or not answers.any():
        return

    def score(at: float) -> float:
        yes = probabilities >= at
        found = (yes & answers).sum()
        return float(min(found / answers.sum(), found / yes.sum())) if yes.any() else 0.0

    found = score(threshold(probabilities, answers, "min_sensitivity_ppv"))
    assert found >= max(score(at) for at in probabilities) - 1e-9


def test_equal_scores_are_never_torn_apart() -> None:
    assert cut([0.5, 0.5, 0.5, 0.9], [0, 0, 1, 1], "youden") == pytest.approx(0.7)


def test_all_scores_equal_leaves_a_cut_inside_the_range() -> None:
    assert 0.0 <= cut([0.3, 0.3], [0, 1], "youden") <= 1.0


def test_all_may_be_no_or_yes_where_that_is_most_often_right() -> None:
    assert cut([0.1, 0.5, 0.9], [1, 0, 0], "accuracy") == pytest.approx(0.95)
    assert cut([0.1, 0.5, 0.9], [1, 1, 0], "accuracy") == pytest.approx(0.05)


def test_nobody_is_yes_where_that_is_most_often_right_and_scores_reach_one() -> None:
    assert cut([0.1, 1.0, 1.0, 1.0], [1, 0, 0, 0], "accuracy") > 1.0  # 3 of 4 are right; from any score on fewer


@given(st.lists(st.tuples(st.integers(1, 100), st.booleans()), min_size=1, max_size=30))
def test_no_cut_is_better(cases: list[tuple[int, bool]]) -> None:
    percent, answers = (np.array(part) for part in zip(*cases, strict=True))
    probabilities = percent / 100
    if answers.all() or not answers.any():
        assert threshold(probabilities, answers, "youden") == 0.5
        return

    def accuracy(at: float) -> float:
        return float(((probabilities >= at) == answers).mean())

    found = accuracy(threshold(probabilities, answers, "accuracy"))
    assert found >= max(accuracy(at) for at in (*probabilities, 2.0)) - 1e-9


SENSITIVE = AtLeast(rule="sensitivity", at_least=0.75)
SPECIFIC = AtLeast(rule="specificity", at_least=0.75)


def test_the_highest_specificity_at_a_sensitivity() -> None:
    probabilities, answers = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.9], [0, 1, 0, 1, 0, 1, 0, 1]
    # 3 of 4 found from 0.35 on: 2 of 4 cleared; from 0.15 on 4 of 4 found and 1 of 4 cleared
    assert cut(probabilities, answers, SENSITIVE) == pytest.approx(0.35)
    # 3 of 4 cleared from 0.55 on, with 2 of 4 found; from 0.65 on as many are cleared and fewer are found
    assert cut(probabilities, answers, SPECIFIC) == pytest.approx(0.55)


def test_a_bound_is_met_by_exactly_its_share() -> None:
    # 19 of 20 are found from 0.15 on, and 0.95 * 20 is 19.0 only up to rounding
    probabilities, answers = [0.05, 0.1, *[0.2] * 19], [1, 0, *[1] * 19]
    assert cut(probabilities, answers, AtLeast(rule="sensitivity", at_least=0.95)) == pytest.approx(0.15)


def test_a_bound_gives_away_nothing_of_its_own() -> None:
    # from 0.2 and from 0.4 on nobody healthy is cleared more or less: who is found at 0.3 stays found
    assert cut([0.1, 0.3, 0.5], [0, 1, 1], AtLeast(rule="sensitivity", at_least=0.5)) == pytest.approx(0.2)


def test_nobody_is_yes_where_only_that_is_specific_enough() -> None:
    found = cut([0.2, 1.0, 1.0], [1, 0, 1], AtLeast(rule="specificity", at_least=1.0))
    assert found > 1.0


@given(st.lists(st.tuples(st.integers(1, 99), st.booleans()), min_size=2, max_size=30), st.floats(0.01, 1.0))
def test_no_cut_under_a_bound_is_better(cases: list[tuple[int, bool]], bound: float) -> None:
    percent, answers = (np.array(part) for part in zip(*cases, strict=True))
    probabilities = percent / 100
    if answers.all() or not answers.any():
        return

    def rates(at: float) -> tuple[float, float]:
        yes = probabilities >= at
        return float(yes[answers].mean()), float((~yes)[~answers].mean())

    sensitivity, specificity = rates(threshold(probabilities, answers, AtLeast(rule="sensitivity", at_least=bound)))
    assert sensitivity >= bound - 1e-9
    every = [rates(at) for at in (*probabilities, 1.0)]
    assert specificity >= max(other for own, other in every if own >= bound - 1e-9) - 1e-9
