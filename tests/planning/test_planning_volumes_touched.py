"""A series is looked at when it is new, has grown, or may be judged otherwise."""

from __future__ import annotations

from datetime import date
from typing import Any

from medray.planning.volumes.touched import Series, has_settled, is_known, standing_of


def stands(version: int, files: list[str], status: str = "volume", policy: str = "p") -> dict[str, Any]:
    return {
        "SeriesInstanceUID": "s", "input_version": version, "status": status, "policy_hash": policy,
        "image_files": files,
    }  # fmt: skip


def known(files: list[str], *rows: dict[str, Any], policy: str = "p") -> bool:
    return is_known(Series(files), standing_of(rows).get("s"), policy)


def test_a_series_is_known_while_its_files_are_the_same() -> None:
    assert not known(["a"])
    assert known(["a"], stands(1, ["a"]))
    assert not known(["a", "b"], stands(1, ["a"]))
    assert known(["a", "b"], stands(2, ["a", "b"]), stands(1, ["a"]))
    assert standing_of([stands(2, ["a", "b"]), stands(1, ["a"])])["s"].version == 2


def test_other_policies_look_once_at_what_was_rejected_and_never_at_a_volume() -> None:
    rejected = stands(1, ["a"], "rejected")
    assert known(["a"], rejected)
    assert not known(["a"], rejected, policy="q")
    again = stands(2, ["a"], "rejected", "q")
    assert known(["a"], rejected, again, policy="q")
    assert known(["a"], rejected, again, policy="p")  # two recipes do not take turns
    assert known(["a"], stands(1, ["a"]), policy="q")
    assert not known(["a"], stands(1, ["a"]), rejected, policy="q")  # one of its two parts was rejected


def test_a_series_settles_when_its_newest_file_is_old_enough() -> None:
    days = [date(2026, 1, 1), date(2026, 1, 3)]
    assert has_settled(days, 0, date(2026, 1, 3))
    assert not has_settled(days, 1, date(2026, 1, 3))
    assert has_settled(days, 1, date(2026, 1, 4))
    assert not has_settled(days, 0, date(2026, 1, 2))  # a night that is made up for
