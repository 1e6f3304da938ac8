"""For whom a model is good, against which other one, and with how much data, on the page."""

from __future__ import annotations

from typing import Any

import pytest
from report.comparison import document

from medray.report.against import against_group
from medray.report.basis import Basis, basis
from medray.report.growth import growth_group
from medray.report.honesty import dishonest
from medray.report.net_benefit import decision_figure
from medray.report.sections import Figure, Group, Table, Text
from medray.report.subgroups import subgroups_group

BOOTSTRAP = {"resamples": 1000, "seed": 1, "level": 0.95}


def estimate(value: float | None, half: float = 0.1) -> dict[str, Any]:
    ends = (None, None) if value is None else (value - half, value + half)
    return {"value": value, "lower": ends[0], "upper": ends[1], "undefined": 0}


def group(name: str, n: int = 50, reason: str | None = None, auroc: float = 0.8, gap: float = 0.0) -> dict[str, Any]:
    measured = reason is None
    return {
        "name": name, "n": n, "n_subjects": n, "n_positive": n // 2, "reason": reason,
        "metrics": {"auroc": estimate(auroc), "sensitivity": estimate(0.7)} if measured else {},
        "gap": {"auroc": estimate(gap), "sensitivity": estimate(0.0)} if measured else {},
    }  # fmt: skip


def subgroups(*groups: dict[str, Any], unknown: int = 0) -> Group:
    traits = {
        "sex": {"title": "Sex", "absent": None, "unknown": unknown, "answers": {"death": list(groups)}},
        "age": {"title": "Age, years", "absent": "no header holds it", "unknown": 90, "answers": {}},
    }
    floor = {"examples": 30, "each_class": 10}
    return subgroups_group({"floor": floor, "overall": {"death": group("all")}, "traits": traits}, BOOTSTRAP)


def texts(found: Group, tone: str) -> str:
    return " ".join(
        " ".join(part.paragraphs) for part in found.sections if isinstance(part, Text) and part.tone == tone
    )


def tables(found: Group) -> list[Table]:
    return [part for part in found.sections if isinstance(part, Table)]


def test_each_group_stands_with_its_numbers_and_its_gap() -> None:
    found = subgroups(group("female", 60), group("male", 40, auroc=0.7), unknown=3)
    values, gaps = tables(found)
    assert [row[:3] for row in values.rows] == [("female", 60, 30), ("male", 40, 20)]
    assert values.note == "Not known for 3 examples."
    assert gaps.title == "Sex: gap to the rest"
    assert texts(found, "caution") == ""


def test_what_is_absent_is_said_with_its_reason() -> None:
    assert texts(subgroups(group("female")), "plain") == "Age, years: absent. No header holds it."


def test_a_group_that_is_surely_apart_is_said_first() -> None:
    found = subgroups(group("female", gap=-0.2), group("male"))
    assert "Sex female: AUROC of death differs from the rest by -0.200 (-0.300 to -0.100)." in texts(found, "caution")
    drawn = [part for part in found.sections if isinstance(part, Figure)]
    assert b"#b3372f" in drawn[0].image
    level = [part for part in subgroups(group("female")).sections if isinstance(part, Figure)]
    assert b"#b3372f" not in level[0].image


def test_small_groups_are_counted_apart() -> None:
    small = [group(f"s{place}", 5, "fewer than 30 examples") for place in range(6)]
    found = subgroups(group("female"), *small, group("other", 0, "no example"))
    last = tables(found)[-1]
    assert last.title == "Sex: not measured"
    assert last.rows[0] == ("s0", 5, 2, "fewer than 30 examples")
    assert len(last.rows) == 4
    assert last.note == "2 more groups below the floor, 10 examples. No example: other."
    nobody = tables(subgroups(*small))
    assert [table.title for table in nobody] == ["Sex: not measured"]


def line(metric: str, verdict: str, **more: Any) -> dict[str, Any]:
    return {
        "label": "death", "metric": metric, "model": 0.85, "other": 0.8, "difference": estimate(0.05, 0.02),
        "higher_is_better": True, "p": 0.004, "verdict": verdict, "delong": None, "mcnemar": None, "n": 90,
        "n_subjects": 90, **more,
    }  # fmt: skip


