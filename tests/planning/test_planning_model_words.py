"""Who is asked what, in words."""

from __future__ import annotations

from typing import Any

import pytest
from record_scene import PROBLEM

from medray.planning.model_words import cohort, question, targets
from medray.recipes.problem import Problem

EVERY = {
    "name": "rate", "observe_hours": 12,
    "cohort": {"kind": "every", "codes": ["ADMISSION", "TRANSFER"], "after_hours": 0, "every_hours": 4,
               "until": ["DISCHARGE"]},
    "targets": {"late": {"codes": ["HR"], "gap_hours": 6, "take": "hours_to"}},
}  # fmt: skip


def test_a_cohort_is_told_with_what_may_be_known() -> None:
    assert cohort(Problem.model_validate(PROBLEM), {}) == (
        "Every subject, 12 h after the first ADMISSION, unless DEATH came before. What is known: the 12 h before, and "
        "static facts."
    )
    assert cohort(Problem.model_validate(EVERY), {}) == (
        "Every subject, every 4 h from the first ADMISSION or TRANSFER on, until DISCHARGE. What is known: the 12 h "
        "before, and static facts."
    )
    subject = {"name": "table", "cohort": {"kind": "subject"}}
    assert cohort(Problem.model_validate(subject), {}) == "Every subject once; only static facts are known."
    assert cohort(None, {"modalities": ["CR", "DX"]}) == ("Every image (CR, DX) that the family takes, each by itself.")


def test_answers_are_told_with_their_window() -> None:
    assert targets(Problem.model_validate(PROBLEM), ["death", "next_rate", "of a file"]) == {
        "death": "whether DEATH occurs in the 72 h that follow, at most until DEATH or DISCHARGE",
        "next_rate": "the mean of HR in the 2 h that follow",
    }
    assert targets(Problem.model_validate(EVERY), ["late"]) == {"late": "hours to the first HR afterwards, from 6 h on"}
    assert targets(Problem.model_validate(PROBLEM), ["death"]).keys() == {"death"}
    assert targets(None, ["death"]) == {}


@pytest.mark.parametrize(
    ("task", "words"),
    [
        ({"kind": "binary", "label": "a"}, "a: yes or no"),
        ({"kind": "multilabel", "labels": ["a", "b"]}, "a, b: yes or no, each"),
        ({"kind": "multiclass", "label": "a", "classes": ["x", "y"]}, "a: one of x, y"),
        ({"kind": "ordinal", "label": "a", "classes": ["x", "y"]}, "a: one of x, y, in this order"),
        ({"kind": "regression", "labels": ["a"]}, "a: a number"),
        ({"kind": "regression", "labels": ["a", "b"]}, "a, b: a number each"),
    ],
)
def test_a_question_is_told(task: dict[str, Any], words: str) -> None:
    assert question(task) == words
