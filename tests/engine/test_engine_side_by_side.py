"""Works side by side: bounded, in order, and one that fails hides no other."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
import pytest

from medray.engine.digests import digest
from medray.engine.side_by_side import side_by_side, threads_of
from medray.errors import EngineError, SplitError


def test_results_come_in_order_and_never_more_at_once_than_allowed() -> None:
    running, most, lock = [0], [0], threading.Lock()
    both = threading.Barrier(2, timeout=20)  # passed only by two that run at once

    def work(number: int) -> Callable[[], int]:
        def run() -> int:
            with lock:
                running[0] += 1
                most[0] = max(most[0], running[0])
            both.wait()
            with lock:
                running[0] -= 1
            return number

        return run

    assert side_by_side([work(number) for number in range(6)], 2) == list(range(6))
    assert most == [2]


def _fails(error: Exception) -> Callable[[], int]:
    def run() -> int:
        raise error

    return run


def test_the_others_are_finished_and_the_only_error_is_the_one_that_is_told() -> None:
    done: list[int] = []
    error = SplitError("fold 2", "nobody", "somebody", "label more")
    with pytest.raises(SplitError, match="fold 2: found nobody"):
        side_by_side([lambda: done.append(1), _fails(error), lambda: done.append(3)], 1)
    assert done == [1, 3]


def test_several_errors_are_all_named_and_unforeseen_ones_without_their_text() -> None:
    error = SplitError("fold 1", "nobody", "somebody", "label more")
    with pytest.raises(
        EngineError, match=r"2 of 3 that failed \(number 1: fold 1, nobody; number 3: worker, KeyErr"
    ) as it:
        side_by_side([_fails(error), lambda: 1, _fails(KeyError("Jane Doe"))], 3)
    assert "Jane" not in str(it.value)


def test_equal_images_have_equal_digests_and_empty_ones_none() -> None:
    image = np.arange(12, dtype=np.uint8).reshape(3, 4)
    assert digest(image) == digest(image.copy())
    assert len({digest(image), digest(image.reshape(4, 3)), digest(image + 1), digest(image.T)}) == 4
    assert digest(np.full((3, 4), 7, np.uint8)) == 0


@pytest.mark.parametrize(
    ("nodes", "workers", "threads"),
    [([8] * 8, 5, 8), ([8] * 8, 15, 4), ([7, 7], 3, 3), ([0, 2], 2, 1), ([2], 5, 1), ([], 1, 1)],
)
def test_no_worker_is_given_more_threads_than_a_node_has_for_it(nodes: list[int], workers: int, threads: int) -> None:
    """Five on eight nodes of eight cores have a node each; fifteen of four threads fit two by two."""
    assert threads_of(nodes, workers) == threads
