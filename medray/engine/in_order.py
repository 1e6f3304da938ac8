"""Ray Tune's side of `asha`: which trial runs, waits or ends, whoever is faster."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from ray.exceptions import RayTaskError
from ray.tune import Callback
from ray.tune.experiment import Trial
from ray.tune.schedulers import FIFOScheduler, TrialScheduler

from medray.engine.asha import Curve, Rule, Standing, standings
from medray.engine.trial_spec import TrialSpec, failure, note_failure


class InOrder(FIFOScheduler):  # type: ignore[misc]  # ray is not followed
    """A trial that is to be judged before those with lower numbers have come as far is paused: it gives its
    worker to another, and goes on from its checkpoint when they have.

    Attributes:
        broken: what has ended the search, if anything has.
        stalled: no epoch has ended for too long.
    """

    def __init__(
        self,
        specs: Sequence[TrialSpec],
        curves: Sequence[Curve],
        rule: Rule,
        watch: Callable[[int, dict[str, float]], None],
    ) -> None:
        super().__init__()
        self._specs, self._rule, self._watch = specs, rule, watch
        self._losses = [list(curve.losses) for curve in curves]
        self._over = [curve.over for curve in curves]
        self._standings: list[Standing] | None = None
        self._last = time.monotonic()
        self.broken: BaseException | None = None
        self.stalled = False

    def __getstate__(self) -> dict[str, Any]:
        """Nothing: Tune pickles a search so that Tune can resume it, which nobody asks it to."""
        return {}

    def on_trial_result(self, controller: Any, trial: Any, result: dict[str, Any]) -> str:
        number = trial.config["trial"]
        self._note(number, result)
        state = self._standing(number).state
        if state == "waits":
            # Not by PAUSE: that would have Tune ask the trial for a checkpoint of its own.
            controller.pause_trial(trial, should_checkpoint=False)
            return str(TrialScheduler.NOOP)
        return str(TrialScheduler.CONTINUE if state == "open" else TrialScheduler.STOP)

    def _note(self, number: int, result: dict[str, Any]) -> None:
        """What a trial tells again is known."""
        losses = self._losses[number]
        if result.get("epoch") == len(losses) + 1:
            record = {
                name.removeprefix("record/"): value for name, value in result.items() if name.startswith("record/")
            }
            loss = record["tuning_loss"]
            losses.append(min([*losses[-1:], loss]) if self._specs[number].training.keep == "best" else loss)
            self._last = time.monotonic()
            self._watch(number, record)
        self._over[number] |= result["over"]
        self._standings = None

    def choose_trial_to_run(self, controller: Any) -> Any:
        """A paused trial that may go on, or the next that has not begun. Paused ones that may not are ended."""
        if self.broken or time.monotonic() - self._last > self._specs[0].training.stall_s:
            self.stalled = not self.broken
            controller.request_stop_experiment()
            return None
        trials = sorted(controller.get_trials(), key=lambda one: one.config["trial"])
        for trial in trials:
            if trial.status == Trial.PAUSED:
                state = self._standing(trial.config["trial"]).state
                if state == "open":
                    return trial
                if state != "waits":
                    controller.stop_trial(trial)
        return next((trial for trial in trials if trial.status == Trial.PENDING), None)

    def lost(self, trial: Any) -> None:
        """A trial that Tune has given up."""
        number = trial.config["trial"]
        error = trial.get_pickled_error()
        if not failure(self._specs[number]):
            if error is None or isinstance(error, RayTaskError):
                self.broken = getattr(error, "cause", None) or error or RuntimeError("a trial without a word")
                return
            note_failure(self._specs[number], f"its worker died {trial.num_failures} times ({type(error).__name__})")
        self._over[number], self._standings = True, None

    def _standing(self, number: int) -> Standing:
        if self._standings is None:
            curves = [Curve(losses, over) for losses, over in zip(self._losses, self._over, strict=True)]
            self._standings = standings(curves, self._rule)
        return self._standings[number]


class Losses(Callback):  # type: ignore[misc]  # ray is not followed
    """Tells the order of trials that are lost for good; Tune tells a scheduler of those it tries again, too."""

    def __init__(self, order: InOrder) -> None:
        self._order = order

    def __getstate__(self) -> dict[str, Any]:
        return {}

    def on_trial_error(self, iteration: int, trials: Sequence[Any], trial: Any, **info: Any) -> None:  # noqa: ARG002
        self._order.lost(trial)
