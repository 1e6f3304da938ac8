from __future__ import annotations

import re
from typing import Any

import pytest

from medray.report.gate import Compared, Found
from medray.report.nightly import nightly_report
from medray.report.render import render
from medray.report.sections import Figure, Group, Quantity, Sum, Table
from medray.report.trend import NightPoint

GOOD = Sum("Ingest", "listed", 5, (("ingested", 4), ("quarantined", 1)))
BAD = Sum("Prediction", "requested", 5, (("scored", 4),))
SHIFT = Compared("scores of a", "training", (0.5,), None, (3, 1), (30, 40), 0.31, 0.2)
WHY = Found("drift", True, "scores of a", "PSI 0.31", "PSI 0.25")
NOTED = Found("volume", False, "inputs to score", "nothing came", "about 8")
NIGHTS = [NightPoint("2026-01-01", "published", 8, 0.1), NightPoint("2026-01-02", "held", 9, 0.6)]
MONTH = {
    "a": {
        "kind": "binary", "n": 40,
        "metrics": {name: {"value": 0.9, "lower": 0.8, "upper": 0.95} for name in ("auroc", "auprc", "brier")},
    }
}  # fmt: skip


def night(**changes: Any) -> Any:
    given = {
        "title": "t", "subtitle": "s", "facts": [("Run", "r1")], "run": "r1", "held": False, "findings": [],
        "compared": [SHIFT], "nights": NIGHTS, "judged_beside": 1, "outcomes": {}, "sums": [GOOD],
        "reasons": {"empty": 1, "truncated": 3},
        "runs": [("ingest_dicom", "r0", "../r0/report.html"), ("predict", "r2", "")], "lineage": {"run_id": "r1"},
        "seconds": {"ingest": 30.0, "predict": 90.0},
    }  # fmt: skip
    return nightly_report(**(given | changes))


def section(found: Any, title: str) -> Any:
    return next(part for part in found.sections if part.title == title)


def test_a_held_night_says_so_first_and_why_and_what_to_do() -> None:
    found = night(held=True, findings=[WHY, NOTED])
    first = found.sections[0]
    assert (first.title, first.tone) == ("HELD", "alarm")
    assert "drift: scores of a: PSI 0.31 (allowed: PSI 0.25)" in first.paragraphs[0]
    assert "medray release r1" in first.paragraphs[-1]
    assert "medray reject r1" in first.paragraphs[-1]
    assert [row[:2] for row in section(found, "Findings").rows] == [("holds", "drift"), ("noted", "volume")]
    assert "HELD" in render(found)


@pytest.mark.parametrize(("findings", "tone"), [([], "plain"), ([NOTED], "caution")])
def test_a_published_night_tells_what_was_noted(findings: list[Found], tone: str) -> None:
    first = night(findings=findings).sections[0]
    assert (first.title, first.tone, len(first.paragraphs)) == ("Published", tone, 1 + len(findings))


def test_a_quiet_night_shows_no_comparisons_and_no_reasons() -> None:
    titles = [part.title for part in night(compared=[], reasons={}).sections]
    assert titles == ["Published", "Summary", "Accounting", "Nights", "Runs of this night", "Time", "Lineage"]


def test_the_summary_is_an_alarm_when_any_sum_is_wrong() -> None:
    assert section(night(), "Summary").tone == "plain"
    summary = section(night(sums=[GOOD, BAD]), "Summary")
    assert summary.tone == "alarm"
    assert "Prediction" in summary.paragraphs[0]
    assert "Ingest" not in summary.paragraphs[0]


def test_reasons_fall_by_count_and_say_what_they_mean() -> None:
    table = section(night(), "Not used, by reason")
    assert [row[0] for row in table.rows] == ["truncated", "empty"]
    assert table.rows[1] == ("empty", "the object has no bytes, or the archive no members", 1, Quantity("25.0%"))


def test_times_add_up() -> None:
    rows = section(night(), "Time").rows
    assert rows[0] == ("ingest", Quantity("30 s"), Quantity("25.0%"))
    assert rows[-1] == ("all", Quantity("2 min 00 s"), Quantity("100.0%"))


def test_the_largest_distances_stand_first_and_are_drawn() -> None:
    small = Compared("sex", "recent nights", None, ("F", "M"), (3, 1, 0), (30, 40, 0), 0.02, 0.0)
    group = section(night(compared=[small, SHIFT]), "Scores and inputs against their references")
    assert isinstance(group, Group)
    table, *figures = group.sections
    assert [row[0] for row in table.rows] == ["scores of a", "sex"]
    assert table.rows[0][2:] == ("4", Quantity("0.31"), Quantity("0.20"))
    assert all(isinstance(one, Figure) for one in figures)
    assert "tonight (4) over training (70)" in figures[0].alt


def test_nights_are_told_with_what_became_of_them() -> None:
    assert section(night(), "Nights").alt == "2026-01-01: 8 published, 2026-01-02: 9 held"


def test_outcomes_stand_by_month_with_intervals() -> None:
    group = section(night(outcomes={"2026-01": MONTH, "2025-12": MONTH}), "Outcomes")
    table, figure = group.sections
    assert isinstance(table, Table)
    assert [row[0] for row in table.rows] == ["2025-12", "2026-01"]
    assert table.rows[0][1] == 40
    assert (table.rows[0][2].value, table.rows[0][2].lower) == (0.9, 0.8)
    assert isinstance(figure, Figure)


def test_a_night_leads_to_the_reports_of_its_runs() -> None:
    page = re.sub("</?span>", "", render(night()))
    assert '<td>ingest_dicom</td><td><a href="../r0/report.html">r0</a></td>' in page
    assert "<td>predict</td><td>r2</td>" in page
