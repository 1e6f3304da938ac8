from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score, roc_auc_score

from medray.errors import LabelError, ModelError
from medray.metrics.evaluate import evaluate_ordinal
from medray.metrics.records import OrdinalMetrics

CLASSES = ("short", "middle", "long")
PROBABILITIES = np.array(
    [[0.7, 0.2, 0.1], [0.3, 0.6, 0.1], [0.2, 0.5, 0.3], [0.1, 0.1, 0.8], [0.9, 0.1, 0.0], [0.2, 0.3, 0.5]]
)
TARGETS = np.array([0, 1, 2, 2, 2, np.nan])
DECIDED = np.array([0, 1, 1, 2, 0, 2])
SUBJECTS = np.arange(6)


def evaluated(**changes: object) -> OrdinalMetrics:
    given = {
        "probabilities": PROBABILITIES, "targets": TARGETS, "decided": DECIDED, "classes": CLASSES,
        "subjects": SUBJECTS, "resamples": 100, "seed": 2,
    }  # fmt: skip
    return evaluate_ordinal(**(given | changes))  # type: ignore[arg-type]


def test_values_by_hand() -> None:
    found = evaluated()
    assert (found.n, found.n_subjects, found.macro_over) == (5, 5, ("middle", "long"))
    # distances 0 0 1 0 2; squares 0 0 1 0 4. Truth 0 1 2 2 2, decided 0 1 1 2 0: chance is
    # mean of t squared 13/5 - 2 * 7/5 * 4/5 + mean of d squared 6/5
    assert found.metrics["rank_mae"].value == pytest.approx(3 / 5)
    assert found.metrics["accuracy"].value == pytest.approx(3 / 5)
    assert found.metrics["within_one"].value == pytest.approx(4 / 5)
    assert found.metrics["quadratic_kappa"].value == pytest.approx(1 - 1 / (13 / 5 - 56 / 25 + 6 / 5))
    # at least middle: 0.3 | 0.7 0.8 0.9 0.1 -> 3 of 4; at least long: 0.1 0.1 | 0.3 0.8 0.0 -> 4 of 6
    assert found.metrics["macro_auroc"].value == pytest.approx((3 / 4 + 4 / 6) / 2)
    assert found.confusion == ((1, 0, 0), (0, 1, 0), (1, 1, 1))


def test_values_are_those_of_scikit_learn() -> None:
    generator = np.random.default_rng(0)
    probabilities, targets = generator.dirichlet([1, 1, 1], 200), generator.integers(0, 3, 200)
    decided = generator.integers(0, 3, 200)
    found = evaluated(
        probabilities=probabilities, targets=targets.astype(float), decided=decided, subjects=np.arange(200)
    )
    kappa = found.metrics["quadratic_kappa"]
    assert kappa.value == pytest.approx(cohen_kappa_score(targets, decided, weights="quadratic"))
    assert kappa.lower < kappa.value < kappa.upper
    area = roc_auc_score(targets == 2, probabilities[:, 2])
    assert found.by_cut["long"].metrics["auroc"].value == pytest.approx(area)
    assert found.by_cut["middle"].metrics["accuracy"].value == pytest.approx(np.mean((targets > 0) == (decided > 0)))


def test_a_cut_without_both_sides_is_not_in_the_mean() -> None:
    found = evaluated(targets=np.array([0, 1, 1, 1, 0, np.nan]))
    assert found.macro_over == ("middle",)
    assert found.metrics["macro_auroc"].value == found.by_cut["middle"].metrics["auroc"].value


def test_one_class_everywhere_leaves_kappa_undefined() -> None:
    found = evaluated(targets=np.ones(6), decided=np.ones(6))
    assert np.isnan(found.metrics["quadratic_kappa"].value)
    assert found.metrics["accuracy"].value == 1


def test_json_without_a_truth() -> None:
    written = json.loads(json.dumps(evaluated(targets=np.full(6, np.nan)).to_json(), allow_nan=False))
    assert (written["kind"], written["n"], written["metrics"]["rank_mae"]["value"]) == ("ordinal", 0, None)
    assert written["by_cut"]["long"]["kind"] == "binary"
    assert written["confusion"] == [[0] * 3] * 3


def test_rounding_makes_no_probability_above_one() -> None:
    probabilities = np.tile([0.0, 0.1 + 0.2, 0.7 + 1e-12], (6, 1))
    assert evaluated(probabilities=probabilities).n == 5


def test_what_cannot_be_evaluated_is_refused() -> None:
    with pytest.raises(LabelError, match="from 0 to 2"):
        evaluated(targets=np.full(6, 3.0))
    with pytest.raises(ModelError, match="no probability"):
        evaluated(probabilities=PROBABILITIES * 5)
