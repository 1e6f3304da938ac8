"""One small lake, ingested and trained once; each test gets it as new."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from model_text import CARD
from place import Place

from medray import config
from medray.demo.archive import write_archive
from medray.demo.cases import synthetic
from medray.drivers.job import Job, Result
from medray.entry import driver
from medray.narration import silent

KEY = "k" * 64
IMAGES, SIDE = 60, 32
ONE_ACTOR = {"compute": {"actors": 1}}  # every scoring starts its actors anew; demo, buckets and kills have two
FAMILY = {
    "name": "image", "size": [16, 16], "channels": 1, "window": "full", "modalities": ["CR", "DX"], "frames": "single",
    "min_side": 8, "architecture": "small_cnn", "width": 4, "dropout": 0.0,
    "augment": {"rotate_degrees": 5, "translate": 0.05, "scale": 0, "shear_degrees": 0, "flip_horizontal": False,
                "brightness": 0, "contrast": 0, "gamma": 0, "noise": 0, "erase": 0},
}  # fmt: skip


@dataclass(frozen=True)
class Scene(Place):
    """A folder with an archive, a lake and recipes as dicts."""

    def recipe(self, job: str, **changes: Any) -> dict[str, Any]:
        sections: dict[str, dict[str, Any]] = {
            "ingest_dicom": {**self._archive(), "labels": self._labels()},
            "prepare": {"family": FAMILY},
            "train": {
                "task": {"kind": "binary", "label": "opacity", "class_weights": True, "threshold": "youden"},
                "family": FAMILY,
                "split": {"label": "split"},
                "training": {
                    "epochs": 2,
                    "batch_size": 8,
                    "learning_rate": 0.003,
                    "weight_decay": 0.01,
                    "seed": 1,
                    "workers": 2,
                },
                "model": {"name": "tiny", "promote": True, "card": CARD},
            },
            "predict": {"model": {"name": "tiny"}},
            "evaluate": {"model": {"name": "tiny"}, "split": "held_out", "seed": 1, "resamples": 100},
            "explain": {
                "model": {"name": "tiny"},
                "label": "opacity",
                "methods": ["grad_cam", "integrated_gradients"],
                "reference": "mean",
                "seed": 1,
            },
            "nightly": {**self._archive(), "model": {"name": "tiny"}},
        }
        return {"job": job, "name": "tiny", "lake": self.lake, **ONE_ACTOR, **sections[job], **changes}

    def run(self, job: str, run_date: str = "2026-01-01", **changes: Any) -> Result:
        recipe = config.parse(self.recipe(job, **changes), "test")
        result: Result = driver(job)(recipe, Job(run_date, silent()))
        return result

    def _archive(self) -> dict[str, Any]:
        return {
            "source": {"kind": "dicom", "uri": str(self.archive), "subject": "PatientID"},
            "deidentify": {"profile": "basic", "key": f"file:{self.folder / 'key'}"},
            "chunks": {"objects": 20},
        }

    def _labels(self) -> dict[str, Any]:
        return {
            "uri": str(self.folder / "labels.csv"), "key": "path", "key_column": "path",
            "columns": {"opacity": "boolean", "split": "categorical"},
        }  # fmt: skip


def write_scene(folder: Path, images: int = IMAGES) -> Scene:
    cases = synthetic(images, seed=3, size=SIDE)
    write_archive(folder, cases, label="opacity", first_day=date(2024, 1, 1))
    (folder / "key").write_text(KEY)
    return Scene(folder)


@pytest.fixture(scope="session")
def pristine(ray_session: dict[str, float], tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """Ingested and trained once, and put aside."""
    folder = tmp_path_factory.mktemp("trained")
    scene = write_scene(folder / "scene")
    scene.run("ingest_dicom")
    scene.run("train")
    shutil.copytree(scene.folder, folder / "aside")
    return scene


def as_new(folder: Path, aside: str = "aside") -> None:
    """The scene that was put aside stands again where it stood, as objects of an archive are known by their place."""
    shutil.rmtree(folder)
    shutil.copytree(folder.parent / aside, folder)


@pytest.fixture
def trained(pristine: Scene) -> Scene:
    """A scene that was ingested and trained, as new."""
    as_new(pristine.folder)
    return pristine


@pytest.fixture(scope="session")
def pristine_scored(pristine: Scene) -> Scene:
    """Scored once, and put aside too."""
    as_new(pristine.folder)
    pristine.run("predict")
    shutil.copytree(pristine.folder, pristine.folder.parent / "scored")
    return pristine


@pytest.fixture
def scored(pristine_scored: Scene) -> Scene:
    """A scene that was ingested, trained and scored, as new."""
    as_new(pristine_scored.folder, "scored")
    return pristine_scored


@pytest.fixture
def new_scene(tmp_path: Path) -> Callable[..., Scene]:
    """Makes an archive with an empty lake."""
    return lambda images=8: write_scene(tmp_path / "new", images)
