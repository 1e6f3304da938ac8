"""The sum that is checked before a run commits."""

from __future__ import annotations

import pickle

import pytest

from medray.errors import AccountingError
from medray.planning.accounting import Sum


def test_a_sum_that_adds_up_passes_and_reads_aloud() -> None:
    total = Sum("listed", 1234, {"known": 1000, "ingested": 230, "duplicate": 1, "quarantined": 3})
    assert total.checked() is total
    assert str(total) == "listed 1,234 = known 1,000 + ingested 230 + duplicate 1 + quarantined 3"
    assert total.counts() == {"listed": 1234, "known": 1000, "ingested": 230, "duplicate": 1, "quarantined": 3}


@pytest.mark.parametrize(
    ("total", "parts"),
    [(5, {"known": 2, "scored": 2}), (5, {"known": 2, "scored": 4}), (5, {"known": 6, "scored": -1}), (1, {})],
    ids=["one is lost", "one is doubled", "a negative part", "no part"],
)
def test_a_sum_that_does_not_add_up_stops_the_run(total: int, parts: dict[str, int]) -> None:
    with pytest.raises(AccountingError, match=f"the parts make {sum(parts.values())}") as raised:
        Sum("requested", total, parts).checked()
    assert str(pickle.loads(pickle.dumps(raised.value))) == str(raised.value)


def test_nothing_is_the_sum_of_nothing() -> None:
    assert Sum("listed", 0, {}).checked().counts() == {"listed": 0}
