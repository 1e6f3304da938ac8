"""What would come to grief hours later is refused before a training begins."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pytest
from engine.small_fit import TASK

from medray import rooms
from medray.drivers.models.refuse_early import refuse_early
from medray.errors import SplitError

KNOWN = np.array([[0.0], [1.0], [np.nan]], np.float32)


class _Recipe:
    name = "night"
    task = rooms.task("binary").Config(**TASK)


def _refuse(workers: int, learning: int, tuning: np.ndarray[Any, Any]) -> None:
    refuse_early(cast(Any, _Recipe), rooms.task("binary"), workers, learning, tuning)


def test_enough_is_taken() -> None:
    _refuse(2, 2, KNOWN)


@pytest.mark.parametrize(
    ("workers", "learning", "tuning", "told"),
    [
        (4, 3, KNOWN, r"night, \[split\]: found 3 training example\(s\) for 4 worker\(s\)"),
        (1, 9, np.full((5, 1), np.nan, np.float32), r"no known answer among 5 tuning example\(s\)"),
        (1, 9, np.zeros((0, 1), np.float32), r"no known answer among 0 tuning"),
    ],
)
def test_too_little_is_told(workers: int, learning: int, tuning: np.ndarray[Any, Any], told: str) -> None:
    with pytest.raises(SplitError, match=told):
        _refuse(workers, learning, tuning)
