"""Chunks by byte budget, from the sizes alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medray.planning.chunks import chunk_numbers


@pytest.mark.parametrize(
    ("sizes", "budget", "most", "numbers"),
    [
        ([], 10, 5, []),
        ([4, 6, 1, 9, 1], 10, 5, [0, 0, 1, 1, 2]),  # exactly full is not over
        ([11, 1, 11, 11], 10, 5, [0, 1, 2, 3]),  # an object above the budget stands alone
        ([1] * 7, 100, 3, [0, 0, 0, 1, 1, 1, 2]),
        ([0, 0, 10, 0, 1], 10, 9, [0, 0, 0, 0, 1]),
    ],
)
def test_the_cut_by_hand(sizes: list[int], budget: int, most: int, numbers: list[int]) -> None:
    assert chunk_numbers(sizes, budget, most) == numbers


@given(st.lists(st.integers(0, 50)), st.integers(1, 60), st.integers(1, 6))
def test_every_cut_keeps_the_bounds(sizes: list[int], budget: int, most: int) -> None:
    numbers = chunk_numbers(sizes, budget, most)
    assert len(numbers) == len(sizes)
    assert sorted(numbers) == numbers
    assert set(numbers) == set(range(len(set(numbers))))
    for chunk in set(numbers):
        here = [size for size, number in zip(sizes, numbers, strict=True) if number == chunk]
        assert len(here) <= most
        assert len(here) == 1 or sum(here) <= budget
