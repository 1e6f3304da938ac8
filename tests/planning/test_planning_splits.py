"""A subject is in one split for ever."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pytest

from medray.errors import SplitError
from medray.planning.splits import assign, hashed_split

SALTED = {"label": None, "salt": "s", "tuning": 0.2, "held_out": 0.1}
GIVEN: dict[str, Any] = {"label": "split", "salt": None, "tuning": None, "held_out": None}


def position(subject: int, salt: str = "s") -> float:
    """The subject's place in [0, 1), from the definition."""
    return int(hashlib.sha256(f"{salt}\x1f{subject}".encode()).hexdigest()[:16], 16) / 2**64


def test_the_split_follows_from_the_hash() -> None:
    places = [position(subject) for subject in range(200)]
    expected = ["held_out" if place < 0.1 else "tuning" if place >= 0.8 else "train" for place in places]
    assert [hashed_split(subject, "s", 0.2, 0.1) for subject in range(200)] == expected


def test_shares_are_met() -> None:
    found = [hashed_split(subject, "s", 0.2, 0.1) for subject in range(20_000)]
    assert found.count("tuning") / 20_000 == pytest.approx(0.2, abs=0.01)
    assert found.count("held_out") / 20_000 == pytest.approx(0.1, abs=0.01)


def test_a_changed_share_moves_nobody_between_the_other_parts() -> None:
    def moves(tuning: float, held_out: float) -> set[tuple[str, str]]:
        pairs = {(hashed_split(n, "s", 0.2, 0.1), hashed_split(n, "s", tuning, held_out)) for n in range(5000)}
        return {(before, after) for before, after in pairs if before != after}

    assert moves(tuning=0.3, held_out=0.1) == {("train", "tuning")}
    assert moves(tuning=0.2, held_out=0.15) == {("train", "held_out")}


def test_another_salt_is_another_split() -> None:
    subjects = range(1000)
    same = sum(hashed_split(subject, "s", 0.5, 0.1) == hashed_split(subject, "t", 0.5, 0.1) for subject in subjects)
    assert same < 600


def test_all_examples_of_a_subject_go_together() -> None:
    subjects = np.array([2**62 + 1, 7, 2**62 + 1, 7, 9], np.int64)
    found = assign(subjects, SALTED, [])
    assert found.tolist() == [hashed_split(int(subject), "s", 0.2, 0.1) for subject in subjects]


def test_given_splits_are_taken_as_they_are() -> None:
    found = assign(np.array([1, 2, 1, 3, 4]), GIVEN, ["train", "tuning", "train", None, "held_out"])
    assert found.tolist() == ["train", "tuning", "train", None, "held_out"]


def test_an_unknown_word_is_refused_and_not_quoted() -> None:
    with pytest.raises(SplitError, match="2 unknown value") as raised:
        assign(np.array([1, 2, 3, 4]), GIVEN, ["train", "DOE^JANE", "validation", "validation"])
    assert "DOE" not in str(raised.value)


def test_a_subject_in_two_splits_is_refused() -> None:
    with pytest.raises(SplitError, match="1 subject"):
        assign(np.array([1, 2, 1, 2]), GIVEN, ["train", "train", "tuning", "train"])


def test_an_undeclared_example_beside_a_declared_one_tears_nobody() -> None:
    assert assign(np.array([1, 1]), GIVEN, [None, "train"]).tolist() == [None, "train"]
