"""ASHA in the order of the trials: hand-computed, against Ray Tune's own, and whatever the order of arrival."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
from ray.tune.schedulers import ASHAScheduler, TrialScheduler

from medray.engine.asha import Curve, Rule, Standing, standings
from medray.engine.search import Trial, best, minimised

RULE = Rule(grace=1, reduction=2, epochs=4)


def test_rungs_grow_by_the_reduction_and_stay_below_the_end() -> None:
    assert Rule(2, 3, 20).rungs == [2, 6, 18]
    assert Rule(2, 3, 18).rungs == [2, 6]
    assert Rule(5, 3, 5).rungs == []


def test_a_trial_is_compared_with_the_better_half_of_those_before_it() -> None:
    full = [
        [4.0, 4.0, 4.0, 4.0],  # nobody before it
        [3.0, 3.0, 3.0, 3.0],  # better than 4
        [3.6],  # worse than the middle of 4 and 3
        [2.0, 5.0],  # first of all at 1; at 2 worse than the middle of 4 and 3
    ]
    assert standings([Curve(losses, over=False) for losses in full], RULE) == [
        Standing("finished", 4), Standing("finished", 4), Standing("stopped", 1), Standing("stopped", 2),
    ]  # fmt: skip


def test_a_trial_waits_for_those_before_it_and_only_for_them() -> None:
    curves = [Curve([4.0], False), Curve([3.0, 3.0], False), Curve([9.0], False), Curve([], False), Curve([1.0], False)]
    assert standings(curves, RULE) == [
        Standing("open", 1), Standing("waits", 2), Standing("stopped", 1), Standing("open", 0), Standing("waits", 1),
    ]  # fmt: skip


def test_a_trial_that_is_over_is_waited_for_no_more() -> None:
    curves = [Curve([], True), Curve([3.0, 3.0, 3.0], True), Curve([1.0, 1.0], False)]
    assert standings(curves, RULE) == [Standing("finished", 0), Standing("finished", 3), Standing("open", 2)]


def _by_ray(full: list[list[float]], rule: Rule) -> list[int]:
    """How far each trial comes when Ray's scheduler hears of one after the other."""
    asha = ASHAScheduler("epoch", "loss", "min", rule.epochs, rule.grace, rule.reduction)
    reached = []
    for number, losses in enumerate(full):
        trial = SimpleNamespace(trial_id=f"t{number}")
        asha.on_trial_add(None, trial)
        for epoch, loss in enumerate(losses, start=1):
            if asha.on_trial_result(None, trial, {"epoch": epoch, "loss": loss}) == TrialScheduler.STOP:
                break
        reached.append(epoch)
    return reached


def test_any_order_of_arrival_ends_as_one_worker_would() -> None:
    rng = np.random.default_rng(5)
    for _ in range(20):
        rule = Rule(int(rng.integers(1, 3)), int(rng.integers(2, 4)), 9)
        full = [rng.normal(size=9).tolist() for _ in range(7)]
        done = [0] * len(full)
        while True:
            curves = [Curve(losses[:epochs], False) for losses, epochs in zip(full, done, strict=True)]
            found = standings(curves, rule)
            free = [number for number, one in enumerate(found) if one.state == "open"]
            if not free:
                break
            done[int(rng.choice(free))] += 1
        assert {one.state for one in found} <= {"finished", "stopped"}
        assert done == _by_ray(full, rule)


def test_what_is_minimised_is_the_loss_of_the_weights_that_are_kept() -> None:
    history = [{"tuning_loss": loss} for loss in (0.5, 0.3, 0.4, float("nan"), 0.1)]
    assert minimised(history, "best") == [0.5, 0.3, 0.3]
    assert minimised(history, "last") == [0.5, 0.3, 0.4]


def test_the_best_trial_has_finished_where_one_has() -> None:
    def trial(number: int, state: str, loss: float | None) -> Trial:
        return Trial(number, state, (), loss)  # type: ignore[arg-type]

    assert best([trial(0, "finished", 0.4), trial(1, "stopped", 0.1), trial(2, "finished", 0.3)]).number == 2
    assert best([trial(0, "failed", 0.1), trial(1, "stopped", 0.5), trial(2, "stopped", 0.4)]).number == 2
    assert best([trial(0, "finished", 0.4), trial(1, "finished", 0.4)]).number == 0
