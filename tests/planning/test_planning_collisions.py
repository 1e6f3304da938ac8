"""What becomes of an instance that is there already."""

from __future__ import annotations

from medray.planning.collisions import Decision, Instance, OnChange, Version, decide

DUPLICATE, CONFLICT = Decision("duplicate", 1), Decision("conflict", 1)


def outcome(
    *new: tuple[str, str], standing: dict[str, Version] | None = None, on_change: OnChange = "conflict"
) -> dict[int, dict[str, Decision]]:
    """Decisions on (uid, bytes) pairs; the n-th lies in chunk n // 2 under source key `sn`."""
    instances = [Instance(number // 2, f"s{number}", uid, sha256) for number, (uid, sha256) in enumerate(new)]
    return decide(instances, standing or {}, on_change)


def test_new_instances_are_kept_without_a_word() -> None:
    assert outcome(("a", "x"), ("b", "x"), ("c", "y")) == {}


def test_the_same_bytes_again_are_a_duplicate() -> None:
    assert outcome(("a", "x"), ("b", "y"), ("a", "x"), ("a", "x")) == {1: {"s2": DUPLICATE, "s3": DUPLICATE}}


def test_other_bytes_are_a_conflict() -> None:
    assert outcome(("a", "x"), ("a", "y"), ("a", "y")) == {0: {"s1": CONFLICT}, 1: {"s2": CONFLICT}}


def test_a_conflict_does_not_displace_what_stands() -> None:
    assert outcome(("a", "x"), ("a", "y"), ("a", "x")) == {0: {"s1": CONFLICT}, 1: {"s2": DUPLICATE}}


def test_the_lake_counts_as_what_was_there_before() -> None:
    standing = {"a": Version(3, "x")}
    assert outcome(("a", "x"), ("a", "y"), standing=standing) == {
        0: {"s0": Decision("duplicate", 3), "s1": Decision("conflict", 3)}
    }


def test_supersede_gives_the_next_version() -> None:
    standing = {"a": Version(3, "x")}
    found = outcome(("a", "y"), ("a", "y"), ("a", "z"), ("b", "x"), standing=standing, on_change="supersede")
    assert found == {0: {"s0": Decision(None, 4), "s1": Decision("duplicate", 4)}, 1: {"s2": Decision(None, 5)}}


def test_what_stands_is_not_changed_by_deciding() -> None:
    standing = {"a": Version(1, "x")}
    outcome(("a", "y"), standing=standing, on_change="supersede")
    assert standing == {"a": Version(1, "x")}
