from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from report.comparison import compared, document

from medray.metrics.evaluate import evaluate_binary, evaluate_multiclass, evaluate_multilabel
from medray.report.binary_answer import binary_group, overview
from medray.report.evaluation import ShownExample, evaluation_report
from medray.report.render import render
from medray.report.sections import Figure, Gallery, Group, Highlights, Sum, Table, Text

DRAWS = {"resamples": 50, "seed": 1}


def binary(count: int = 300, share: float = 0.4) -> dict[str, Any]:
    generator = np.random.default_rng(0)
    targets = (np.arange(count) < share * count).astype(float)
    # normal scores half a unit apart, each told as the probability that Bayes' rule makes of it
    seen = 0.5 * targets + generator.normal(0, 0.2, count)
    odds = share / (1 - share) * np.exp((seen - 0.25) * 0.5 / 0.2**2)
    scores = odds / (1 + odds)
    found = evaluate_binary(scores, targets, scores >= 0.5, 0.5, np.arange(count), **DRAWS)
    written: dict[str, Any] = json.loads(json.dumps(found.to_json()))
    return written


def report(**changes: Any) -> Any:
    given: dict[str, Any] = {
        "title": "t", "subtitle": "s", "facts": [],
        "training": None, "ingest": None, "reasons": {}, "lineage": {"model_sha256": "ab"}, "examples": {},
    }  # fmt: skip
    told = document(answers={"effusion": binary()})
    told |= {name: changes.pop(name) for name in list(changes) if name in told}
    return evaluation_report(**(given | changes), evaluation=told)


def titles(found: Any) -> list[str]:
    return [section.title for section in found.sections]


def cautions(group: Group) -> str:
    return " ".join(" ".join(part.paragraphs) for part in group.sections if isinstance(part, Text))


def test_an_evaluation_on_the_tuning_split_says_first_what_that_means() -> None:
    assert titles(report(split="tuning"))[0] == "Read with care"


def test_only_what_is_known_is_shown() -> None:
    assert titles(report()) == ["effusion", "Not asked for", "Lineage"]
    image = np.zeros((8, 8), np.uint8)
    full = report(
        training={"epochs": [{"epoch": 1, "train_loss": 0.4}]},
        ingest=Sum("Ingest", "listed", 2, (("ingested", 1), ("quarantined", 1))),
        reasons={"truncated": 1},
        examples={"best": [ShownExample(image, 0.9, 1.0, "key-1")], "worst": [], "least certain": []},
    )
    assert titles(full) == ["effusion", "Examples", "Training", "Inputs", "Not asked for", "Lineage"]
    html = render(full)
    for words in ("key-1", "the bytes end before the last element, frame or member does", "✓ adds up", "ab"):
        assert words in html
    assert len(full.sections[1].sections) == 2  # one sheet, one table of keys


def test_a_binary_answer_shows_numbers_figures_and_all_metrics() -> None:
    metrics = binary()
    group = binary_group("effusion", metrics)
    kinds = [type(part) for part in group.sections]
    assert kinds == [Highlights, Gallery, Table]
    tile = group.sections[0].numbers[1]  # type: ignore[union-attr]
    cells = metrics["confusion"]
    assert tile.name == "Sensitivity"
    assert tile.value.value == metrics["metrics"]["sensitivity"]["value"]  # type: ignore[union-attr]
    assert [number.meaning for number in group.sections[0].numbers[1:5]] == [  # type: ignore[union-attr]
        f"{cells['true_positive']} of 120 positives found",
        f"{cells['true_negative']} of 180 negatives cleared",
        f"{cells['true_positive']} of {cells['true_positive'] + cells['false_positive']} positive decisions right",
        f"{cells['true_negative']} of {cells['true_negative'] + cells['false_negative']} negative decisions right",
    ]
    assert [figure.title for figure in group.sections[1].figures] == [  # type: ignore[union-attr]
        "Scores by truth", "ROC curve", "Precision and recall", "Calibration", "Confusion matrix",
    ]  # fmt: skip
    assert "120 positive (40.0%)" in group.note
    assert "50 bootstrap resamples of subjects (seed 1)" in group.sections[2].note  # type: ignore[union-attr]


