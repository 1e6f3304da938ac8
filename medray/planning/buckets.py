"""Buckets of subjects: equal parts of the ids, and the files of `events` that hold them."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from medray.contracts import Array

_ALL = 1 << 63
_NAME = re.compile(r"(\d+)-of-(\d+)\.parquet$")


@dataclass(frozen=True)
class Bucket:
    """The `k`-th of `n` equal parts of [0, 2**63); `n` is a power of two."""

    k: int
    n: int

    def __post_init__(self) -> None:
        if self.n < 1 or self.n & (self.n - 1) or not 0 <= self.k < self.n:
            raise ValueError(f"bucket {self.k} of {self.n}: n is a power of two and k one of 0..n-1")

    @property
    def lo(self) -> int:
        """The smallest subject id of the bucket."""
        return self.k * (_ALL // self.n)

    @property
    def hi(self) -> int:
        """The greatest subject id of the bucket."""
        return self.lo + _ALL // self.n - 1

    @property
    def name(self) -> str:
        """How a run's file of this bucket is called, without its ending."""
        return f"{self.k:05d}-of-{self.n:05d}"

    def holds(self, subjects: Array) -> Array:
        """bool (N,): which of the subject ids (int64) are in it."""
        return np.asarray((subjects >= self.lo) & (subjects <= self.hi))

    def parts(self, n: int) -> list[Bucket]:
        """The buckets of `n` that make this one up, in order; itself where they are no smaller."""
        share = n // self.n
        return [Bucket(self.k * share + part, n) for part in range(share)] if share > 1 else [self]

    def overlaps(self, path: str) -> bool:
        """Whether the events file at `path` may hold subjects of this bucket: its name tells."""
        other = bucket_of(path)
        return other.lo <= self.hi and self.lo <= other.hi


def bucket_of(path: str) -> Bucket:
    """The bucket that a file of `events` holds.

    Raises:
        ValueError: no run names a file like this.
    """
    found = _NAME.search(path)
    if found is None:
        raise ValueError("a file of `events` is named k-of-n.parquet")
    return Bucket(int(found[1]), int(found[2]))


def buckets(n: int) -> list[Bucket]:
    """All `n` buckets, in order of their subjects."""
    return [Bucket(k, n) for k in range(n)]


def bucket_count(size: float, target: float, most: int = 1 << 14) -> int:
    """The least power of two that makes buckets of at most `target`; `most` at most."""
    n = 1
    while n < most and size > n * target:
        n *= 2
    return n
