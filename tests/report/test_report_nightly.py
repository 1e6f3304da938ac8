from __future__ import annotations

from typing import Any

import pytest

from medray.report.nightly import ScoreCounts, nightly_report
from medray.report.render import render
from medray.report.sections import Figure, Group, Quantity, Sum, Table, Text

GOOD = Sum("Ingest", "listed", 5, (("ingested", 4), ("quarantined", 1)))
BAD = Sum("Prediction", "requested", 5, (("scored", 4),))
TONIGHT = ScoreCounts((0.0, 0.5, 1.0), (3, 1))


def night(**changes: Any) -> Any:
    given = {
        "title": "t", "subtitle": "s", "facts": [("Run", "r1")], "sums": [GOOD], "scores": {"a": TONIGHT},
        "reference": {}, "reasons": {"empty": 1, "truncated": 3}, "lineage": {"run_id": "r1"},
        "seconds": {"ingest": 30.0, "predict": 90.0},
    }  # fmt: skip
    return nightly_report(**(given | changes))


def test_sections_in_order() -> None:
    found = night()
    assert [type(part) for part in found.sections] == [Text, Group, Table, Group, Table, Table]
    assert render(found)


def test_a_quiet_night_shows_no_scores_and_no_reasons() -> None:
    titles = [part.title for part in night(scores={}, reasons={}).sections]
    assert titles == ["Summary", "Accounting", "Time", "Lineage"]


def test_the_summary_is_an_alarm_when_any_sum_is_wrong() -> None:
    assert night().sections[0].tone == "plain"
    summary = night(sums=[GOOD, BAD]).sections[0]
    assert summary.tone == "alarm"
    assert "Prediction" in summary.paragraphs[0]
    assert "Ingest" not in summary.paragraphs[0]


def test_reasons_fall_by_count_and_say_what_they_mean() -> None:
    table = night().sections[2]
    assert [row[0] for row in table.rows] == ["truncated", "empty"]
    assert table.rows[1] == ("empty", "the object has no bytes, or the archive no members", 1, Quantity("25.0%"))


def test_times_add_up() -> None:
    rows = night().sections[4].rows
    assert rows[0] == ("ingest", Quantity("30 s"), Quantity("25.0%"))
    assert rows[-1] == ("all", Quantity("2 min 00 s"), Quantity("100.0%"))


def test_a_reference_is_shown_behind_tonight() -> None:
    def figure(found: Any) -> Figure:
        shown = found.sections[3].sections[0]
        assert isinstance(shown, Figure)
        return shown

    alone, beside = figure(night()), figure(night(reference={"a": ScoreCounts(TONIGHT.edges, (30, 40))}))
    assert "reference" in beside.alt
    assert "reference" not in alone.alt
    assert alone.image != beside.image


def test_a_reference_in_other_bins_is_refused() -> None:
    with pytest.raises(ValueError, match="4 reference edges that differ from tonight's 3"):
        night(reference={"a": ScoreCounts((0.0, 0.2, 0.4, 1.0), (1, 2, 3))})
