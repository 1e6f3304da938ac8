"""Images that are there twice, under two patients: planted, and found by the jobs."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from rich.console import Console
from scene import KEY, SIDE, Scene

from medray import config
from medray.contracts import Array
from medray.demo.archive import write_archive
from medray.demo.cases import synthetic
from medray.drivers.job import Job
from medray.drivers.models import learning_curve as learning_curve_module
from medray.drivers.models.gather import gather
from medray.drivers.models.leaks import digests_of
from medray.drivers.models.learnable import learnable
from medray.drivers.models.learnt_images import learnt_images
from medray.drivers.models.simple_models import _without_the_evaluated
from medray.engine.digests import digests
from medray.engine.examples import Values, read_examples
from medray.engine.loop import FitSpec
from medray.entry import driver
from medray.errors import EngineError
from medray.narration import Narrator
from medray.storage.model_images import save_images
from medray.storage.models import Registered
from medray.storage.store import LAKE

pytestmark = pytest.mark.ray
COUNT, TUNING, HELD_OUT = 28, 4, 4
FOLDS = {"count": 2, "seeds": [1], "salt": "doubled"}


class _Listener(Narrator):
    """Keeps what it is warned of."""

    def __init__(self) -> None:
        super().__init__(Console(quiet=True))
        self.warned: list[str] = []

    def warn(self, text: str, **_facts: Any) -> None:
        self.warned.append(text)


@pytest.fixture
def doubled(ray_session: object, tmp_path: Path) -> Scene:
    """One image a patient; the first tuning image and the first held-out one are those of training patients."""
    drawn = synthetic(COUNT, seed=3, size=SIDE)
    images, first = drawn.images.copy(), COUNT - TUNING - HELD_OUT
    images[first], images[first + TUNING] = images[0], images[1]
    splits = ("train",) * first + ("tuning",) * TUNING + ("held_out",) * HELD_OUT
    patients = tuple(f"SYNTHETIC-{number}" for number in range(COUNT))
    labels = np.arange(COUNT) % 2 == 1
    cases = replace(drawn, images=images, labels=labels, splits=splits, patients=patients)
    write_archive(tmp_path / "scene", cases, label="opacity", first_day=date(2024, 1, 1))
    scene = Scene(tmp_path / "scene")
    (scene.folder / "key").write_text(KEY)
    scene.run("ingest_dicom")
    return scene


def _planned(scene: Scene, patch: pytest.MonkeyPatch, **changes: Any) -> tuple[dict[str, FitSpec], list[str]]:
    """What each training was told before it began, and what people were warned of."""
    told: dict[str, FitSpec] = {}

    def stops(spec: FitSpec, _watch: Any) -> Any:
        told[spec.folder.rsplit("/", 1)[-1]] = spec
        raise EngineError("training", "a test that has seen enough", "nothing", "nothing")

    patch.setattr("medray.drivers.models.train.fit", stops)
    patch.setattr("medray.drivers.models.fold_trainings.fit", stops)
    listener = _Listener()
    with pytest.raises(EngineError, match="seen enough"):
        driver("train")(config.parse(scene.recipe("train", **changes), "test"), Job("2026-01-01", listener))
    return told, listener.warned


def test_an_image_that_is_there_twice(doubled: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    told, warned = _planned(doubled, monkeypatch)
    assert [one for one in warned if one.startswith("1 training images left out")]
    ((_, spec),) = told.items()
    examples = read_examples(LAKE, spec.examples_uri)
    assert np.bincount(examples.split).tolist() == [COUNT - TUNING - HELD_OUT - 1, TUNING]
    assert len(np.unique(_pixels(spec), axis=0)) == len(examples.split)

    told, warned = _planned(doubled, monkeypatch, folds=FOLDS)
    assert [one for one in warned if one.startswith("1 subjects have images of others")]
    assert len(told) == 2
    for spec in told.values():
        examples = read_examples(LAKE, spec.examples_uri)
        _, place, count = np.unique(_pixels(spec), axis=0, return_inverse=True, return_counts=True)
        ((first, second),) = (np.flatnonzero(place == twice) for twice in np.flatnonzero(count == 2))
        assert examples.split[first] == examples.split[second]

    assert _held_out_images_learnt(doubled, spec) == 1


def _pixels(spec: FitSpec) -> Array:
    examples = read_examples(LAKE, spec.examples_uri)
    return Values(LAKE, examples).gather(np.arange(len(examples.row))).reshape(len(examples.row), -1)


def _held_out_images_learnt(scene: Scene, spec: FitSpec) -> int:
    """By a model that was made with all images of train and tuning."""
    model = Registered("m", 1, "1" * 64, {})
    assert _asked(scene, model) == 0  # an older model has no digests
    save_images(LAKE, scene.lake, model.sha256, {"train": digests(LAKE, read_examples(LAKE, spec.examples_uri))})
    return _asked(scene, model)


def _asked(scene: Scene, model: Registered) -> int:
    recipe: Any = config.parse(scene.recipe("train"), "test")
    job = Job("2026-01-01", _Listener())
    known = learnable(recipe, job)
    examples, _ = gather(known.files, known.of(["held_out"]), LAKE)
    images = digests_of(known.reading, examples, LAKE)
    assert learnt_images(scene.lake, model, "train", images, job) == 0  # its own split is no other
    return learnt_images(scene.lake, model, "held_out", images, job)


def test_what_is_measured_beside_a_model_learns_no_image_that_it_is_measured_on(
    doubled: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A learning curve is measured on tuning images, simple models on those that are evaluated."""
    _planned(doubled, monkeypatch)  # prepares
    recipe: Any = config.parse(doubled.recipe("train"), "test")
    job = Job("2026-01-01", _Listener())
    known = learnable(recipe, job)
    seen: list[Array] = []
    for name, stub in {
        "read_plan": lambda *_: SimpleNamespace(recipe=recipe.model_dump(mode="json")),
        "learnt_from": lambda _scene, _job, splits: (known.files, known.of(splits)),
        "_point": lambda _scene, _recipe, examples, *_: (seen.append(examples.split), [])[1],
    }.items():
        monkeypatch.setattr(learning_curve_module, name, stub)
    asked = SimpleNamespace(shares=(1.0,), seeds=(1,))
    scene: Any = SimpleNamespace(
        recipe=SimpleNamespace(learning_curve=asked, lake=doubled.lake, seed=1, split="held_out"),
        model=SimpleNamespace(card={"run_id": "r"}),
        reading=known.reading,
        images=digests_of(known.reading, gather(known.files, known.of(["held_out"]), LAKE)[0], LAKE),
    )
    learning_curve_module.learning_curve(scene, SimpleNamespace(run_id="e"), job)  # type: ignore[arg-type]
    train = COUNT - TUNING - HELD_OUT
    assert [np.bincount(split).tolist() for split in seen] == [[train - 1, TUNING]]
    learnt, subjects = _without_the_evaluated(scene, *gather(known.files, known.of(["train"]), LAKE), job)
    assert (len(learnt.row), len(subjects)) == (train - 1, train - 1)
