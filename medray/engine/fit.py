"""Distributed training with Ray Train, watched and bounded by the driver."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable
from typing import Any

from medray.contracts import Array
from medray.engine.loop import FitSpec, worker
from medray.engine.result import result_of
from medray.engine.session import gpus, require
from medray.errors import EngineError
from medray.storage.uri import join

Watch = Callable[[dict[str, float]], None]
_POLL_S = 0.5


def fit(spec: FitSpec, watch: Watch) -> tuple[dict[str, Array], Array, list[dict[str, float]]]:
    """Train until done, going on from what an earlier attempt in the same folder has reached.

    Args:
        watch: called with each finished epoch's record, in order.

    Returns:
        Weights by name, tuning logits (N, O) in the order of the examples, and the epochs.

    Raises:
        EngineError: the cluster is too small, workers died too often, no checkpoint came in `stall_s` seconds, or
            the loss is no number any more.
        ModelError: what it has left has been damaged since.
    """
    import ray

    use_gpu = spec.training.gpu == "auto" and gpus() >= spec.training.workers
    require(spec.training.workers, f"training with {spec.training.workers} workers")
    if not spec.store.exists(spec.result_uri):
        run = ray.remote(num_cpus=0, max_retries=0)(_run).remote(spec, use_gpu)
        _wait(spec, run, watch)
    return *result_of(spec), _told_progress(spec)["history"]


def _run(spec: FitSpec, use_gpu: bool) -> str | None:
    """In a Ray task: the driver stays free to watch. Returns what went wrong, without its text."""
    from ray.train import FailureConfig, RunConfig, ScalingConfig
    from ray.train.torch import TorchTrainer

    trainer = TorchTrainer(
        lambda: worker(spec),
        scaling_config=ScalingConfig(
            num_workers=spec.training.workers,
            use_gpu=use_gpu,
            resources_per_worker={"CPU": 1, "GPU": 1} if use_gpu else {"CPU": spec.threads or 1},
        ),
        run_config=RunConfig(
            name="ray",
            storage_path=join(spec.folder, "ray"),
            failure_config=FailureConfig(max_failures=spec.training.retries),
        ),
    )
    before = signal.getsignal(signal.SIGINT)
    try:
        trainer.fit()
    except Exception as error:
        return _told(error)
    finally:
        # Ray's handler holds the controller, which would live as long as this worker: 600 MB for a minute.
        signal.signal(signal.SIGINT, before)
    return None


def _told(error: BaseException) -> str:
    """Type and first cause of a failed training; its inputs are numbers, so the text names no one."""
    cause = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    last = (str(cause).strip().splitlines() or [""])[-1]
    return f"{type(error).__name__} from {type(cause).__name__}: {last[:200]}"


def _wait(spec: FitSpec, run: Any, watch: Watch) -> None:
    import ray

    seen, place, last = 0, None, time.monotonic()
    while True:
        ready, _ = ray.wait([run], timeout=_POLL_S)
        told = _told_progress(spec)
        for record in told["history"][seen:]:
            watch(record)
            seen += 1
        if told["place"] != place:
            place, last = told["place"], time.monotonic()
        if ready:
            break
        if time.monotonic() - last > spec.training.stall_s:
            ray.cancel(run, force=True)
            raise EngineError(
                "training",
                f"no checkpoint in {spec.training.stall_s:g} s",
                "one in [training] stall_s",
                "look for waiting workers or a slow store, or raise stall_s; running again resumes",
            )
    failure = _outcome(run)
    if failure is not None:
        raise EngineError(
            "training",
            f"workers that failed more than {spec.training.retries} times: {failure}",
            "workers that live",
            "look for memory and for the store; running again resumes from the last checkpoint",
        )
    if told["failed"]:
        raise EngineError(
            "training",
            told["failed"],
            "finite losses",
            "lower [training] learning_rate or gradient_clip, or look for extreme values in the inputs",
        )


def _outcome(run: Any) -> str | None:
    import ray
    from ray.exceptions import RayError

    try:
        failure: str | None = ray.get(run)
    except RayError as error:
        return type(error).__name__
    return failure


def _told_progress(spec: FitSpec) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(spec.store.read(spec.progress_uri))
    except FileNotFoundError:
        return {"history": [], "place": None, "failed": ""}
    return found
