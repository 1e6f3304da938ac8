"""Cutting inputs into chunks by byte budget. The cut depends on the inputs alone, never on workers."""

from __future__ import annotations

from collections.abc import Sequence


def chunk_numbers(sizes_bytes: Sequence[int], budget_bytes: int, most: int) -> list[int]:
    """The chunk of every input, numbered from 0 in order.

    A chunk holds at most `most` inputs and `budget_bytes`, but at least one input.
    """
    numbers: list[int] = []
    chunk, count, total = 0, 0, 0
    for size in sizes_bytes:
        if count and (count >= most or total + size > budget_bytes):
            chunk, count, total = chunk + 1, 0, 0
        numbers.append(chunk)
        count, total = count + 1, total + size
    return numbers
