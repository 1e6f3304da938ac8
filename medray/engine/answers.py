"""What a finished training answers for examples that it has not learnt from."""

from __future__ import annotations

import numpy as np

from medray.contracts import Array
from medray.engine.examples import Values, read_examples
from medray.engine.infer import Network
from medray.engine.loop import FitSpec
from medray.engine.result import result_of
from medray.engine.session import gpus
from medray.errors import EngineError


def answered(spec: FitSpec, index: Array) -> Array:
    """Logits float32 (len(index), O) of the training's examples at `index`, by its chosen weights.

    One Ray task, on a GPU where the training had one: neither weights nor values pass through the driver.

    Raises:
        EngineError: the task's worker died again and again.
    """
    import ray
    from ray.exceptions import RayError

    on_gpu = spec.training.gpu == "auto" and gpus() >= spec.training.workers
    task = ray.remote(num_cpus=0 if on_gpu else 1, num_gpus=1 if on_gpu else 0)(_answered)
    try:
        logits: Array = ray.get(task.remote(spec, index, "cuda" if on_gpu else "cpu"))
    except RayError as error:
        raise EngineError(
            "answers of a finished training",
            f"a worker that failed ({type(error).__name__})",
            "workers that live",
            "look for memory and for the store; running again repeats no training",
        ) from error
    return logits


def _answered(spec: FitSpec, index: Array, device: str) -> Array:
    weights, _ = result_of(spec)
    outputs = spec.task.outputs(spec.task_config)
    network = Network(spec.family, spec.family_config, spec.family_summary, outputs, weights, device)
    values = Values(spec.store, read_examples(spec.store, spec.examples_uri))
    return np.asarray(network.logits(index, values.gather))
