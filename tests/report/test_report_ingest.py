"""The report of an ingest: what came in, how fast, and how it looks."""

from __future__ import annotations

import numpy as np
import pytest

from medray.report.ingest import Sheet, ingest_report
from medray.report.pace import Moment, memory_of_chunks, pace, rates_over_time
from medray.report.sections import Sum


def test_what_a_chunk_read_counts_over_the_time_since_the_one_before() -> None:
    moments = [Moment(2, 10, 40_000_000, 1), Moment(6, 10, 20_000_000, 1)]
    edges, rates = rates_over_time(moments)
    assert edges == [0, 3, 6]
    # 40 MB in the first 2 s and 5 MB/s from then to the end: 45 MB in the first 3 s, 15 MB in the next
    assert rates == pytest.approx([15, 5])


def test_many_chunks_are_sixty_steps_and_nothing_is_lost() -> None:
    moments = [Moment(second / 10, 1, 1_000_000, 1) for second in range(1, 1001)]
    edges, rates = rates_over_time(moments)
    assert (len(edges), len(rates)) == (61, 60)
    assert sum(rate * 100 / 60 for rate in rates) == pytest.approx(1000)


def test_chunks_done_at_once_are_drawn() -> None:
    moments = [Moment(0.0, 1, 10, 5), Moment(0.0, 1, 10, 7)]
    assert pace(moments).startswith(b"<?xml")
    assert memory_of_chunks(moments).startswith(b"<?xml")


def _page(**changes: object) -> str:
    arguments = {
        "title": "Ingest of 2026-01-31",
        "subtitle": "chest",
        "facts": (("Run", "abc"),),
        "total": Sum("Listed", "listed", 10, (("known", 2), ("ingested", 5), ("duplicate", 1), ("quarantined", 2))),
        "reasons": {"truncated": 2, "duplicate": 1},
        "counts": {"Modality": {"CT": 4, "MR": 1}, "Manufacturer": {}},
        "moments": (Moment(1, 8, 1_000_000, 50_000_000),),
        "sheets": (Sheet("Images", [np.zeros((4, 6), np.uint8)], ["CT 6 x 4"]), Sheet("Volumes", [], [])),
        "lineage": {"Run": "abc"},
    }
    return ingest_report(**{**arguments, **changes})  # type: ignore[arg-type]


def test_the_page_shows_counts_shares_and_pictures_and_leaves_out_what_is_empty() -> None:
    page = _page()
    assert "Instances by modality" in page
    assert "80.0%" in page
    assert "the bytes end before the last element, frame or member does" in page  # what the reason means
    assert "1 pictures: CT 6 x 4." in page
    assert "8 objects in 1.0 s, 1 chunks" in page
    assert "Instances by manufacturer" not in page
    assert "Volumes" not in page


def test_a_run_whose_chunks_were_done_before_has_no_pace() -> None:
    assert "Pace" not in _page(moments=())
