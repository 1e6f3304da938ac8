"""How far a run has come: hand-computed paces and times left."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from medray.planning.progress import Traces, lasting, progress

PLANNED = datetime(2026, 1, 1, 2)


def at(*minutes: float) -> list[datetime]:
    return [PLANNED + timedelta(minutes=one) for one in minutes]


def test_four_of_ten_chunks_at_one_in_two_minutes() -> None:
    found = progress(Traces("chunks", 10, at(9, 3, 5, 7)), PLANNED, *at(10))
    assert found.words == "4 of 10 chunks"
    assert found.per_minute == pytest.approx(0.5)  # three steps in six minutes
    assert found.left_s == pytest.approx(6 * 120)
    assert found.quiet_s == 60
    assert found.state == "moving"


def test_a_pause_before_the_last_twenty_is_left_behind() -> None:
    """Five chunks, a night's pause, then 21 chunks, one a minute: the pace is that of the last 20."""
    times = at(1, 2, 3, 4, 5, *range(500, 521))
    found = progress(Traces("chunks", 100, times), PLANNED, *at(521))
    assert found.per_minute == pytest.approx(1.0)
    assert found.left_s == pytest.approx(74 * 60)


def test_a_plan_without_a_trace_waits_from_when_it_was_planned() -> None:
    young = progress(Traces("chunks", 10, []), PLANNED, *at(9))
    old = progress(Traces("chunks", 10, []), PLANNED, *at(11))
    assert (young.per_minute, young.left_s, young.quiet_s, young.state) == (None, None, 540.0, "moving")
    assert old.state == "quiet"


def test_a_slow_run_may_be_quiet_for_five_of_its_own_steps() -> None:
    """One epoch an hour: quiet for four hours is no sign of death, for six it is."""
    times = at(60, 120, 180)
    assert progress(Traces("epochs", 9, times), PLANNED, *at(180 + 240)).state == "moving"
    assert progress(Traces("epochs", 9, times), PLANNED, *at(180 + 360)).state == "quiet"


def test_what_has_no_known_total_has_no_time_left() -> None:
    found = progress(Traces("buckets", None, at(1, 2)), PLANNED, *at(3))
    assert (found.words, found.left_s) == ("2 buckets", None)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(None, "-"), (0, "0 s"), (59.4, "59 s"), (60, "1 min"), (125, "2 min 5 s"), (3_600, "1 h"), (90_000, "1 d 1 h")],
)
def test_durations_in_words(seconds: float | None, words: str) -> None:
    assert lasting(seconds) == words
