from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

from medray.errors import LabelError
from medray.metrics.evaluate import evaluate_binary, evaluate_multiclass, evaluate_multilabel

CLASSES = ("normal", "mild", "severe")
# decided: normal, mild, mild, severe, normal; the last row has no truth
PROBABILITIES = np.array(
    [[0.7, 0.2, 0.1], [0.3, 0.6, 0.1], [0.2, 0.5, 0.3], [0.1, 0.1, 0.8], [0.9, 0.1, 0.0], [0.2, 0.3, 0.5]]
)
TARGETS = np.array([0, 1, 2, 2, 1, np.nan])
SUBJECTS = np.arange(6)
DRAWS = {"resamples": 100, "seed": 2}


def test_multiclass_by_hand() -> None:
    found = evaluate_multiclass(PROBABILITIES, TARGETS, CLASSES, SUBJECTS, **DRAWS)
    assert (found.n, found.n_subjects) == (5, 5)
    assert found.confusion == ((1, 0, 0), (1, 1, 0), (0, 1, 1))
    assert found.metrics["accuracy"].value == pytest.approx(3 / 5)
    # found per class: 1 of 1, 1 of 2, 1 of 2
    assert found.metrics["balanced_accuracy"].value == pytest.approx(2 / 3)
    # normal 3/4 (0.7 loses to 0.9); mild 1/2 (0.6 wins 3, 0.1 ties 1 of 3: 3.5/6); severe 6/6
    assert found.metrics["macro_auroc"].value == pytest.approx((3 / 4 + 3.5 / 6 + 1) / 3)
    assert found.by_class["mild"].confusion.false_positive == 1
    assert found.by_class["mild"].threshold is None


def test_multiclass_agrees_with_scikit_learn() -> None:
    generator = np.random.default_rng(0)
    probabilities = generator.dirichlet([1, 1, 1], 200)
    targets = generator.integers(0, 3, 200).astype(float)
    found = evaluate_multiclass(probabilities, targets, CLASSES, np.arange(200), **DRAWS)
    assert found.metrics["macro_auroc"].value == pytest.approx(
        roc_auc_score(targets, probabilities, multi_class="ovr", average="macro")
    )
    assert found.metrics["balanced_accuracy"].value == pytest.approx(
        balanced_accuracy_score(targets, probabilities.argmax(1))
    )
    assert found.metrics["macro_auroc"].lower < found.metrics["macro_auroc"].value < found.metrics["macro_auroc"].upper


def test_a_class_that_never_occurs_is_not_in_the_means() -> None:
    targets = np.array([0, 1, 1, 0, 1, np.nan])
    found = evaluate_multiclass(PROBABILITIES, targets, CLASSES, SUBJECTS, **DRAWS)
    assert found.macro_over == ("normal", "mild")
    # normal: 1 of 2 found (rows 0 and 3), mild: 2 of 3
    assert found.metrics["balanced_accuracy"].value == pytest.approx((1 / 2 + 2 / 3) / 2)


def test_multiclass_without_a_truth_is_null() -> None:
    found = evaluate_multiclass(PROBABILITIES, np.full(6, np.nan), CLASSES, SUBJECTS, **DRAWS)
    written = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert (written["n"], written["metrics"]["accuracy"]["value"]) == (0, None)
    assert written["confusion"] == [[0] * 3] * 3


def test_a_target_that_names_no_class_is_refused() -> None:
    with pytest.raises(LabelError, match="from 0 to 2"):
        evaluate_multiclass(PROBABILITIES, np.full(6, 3.0), CLASSES, SUBJECTS, **DRAWS)


def test_multilabel_is_each_label_on_its_known_rows() -> None:
    generator = np.random.default_rng(1)
    scores = generator.random((80, 2))
    targets = (generator.random((80, 2)) < scores).astype(float)
    targets[:20, 0] = np.nan
    targets[10:15, 1] = np.nan  # rows 10 to 14 have no truth at all
    subjects = np.arange(80) // 2
    found = evaluate_multilabel(scores, targets, scores >= 0.5, [0.5, 0.5], ["effusion", "fracture"], subjects, **DRAWS)
    alone = evaluate_binary(scores[:, 0], targets[:, 0], scores[:, 0] >= 0.5, 0.5, subjects, **DRAWS)
    assert found.by_label["effusion"] == alone
    assert found.by_label["effusion"].n == 60
    assert (found.n, found.n_subjects) == (75, 38)
    areas = [part.metrics["auroc"].value for part in found.by_label.values()]
    macro = found.metrics["macro_auroc"]
    assert macro.value == pytest.approx(np.mean(areas))
    assert macro.lower < macro.value < macro.upper
    assert json.loads(json.dumps(found.to_json()))["by_label"]["fracture"]["kind"] == "binary"


def test_a_label_of_one_class_is_not_in_the_macro_mean() -> None:
    scores = np.array([[0.9, 0.5], [0.1, 0.5], [0.4, 0.2]])
    targets = np.array([[1.0, 0], [0, 0], [0, 0]])
    found = evaluate_multilabel(scores, targets, scores >= 0.5, [0.5, 0.5], ["a", "b"], np.arange(3), **DRAWS)
    assert found.macro_over == ("a",)
    assert found.metrics["macro_auroc"].value == 1
