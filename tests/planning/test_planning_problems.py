"""Cohorts, windows and answers of prediction problems, by hand."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from medray.errors import PlanError
from medray.ops.code_id import code_id, code_ids
from medray.planning.cohorts import Asked, ask
from medray.planning.outcomes import answer
from medray.planning.timelines import STATIC, Timelines, instant, moment, timelines
from medray.planning.windows import count_observed, may_be_known, windows
from medray.recipes.problem import Problem, Target

DAY = datetime(2024, 1, 1)


def hour(h: float) -> datetime:
    return DAY + timedelta(hours=h)


def record(*rows: tuple[int, float | None, str, float | None]) -> Timelines:
    """Events as (subject, hour of the day or None, code, value)."""
    return timelines(
        pa.table(
            {
                "subject_id": pa.array([row[0] for row in rows], pa.int64()),
                "time": pa.array([None if row[1] is None else hour(row[1]) for row in rows], pa.timestamp("us")),
                "code": pa.array([row[2] for row in rows], pa.string()),
                "numeric_value": pa.array([row[3] for row in rows], pa.float32()),
            }
        )
    )


STAYS = record(
    (1, None, "SEX//F", None),
    (1, 0, "ADMISSION//ER", None),
    (1, 1, "HR", 80),
    (1, 5, "HR", 90),
    (1, 5.5, "HR", None),
    (1, 6, "HR", 100),
    (1, 9, "DISCHARGE", None),
    (1, 20, "ADMISSION//WARD", None),
    (1, 30, "HR", 70),
    (2, 2, "ADMISSION//ER", None),
    (2, 3, "HR", 60),
    (2, 4, "DEATH", None),
    (3, None, "SEX//M", None),
)


def problem(cohort: dict[str, Any], **changes: Any) -> Problem:
    return Problem.model_validate({"name": "p", "cohort": cohort, **changes})


def trigger(**changes: Any) -> dict[str, Any]:
    return {
        "kind": "trigger", "codes": ["ADMISSION*"], "which": "each", "after_hours": 4, "reached": "observed", **changes,
    }  # fmt: skip


def places(asked: Asked) -> list[tuple[int, datetime | None]]:
    return [(int(s), instant(int(t))) for s, t in zip(asked.subject, asked.time, strict=True)]


def test_a_trigger_asks_after_each_of_its_events_that_the_record_reaches() -> None:
    assert places(ask(problem(trigger()), STAYS)) == [(1, hour(4)), (1, hour(24))]


def test_a_closed_archive_reaches_every_time_and_the_first_trigger_can_be_meant() -> None:
    assumed = trigger(reached="assumed", which="first")
    assert places(ask(problem(assumed), STAYS)) == [(1, hour(4)), (2, hour(6))]


def test_who_has_died_or_left_before_is_not_asked_about() -> None:
    without = trigger(reached="assumed", unless=["DEATH", "DISCHARGE"], after_hours=9)
    assert places(ask(problem(without), STAYS)) == [(1, hour(29))]  # left at 9, the very time; died at 4


def test_a_series_runs_until_the_record_or_a_code_ends_it() -> None:
    every = {"kind": "every", "codes": ["ADMISSION*"], "after_hours": 3, "every_hours": 3, "until": ["DISCHARGE"]}
    assert places(ask(problem(every), STAYS)) == [(1, hour(3)), (1, hour(6)), (1, hour(9))]
    assert [s for s, _ in places(ask(problem({**every, "until": []}), STAYS))] == [1] * 10  # 3, 6, ... 30


def test_subjects_can_be_asked_about_at_no_time() -> None:
    assert places(ask(problem({"kind": "subject"}), STAYS)) == [(1, None), (2, None), (3, None)]


def at(*rows: tuple[int, float | None]) -> Asked:
    times = [moment(None if h is None else hour(h)) for _, h in rows]
    return Asked(np.array([s for s, _ in rows], np.int64), np.array(times, np.int64))


def told(take: str, asked: Asked, **changes: Any) -> list[float | None]:
    target = Target.model_validate({"codes": ["HR"], "gap_hours": 0, "window_hours": 1, "take": take, **changes})
    return [None if np.isnan(value) else float(value) for value in answer(target, asked, STAYS)]


@pytest.mark.parametrize(
    ("take", "expected"),
    [("first", 90), ("last", 100), ("mean", 95), ("min", 90), ("max", 100), ("hours_to", 1)],
)
def test_numbers_are_taken_from_the_window_after_the_time(take: str, expected: float) -> None:
    # (4, 6]: HR 90 at 5, nothing at 5.5, 100 at 6; subject 2 has none after 4
    assert told(take, at((1, 4), (2, 4)), window_hours=2) == [expected, None]


def test_what_happens_at_the_prediction_time_is_no_part_of_the_answer() -> None:
    assert told("mean", at((1, 5)), window_hours=0.5) == [None]
    assert told("mean", at((1, 4)), gap_hours=1, window_hours=1) == [100]  # 90 stands at the gap's end


def test_a_no_is_told_only_where_the_record_reached_the_windows_end() -> None:
    asked = at((1, 6), (1, 20), (1, 29), (2, 3))
    # (6, 7] none, record goes on: no. (20, 21]: no. (29, 30]: yes. (3, 4]: an event at 4 reaches it: no.
    assert told("any", asked) == [0, 0, 1, 0]
    assert told("any", at((2, 3.5), (1, 29.5)), codes=["STROKE"]) == [None, None]


def test_an_event_that_ends_the_window_tells_a_no() -> None:
    # Admitted again at 20 with HR at 30: past the discharge at 9, so no part of this stay.
    assert told("any", at((1, 7)), window_hours=100, until=["DISCHARGE"]) == [0]
    assert told("any", at((1, 7)), window_hours=100) == [1]
    assert told("any", at((2, 3)), codes=["DEATH"], window_hours=48, until=["DEATH", "DISCHARGE"]) == [1]


def test_what_ends_the_record_in_the_gap_leaves_no_window_and_no_answer() -> None:
    # Subject 2 dies at 4; the window is (t + gap, t + gap + 48].
    end = {"codes": ["DEATH"], "window_hours": 48, "until": ["DEATH", "DISCHARGE"]}
    assert told("any", at((2, 3)), gap_hours=0.5, **end) == [1]
    assert told("any", at((2, 3)), gap_hours=1, **end) == [None]  # at its very beginning, which is no part of it
    assert told("any", at((2, 3)), gap_hours=6, **end) == [None]
    assert told("any", at((1, 7)), gap_hours=1, **end) == [0]  # discharged at 9, an hour into the window
    assert told("any", at((1, 7)), gap_hours=3, **end) == [None]


def test_a_window_holds_static_facts_and_nothing_later_than_its_time() -> None:
    asked = at((1, 5), (3, None), (2, 2.5))
    ids = code_ids(STAYS.names)[STAYS.code]
    first, second, third = windows(asked, STAYS, ids, 4.0)
    assert first.code.tolist() == [code_id(code) for code in ("SEX//F", "HR", "HR")]  # [1, 5]
    assert np.array_equal(first.hours, np.array([np.nan, 4, 0], np.float32), equal_nan=True)
    assert np.array_equal(first.value, np.array([np.nan, 80, 90], np.float32), equal_nan=True)
    assert (second.code.tolist(), third.code.tolist()) == ([code_id("SEX//M")], [code_id("ADMISSION//ER")])
    assert count_observed(asked, STAYS, 4.0).tolist() == [3, 1, 1]
    assert count_observed(asked, STAYS, None).tolist() == [4, 1, 1]


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_nothing_after_the_prediction_time_changes_what_is_known(data: st.DataObject) -> None:
    hours = st.one_of(st.none(), st.integers(0, 20))
    rows = data.draw(st.lists(st.tuples(st.integers(1, 3), hours, st.sampled_from("ab"), st.just(1.0)), max_size=12))
    time, observe = data.draw(st.integers(0, 20)), data.draw(st.sampled_from([None, 3.0]))
    asked = at((1, time), (2, time), (3, time))
    past = [row for row in rows if row[1] is None or row[1] <= time]
    seen = [
        [(w.code.tolist(), w.hours.tolist()) for w in windows(asked, one, code_ids(one.names)[one.code], observe)]
        if len(one.names)
        else [([], [])] * 3
        for one in (record(*rows), record(*past))
    ]
    assert str(seen[0]) == str(seen[1])  # as text: NaN equals NaN


def test_no_events_ask_and_tell_nothing() -> None:
    nothing = record()
    assert places(ask(problem(trigger()), nothing)) == []
    assert len(answer(Target(codes=("HR",), gap_hours=0, take="mean"), ask(problem(trigger()), nothing), nothing)) == 0


def test_equal_times_have_one_order_whatever_the_rows_order_was() -> None:
    rows = [(1, 1.0, "b", 2.0), (1, 1.0, "a", 3.0), (1, 1.0, "b", 1.0), (1, None, "c", None)]
    one, other = record(*rows), record(*rows[::-1])
    told_ = [[(t.names[c], float(v)) for c, v in zip(t.code, t.value, strict=True)] for t in (one, other)]
    assert str(told_[0]) == str(told_[1]) == "[('c', nan), ('a', 3.0), ('b', 1.0), ('b', 2.0)]"
    assert one.time[0] == STATIC


@pytest.mark.parametrize(
    "wrong",
    [
        {"targets": {"p": {"codes": ["HR"], "gap_hours": 0, "take": "any"}}},
        {"cohort": {"kind": "subject"}, "targets": {"t": {"codes": ["HR"], "gap_hours": 0, "take": "any"}}},
        {"cohort": trigger(codes=["A*B"])},
        {"cohort": trigger(after_hours=-1)},
        {"cohort": trigger(after_hours=float("inf"))},
        {"cohort": trigger(after_hours=float("nan"))},
        {"cohort": trigger(after_hours=1e13)},
        {"cohort": {"kind": "every", "codes": ["HR"], "after_hours": 1e13, "every_hours": 1}},
        {"cohort": {"kind": "every", "codes": ["HR"], "after_hours": 0, "every_hours": float("nan")}},
        {"targets": {"t": {"codes": ["HR"], "gap_hours": float("inf"), "take": "any"}}},
        {"targets": {"t": {"codes": ["HR"], "gap_hours": 1e13, "take": "any"}}},
    ],
)
def test_problems_that_cannot_be_meant_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Problem.model_validate({"name": "p", "cohort": trigger(), **wrong})


def test_a_static_fact_of_a_targets_code_is_no_input() -> None:
    """ "Died", without a date, would be the answer itself; dated events are cut off by their time."""
    told = record(
        (1, None, "DEATH", None), (1, None, "SEX//F", None), (1, 0, "ADMISSION//ER", None), (1, 3, "DEATH", None)
    )
    cohort = {"kind": "trigger", "codes": ["ADMISSION*"], "which": "first", "after_hours": 2, "reached": "observed"}
    target = {"codes": ["DEATH"], "gap_hours": 0, "take": "any", "until": ["DISCHARGE"]}
    asked_for = problem(cohort, targets={"death": target})
    known = told.where(may_be_known(asked_for, told.names, told.code, told.time))
    assert [known.names[code] for code in known.code] == ["SEX//F", "ADMISSION//ER", "DEATH"]
    (window,) = windows(ask(asked_for, told), known, code_ids(known.names)[known.code], None)
    assert window.code.tolist() == [code_id("SEX//F"), code_id("ADMISSION//ER")]


def test_a_window_that_reached_into_the_future_would_stop_the_job(monkeypatch: pytest.MonkeyPatch) -> None:
    import medray.planning.windows as cut

    honest = cut.observed

    def one_more(*given: Any) -> Any:
        static, timed, first, last = honest(*given)
        return static, timed, first, last + 1

    monkeypatch.setattr(cut, "observed", one_more)
    with pytest.raises(PlanError, match="an event after its prediction time"):
        list(
            windows(Asked(np.array([1]), np.array([moment(hour(5.2))])), STAYS, code_ids(STAYS.names)[STAYS.code], None)
        )
