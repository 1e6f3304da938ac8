"""What an evaluation gets: one object for each simple model, label and metric."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from medray.baselines.answers import Baseline, baseline_answers, drawn
from medray.baselines.compare import compare
from medray.baselines.question import Question, question
from medray.errors import AccountingError

NAN = np.nan
ROWS, LEARNT = 300, 200
GENERATOR = np.random.default_rng(0)
FEATURES = GENERATOR.normal(size=(ROWS, 3)).astype(np.float32)
TRUTH = FEATURES[:, 0] + 0.3 * GENERATOR.normal(size=ROWS)  # what linear models find
BLIND = GENERATOR.random(ROWS)  # what a network that has learnt nothing answers


def run(kind: str, config: dict[str, Any], stored: dict[str, Any], truth: np.ndarray, **changes: Any) -> list[Any]:
    targets = truth.astype(np.float32)
    given: dict[str, Any] = {
        "stored": {label: {name: column[LEARNT:] for name, column in value.items()} for label, value in stored.items()},
        "targets": targets[LEARNT:], "subjects": np.arange(ROWS)[LEARNT:], "train_features": FEATURES[:LEARNT],
        "train_targets": targets[:LEARNT], "train_subjects": np.arange(LEARNT), "features": FEATURES[LEARNT:],
        "resamples": 100, "seed": 1,
    }  # fmt: skip
    found = compare(kind, SimpleNamespace(**config), **(given | changes))
    written: list[Any] = json.loads(json.dumps(found, allow_nan=False))
    assert written == found
    return found


def lines(found: list[Any]) -> list[tuple[Any, ...]]:
    return [(one["baseline"], one["label"], one["metric"], one["primary"], one["verdict"]) for one in found]


def chance(values: np.ndarray) -> dict[str, np.ndarray]:
    return {"predicted_boolean_probability": values}


def test_a_blind_network_is_worse_than_both() -> None:
    found = run("binary", {"labels": ("a",)}, {"a": chance(BLIND)}, (TRUTH > 0)[:, None])
    assert lines(found) == [
        ("linear", "a", "auroc", True, "worse"), ("linear", "a", "auprc", False, "worse"),
        ("trees", "a", "auroc", True, "worse"), ("trees", "a", "auprc", False, "worse"),
    ]  # fmt: skip
    first = found[0]
    assert first["baseline_name"] == "logistic regression"
    assert first["simple"] > 0.9 > first["network"]
    assert first["difference"]["value"] == pytest.approx(first["network"] - first["simple"])
    assert (first["n"], first["n_subjects"], first["reason"]) == (100, 100, None)
    assert first["learnt"] == {"rows": 200, "subjects": 200, "summaries": 3}
    assert (first["resamples"], first["seed"], first["level"]) == (100, 1, 0.95)


def test_a_network_that_knows_more_is_better() -> None:
    targets = GENERATOR.permutation(TRUTH > 0)[:, None]  # nothing to find in the features
    found = run("binary", {"labels": ("a",)}, {"a": chance(targets[:, 0] + 0.0)}, targets)
    assert {one["verdict"] for one in found} == {"better"}


def test_the_same_seed_gives_the_same() -> None:
    twice = [run("binary", {"labels": ("a",)}, {"a": chance(BLIND)}, (TRUTH > 0)[:, None]) for _ in range(2)]
    assert twice[0] == twice[1]


def test_a_label_that_cannot_be_learnt_is_out_of_the_mean_and_says_why() -> None:
    targets = np.stack([TRUTH > 0, np.arange(ROWS) % 3 == 0], axis=1).astype(float)
    targets[:LEARNT, 1] = 0
    targets[:5, 0] = NAN
    found = run("multilabel", {"labels": ("a", "b")}, {"a": chance(BLIND), "b": chance(BLIND)}, targets)
    mean, a, b = found[:3]
    assert (mean["label"], mean["metric"], mean["over"], mean["primary"]) == ("all labels", "macro_auroc", ["a"], True)
    assert mean["simple"] == pytest.approx(a["simple"])
    assert (b["verdict"], b["simple"], b["network"]) == (None, None, None)
    assert b["reason"] == "all training examples have the same answer"
    assert (a["label"], a["metric"], a["primary"]) == ("a", "auroc", False)


def test_the_mean_of_labels_is_the_mean_of_their_areas() -> None:
    targets = np.stack([TRUTH > 0, FEATURES[:, 1] > 0.5], axis=1)
    mean, a, b = run("multilabel", {"labels": ("a", "b")}, {"a": chance(BLIND), "b": chance(TRUTH)}, targets)[:3]
    assert a["network"] != pytest.approx(b["network"], abs=0.01)
    for model in ("network", "simple"):
        assert mean[model] == pytest.approx((a[model] + b[model]) / 2)


def test_classes_against_the_rest() -> None:
    targets = np.digitize(TRUTH, [-0.7, 0.7])[:, None].astype(float)
    stored = {f"a//{name}": chance(targets[:, 0] == place) for place, name in enumerate("xyz")}
    found = run("multiclass", {"labels": ("a",), "classes": ("x", "y", "z")}, stored, targets)
    assert [one[1:4] for one in lines(found)] == [("a", "macro_auroc", True)] * 2
    assert found[0]["network"] == 1
    assert 0.8 < found[0]["simple"] < 1
    assert found[0]["over"] == ["x", "y", "z"]


def test_ranks_are_expected_ones_and_stay_among_the_classes() -> None:
    targets = np.digitize(TRUTH, [-0.7, 0.7])[:, None].astype(float)
    stored = {"a": {"predicted_float_value": np.full(ROWS, 1.0)}}
    found = run("ordinal", {"labels": ("a",), "classes": ("x", "y", "z")}, stored, targets)
    assert [one[1:] for one in lines(found)] == [("a", "expected_rank_mae", True, "worse")] * 2
    assert found[0]["baseline_name"] == "ridge regression"
    assert found[0]["higher_is_better"] is False
    assert found[0]["network"] == pytest.approx(np.abs(targets[LEARNT:] - 1).mean())
    far = Baseline(lambda *given: BLIND, lambda *given: np.array([-3.0, 1.2, 7.0]), "", "")
    asked = Question("ordinal", ("a",), ("x", "y", "z"), absolute=False)
    answers = baseline_answers(far, asked, drawn(FEATURES, targets, np.arange(ROWS), 1), FEATURES[:3], 1)
    assert answers.values.tolist() == [[0.0], [1.2], [2.0]]


def test_each_number_is_decided_by_its_absolute_error() -> None:
    targets = np.stack([TRUTH, 10 * TRUTH], axis=1)
    stored = {name: {"predicted_float_value": value} for name, value in (("a", TRUTH), ("b", 0 * TRUTH))}
    found = run("regression", {"labels": ("a", "b"), "loss": "absolute"}, stored, targets)
    assert lines(found)[:4] == [
        ("linear", "a", "mae", True, "better"), ("linear", "a", "r2", False, "better"),
        ("linear", "b", "mae", True, "worse"), ("linear", "b", "r2", False, "worse"),
    ]  # fmt: skip
    assert found[0]["network"] == pytest.approx(0, abs=1e-6)


def test_only_answered_rows_of_the_training_split_are_drawn() -> None:
    targets = np.array([[NAN, NAN], [1.0, NAN], [NAN, 0.0]])
    found = drawn(np.array([[1.0], [np.inf], [3.0]]), targets, np.array([4, 5, 6]), 1)
    assert found.subjects.tolist() == [5, 6]
    assert np.isnan(found.features[0, 0])
    assert found.features[1, 0] == 3
    assert found.targets[:, 0].tolist() == pytest.approx([1, NAN], nan_ok=True)


@pytest.mark.parametrize(("loss", "absolute"), [("absolute", True), ("squared", False), ("huber", False)])
def test_simple_models_aim_at_what_the_network_aims_at(loss: str, absolute: bool) -> None:
    assert question("regression", SimpleNamespace(labels=("a",), loss=loss)).absolute is absolute
    assert question("binary", SimpleNamespace(labels=("a",))).absolute is False


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"features": FEATURES[LEARNT:, :0], "train_features": FEATURES[:LEARNT, :0]}, "no summary differs"),
        ({"train_features": np.full((LEARNT, 3), NAN)}, "no summary differs"),
        ({"train_targets": np.full((LEARNT, 1), NAN)}, "0 training examples"),
        ({"targets": np.full((100, 1), 1.0)}, "hold one answer only"),
        ({"targets": np.full((100, 1), NAN)}, "no row evaluated has an answer"),
        ({"subjects": np.zeros(100, int)}, "of one subject"),
    ],
)
def test_what_cannot_be_compared_says_why(changes: dict[str, Any], reason: str) -> None:
    found = run("binary", {"labels": ("a",)}, {"a": chance(BLIND)}, (TRUTH > 0)[:, None], **changes)
    assert {one["verdict"] for one in found} == {None}
    assert all(reason in one["reason"] for one in found)


def test_rows_that_do_not_belong_together_are_refused() -> None:
    with pytest.raises(AccountingError, match="rows evaluated"):
        run("binary", {"labels": ("a",)}, {"a": chance(BLIND)}, (TRUTH > 0)[:, None], subjects=np.arange(9))