def test_few_examples_are_said_to_be_few() -> None:
    assert cautions(binary_group("a", binary())) == ""
    assert "Only 4 positive examples" in cautions(binary_group("a", binary(100, 0.04)))
    assert "Only 1 positive example:" in cautions(binary_group("a", binary(100, 0.01)))


def test_one_class_leaves_curves_out_and_says_why() -> None:
    group = binary_group("a", binary(100, 0.0))
    assert "no positive example" in cautions(group)
    names = [figure.title for part in group.sections if isinstance(part, Gallery) for figure in part.figures]
    assert names == ["Scores by truth", "Calibration", "Confusion matrix"]


def test_undefined_resamples_are_told() -> None:
    metrics = binary(100, 0.01)
    note = overview("", {"a": metrics}).note
    assert f"left out: AUROC {metrics['one_class_resamples']}, AUPRC" in note
    assert "left out" not in overview("", {"a": binary()}).note


def test_an_interval_without_width_is_not_certainty() -> None:
    targets = np.repeat([0.0, 1.0], 40)
    found = evaluate_binary(targets, targets, targets == 1, 0.5, np.arange(80), **DRAWS).to_json()
    assert "No width to the interval of AUROC" in cautions(binary_group("a", found))


def test_no_example_at_all_still_makes_a_page() -> None:
    empty = np.zeros(0)
    found = evaluate_binary(empty, empty, empty == 1, 0.5, empty, **DRAWS).to_json()
    assert "\N{EN DASH}" in render(report(answers={"a": found}))


def test_several_answers_have_an_overview() -> None:
    generator = np.random.default_rng(0)
    scores = generator.random((60, 2))
    targets = (generator.random((60, 2)) < scores).astype(float)
    labels = evaluate_multilabel(scores, targets, scores >= 0.5, [0.5, 0.5], ["a", "b"], np.arange(60), **DRAWS)
    found = report(answers={"findings": labels.to_json()})
    assert titles(found) == ["findings", "All answers", "a", "b", "Not asked for", "Lineage"]
    assert [row[0] for row in found.sections[1].rows] == ["a", "b"]
    assert found.sections[0].numbers[0].meaning == "mean over a, b"


@pytest.mark.parametrize(("verdict", "place"), [("better", 1), ("no better", 0)])
def test_a_network_that_is_not_worth_its_while_is_the_first_thing_said(verdict: str, place: int) -> None:
    assert titles(report(baselines=[compared(verdict)])).index("Beside simple models") == place


def test_classes_have_a_matrix_and_a_row_each() -> None:
    generator = np.random.default_rng(0)
    probabilities = generator.dirichlet([1, 1, 1], 90)
    classes = evaluate_multiclass(
        probabilities, generator.integers(0, 3, 90).astype(float), ["x", "y", "z"], np.arange(90), **DRAWS
    )
    found = report(answers={"grade": classes.to_json()})
    assert titles(found) == ["grade", "Not asked for", "Lineage"]
    tiles, matrix, table = found.sections[0].sections
    assert [number.name for number in tiles.numbers] == ["Macro AUROC", "Accuracy", "Balanced accuracy"]
    assert isinstance(matrix, Figure)
    assert [row[0] for row in table.rows] == ["x", "y", "z"]
    assert render(found)


@pytest.mark.parametrize(
    ("target", "words"), [(1.0, "positive"), (0.0, "negative"), (None, "not known"), (float("nan"), "not known")]
)
def test_the_truth_of_an_example_in_words(target: float | None, words: str) -> None:
    shown = ShownExample(np.zeros((4, 4), np.uint8), 0.5, target, "k")
    table = report(examples={"worst": [shown]}).sections[1].sections[1]
    assert table.rows[0][2] == words
