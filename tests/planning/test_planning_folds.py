"""Folds by subject: who is dealt where, by hand; what leaks is found."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from medray.errors import SplitError
from medray.planning.folds import OUT, TRAIN, TUNING, assign_folds, groups, parts_of_fold
from medray.planning.splits import check_apart

SALT = "s"


def place(group: int, salt: str = SALT) -> int:
    """A group's place in the order, from the definition."""
    return int(hashlib.sha256(f"{salt}\x1f{group}".encode()).hexdigest()[:16], 16)


def by_hash(chosen: list[int], salt: str = SALT) -> list[int]:
    return sorted(chosen, key=lambda one: place(one, salt))


def test_groups_are_dealt_round_by_stratum_in_the_order_of_the_hash() -> None:
    # Subjects 0 to 6 answer no, 7 to 11 yes: negatives are dealt first, positives go on where they stopped.
    subjects, answers = np.arange(12), (np.arange(12) >= 7).astype(np.float32)[:, None]
    dealt = by_hash(list(range(7))) + by_hash(list(range(7, 12)))
    expected = {subject: turn % 3 for turn, subject in enumerate(dealt)}
    assert assign_folds(subjects, answers, 3, SALT).tolist() == [expected[subject] for subject in range(12)]


def test_every_fold_has_its_share_of_subjects_and_of_positives() -> None:
    rng = np.random.default_rng(0)
    subjects = np.arange(103)
    answers = (rng.random(103) < 0.2).astype(np.float32)[:, None]
    fold = assign_folds(subjects, answers, 5, SALT)
    assert np.ptp(np.bincount(fold)) <= 1
    assert np.ptp(np.bincount(fold[answers[:, 0] == 1])) <= 1


def test_rare_positives_of_one_of_several_questions_are_spread() -> None:
    answers = np.zeros((60, 3), np.float32)
    answers[::2, 0], answers[:, 1], answers[[3, 8, 21, 30, 41], 2] = 1, np.nan, 1
    fold = assign_folds(np.arange(60), answers, 5, SALT)
    assert sorted(fold[answers[:, 2] == 1].tolist()) == [0, 1, 2, 3, 4]


def test_numbers_are_spread_by_fifths() -> None:
    answers = np.arange(50, dtype=np.float32)[:, None]
    fold = assign_folds(np.arange(50), answers, 5, SALT)
    fifths = [np.bincount(fold[start : start + 10]).tolist() for start in range(0, 50, 10)]
    assert fifths == [[2, 2, 2, 2, 2]] * 5


def test_folds_do_not_depend_on_the_order_of_the_examples_and_keep_a_subject_together() -> None:
    rng = np.random.default_rng(1)
    subjects, answers = rng.integers(0, 40, 200), rng.integers(0, 2, (200, 1)).astype(np.float32)
    order = rng.permutation(200)
    fold = assign_folds(subjects, answers, 4, SALT)
    assert (assign_folds(subjects[order], answers[order], 4, SALT) == fold[order]).all()
    assert len({(subject, one) for subject, one in zip(subjects, fold, strict=True)}) == len(np.unique(subjects))
    assert (assign_folds(subjects, answers, 4, "other") != fold).any()


def test_fewer_subjects_than_folds_are_refused() -> None:
    with pytest.raises(SplitError, match="5 folds of 4 subjects"):
        assign_folds(np.array([1, 1, 2, 3, 4]), np.zeros((5, 1)), 5, SALT)


def test_the_parts_of_a_fold_by_hand() -> None:
    subjects, answers = np.arange(12), (np.arange(12) >= 7).astype(np.float32)[:, None]
    fold = assign_folds(subjects, answers, 3, SALT)
    parts = parts_of_fold(subjects, subjects, answers, fold, 1, 0.25, SALT)
    rest = [subject for subject in range(12) if fold[subject] != 1]
    dealt = by_hash([one for one in rest if one < 7], "s tuning") + by_hash(
        [one for one in rest if one >= 7], "s tuning"
    )
    tuning = {dealt[3], dealt[7]}  # every fourth of eight
    expected = [OUT if fold[one] == 1 else TUNING if one in tuning else TRAIN for one in range(12)]
    assert parts.tolist() == expected


def test_every_subject_is_out_of_one_fold_and_in_one_part_of_each() -> None:
    rng = np.random.default_rng(2)
    subjects, answers = rng.integers(0, 50, 300), rng.integers(0, 2, (300, 1)).astype(np.float32)
    fold = assign_folds(subjects, answers, 5, SALT)
    parts = np.stack([parts_of_fold(subjects, subjects, answers, fold, k, 0.2, SALT) for k in range(5)])
    assert ((parts == OUT).sum(axis=0) == 1).all()
    for part in parts:
        assert len({*zip(subjects, part, strict=True)}) == len(np.unique(subjects))


def test_a_share_that_leaves_nobody_to_tune_is_refused() -> None:
    fold = assign_folds(np.arange(4), np.zeros((4, 1)), 2, SALT)
    with pytest.raises(SplitError, match="fold 1: found 2 subjects to learn and tune with, and 0 of them for tuning"):
        parts_of_fold(np.arange(4), np.arange(4), np.zeros((4, 1)), fold, 0, 0.2, SALT)


def test_subjects_that_share_an_image_are_one_group_also_through_others() -> None:
    subjects = np.array([5, 3, 3, 9, 9, 7, 8, 2])
    digests = np.array([1, 1, 2, 2, 4, 4, 6, 6])  # 5-3-9-7 in a chain; 8 and 2
    assert groups(subjects, digests).tolist() == [3, 3, 3, 3, 3, 3, 2, 2]
    assert groups(subjects, None).tolist() == subjects.tolist()


def test_images_that_say_nothing_join_nobody() -> None:
    assert groups(np.array([1, 2, 3]), np.array([0, 0, 7])).tolist() == [1, 2, 3]


def test_a_fold_that_would_leak_a_subject_is_refused() -> None:
    """A subject's two images are given two groups: whoever made them so is found out."""
    subjects, group = np.array([1, 1, 2, 3, 4, 5]), np.array([1, 10, 2, 3, 4, 5])
    fold = np.array([0, 1, 0, 1, 1, 1])
    with pytest.raises(SplitError, match=r"fold 1: found 1 subject\(s\) in two of its parts"):
        parts_of_fold(subjects, group, np.zeros((6, 1)), fold, 0, 0.5, SALT)


def test_two_parts_with_one_key_are_told_apart_from_one() -> None:
    check_apart(np.array([1, 1, 2]), np.array([0, 0, 1]), "here")
    with pytest.raises(SplitError, match=r"here: found 1 image\(s\) in two"):
        check_apart(np.array([1, 1, 2]), np.array([0, 1, 1]), "here", "image(s)")
