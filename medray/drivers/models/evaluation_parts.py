"""The parts of an evaluation that need more than answers and truth: for whom, and at which threshold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from medray.contracts import Array
from medray.drivers.input import DataFile, Input
from medray.drivers.inputs.reading import Reading
from medray.drivers.models.gather import gather
from medray.drivers.models.labelled import Labelled
from medray.drivers.models.leaks import digests_of
from medray.drivers.models.stored_answers import Answers
from medray.drivers.models.traits import traits
from medray.engine.examples import Examples
from medray.metrics.bootstrap import Resampling
from medray.metrics.decision_curve import decision_curve
from medray.metrics.measures import Measured
from medray.metrics.readings import whole_answers, yes_or_no
from medray.metrics.subgroups import Floor, by_group
from medray.planning.traits import Trait
from medray.recipes.evaluate import EvaluateRecipe
from medray.storage.models import Registered
from medray.storage.snapshot import Snapshot

FORMAT = 2  # of metrics.json
_LEVEL = 0.95
_THRESHOLDS = 51
SMALLEST = Floor(1, 0)


@dataclass(frozen=True)
class Scene:
    """One model and what it is evaluated on.

    Attributes:
        config: the task's.
        files: data files of the inputs; asked: the inputs with their truth.
    """

    recipe: EvaluateRecipe
    model: Registered
    reading: Reading
    config: Any
    state: Snapshot
    files: list[DataFile]
    asked: Sequence[Labelled]
    answers: Answers

    @cached_property
    def answered(self) -> list[Labelled]:
        """The inputs with an answer."""
        return [self.asked[row] for row in sorted(set(self.answers.position.tolist()))]

    @cached_property
    def examples(self) -> Examples:
        """What is prepared of them: targets and values of the answered examples, in order."""
        return gather(self.files, self.answered, self.state.store)[0]

    @cached_property
    def images(self) -> Array | None:
        """int64 (N,) digests of the examples' images; None of records."""
        return digests_of(self.reading, self.examples, self.state.store)

    @cached_property
    def inputs(self) -> list[Input]:
        """Of each example."""
        return [self.asked[row].item for row in self.answers.position]

    @cached_property
    def targets(self) -> Array:
        """(N, T) of the examples."""
        return np.stack([self.asked[row].targets for row in self.answers.position])

    @cached_property
    def subjects(self) -> Array:
        """int64 (N,) of the examples."""
        return np.array([item.subject_id for item in self.inputs], np.int64)

    @property
    def resampling(self) -> Resampling:
        return Resampling(self.recipe.resamples, self.recipe.seed, _LEVEL)

    @property
    def wholes(self) -> list[Measured]:
        return whole_answers(self.config.kind, self.config, self.answers.stored, self.targets)


def head(scene: Scene) -> dict[str, Any]:
    """What was evaluated, by which rules."""
    rule = getattr(scene.config, "threshold", None)
    return {
        "format": FORMAT,
        "model": {"name": scene.model.name, "version": scene.model.version, "sha256": scene.model.sha256},
        "split": scene.recipe.split,
        "task": scene.config.kind,
        "inputs": len(scene.answered),
        "examples": len(scene.inputs),
        "subjects": len(np.unique(scene.subjects)),
        "calibration": getattr(scene.config, "calibration", None),
        "threshold_rule": rule if rule is None or isinstance(rule, str) else rule.model_dump(mode="json"),
        "bootstrap": {"resamples": scene.recipe.resamples, "seed": scene.recipe.seed, "level": _LEVEL},
    }


def decision_curves(scene: Scene) -> dict[str, Any]:
    """By yes-or-no question; empty for numbers."""
    asked = scene.recipe.decision_curve
    thresholds = np.linspace(asked.lowest, asked.highest, _THRESHOLDS)
    found = {}
    for answer in yes_or_no(scene.config.kind, scene.config, scene.answers.stored, scene.targets):
        assert answer.scores is not None
        assert answer.positive is not None
        truth = np.where(answer.known, answer.positive, np.nan)
        curve = decision_curve(answer.scores, truth, scene.subjects, thresholds, scene.resampling)
        found[answer.name] = curve.to_json()
    return found


def subgroups(scene: Scene) -> dict[str, Any]:
    """By trait: its title, why it is absent or null, inputs where it is not known, and the groups by answer;
    under "overall" all inputs together."""
    known = traits(scene.recipe, scene.reading, scene.state, scene.files, scene.inputs)
    asked = scene.recipe.subgroups
    floor = Floor(asked.min_examples, asked.min_each_class)
    everybody = Trait("", ("all",) * len(scene.inputs), ("all",))
    return {
        "floor": {"examples": asked.min_examples, "each_class": asked.min_each_class},
        "overall": {name: groups[0] for name, groups in _of(scene, everybody, SMALLEST)["answers"].items()},
        "traits": {name: _of(scene, trait, floor) for name, trait in known.items()},
    }


def _of(scene: Scene, trait: Trait, floor: Floor) -> dict[str, Any]:
    groups: dict[str, Any] = {}
    if trait.absent is None:
        groups = {
            answer.name: [
                group.to_json()
                for group in by_group(answer, trait.groups, trait.order, scene.subjects, floor, scene.resampling)
            ]
            for answer in scene.wholes
        }
    unknown = sum(group is None for group in trait.groups)
    return {"title": trait.title, "absent": trait.absent, "unknown": unknown, "answers": groups}
