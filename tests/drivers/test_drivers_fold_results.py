"""What a cross-validation finds, for every kind of task, against scikit-learn; and its page."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import r2_score, roc_auc_score

from medray.baselines.answers import BASELINES, baseline_answers, drawn
from medray.baselines.over_folds import FoldRows, compare_over_folds
from medray.baselines.question import question
from medray.contracts import Array, Task
from medray.drivers.models.fold_results import divided, measured
from medray.drivers.models.fold_trainings import Fold, Trained, pooled
from medray.planning.folds import OUT, TRAIN, assign_folds, parts_of_fold
from medray.report.cross_validation import cross_validation_report, verdicts
from medray.report.render import render
from medray.rooms import task as task_named

N, K, SEEDS = 120, 3, (1, 2)
WEIGHTS = {"class_weights": False}
CONFIGS: dict[str, dict[str, Any]] = {
    "binary": {"label": "a", "threshold": "youden", **WEIGHTS},
    "multilabel": {"labels": ["a", "b"], "threshold": "youden", **WEIGHTS},
    "multiclass": {"label": "a", "classes": ["x", "y", "z"], **WEIGHTS},
    "ordinal": {"label": "a", "classes": ["x", "y", "z"], **WEIGHTS},
    "regression": {"labels": ["a"], "loss": "squared", "interval": 0.8},
}
MAIN = {
    "binary": ("a", "auroc"), "multilabel": ("all labels", "macro_auroc"), "multiclass": ("a", "macro_auroc"),
    "ordinal": ("a", "quadratic_kappa"), "regression": ("a", "r2"),
}  # fmt: skip


@pytest.fixture(autouse=True)
def no_trees(monkeypatch: pytest.MonkeyPatch) -> None:
    """They would take most of the time, and are no other than on one split."""
    linear = {name: one for name, one in BASELINES.items() if name != "trees"}
    monkeypatch.setattr("medray.baselines.over_folds.BASELINES", linear)


class _Scene:
    """Folds of made-up examples, and networks that know a little: their logits follow the first feature."""

    def __init__(self, kind: str, strength: float = 1.0) -> None:
        rng = np.random.default_rng(5)
        self.task: Task = task_named(kind)
        self.config = self.task.Config.model_validate({"kind": kind, **CONFIGS[kind]})
        self.features = rng.normal(size=(N, 3)).astype(np.float32)
        self.targets = self._targets(kind, self.features[:, :1] + rng.normal(size=(N, 2)))
        self.subjects = np.arange(N) // 2
        fold = assign_folds(self.subjects, self.targets, K, "s")
        parts = [parts_of_fold(self.subjects, self.subjects, self.targets, fold, k, 0.25, "s") for k in range(K)]
        self.folds = [Fold(k, part, {}, {}) for k, part in enumerate(parts)]
        self.trained = {seed: [self._trained(one, strength, seed) for one in self.folds] for seed in SEEDS}
        self.seeds = [pooled(self.folds, self.trained[seed]) for seed in SEEDS]

    def _targets(self, kind: str, hidden: Array) -> Array:
        if kind in ("multiclass", "ordinal"):
            return np.digitize(hidden[:, :1], [-0.7, 0.7]).astype(np.float32)
        if kind == "regression":
            return hidden[:, :1].astype(np.float32)
        return (hidden[:, : 1 + (kind == "multilabel")] > 0).astype(np.float32)

    def _trained(self, fold: Fold, strength: float, seed: int) -> Trained:
        outputs = self.task.outputs(self.config)
        noise = np.random.default_rng([seed, fold.number]).normal(size=(N, outputs))
        signs = np.linspace(-1, 1, outputs) if self.config.kind == "multiclass" else np.ones(outputs)
        logits = (strength * self.features[:, :1] * signs + 0.3 * noise).astype(np.float32)
        learn = fold.rows(TRAIN)
        calibration = self.task.calibrate(logits[learn], self.targets[learn], self.config)
        history = [{"epoch": n, "loss": 1 / n, "tuning_loss": 1.1 / n} for n in (1, 2, 3)]
        return Trained(history, self.task.decode(logits[fold.rows(OUT)], self.config, calibration))

    def rows(self) -> list[FoldRows]:
        return [
            FoldRows(one.rows(TRAIN), one.rows(OUT), self.features[one.rows(TRAIN)], self.features[one.rows(OUT)])
            for one in self.folds
        ]

    def compared(self) -> list[dict[str, Any]]:
        asked = (self.config.kind, self.config, self.seeds, self.targets, self.subjects)
        return compare_over_folds(*asked, self.rows(), 200, 1)

    def found(self) -> dict[str, Any]:
        comparisons = self.compared()
        return {
            "folds": divided(self.folds, self.subjects, self.subjects, self.targets, self.config.labels),
            "seeds": list(SEEDS),
            **measured(self.task, self.config, self.seeds, self.targets, self.subjects, self.folds, 1),
            "resamples": 1000,
            "curves": {str(seed): [one.history for one in self.trained[seed]] for seed in SEEDS},
            "comparisons": comparisons,
            "verdicts": verdicts(comparisons, len(SEEDS)),
            "telltales": ["plain summary 2 of 3 alone tells a apart"],
        }


def test_every_example_is_answered_by_the_network_of_the_fold_that_it_is_out_of() -> None:
    scene = _Scene("binary")
    for fold, one in zip(scene.folds, scene.trained[2], strict=True):
        assert scene.seeds[1]["a"]["raw_score"][fold.rows(OUT)].tolist() == one.answers["a"]["raw_score"]


def test_areas_and_their_spread_by_scikit_learn() -> None:
    scene = _Scene("binary")
    found = measured(scene.task, scene.config, scene.seeds, scene.targets, scene.subjects, scene.folds, 1)
    (area,) = (one for one in found["metrics"] if one["metric"] == "auroc")
    scores, truth = [one["a"]["predicted_boolean_probability"] for one in scene.seeds], scene.targets[:, 0]
    whole = [roc_auc_score(truth, score) for score in scores]
    outs = [fold.rows(OUT) for fold in scene.folds]
    table = np.array([[roc_auc_score(truth[out], score[out]) for out in outs] for score in scores])
    assert area["by_seed"] == pytest.approx(whole)
    assert area["value"] == pytest.approx(np.mean(whole))
    assert np.array(area["by_fold"]) == pytest.approx(table)
    assert area["over_seeds"] == pytest.approx(np.std(whole, ddof=1))
    assert area["over_folds"] == pytest.approx(np.std(table.mean(axis=0), ddof=1))
    assert area["lower"] < area["value"] < area["upper"]
    assert [len(curve["x"]) > 2 for curve in found["roc"]["a"]] == [True] * K


def test_the_simple_models_learn_each_fold_and_are_measured_on_all() -> None:
    scene = _Scene("regression")
    (line,) = (one for one in scene.compared() if (one["baseline"], one["metric"]) == ("linear", "r2"))
    asked, simple = question("regression", scene.config), np.full(N, np.nan)
    for rows in scene.rows():
        training = drawn(rows.learn_features, scene.targets[rows.learn], scene.subjects[rows.learn], 1)
        simple[rows.asked] = baseline_answers(BASELINES["linear"], asked, training, rows.asked_features, 1).values[:, 0]
    truth = scene.targets[:, 0]
    assert line["simple"] == pytest.approx(r2_score(truth, simple))
    networks = [r2_score(truth, one["a"]["predicted_float_value"]) for one in scene.seeds]
    assert line["network"] == pytest.approx(np.mean(networks))
    assert line["simple_interval"]["lower"] < line["simple"] < line["simple_interval"]["upper"]


def test_a_plain_sentence_says_on_which_side_of_the_interval_the_networks_lie() -> None:
    weak = _Scene("binary", strength=-3.0)  # calibration turns no sign
    one = next(line for line in weak.compared() if line["baseline"] == "linear" and line["primary"])
    assert one["beside"] == "below"
    assert one["network"] < one["simple_interval"]["lower"]
    (told,) = verdicts(weak.compared(), 2)
    assert told.startswith("In AUROC of a the networks' mean over 2 seeds, 0.")
    assert "lies below the 95% interval of logistic regression" in told
    above = {**one, "beside": "above", "higher_is_better": False}
    assert verdicts([above], 1)[0].endswith("(above: with a smaller error).")


@pytest.mark.parametrize("kind", CONFIGS)
def test_every_kind_of_task_has_its_page(kind: str) -> None:
    found = json.loads(json.dumps(_Scene(kind).found()))
    answer, metric = MAIN[kind]
    (main,) = (one for one in found["metrics"] if (one["answer"], one["metric"]) == (answer, metric))
    assert main["lower"] <= main["value"] <= main["upper"]
    assert found["comparisons"]
    assert sum(one["examples"] for one in found["folds"]) == N
    page = render(cross_validation_report("Cross-validation of x", found, {"Run": "r" * 32, "Run date": "2026-01-01"}))
    for words in ("By fold and seed", "Training by fold", "Beside simple models", "Plain summary 2 of 3", "3 folds"):
        assert words in page
    assert page.count("<h1") == 1


def test_a_fold_without_a_class_has_no_mean_over_classes(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would be the mean of fewer, easier or harder, and no part of a deviation over folds."""
    monkeypatch.setattr("medray.drivers.models.fold_results.RESAMPLES", 20)
    scene = _Scene("multiclass")
    out = scene.folds[0].rows(OUT)
    targets = scene.targets.copy()
    targets[out[targets[out, 0] == 2]] = np.nan
    found = measured(scene.task, scene.config, scene.seeds, targets, scene.subjects, scene.folds, 1)["metrics"]
    macro, balanced, accuracy = (
        next(one for one in found if (one["answer"], one["metric"]) == ("a", metric))
        for metric in ("macro_auroc", "balanced_accuracy", "accuracy")
    )
    for one in (macro, balanced):
        assert [[value is None for value in row] for row in one["by_fold"]] == [[True, False, False]] * len(SEEDS)
        assert one["over_folds"] is None
        assert one["value"] is not None
    assert None not in accuracy["by_fold"][0]
