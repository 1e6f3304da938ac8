"""A search with Ray Tune: trials side by side as the cluster takes them, each a training of its own folder."""

from __future__ import annotations

import logging
import math
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate, takewhile
from typing import Any, Literal

from medray.engine.asha import Curve, Rule, Standing, standings
from medray.engine.session import gpus, require
from medray.engine.trial_spec import TrialSpec, told
from medray.errors import EngineError, MedrayError

Watch = Callable[[int, dict[str, float]], None]


@dataclass(frozen=True)
class Trial:
    """What became of a trial.

    Attributes:
        state: "finished"; "stopped" by ASHA; "failed", for the reason in `failed`.
        history: what its training told of each epoch.
        loss: what is minimised, of the weights that a training of this recipe would keep so far; None
            where there is none.
    """

    number: int
    state: Literal["finished", "stopped", "failed"]
    history: tuple[dict[str, float], ...]
    loss: float | None
    failed: str = ""


def search(specs: Sequence[TrialSpec], rule: Rule, concurrent: int | None, watch: Watch) -> list[Trial]:
    """Run every trial until it has finished, was stopped or failed; go on with what an earlier attempt has reached.

    Args:
        specs: of the trials, by number. They share `examples_uri` and differ in their settings.
        watch: called with a trial's number and the record of each epoch that it finishes now.

    Returns:
        What became of each trial. It follows from the records in the lake, not from who came first.

    Raises:
        EngineError: no epoch ended in `stall_s` seconds, the store failed, or every trial did.
    """
    curves = [_curve(spec, over=False) for spec in specs]
    states = standings(curves, rule)
    left = [number for number, one in enumerate(states) if one.state in ("open", "waits")]
    if left:
        _run(specs, left, curves, rule, concurrent, watch)
    curves = [_curve(spec, over=True) for spec in specs]
    trials = [_trial(number, specs[number], one) for number, one in enumerate(standings(curves, rule))]
    if all(one.state == "failed" for one in trials):
        raise EngineError(
            "search",
            f"{len(trials)} trials that all failed, the first: {trials[0].failed}",
            "a trial that can be trained",
            "look at the recipe's own settings with `jobs/train.py`, then at the ranges",
        )
    return trials


def best(trials: Sequence[Trial]) -> Trial:
    """The winner: of the trials that finished (of those that were stopped, where none did) the one with
    the lowest loss; of equals the first."""
    known = [one for one in trials if one.state != "failed" and one.loss is not None]
    return min(known, key=lambda one: (one.state != "finished", one.loss, one.number))


def minimised(history: Sequence[dict[str, float]], keep: str) -> list[float]:
    """After each epoch the tuning loss of the weights that would be kept: the lowest so far, or the last."""
    losses = [record["tuning_loss"] for record in history]
    finite = list(takewhile(math.isfinite, losses))
    return list(accumulate(finite, min)) if keep == "best" else finite


def _curve(spec: TrialSpec, *, over: bool) -> Curve:
    history, failed = told(spec)
    return Curve(minimised(history, spec.training.keep), over or bool(failed))


def _trial(number: int, spec: TrialSpec, standing: Standing) -> Trial:
    history, failed = told(spec)
    stopped = standing.state == "stopped"
    losses = minimised(history, spec.training.keep)
    state: Any = "stopped" if stopped else "failed" if failed else "finished"
    return Trial(number, state, tuple(history), losses[-1] if losses else None, "" if stopped else failed)


def _run(
    specs: Sequence[TrialSpec],
    left: Sequence[int],
    curves: Sequence[Curve],
    rule: Rule,
    concurrent: int | None,
    watch: Watch,
) -> None:
    from ray import tune

    from medray.engine.in_order import InOrder, Losses
    from medray.engine.trial import TrialTraining

    training = specs[0].training
    use_gpu = training.gpu == "auto" and gpus() > 0
    require(1, "a trial", gpus=int(use_gpu))
    order = InOrder(specs, curves, rule, watch)
    logging.getLogger("ray.tune").setLevel(logging.CRITICAL)  # failed trials are told in the report
    # What Ray notes of a search is needed by no one: it lies where it dies with the job.
    with tempfile.TemporaryDirectory(prefix="mrs", ignore_cleanup_errors=True) as folder:
        trainable = tune.with_parameters(TrialTraining, specs=tuple(specs), use_gpu=use_gpu)
        tuner = tune.Tuner(
            tune.with_resources(trainable, {"CPU": 1, "GPU": 1} if use_gpu else {"CPU": 1}),
            param_space={"trial": tune.grid_search(list(left))},
            tune_config=tune.TuneConfig(scheduler=order, max_concurrent_trials=concurrent, reuse_actors=True),
            run_config=tune.RunConfig(
                name="search",
                storage_path=folder,
                failure_config=tune.FailureConfig(max_failures=training.retries),
                checkpoint_config=tune.CheckpointConfig(checkpoint_frequency=0, checkpoint_at_end=False),
                callbacks=[Losses(order)],
                verbose=0,
            ),
        )
        tuner.fit()
    _raise(order.broken, order.stalled, training.stall_s)


def _raise(broken: BaseException | None, stalled: bool, stall_s: float) -> None:
    if isinstance(broken, MedrayError):
        raise broken
    if broken is not None:
        raise EngineError(
            "search",
            f"a trial that could not be trained ({type(broken).__name__}: {str(broken).strip()[:200]})",
            "a store that answers",
            "look for the store; running again goes on from the last epochs",
        )
    if stalled:
        raise EngineError(
            "search",
            f"no finished epoch of any trial in {stall_s:g} s",
            "an epoch in [training] stall_s",
            "look for waiting workers or a slow store, or raise stall_s; running again goes on",
        )
