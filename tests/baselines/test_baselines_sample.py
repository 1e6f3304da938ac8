"""Which rows and columns simple models learn from."""

from __future__ import annotations

import numpy as np
import pytest

from medray.baselines import sample as room
from medray.baselines.sample import Sample, UnlearnableError, drawn_rows, finite, sample, usable_folds, varying

NAN = np.nan


def test_subjects_are_drawn_whole_and_in_a_seeded_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "MOST_ROWS", 6)
    subjects = np.repeat([5, 3, 9, 1], 3)
    rows = drawn_rows(subjects, 0)
    assert rows.tolist() == sorted(rows.tolist())
    assert np.unique(subjects[rows], return_counts=True)[1].tolist() == [3, 3]
    assert drawn_rows(subjects, 0).tolist() == rows.tolist()
    assert len({tuple(drawn_rows(subjects, seed)) for seed in range(20)}) > 1


def test_all_rows_are_kept_while_there_are_few() -> None:
    assert drawn_rows(np.array([2, 1, 2]), 0).tolist() == [0, 1, 2]


def test_columns_that_say_nothing_are_dropped() -> None:
    #                  constant  varies  never known  known or not  constant zero
    features = np.array([[7.0, 1.0, NAN, 4.0, 0.0], [7.0, 2.0, NAN, NAN, 0.0], [7.0, 1.0, NAN, 4.0, 0.0]])
    assert varying(features).tolist() == [1, 3]
    assert varying(np.zeros((3, 0))).tolist() == []


def test_what_is_not_finite_is_not_known() -> None:
    found = finite(np.array([[1.0, np.inf, -np.inf, NAN]]))
    assert np.isnan(found).tolist() == [[False, True, True, True]]
    assert found.dtype == np.float32


def given(rows: int = 30, subjects: int = 30) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    features = np.arange(rows, dtype=np.float32)[:, None]
    return features, (np.arange(rows) % 2).astype(float), np.arange(rows) % subjects


def test_rows_without_an_answer_are_left_out_before_columns_are_judged() -> None:
    features, targets, subjects = given()
    features = np.hstack([features, np.zeros_like(features)])
    features[3, 1], targets[3] = 1.0, NAN  # the second column varies in an unanswered row only
    found, columns = sample(features, targets, subjects, 0)
    assert columns.tolist() == [0]
    assert found.features.shape == (29, 1)
    assert found.features[:, 0].tolist() == [row for row in range(30) if row != 3]


def test_no_subject_is_on_both_sides_of_a_fold() -> None:
    features, targets, subjects = given(40, 7)
    found, _ = sample(features, targets, subjects, 0)
    assert len(found.folds) == 3
    for learn, check in found.folds:
        assert not set(subjects[learn]) & set(subjects[check])
    assert sorted(np.concatenate([check for _, check in found.folds]).tolist()) == list(range(40))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"rows": 19}, "19 training examples"),
        ({"targets": np.full(30, NAN)}, "0 training examples"),
        ({"targets": np.ones(30)}, "same answer"),
        ({"features": np.zeros((30, 0), np.float32)}, "no summary differs"),
        ({"features": np.full((30, 2), NAN, np.float32)}, "no summary differs"),
        ({"subjects": 2}, "2 training subject"),
    ],
)
def test_what_cannot_be_learnt_from_says_why(changes: dict, words: str) -> None:
    features, targets, subjects = given(changes.get("rows", 30), changes.get("subjects", 30))
    with pytest.raises(UnlearnableError, match=words):
        sample(changes.get("features", features), changes.get("targets", targets), subjects, 0)


def test_folds_that_cannot_teach_every_answer_are_left_out() -> None:
    targets = np.array([0.0, 0.0, 0.0, 1.0])
    good, bad = (np.array([0, 3]), np.array([1, 2])), (np.array([0, 1]), np.array([2, 3]))
    assert len(list(usable_folds(Sample(targets[:, None], targets, [good, bad], 0)))) == 1
    with pytest.raises(UnlearnableError, match="too few training subjects"):
        list(usable_folds(Sample(targets[:, None], targets, [bad], 0)))