def test_another_model_is_compared_by_every_test_that_stands() -> None:
    told = {
        "model": {"name": "icu", "version": 2},
        "examples": {"both": 90, "only_model": 4, "only_other": 0},
        "lines": [
            line("auroc", "better", delong={"p": 0.0003}),
            line("sensitivity", "no better", mcnemar={"reason": "subjects have several rows"}),
        ],
    }
    found = against_group(told, BOOTSTRAP, "held_out")
    assert found.title == "Against icu version 2"
    assert "4 that only this model could answer are left out" in found.note
    assert texts(found, "plain") == (
        "AUROC: this model is better than icu version 2: 0.850 against 0.800, "
        "difference 0.050 (0.030 to 0.070), p 0.004."
    )
    assert texts(found, "caution") == ""
    told["lines"][0]["n_subjects"] = 12
    assert "Of 12 subjects a bootstrap is too sure" in texts(against_group(told, BOOTSTRAP, "held_out"), "caution")
    assert "Neither model was made with" in found.note
    assert "Neither" not in against_group(told, BOOTSTRAP, "tuning").note
    (table,) = tables(found)
    assert [row[5] for row in table.rows] == ["DeLong p below 0.001", "McNemar: subjects have several rows"]


def test_a_training_that_was_too_small_is_a_row_too() -> None:
    shared = {"label": "death", "metric": "auroc", "seed": 1}
    points = [
        {"share": 0.1, "seed": 1, "examples": 5, "subjects": 4, "reason": "fewer than the 8 examples of one batch"},
        {"share": 0.5, "examples": 50, "subjects": 40, "value": 0.7, "lower": 0.6, "upper": 0.8, **shared},
        {"share": 1.0, "examples": 99, "subjects": 80, "value": 0.8, "lower": 0.7, "upper": 0.9, **shared},
    ]
    found = growth_group({"split": "tuning", "points": points})
    rows = tables(found)[0].rows
    assert rows[0][:2] == ("10.0%", 4)
    assert "not trained: fewer than the 8 examples" in str(rows[0][4])
    assert [type(part) for part in found.sections] == [Figure, Table]
    figure = found.sections[0]
    assert isinstance(figure, Figure)
    assert "still rises" in figure.note
    errors = [{**point, "metric": "mae"} for point in points[1:]]
    unknown = {"share": 1.0, "seed": 1, "examples": 9, "subjects": 9, "label": "gene", "reason": "no known answer"}
    falls = growth_group({"split": "tuning", "points": [*errors, unknown]})
    assert isinstance(falls.sections[0], Figure)
    assert "still falls" in falls.sections[0].note
    assert tables(falls)[0].rows[-1][4] == "gene: no known answer"


def test_where_the_model_is_worth_more_is_said_in_words() -> None:
    gains = [0.0, 0.1, 0.2, 0.05, 0.3]
    curve = {
        "n": 10, "thresholds": [0.0, 0.1, 0.2, 0.3, 0.4], "model": [estimate(0.3)] * 5,
        "treat_all": [estimate(0.2)] * 5, "gain": [estimate(gain, 0.06) for gain in gains],
    }  # fmt: skip
    assert "surely better than both from 0.10 to 0.20 and at 0.40" in decision_figure("death", curve).note
    nothing = {**curve, "gain": [estimate(None)] * 5}
    assert "At no threshold shown" in decision_figure("death", nothing).note


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("youden", "chosen on the tuning split for the highest sensitivity + specificity"),
        (
            {"rule": "sensitivity", "at_least": 0.95},
            "chosen on the tuning split for the highest specificity at a sensitivity of 0.95 or more",
        ),
        (None, ""),
    ],
)
def test_the_rule_of_a_threshold_in_words(rule: Any, words: str) -> None:
    assert basis(document(threshold_rule=rule)).rule_words == words


@pytest.mark.parametrize("method", ["platt", "temperature", "isotonic", "none"])
def test_every_calibration_has_words(method: str) -> None:
    assert Basis(calibration=method).calibration_words


def test_scores_that_are_surely_off_are_a_caution() -> None:
    def told(slope: float, shift: float) -> list[str]:
        return dishonest({"metrics": {"calibration_slope": estimate(slope), "calibration_intercept": estimate(shift)}})

    assert told(0.95, 0.05) == []
    sure = {"calibration_slope": {**estimate(0.6), "undefined": 3}, "calibration_intercept": estimate(0.0)}
    assert dishonest({"metrics": sure}) == []  # resamples whose scores separate the classes have no slope
    assert "too extreme" in told(0.6, 0.0)[0]
    assert "too low" in told(1.0, 0.4)[0]
