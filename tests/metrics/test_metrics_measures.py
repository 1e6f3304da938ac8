"""What groups and models are compared by, against scikit-learn; groups and their gaps by hand."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from sklearn import metrics as theirs

from medray.metrics.bootstrap import Resampling
from medray.metrics.measures import Measured, number, yes_no
from medray.metrics.readings import whole_answers, yes_or_no
from medray.metrics.subgroups import Floor, Group, by_group

DRAWS = Resampling(100, 1, 0.95)
SMALL = Floor(2, 1)
NAN = float("nan")


def measured(answer: Measured, rows: Any = slice(None)) -> dict[str, float]:
    at = np.flatnonzero(answer.known)[rows]
    return dict(zip(answer.metrics, answer.over(at)(np.ones(len(at))).tolist(), strict=True))


def test_a_yes_or_no_answer_is_measured_as_scikit_learn_does() -> None:
    rng = np.random.default_rng(0)
    scores = rng.random(200)
    truth = np.where(rng.random(200) < 0.1, NAN, rng.random(200) < scores)
    known = ~np.isnan(truth)
    y, s = truth[known] == 1, scores[known]
    found = measured(yes_no("a", scores, truth, scores >= 0.6))
    assert found == pytest.approx(
        {
            "auroc": theirs.roc_auc_score(y, s), "auprc": theirs.average_precision_score(y, s),
            "sensitivity": theirs.recall_score(y, s >= 0.6), "specificity": theirs.recall_score(~y, s < 0.6),
            "ppv": theirs.precision_score(y, s >= 0.6), "brier": theirs.brier_score_loss(y, s),
            "observed_to_expected": y.sum() / s.sum(),
        }
    )  # fmt: skip


def stored(kind: str, rows: int = 120) -> tuple[Any, dict[str, Any], np.ndarray]:
    rng = np.random.default_rng(1)
    config = SimpleNamespace(labels=("g",), classes=("i", "ii", "iii"))
    chances = rng.dirichlet([1, 1, 1], rows)
    truth = np.array([rng.choice(3, p=row) for row in chances], float)
    truth[:7] = NAN
    decided = chances.argmax(axis=1)
    answers = {"g": {"predicted_integer_value": decided}}
    answers |= {
        f"g//{name}": {"predicted_boolean_probability": chances[:, at]} for at, name in enumerate(config.classes)
    }
    return config, answers, truth[:, None]


def test_classes_and_ranks_are_measured_as_scikit_learn_does() -> None:
    config, answers, targets = stored("multiclass")
    truth, decided = targets[7:, 0].astype(int), answers["g"]["predicted_integer_value"][7:]
    chances = np.stack([answers[f"g//{name}"]["predicted_boolean_probability"] for name in config.classes], axis=1)[7:]
    assert measured(whole_answers("multiclass", config, answers, targets)[0]) == pytest.approx(
        {
            "macro_auroc": theirs.roc_auc_score(truth, chances, multi_class="ovr"),
            "accuracy": (truth == decided).mean(),
            "balanced_accuracy": theirs.balanced_accuracy_score(truth, decided),
        }
    )
    assert measured(whole_answers("ordinal", config, answers, targets)[0]) == pytest.approx(
        {
            "rank_mae": theirs.mean_absolute_error(truth, decided),
            "quadratic_kappa": theirs.cohen_kappa_score(truth, decided, weights="quadratic"),
            "accuracy": (truth == decided).mean(),
        }
    )
    rest = yes_or_no("multiclass", config, answers, targets)[1]
    assert rest.name == "g//ii"
    assert measured(rest)["auroc"] == pytest.approx(theirs.roc_auc_score(truth == 1, chances[:, 1]))
    above = yes_or_no("ordinal", config, answers, targets)[1]
    assert above.name == "g \N{GREATER-THAN OR EQUAL TO} iii"
    assert measured(above)["sensitivity"] == pytest.approx(theirs.recall_score(truth == 2, decided == 2))


def test_a_number_is_measured_by_hand() -> None:
    answer = number("n", np.array([1.0, 2, 6, 5]), np.array([1.0, 4, 4, NAN]), np.zeros(4), np.full(4, 4.5))
    assert measured(answer) == pytest.approx({"mae": 4 / 3, "rmse": np.sqrt(8 / 3), "mean_error": 0.0, "coverage": 1.0})


def groups_of(names: list[str | None], floor: Floor = SMALL, order: tuple[str, ...] = ("F", "M")) -> list[Group]:
    # of F two of three pairs are in order, of M all four
    scores = np.array([0.9, 0.4, 0.3, 0.5, 0.8, 0.7, 0.2, 0.1, 0.6])
    truth = np.array([1, 1, 0, 0, 1, 1, 0, 0, NAN])
    answer = yes_no("a", scores, truth, scores >= 0.5)
    return by_group(answer, names, order, np.arange(9), floor, DRAWS)


SEXES: list[str | None] = ["F", "F", "F", "F", "M", "M", "M", "M", "M"]


def test_groups_and_their_gaps_by_hand() -> None:
    female, male = groups_of(SEXES)
    assert (female.n, female.n_positive, male.n) == (4, 2, 4)  # the one without a truth counts nowhere
    assert female.metrics["auroc"].value == 0.75
    assert female.metrics["sensitivity"].value == 0.5
    assert male.metrics["auroc"].value == 1.0
    assert female.gap["auroc"].value == -0.25
    assert male.gap["auroc"].value == 0.25
    assert female.gap["auroc"].lower <= -0.25 <= female.gap["auroc"].upper


def test_the_rest_is_who_has_another_group_and_not_who_has_none() -> None:
    female, male = groups_of(["F", "F", "F", "F", "M", None, "M", None, None])
    assert female.gap["sensitivity"].value == 0.5 - 1.0
    assert male.n == 2
    alone = groups_of(["F"] * 9, order=("F",))[0]
    assert alone.metrics["auroc"].value is not None
    assert alone.gap == {}


@pytest.mark.parametrize(
    ("floor", "words"),
    [(Floor(5, 1), "fewer than 5 examples"), (Floor(2, 3), "fewer than 3 positive examples"), (Floor(2, 1), None)],
)
def test_a_small_group_is_said_to_be_small(floor: Floor, words: str | None) -> None:
    female = groups_of(SEXES, floor)[0]
    assert female.reason == words
    assert (female.metrics == {}) == (words is not None)


def test_a_group_that_nobody_is_in_is_told() -> None:
    assert groups_of(SEXES, order=("F", "M", "O"))[2].reason == "no example"


def test_a_gap_that_is_there_is_found_and_one_that_is_not_is_not() -> None:
    rng = np.random.default_rng(2)
    truth = (rng.random(1200) < 0.5).astype(float)
    site = rng.integers(0, 2, 1200)
    blurred = np.where(site == 1, 3.0, 0.7)
    scores = 1 / (1 + np.exp(-(truth - 0.5 + rng.normal(0, 1, 1200) * blurred)))
    answer = yes_no("a", scores, truth, scores >= 0.5)
    worse = by_group(answer, [str(one) for one in site], ("1",), np.arange(1200), Floor(30, 10), DRAWS)[0]
    assert worse.gap["auroc"].upper < 0
    names = [str(row % 2) for row in range(1200)]
    chance = by_group(answer, names, ("1",), np.arange(1200), Floor(30, 10), DRAWS)[0]
    assert chance.gap["auroc"].lower < 0 < chance.gap["auroc"].upper


def test_a_rest_of_one_subject_gives_no_interval_of_a_gap() -> None:
    scores = np.array([0.9, 0.4, 0.3, 0.5, 0.8, 0.7, 0.2, 0.1])
    answer = yes_no("a", scores, np.array([1.0, 1, 0, 0, 1, 1, 0, 0]), scores >= 0.5)
    female, male = by_group(answer, SEXES[:8], ("F", "M"), np.array([1, 2, 3, 4, 9, 9, 9, 9]), SMALL, DRAWS)
    assert female.gap["auroc"].value == -0.25
    assert np.isnan([female.gap["auroc"].lower, male.gap["auroc"].lower]).all()


def test_means_over_other_classes_are_not_compared() -> None:
    """The rest has a third class that is easy: its higher mean is no better model for it."""
    config, answers, targets = stored("multiclass")
    group = np.where((np.arange(120) < 50) & (targets[:, 0] != 2), "A", "B").tolist()
    (answer,) = whole_answers("multiclass", config, answers, targets)
    gap = by_group(answer, group, ("A",), np.arange(120), SMALL, DRAWS)[0].gap
    assert np.isnan([gap["macro_auroc"].value, gap["balanced_accuracy"].value]).all()
    assert np.isfinite(gap["accuracy"].value)
    same = by_group(answer, [str(row % 2) for row in range(120)], ("1",), np.arange(120), SMALL, DRAWS)[0].gap
    assert np.isfinite(same["macro_auroc"].value)
