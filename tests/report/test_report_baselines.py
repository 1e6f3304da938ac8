"""The network beside simple models, in words."""

from __future__ import annotations

from typing import Any

import pytest
from report.comparison import compared, document

from medray.report import baselines
from medray.report.baselines import baselines_group, unbeaten
from medray.report.evaluation import evaluation_report
from medray.report.forest import Gain, forest
from medray.report.render import render
from medray.report.sections import Figure, Group, Interval, Table, Text


def told(group: Group) -> dict[str, str]:
    return {part.tone: " ".join(part.paragraphs) for part in group.sections if isinstance(part, Text)}


def table(group: Group) -> Table:
    return next(part for part in group.sections if isinstance(part, Table))


def test_a_network_that_does_not_beat_a_simple_model_says_so_in_red() -> None:
    trees = compared("better", baseline="trees", baseline_name="boosted trees")
    words = told(baselines_group([compared("no better"), trees]))
    assert words["alarm"] == (
        "\N{WARNING SIGN} The network does not beat logistic regression: AUROC 0.840 against 0.850, "
        "difference -0.010 (-0.030 to 0.010), p 0.320."
    )
    assert words["plain"].startswith("The network beats boosted trees: AUROC 0.900 against 0.850")
    assert 'class="text alarm"' in render_one([compared("no better")])


def test_a_network_that_is_worse_is_said_to_be_worse() -> None:
    assert "is worse than logistic regression" in told(baselines_group([compared("worse")]))["alarm"]


def test_a_network_that_wins_has_no_red() -> None:
    group = baselines_group([compared("better")])
    assert list(told(group)) == ["plain"]
    assert 'class="text alarm"' not in render_one([compared("better")])


def test_another_metric_is_a_caution_and_not_an_alarm() -> None:
    group = baselines_group([compared(), compared("no better", metric="auprc", primary=False)])
    assert told(group)["caution"] == "Not better in: AUPRC against logistic regression."
    assert "alarm" not in told(group)


def test_a_verdict_on_few_subjects_is_a_caution() -> None:
    assert "Of 19 subjects a bootstrap is too sure" in told(baselines_group([compared(n_subjects=19)]))["caution"]
    assert "caution" not in told(baselines_group([compared(n_subjects=20)]))


def test_what_could_not_be_compared_says_why() -> None:
    group = baselines_group([compared(None)])
    assert told(group) == {"caution": "No comparison with logistic regression for AUROC: too few rows."}
    assert not [part for part in group.sections if isinstance(part, Figure)]
    assert table(group).rows[0][-1] == "not comparable"
    assert table(group).rows[0][5].text == "\N{EN DASH}"  # type: ignore[union-attr]


def test_what_was_learnt_from_is_told() -> None:
    note = baselines_group([compared(), compared(baseline_name="boosted trees")]).note
    assert note == (
        "Logistic regression and boosted trees read 64 plain summaries of each input and learnt from 3,200 examples "
        "of 3,100 subjects of the network's training split. All are measured on the same 800 examples of 790 subjects."
    )


def test_every_number_is_in_the_table() -> None:
    found = table(baselines_group([compared("no better", p=2 / 1001)]))
    assert found.rows[0][:5] == (
        "AUROC", Interval(0.84, None, None), "logistic regression", Interval(0.85, None, None),
        Interval(-0.01, -0.03, 0.01),
    )  # fmt: skip
    assert found.rows[0][5].text == "\N{LESS-THAN OR EQUAL TO}\N{NO-BREAK SPACE}0.002"  # type: ignore[union-attr]
    assert found.rows[0][6] == "no better"
    assert "95% interval from 1,000 bootstrap resamples of subjects (seed 1)" in found.note


def test_several_answers_are_named_and_what_decides_comes_first() -> None:
    mean = compared(label="all labels", metric="macro_auroc", over=["a", "b"])
    group = baselines_group([compared("worse", label="a", primary=False), mean])
    assert told(group)["plain"].startswith("The network beats logistic regression: Macro AUROC over a, b 0.900 against")
    assert told(group)["caution"] == "Not better in: a: AUROC against logistic regression."
    assert [row[0] for row in table(group).rows] == ["all labels", "a"]
    assert table(group).columns[0] == "Answer"


def test_many_labels_do_not_make_a_long_list() -> None:
    rest = [compared("worse", label=f"l{place}", primary=False) for place in range(9)]
    caution = told(baselines_group([compared(), *rest]))["caution"]
    assert "l5" in caution
    assert "l6" not in caution
    assert "and 3 more" in caution


def test_of_errors_less_is_better_and_they_are_drawn_as_shares(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[Gain] = []
    monkeypatch.setattr(baselines, "forest", lambda gains, unit: shown.extend(gains) or b"<svg/>")
    lower = {"value": -0.17, "lower": -0.34, "upper": -0.085, "undefined": 0}
    baselines_group([compared(metric="mae", higher_is_better=False, difference=lower)])
    assert (shown[0].value, shown[0].lower, shown[0].upper) == pytest.approx((20, 10, 40))
    assert (shown[0].name, shown[0].sure) == ("MAE against logistic regression", True)


def test_colour_is_not_all_that_tells_sure_gains_apart() -> None:
    sure, unsure = (forest([Gain("a", 0.1, 0.05, 0.15, flag)], "u") for flag in (True, False))
    assert sure != unsure
    assert b"#b3372f" in unsure
    assert b"#b3372f" not in sure


def report(comparisons: list[Any]) -> Any:
    return evaluation_report(
        title="t", subtitle="s", facts=[], evaluation=document(baselines=comparisons), training=None, ingest=None,
        reasons={}, lineage={"model_sha256": "ab"}, examples={},
    )  # fmt: skip


def render_one(comparisons: list[Any]) -> str:
    return render(report(comparisons))


@pytest.mark.parametrize(
    ("comparisons", "titles"),
    [([], ["Not asked for", "Lineage"]), ([compared()], ["Beside simple models", "Not asked for", "Lineage"])],
)
def test_the_section_is_there_when_something_was_compared(comparisons: list[Any], titles: list[str]) -> None:
    assert [section.title for section in report(comparisons).sections] == titles


def test_only_what_decides_can_be_lost() -> None:
    lost = compared("no better")
    assert unbeaten([compared(), compared(None), compared("worse", primary=False), lost]) == [lost]
