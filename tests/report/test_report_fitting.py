"""The report of a training: its numbers by hand, and what it shows of imbalance and of waiting."""

from __future__ import annotations

import re
from typing import Any

from medray.report.fitting import Answer, fitting_report


def _epoch(number: int, tuning_loss: float, **changes: float) -> dict[str, float]:
    return {
        "epoch": number, "loss": 0.5, "tuning_loss": tuning_loss, "seconds": 65.0, "examples_per_s": 100.0 * number,
        "wait_share": 0.25, "read_share": 0.1, "device_memory_bytes": 0.0, "host_memory_bytes": 1.5e9,
    } | changes  # fmt: skip


HISTORY = [_epoch(1, 0.9), _epoch(2, 0.4), _epoch(3, 0.6)]


def _page(**changes: Any) -> str:
    arguments = {
        "title": "Training of chest version 2",
        "subtitle": "image, binary",
        "facts": (("Run", "abc"),),
        "history": HISTORY,
        "best_epoch": 2,
        "advice": [],
        "answers": [],
        "settings": {"learning rate": "0.001"},
        "lineage": {"Run": "abc"},
    }
    return fitting_report(**{**arguments, **changes})


def _words(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", re.sub(r"(?s)<svg.*?</svg>|<style.*?</style>", "", page)))


def test_the_first_epoch_which_fills_caches_is_left_out_of_the_pace() -> None:
    words = _words(_page())
    assert "Best tuning loss 0.400 epoch 2 of 3" in words
    assert "Examples a second 250.0" in words  # the mean of 200 and 300
    assert "Waiting for data 25.0%" in words
    assert "1.50 GB" in words
    assert "GPU busy" not in words
    assert "1 min 05 s" in words


def test_a_gpu_that_was_looked_at_is_shown() -> None:
    history = [record | {"gpu_busy": 0.9, "device_memory_bytes": 40e9} for record in HISTORY]
    words = _words(_page(history=history))
    assert "GPU busy 90.0%" in words
    assert "40.00 GB" in words


def test_advice_stands_first() -> None:
    words = _words(_page(advice=["Ingest is the bottleneck: raise read_ahead."]))
    assert words.index("Ingest is the bottleneck") < words.index("Best tuning loss")


def test_what_imbalance_is_left_in_the_loss_is_shown() -> None:
    """Of 100, 20 are yes; weighed 2.5 against 0.625, both count alike in the loss."""
    answers = [Answer("ill", "no", 80, 0.8, 0.625), Answer("ill", "yes", 20, 0.2, 2.5)]
    words = _words(_page(answers=answers))
    assert "ill no 80 80.0% 80.0% 0.625 50.0%" in words
    assert "ill yes 20 20.0% 20.0% 2.500 50.0%" in words
