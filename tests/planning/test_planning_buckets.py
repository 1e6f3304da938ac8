"""Buckets of subjects: equal parts of the ids, by name."""

from __future__ import annotations

import pytest

from medray.planning.buckets import Bucket, bucket_count, bucket_of

LAST = 2**63 - 1


def test_buckets_cut_all_subjects_into_equal_parts() -> None:
    quarters = [Bucket(k, 4) for k in range(4)]
    assert [bucket.lo for bucket in quarters] == [0, 2**61, 2**62, 3 * 2**61]
    assert [bucket.hi for bucket in quarters] == [2**61 - 1, 2**62 - 1, 3 * 2**61 - 1, LAST]
    assert (Bucket(0, 1).lo, Bucket(0, 1).hi) == (0, LAST)


def test_a_bucket_is_made_up_of_smaller_ones() -> None:
    assert Bucket(1, 2).parts(8) == [Bucket(4, 8), Bucket(5, 8), Bucket(6, 8), Bucket(7, 8)]
    assert [Bucket(1, 2).parts(n) for n in (1, 2)] == [[Bucket(1, 2)]] * 2


def test_a_file_tells_by_its_name_what_it_holds() -> None:
    path = f"data/0123/{Bucket(1, 2).name}.parquet"
    assert path == "data/0123/00001-of-00002.parquet"
    assert bucket_of(path) == Bucket(1, 2)
    overlapping = [Bucket(k, 4).overlaps(path) for k in range(4)]
    assert overlapping == [False, False, True, True]
    assert Bucket(0, 1).overlaps(path)
    assert not Bucket(0, 2).overlaps(path)


@pytest.mark.parametrize(("k", "n"), [(0, 3), (4, 4), (-1, 2), (0, 0)])
def test_other_cuts_are_refused(k: int, n: int) -> None:
    with pytest.raises(ValueError, match="power of two"):
        Bucket(k, n)


def test_a_file_of_another_name_is_refused() -> None:
    with pytest.raises(ValueError, match="k-of-n"):
        bucket_of("data/0123/000001.parquet")


def test_the_least_power_of_two_is_enough() -> None:
    assert [bucket_count(size, 10) for size in (0, 10, 11, 20, 21, 80)] == [1, 1, 2, 2, 4, 8]
    assert bucket_count(1e9, 10, most=16) == 16
