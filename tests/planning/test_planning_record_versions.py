"""Records that come again, decided by hand."""

from __future__ import annotations

import numpy as np
import pytest

from medray.planning.record_versions import FATES, Occurrences, Versions, of_standing, settle

GONE = 0  # what an occurrence says that takes the record back


def standing(*records: list[int]) -> Versions:
    """Records by the contents of their versions, oldest first."""
    rows = [
        (place, number, content)
        for place, contents in enumerate(records)
        for number, content in enumerate(contents, start=1)
    ]
    place, number, says = (np.array([row[i] for row in rows], np.int64) for i in range(3))
    return of_standing(len(records), place, number.astype(np.int32), both(says), says == GONE, *untold(len(place)))


def both(says: np.ndarray) -> np.ndarray:
    return np.stack([says, says * 7], axis=1).astype(np.uint64)


def untold(count: int) -> tuple[np.ndarray, np.ndarray]:
    """No version tells how new it is."""
    return np.zeros(count, np.uint64), np.zeros(count, bool)


def settled(stands: Versions, told: list[tuple[int, int]], on_change: str = "supersede") -> list[tuple[str, int]]:
    """Fate and version of (record, content) occurrences."""
    says = np.array([content for _, content in told], np.int64)
    new = Occurrences(np.array([record for record, _ in told], np.int64), both(says), says == GONE, *untold(len(says)))
    fate, version = settle(new, stands, on_change)
    return [(FATES[f], int(v)) for f, v in zip(fate, version, strict=True)]


def test_a_new_record_is_version_one() -> None:
    assert settled(standing([], []), [(0, 5), (1, 6)]) == [("ingested", 1), ("ingested", 1)]


def test_what_stands_is_known_and_what_differs_is_the_next_version() -> None:
    assert settled(standing([5], [6]), [(0, 5), (1, 7)]) == [("known", 1), ("ingested", 2)]


def test_what_the_run_repeats_is_a_duplicate() -> None:
    assert settled(standing([]), [(0, 5), (0, 5), (0, 6), (0, 6)]) == [
        ("ingested", 1),
        ("duplicate", 1),
        ("ingested", 2),
        ("duplicate", 2),
    ]


def test_a_conflict_leaves_what_stands() -> None:
    assert settled(standing([5], []), [(0, 6), (0, 5), (1, 7), (1, 8)], "conflict") == [
        ("conflict", 1),
        ("known", 1),
        ("ingested", 1),
        ("conflict", 1),
    ]


def test_a_withdrawal_is_a_version_and_is_known_next_time() -> None:
    assert settled(standing([5]), [(0, GONE)]) == [("ingested", 2)]
    assert settled(standing([5, GONE]), [(0, GONE)]) == [("known", 2)]
    assert settled(standing([5]), [(0, GONE), (0, GONE)]) == [("ingested", 2), ("duplicate", 2)]


def test_a_withdrawal_of_nothing_was_an_error() -> None:
    assert settled(standing([]), [(0, GONE), (0, 5), (0, GONE)]) == [
        ("entered_in_error", 0),
        ("ingested", 1),
        ("ingested", 2),
    ]


def test_a_withdrawn_record_can_come_back() -> None:
    assert settled(standing([5, GONE]), [(0, 5)]) == [("ingested", 3)]


def test_an_earlier_content_is_a_correction_back() -> None:
    assert settled(standing([5, 6]), [(0, 5)]) == [("ingested", 3)]


def test_a_whole_history_that_comes_again_is_known() -> None:
    history = [(0, 5), (0, GONE), (0, 6)]
    assert settled(standing([5, GONE, 6]), history) == [("known", 3)] * 3
    assert settled(standing([5, GONE, 6]), [*history, (0, 7)]) == [*[("known", 3)] * 3, ("ingested", 4)]


def test_a_history_with_a_version_that_never_stood_keeps_it() -> None:
    assert settled(standing([5, 6]), [(0, 5), (0, 8), (0, 6)]) == [("known", 2), ("ingested", 3), ("ingested", 4)]


def test_a_past_content_of_another_record_is_no_past() -> None:
    assert settled(standing([5, 6], [9]), [(1, 5), (1, 9)]) == [("ingested", 2), ("ingested", 3)]


def test_many_records_are_decided_apart() -> None:
    told = [(record, 1 + record % 3) for record in range(1000) for _ in range(1 + record % 2)]
    stands = standing(*([1] for _ in range(1000)))
    fates = dict(zip(told, settled(stands, told), strict=True))
    assert fates[0, 1] == ("known", 1)
    assert fates[1, 2] == ("duplicate", 2)  # the second of its two occurrences
    assert fates[2, 3] == ("ingested", 2)


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 0, 1]])
def test_a_version_of_several_rows_says_their_sum(order: list[int]) -> None:
    place, number = np.array([0, 0, 0])[order], np.array([1, 2, 2], np.int32)[order]
    content = np.array([[9, 9], [1, 2], [3, 4]], np.uint64)[order]
    found = of_standing(2, place, number, content, np.zeros(3, bool), *untold(3))
    assert found.number.tolist() == [2, 0]
    assert found.content.tolist() == [[4, 6], [0, 0]]
    assert len(found.past) == 2


@pytest.mark.parametrize("mask", [0, 2**63 - 5, 2**64 - 5])
def test_what_is_older_than_what_stands_is_known(mask: int) -> None:
    """Orders are told modulo 2**64, under a mask that only the record's own versions share."""
    told = np.array([(mask + order) % 2**64 for order in (4, 6, 7, 9, 3)], np.uint64)
    stands = of_standing(
        2, np.array([0, 0, 1]), np.array([1, 2, 1], np.int32), both(np.array([5, 6, 9])), np.zeros(3, bool),
        np.array([mask, (mask + 7) % 2**64, 0], np.uint64), np.array([True, True, False]),
    )  # fmt: skip
    says, record = np.array([5, 8, GONE, 8, 8]), np.array([0, 0, 0, 0, 1])
    new = Occurrences(record, both(says), says == GONE, told, np.ones(5, bool))
    fate, version = settle(new, stands, "supersede")
    assert [FATES[place] for place in fate] == ["known", "known", "ingested", "ingested", "ingested"]
    assert version.tolist() == [2, 2, 3, 4, 2]
