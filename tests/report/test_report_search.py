"""The page of a search: what won, how close the next came, and that all trials are told."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from typing import Any

import pytest

from medray.report.search import search_report
from medray.report.trials import setting_against_loss, trial_curves


def trial(number: int, losses: list[float | None], state: str = "finished", **values: Any) -> dict[str, Any]:
    known = [loss for loss in losses if loss is not None]
    return {
        "trial": number, "state": state, "failed": "its worker died 4 times" if state == "failed" else "",
        "epochs": len(losses), "loss": min(known, default=None), "tuning_losses": losses,
        "values": {"training.learning_rate": 10.0**-number, "family.architecture": "mlp", **values},
    }  # fmt: skip


TRIALS = [
    trial(0, [0.9, 0.8, 0.60]),
    trial(1, [0.7, 0.6, 0.50]),
    trial(2, [0.7, 0.6, 0.504], **{"family.architecture": "<gru>"}),
    trial(3, [0.95], "stopped"),
    trial(4, [0.9, None], "failed"),
    trial(5, [], "failed"),
]
LOG = ["training.learning_rate"]


def page(trials: list[dict[str, Any]], best: int) -> str:
    return search_report(
        title="Search of tiny", subtitle="6 trials", facts=(("Run", "abc"),), rungs=[1], recipe_file="best.toml",
        found={"best": best, "epochs": 3, "log": LOG, "trials": trials}, lineage={"Run": "abc"},
    )  # fmt: skip


def words(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", re.sub(r"<style.*?</style>", "", html, flags=re.S)))


def test_the_page_says_what_won_and_that_its_loss_is_optimistic() -> None:
    text = words(page(TRIALS, 1))
    for told in (
        "0.5000 trial 1 of 6", "16.7% lower", "2 failed", "optimistic", "best.toml",
        "The next is trial 2, 0.0040 above", "of the 3 that finished the last lies 0.1000 above",
        "1 of them (2) is within 1%",
        "failed: its worker died 4 times", "12 of 18, had no trial been stopped",
    ):  # fmt: skip
        assert told in text, told
    assert "&lt;gru&gt;" in page(TRIALS, 1)  # what a recipe says is text


def test_trials_stand_by_how_good_they_are() -> None:
    table = page(TRIALS, 1).split("All trials</h2>")[1]
    rows = re.findall(r'<tr><td class="number"><span>(\d)</span>', table)
    assert rows == ["1", "2", "0", "3", "4", "5"]


def test_a_search_that_found_nothing_better_says_so() -> None:
    text = words(page([trial(0, [0.5]), trial(1, [0.9], "stopped")], 0))
    assert "no other trial did better" in text
    assert "No other trial finished" in text


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("trials", [TRIALS, [trial(0, [0.5])], [trial(0, [], "failed"), trial(1, [0.5, 0.5])]])
def test_figures_are_drawn_the_same_each_time(trials: list[dict[str, Any]]) -> None:
    figures = [lambda: trial_curves(trials, 1, [1])]
    figures += [
        lambda name=name: setting_against_loss(trials, name, 1, name in LOG)  # type: ignore[misc]
        for name in ("training.learning_rate", "family.architecture")
    ]
    for draw in figures:
        assert ElementTree.fromstring(draw()).tag.endswith("svg")
        assert draw() == draw()
