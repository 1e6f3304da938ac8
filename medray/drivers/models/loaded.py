"""A stored model, ready to answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from medray.contracts import Array, Columns, Sums, Task
from medray.drivers.inputs.reading import Reading, reading_of
from medray.drivers.models.learnt_task import task_of
from medray.errors import ModelError, RecipeError
from medray.storage.models import Registered, load_model
from medray.storage.store import Store

if TYPE_CHECKING:
    from medray.engine.infer import Network


@dataclass(frozen=True)
class Loaded:
    """Attributes:
    summary: the family's, of the training split.
    """

    reading: Reading
    task: Task
    task_config: Any
    summary: Sums
    calibration: Sums
    network: Network

    def decode(self, logits: Array) -> dict[str, Columns]:
        """Calibrated answers, by question."""
        return self.task.decode(logits, self.task_config, self.calibration)


def loaded(store: Store, lake: str, model: Registered, device: str | None = None) -> Loaded:
    """On this process's device, unless one is named.

    Raises:
        ModelError: its definition is of another medray.
    """
    from medray.engine.infer import Network  # loads torch, which the driver does without

    stored = load_model(store, lake, model.sha256)
    made = stored.definition
    try:
        reading, (task, config) = reading_of(made), task_of(made)
        calibration, summary = made["calibration"], made["family_summary"]
    except (KeyError, TypeError, ValueError, RecipeError) as error:
        raise ModelError(
            f"model {model.name} version {model.version}",
            f"a definition that this medray does not know ({type(error).__name__})",
            "a model of this version's families and tasks",
            "score it with the medray that trained it, or train it again",
        ) from error
    weights = dict(stored.weights)
    network = Network(reading.family, reading.config, summary, task.outputs(config), weights, device)
    return Loaded(reading, task, config, summary, calibration, network)
