"""One process that trains trials of a search, one after another, an epoch at a time."""

from __future__ import annotations

import gc
import math
import sys
from collections.abc import Sequence
from typing import Any

import torch
from ray.tune import Trainable

from medray.engine.loop import Fit
from medray.engine.trial_spec import TrialSpec, failure, note_failure
from medray.errors import MedrayError


class TrialTraining(Trainable):  # type: ignore[misc]  # ray is not followed
    """The training of a trial as Ray Tune drives it. Its state is in the lake, in medray's own checkpoints:
    a trial that begins again first tells what it has recorded, then goes on."""

    def setup(self, config: dict[str, Any], specs: Sequence[TrialSpec] = (), use_gpu: bool = False) -> None:
        self._specs, self._use_gpu = specs, use_gpu
        self.reset_config(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Take up another trial. It is built with its first epoch: Tune does not try a setup again."""
        self._spec = self._specs[new_config["trial"]]
        self._fit: Fit | None = None
        self._told = 0
        if "torch._dynamo" in sys.modules:
            torch.compiler.reset()  # it compiles no more than 8 networks of one kind, and keeps them all
        gc.collect()
        if self._use_gpu:
            torch.cuda.empty_cache()
        return True

    def step(self) -> dict[str, Any]:
        """The next epoch that was not told yet: `epoch`, its `record`, and whether the trial is `over`."""
        if failure(self._spec):
            return {"over": True}
        try:
            fit = self._next_epoch()
        except (OSError, MedrayError):  # of the store or the recipe, not of these settings
            raise
        except Exception as error:
            note_failure(self._spec, _reason(error))
            raise  # the process ends with it: after a failure on a GPU nothing else can be trained there
        self._told += 1
        over = self._told == fit.progress.epoch and fit.done()
        return {"epoch": self._told, "record": fit.progress.history[self._told - 1], "over": over}

    def _next_epoch(self) -> Fit:
        if self._fit is None:
            self._fit = Fit(self._spec, self._device())
        fit = self._fit
        if self._told == fit.progress.epoch:
            fit.epoch()
            fit.uploads.wait()  # what is told stands: a trial that is paused goes on elsewhere
        record = fit.progress.history[self._told]
        if not all(math.isfinite(record[name]) for name in ("loss", "tuning_loss")):
            raise FloatingPointError(f"a loss that is no finite number in epoch {self._told + 1}")
        return fit

    def _device(self) -> torch.device:
        if self._use_gpu:
            return torch.device("cuda", 0)
        torch.set_num_threads(self._spec.threads or 1)
        return torch.device("cpu")


def _reason(error: Exception) -> str:
    """In words; a training's inputs are numbers, so the text names no one."""
    last = (str(error).strip().splitlines() or [""])[0][:200]
    return last if isinstance(error, FloatingPointError) else f"{type(error).__name__}: {last}"
