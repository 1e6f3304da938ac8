"""Sections for numbers and ordered classes."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from medray.metrics.evaluate import evaluate_ordinal, evaluate_regression
from medray.report.answers import answer_sections
from medray.report.digits import decimal
from medray.report.render import render
from medray.report.sections import Figure, Gallery, Group, Highlights, Report, Table, Text

DRAWS = {"resamples": 50, "seed": 1}
COUNT = 200


def regression(half: float | None = 3.3, noise: float = 2.0, subjects: int = COUNT) -> dict[str, Any]:
    """Half-width 3.3 covers 90% of normal errors of deviation 2."""
    generator = np.random.default_rng(0)
    truth = generator.normal(80, 10, COUNT)
    predicted = truth + generator.normal(0, noise, COUNT)
    width = np.nan if half is None else half
    found = evaluate_regression(
        predicted, truth, predicted - width, predicted + width, 0.9, np.arange(COUNT) % subjects, **DRAWS
    )
    written: dict[str, Any] = json.loads(json.dumps(found.to_json(), allow_nan=False))
    return written


def ordinal() -> dict[str, Any]:
    generator = np.random.default_rng(0)
    shares = generator.dirichlet([1, 1, 1], 90)
    found = evaluate_ordinal(
        shares, generator.integers(0, 3, 90).astype(float), shares.argmax(1), ["low", "middle", "high"], np.arange(90),
        **DRAWS,
    )  # fmt: skip
    written: dict[str, Any] = json.loads(json.dumps(found.to_json(), allow_nan=False))
    return written


def page(metrics: dict[str, Any]) -> str:
    return render(Report("t", "s", (), tuple(answer_sections(metrics))))


def cautions(metrics: dict[str, Any]) -> str:
    (group,) = answer_sections({"rate": metrics})
    assert isinstance(group, Group)
    return " ".join(" ".join(part.paragraphs) for part in group.sections if isinstance(part, Text))


def test_a_number_shows_its_metrics_and_both_figures() -> None:
    metrics = regression()
    (group,) = answer_sections({"rate": metrics})
    assert isinstance(group, Group)
    tiles, gallery = group.sections
    assert isinstance(tiles, Highlights)
    assert isinstance(gallery, Gallery)
    assert [number.name for number in tiles.numbers] == ["MAE", "RMSE", "R²", "Coverage", "Interval width"]
    assert tiles.numbers[0].value.value == metrics["metrics"]["mae"]["value"]  # type: ignore[union-attr]
    assert tiles.numbers[3].meaning.endswith("asked was 0.900")
    assert "50 bootstrap resamples of subjects (seed 1)" in tiles.note
    assert [figure.title for figure in gallery.figures] == [
        "Prediction and truth", "Errors and coverage over the prediction",
    ]  # fmt: skip
    assert "are to cover 90% of the truths" in group.note
    for text in (decimal(metrics["metrics"]["r2"]["value"]), "200 examples of 200 subjects"):
        assert text in page({"rate": metrics})


def test_equal_widths_have_no_interval() -> None:
    (group,) = answer_sections({"rate": regression()})
    width = group.sections[0].numbers[4].value  # type: ignore[union-attr]
    assert width.value == pytest.approx(6.6)  # type: ignore[union-attr]
    assert width.lower is None  # type: ignore[union-attr]


def test_an_interval_that_breaks_its_promise_is_told() -> None:
    assert cautions(regression()) == ""
    assert "asked was 0.900" in cautions(regression(half=1.0))
    assert "asked was 0.900" in cautions(regression(half=30.0))
    assert "asked was" not in cautions(regression(half=30.0, subjects=12))  # all of 12: 28 times in a hundred


def test_no_better_than_the_mean_is_told() -> None:
    assert "answering the mean may be as good" in cautions(regression(half=33.0, noise=20.0))


def test_no_prediction_interval_is_told_and_not_drawn() -> None:
    metrics = regression(half=None)
    assert "tuning split was too small" in cautions(metrics)
    assert "Interval width" in page({"rate": metrics})


def test_one_subject_is_told() -> None:
    assert "All examples are of one subject" in cautions(regression(subjects=1))


def test_several_numbers_have_an_overview() -> None:
    sections = answer_sections({"rate": regression(), "pressure": regression(noise=4.0)})
    assert [section.title for section in sections] == ["All answers", "rate", "pressure"]
    assert isinstance(sections[0], Table)
    assert [row[:2] for row in sections[0].rows] == [("rate", 200), ("pressure", 200)]


def test_no_truth_still_makes_a_page() -> None:
    empty = np.zeros(0)
    found = evaluate_regression(empty, empty, empty, empty, 0.9, empty, **DRAWS).to_json()
    assert "\N{EN DASH}" in page({"rate": found})


def test_ordered_classes_have_a_matrix_and_a_row_for_each_cut() -> None:
    (group,) = answer_sections({"grade": ordinal()})
    assert isinstance(group, Group)
    tiles, matrix, table = group.sections
    assert isinstance(tiles, Highlights)
    assert [number.name for number in tiles.numbers] == [
        "Quadratic kappa", "Mean distance", "Accuracy", "Within one class", "Macro AUROC",
    ]  # fmt: skip
    assert "in a class or above it" in tiles.numbers[4].meaning
    assert isinstance(matrix, Figure)
    assert isinstance(table, Table)
    assert [row[0] for row in table.rows] == ["middle", "high"]
    assert page({"grade": ordinal()})
