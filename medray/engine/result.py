"""What a finished training has left in its folder."""

from __future__ import annotations

from medray.contracts import Array
from medray.engine.loop import FitSpec
from medray.storage.model_files import tensors_of

_WEIGHTS = "weights/"


def result_of(spec: FitSpec) -> tuple[dict[str, Array], Array]:
    """The chosen weights by name, and float32 (M, O) logits of the M tuning examples, in order.

    Raises:
        ModelError: it has been damaged since.
    """
    tensors = tensors_of(spec.store.read(spec.result_uri), "a training's result")
    logits = tensors.pop("logits")
    return {name.removeprefix(_WEIGHTS): value for name, value in tensors.items()}, logits
