"""Which trials of a search go on: ASHA's rule, in the order of the trials instead of that of arrival.

Asynchronous successive halving (Li et al. 2020, arXiv:1810.05934) compares a trial with those that came as
far before it. Who comes first is a matter of machines and of kills; here it is the lower number. What
becomes of a trial follows from the recorded losses alone: as if one worker had run the trials one after
another, however many do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Literal

State = Literal["open", "waits", "stopped", "finished"]


@dataclass(frozen=True)
class Rule:
    """Attributes:
    grace: epochs that every trial is given.
    reduction: at `grace`, `grace` x `reduction`, ... epochs a trial is judged.
    epochs: of a trial that is never stopped.
    """

    grace: int
    reduction: int
    epochs: int

    @property
    def rungs(self) -> list[int]:
        """Epochs after which a trial is judged."""
        found, epoch = [], self.grace
        while epoch < self.epochs:
            found.append(epoch)
            epoch *= self.reduction
        return found


@dataclass(frozen=True)
class Curve:
    """What a trial has told.

    Attributes:
        losses: after each epoch, what is minimised.
        over: it has nothing more to tell, by itself or because it failed.
    """

    losses: Sequence[float]
    over: bool


@dataclass(frozen=True)
class Standing:
    """`open`: it may go on; `waits`: for the trials before it, to be judged after `epoch` epochs; `stopped`
    after `epoch` epochs; `finished` after as many."""

    state: State
    epoch: int


def standings(curves: Sequence[Curve], rule: Rule) -> list[Standing]:
    """How each trial stands, by its number. The decisions are those of Ray Tune's ASHAScheduler."""
    from ray.tune.schedulers import ASHAScheduler, TrialScheduler

    asha = ASHAScheduler("epoch", "loss", "min", rule.epochs, rule.grace, rule.reduction)
    decided = rule.epochs  # rungs below are decided for every trial so far
    found = []
    for number, curve in enumerate(curves):
        trial = SimpleNamespace(trial_id=str(number))
        asha.on_trial_add(None, trial)
        standing = None
        for rung in rule.rungs:
            if len(curve.losses) < rung:
                if not curve.over:
                    decided = min(decided, rung)
                break
            if rung >= decided:
                standing = Standing("waits", rung)
                break
            told = {"epoch": rung, "loss": curve.losses[rung - 1]}
            if asha.on_trial_result(None, trial, told) == TrialScheduler.STOP:
                standing = Standing("stopped", rung)
                break
        found.append(standing or _unjudged(curve, rule))
    return found


def _unjudged(curve: Curve, rule: Rule) -> Standing:
    done = len(curve.losses)
    return Standing("finished" if curve.over or done >= rule.epochs else "open", done)
