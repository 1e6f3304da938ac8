"""The checks of the gate, each by numbers that can be followed by hand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest

from medray.planning.gate.gaps import check_gaps
from medray.planning.gate.history import Night, Share, accepted
from medray.planning.gate.observed import Observed, Reference, observe, reference_of, scales_of, together
from medray.planning.gate.rates import check_rates
from medray.planning.gate.scale import Scale, scale_of
from medray.planning.gate.shifts import check_shifts, shifts
from medray.planning.gate.trait_bins import MISSING, added, aligned, count_traits, lower_edge
from medray.planning.gate.verdict import judge
from medray.planning.gate.volume import check_volume
from medray.recipes.gate import Gate

MONDAY = date(2026, 3, 16)
RNG = np.random.default_rng(5)
MODEL = "m" * 64


def night(day: date = MONDAY, usable: int = 40, **changes: Any) -> Night:
    given = {
        "run_date": day, "status": "published", "model_sha256": MODEL, "arrivals": usable, "usable": usable,
        "inputs": usable, "shares": {}, "observed": {},
    }  # fmt: skip
    return Night(**(given | changes))


def weeks(count: int, weekday: int = 40, weekend: int = 10) -> list[Night]:
    days = [MONDAY - timedelta(days=back) for back in range(7 * count, 0, -1)]
    return [night(day, weekend if day.weekday() >= 5 else weekday) for day in days]


# -- volume


@pytest.mark.parametrize(
    ("usable", "held"), [(40, False), (14, False), (13, True), (120, False), (121, True), (1, True)]
)
def test_volume_is_compared_with_the_same_weekday(usable: int, held: bool) -> None:
    """A third of 40 is 13.2, three times is 120."""
    found = check_volume(night(usable=usable), weeks(4), (0.33, 3.0))
    assert [one.holds for one in found] == ([True] if held else [])


def test_a_quiet_sunday_is_no_broken_monday() -> None:
    sunday = MONDAY + timedelta(days=6)
    seen = [*weeks(4), *(night(MONDAY + timedelta(days=n)) for n in range(6))]
    assert check_volume(night(sunday, 10), seen, (0.33, 3.0)) == []
    assert check_volume(night(sunday + timedelta(days=1), 10), [*seen, night(sunday, 10)], (0.33, 3.0))[0].holds


def test_missed_nights_may_bring_what_they_would_have_brought() -> None:
    seen = weeks(4)[:-2]  # Saturday and Sunday are missing
    assert check_volume(night(usable=170), seen, (0.33, 3.0)) == []  # 3 * (40 + 10 + 10) = 180
    assert check_volume(night(usable=181), seen, (0.33, 3.0))[0].holds


def test_an_empty_night_is_noted_and_few_nights_are_no_history() -> None:
    (found,) = check_volume(night(usable=0, arrivals=0), weeks(4), (0.33, 3.0))
    assert not found.holds
    assert check_volume(night(usable=1), weeks(4)[:2], (0.33, 3.0)) == []


def test_chance_in_small_numbers_holds_no_night() -> None:
    """Two a night: none of eight is a third, and happens every week."""
    seen = weeks(4, weekday=2, weekend=2)
    assert check_volume(night(usable=0, arrivals=3), seen, (0.33, 3.0)) == []


# -- rates


@pytest.mark.parametrize(("part", "held"), [(2, False), (12, False), (13, True), (60, True)])
def test_a_share_may_rise_by_the_excess(part: int, held: bool) -> None:
    """2% before, 0.1 more: 12 of 100."""
    seen = [night(shares={"quarantined of listed": Share(2, 100)}) for _ in range(5)]
    found = check_rates(night(shares={"quarantined of listed": Share(part, 100)}), seen, 0.1)
    assert [(one.check, one.about) for one in found] == ([("quarantined", "listed")] if held else [])


def test_without_a_night_before_half_is_the_limit() -> None:
    share = {"abstained of requested": Share(51, 100)}
    assert check_rates(night(shares=share), [], 0.1) == []  # 51 of 100 happens where 50 is usual
    assert check_rates(night(shares={"abstained of requested": Share(90, 100)}), [], 0.1)[0].holds


def test_three_of_four_small_numbers_are_chance() -> None:
    seen = [night(shares={"quarantined of listed": Share(30, 100)})]
    assert check_rates(night(shares={"quarantined of listed": Share(2, 4)}), seen, 0.1) == []


# -- traits in bins


def test_bins_rise_with_the_number_and_tell_a_sixteenth_apart() -> None:
    values = np.array([-1e30, -2.0, -1.0, -1e-9, 0.0, 1e-9, 1.0, 1.0625, 2.0, 80.0, 85.0, np.inf], np.float32)
    bins = [int(next(iter(count_traits(np.array([value]))))) for value in values]
    assert bins == sorted(set(bins))
    assert lower_edge(bins[6]) == 1.0
    assert lower_edge(bins[7]) == 1.0625
    assert lower_edge(bins[9]) == 80.0


def test_parts_add_up_to_the_whole_and_missing_is_apart() -> None:
    values = RNG.normal(80, 15, 400).astype(np.float32)
    values[::7] = np.nan
    assert added(count_traits(values[:100]), count_traits(values[100:])) == count_traits(values)
    assert count_traits(values)[MISSING] == 58
    bins, reference, tonight = aligned(count_traits(values), count_traits(values[:50]))
    assert bins == sorted(bins)
    assert (sum(reference), sum(tonight)) == (342, 42)


def test_scores_are_counted_in_the_bins_of_their_reference() -> None:
    assert Scale((0.25, 0.5), None).count([0.1, 0.25, 0.4, 0.9, 0.5]) == [1, 2, 2]
    assert Scale(None, ("a", "b")).count(["b", "a", "b", "new"]) == [1, 2, 1]
    assert scale_of(["b", "a", "b"]) == Scale(None, ("a", "b"))
    assert len(scale_of(RNG.normal(size=1000).tolist()).edges or ()) == 19
    assert scale_of([3.0] * 50).count([3.0, 4.0]) == [2]


# -- shifts and gaps

GROUPS = ("all", "site s", "scanner A")


def seen_as(mean: float, n: int = 200, missing: float = 0.0, scanner: str = "A", score: float = 0.5) -> Observed:
    trait = RNG.normal(mean, 10, n).astype(np.float32)
    trait[: int(missing * n)] = np.nan
    scores = np.clip(RNG.normal(score, 0.1, n), 0, 1).tolist()
    members = [("all", f"scanner {scanner}")] * n
    return observe(members, range(n), range(n), {"finding": scores}, {"mean": trait}, scales_of(REFERENCE))


REFERENCE: Reference = reference_of(
    {"finding": np.clip(RNG.normal(0.5, 0.1, 1000), 0, 1).tolist()},
    {"mean": RNG.normal(100, 10, 1000).astype(np.float32)},
    1000,
    1000,
)


def holding(tonight: Observed, seen: Sequence[Night] = ()) -> list[str]:
    found = shifts(night(observed=tonight), seen, REFERENCE, 30)
    return [one.about for one in check_shifts(found, 0.25, 0.25) if one.holds]


def test_a_night_like_training_passes_and_another_is_held() -> None:
    assert holding(seen_as(100)) == []
    assert holding(seen_as(120)) == ["input trait 'mean'"]
    assert holding(seen_as(100, score=0.7)) == ["scores of finding"]


def test_what_recent_nights_looked_like_is_accepted_and_noted() -> None:
    seen = [night(MONDAY - timedelta(days=back), observed=seen_as(120)) for back in (3, 2, 1)]
    assert holding(seen_as(120), seen) == []
    (noted,) = check_shifts(shifts(night(observed=seen_as(120)), seen, REFERENCE, 30), 0.25, 0.25)
    assert "like recent nights" in noted.allowed


def test_a_released_night_is_what_the_next_may_look_like() -> None:
    usual = [night(MONDAY - timedelta(days=back), observed=seen_as(100)) for back in range(2, 20)]
    released = night(MONDAY - timedelta(days=1), observed=seen_as(130), status="released")
    held = night(MONDAY - timedelta(days=1), observed=seen_as(130), status="held")
    assert holding(seen_as(130), accepted([*usual, held], MONDAY, 60)) == ["input trait 'mean'"]
    assert holding(seen_as(130), accepted([*usual, released], MONDAY, 60)) == []


def test_one_scanner_is_seen_among_many() -> None:
    usual, other = seen_as(100, 400, scanner="A"), seen_as(125, 40, scanner="B")
    assert holding(together([usual, other])) == ["input trait 'mean', scanner B"]


def test_the_only_scanner_is_told_once() -> None:
    assert holding(seen_as(125, scanner="B")) == ["input trait 'mean'"]


def test_too_few_subjects_are_not_judged() -> None:
    assert holding(seen_as(160, n=29)) == []
    assert holding(seen_as(160, n=30)) == ["input trait 'mean'"]


def test_traits_of_another_model_count_and_its_scores_do_not() -> None:
    other = night(MONDAY - timedelta(days=1), observed=seen_as(120, score=0.8), model_sha256="o" * 64)
    assert holding(seen_as(120), [other]) == []
    assert holding(seen_as(120, score=0.8), [other]) == ["scores of finding"]


def test_a_missing_feed_holds_the_night() -> None:
    def gaps(missing: float) -> list[str]:
        found = check_gaps(night(observed=seen_as(100, missing=missing)), [], REFERENCE, 30)
        return [str(one) for one in found]

    assert gaps(0.0) == gaps(0.45) == []
    assert gaps(0.6) == [
        "missing: input trait 'mean': known in 40% (allowed: 100% before)",
    ]


# -- all together


def test_a_stale_model_holds_the_night() -> None:
    def verdict(days: int) -> Any:
        return judge(night(), [], REFERENCE, MONDAY - timedelta(days=days), Gate())

    assert not verdict(365).held
    assert verdict(366).held
    assert [one.check for one in verdict(366).findings] == ["stale"]


def test_what_holds_stands_first_and_only_accepted_nights_count() -> None:
    nights = [*weeks(4), night(MONDAY - timedelta(days=1), usable=500, status="rejected")]
    found = judge(night(usable=0, arrivals=0), nights, REFERENCE, MONDAY - timedelta(days=900), Gate())
    assert [(one.check, one.holds) for one in found.findings] == [("stale", True), ("volume", False)]
    assert found.nights == 28


def test_a_model_without_a_reference_is_noted() -> None:
    found = judge(night(observed=seen_as(160)), [], None, MONDAY, Gate())
    assert [(one.check, one.holds) for one in found.findings] == [("drift", False)]
