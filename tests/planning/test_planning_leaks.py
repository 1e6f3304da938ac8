"""What would let a model know what it must not: each leak is planted, and found."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from medray.planning.duplicates import copies_in_train, learnt_before
from medray.planning.telltales import is_the_number, telltale


def test_a_training_image_that_is_a_tuning_image_too_is_a_copy() -> None:
    split, digests = np.array([0, 0, 0, 1, 1, 0]), np.array([11, 12, 11, 11, 13, 0])
    assert copies_in_train(split, digests).tolist() == [True, False, True, False, False, False]
    assert not copies_in_train(np.array([0, 1]), np.array([0, 0])).any()  # images that say nothing


def test_images_that_a_model_has_learnt_from_are_known_again() -> None:
    learnt = {"train": np.array([3, 5]), "tuning": np.array([9])}
    assert learnt_before(np.array([5, 6, 9, 0]), learnt).tolist() == [True, False, True, False]
    assert not learnt_before(np.array([5]), {}).any()


def _features(count: int = 200) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.normal(size=(count, 5)).astype(np.float32), (np.arange(count) % 4 == 0).astype(np.float32)


def test_the_answer_among_the_inputs_is_found_also_turned_round_or_as_a_gap() -> None:
    for planted in (lambda y: y, lambda y: 7 - 3 * y, lambda y: np.where(y == 1, 1.0, np.nan)):
        features, answers = _features()
        features[:, 3] = planted(answers)
        found = telltale(features, answers)
        assert found is not None
        assert (found.summary, found.auroc, found.is_answer) == (3, 1.0, True)


def test_a_summary_that_nearly_tells_the_answer_is_suspicious_and_no_more() -> None:
    features, answers = _features()
    features[:, 2] = answers + np.random.default_rng(1).normal(0, 0.2, len(answers))
    found = telltale(features, answers)
    assert found is not None
    assert found.auroc == pytest.approx(roc_auc_score(answers, features[:, 2]), abs=1e-12)
    assert (found.summary, found.is_answer) == (2, False)
    assert found.auroc > 0.995


def test_an_honest_strong_summary_and_too_few_answers_are_not_suspicious() -> None:
    features, answers = _features()
    features[:, 2] = answers + np.random.default_rng(1).normal(0, 0.5, len(answers))
    assert 0.9 < roc_auc_score(answers, features[:, 2]) < 0.995
    assert telltale(features, answers) is None
    features[:, 1] = answers
    few = np.flatnonzero(answers == 1)[:19]
    rows = np.r_[few, np.flatnonzero(answers == 0)]
    assert telltale(features[rows], answers[rows]) is None


def test_unknown_answers_do_not_count() -> None:
    features, answers = _features()
    features[:, 3] = answers
    answers[:10], features[:10, 3] = np.nan, 5.0
    found = telltale(features, answers)
    assert found is not None
    assert found.is_answer


def test_a_number_among_the_inputs_is_found() -> None:
    features, _ = _features()
    target = np.linspace(0, 9, len(features)).astype(np.float32)
    assert is_the_number(features, target) is None
    features[:, 4] = target
    assert is_the_number(features, target) == 4
    features[7, 4] += 1
    assert is_the_number(features, target) is None
