"""The scene of a kill: a small archive, a lake with a model, recipes; and what must hold afterwards."""

from __future__ import annotations

import shutil
from collections import Counter
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
from faults.counts import exactly_once, other_than
from faults.readers import differences

from medray.config import load
from medray.demo.archive import write_archive, write_studies
from medray.demo.cases import synthetic
from medray.drivers.job import Job
from medray.entry import driver
from medray.narration import silent
from medray.schema.images import IMAGES
from medray.schema.predictions import PREDICTIONS
from medray.schema.quarantine import QUARANTINE
from medray.storage.models import register, save_model
from medray.storage.promotions import promote
from medray.storage.snapshot import snapshot
from medray.storage.store import LAKE

RUN_DATE, TAKEN_OVER = "2026-01-02", "2026-01-03"  # a night that was killed is finished by the next
IMAGES_BEFORE, IMAGES_LATER, PROBLEMS = 24, 4, 6
DUPLICATES = 1
JOBS = {
    "ingest": "ingest_dicom",
    "commit": "ingest_dicom",
    "prepare": "prepare",
    "predict": "predict",
    "night": "nightly",
    "backfill": "predict",
}
_SECTIONS = {
    "ingest_dicom": ("archive",),
    "prepare": ("family",),
    "predict": ("model",),
    "backfill": ("next",),
    "nightly": ("archive", "model", "alone"),
}
_TEXTS = {
    "archive": """
[source]
kind = "dicom"
uri = "{scene}/archive"
subject = "PatientID"
[deidentify]
profile = "basic"
key = "file:{scene}/key"
[chunks]
objects = 3
""",
    "model": """
[model]
name = "kill"
""",
    "next": """
[model]
name = "kill"
version = 2
[select]
since = 2026-01-01
until = 2026-01-31
""",
    # Two actors are killed; what takes over needs one, and each costs seconds of imports.
    "alone": """
[compute]
actors = 1
""",
    "family": """
[family]
name = "image"
size = [16, 16]
channels = 1
window = "full"
modalities = ["CR", "DX"]
frames = "single"
min_side = 8
architecture = "small_cnn"
width = 2
dropout = 0.0
[family.augment]
rotate_degrees = 0
translate = 0
scale = 0
shear_degrees = 0
flip_horizontal = false
brightness = 0
contrast = 0
gamma = 0
noise = 0
erase = 0
""",
}
_TASK = {"kind": "binary", "label": "opacity", "class_weights": False, "threshold": "youden"}


def build(base: Path) -> None:
    """Two scenes, put aside below `base`: `empty` (an archive, a model, nothing ingested) and `full`."""
    scene = base / "scene"
    write_archive(scene, synthetic(IMAGES_BEFORE, seed=1, size=32), label="opacity", first_day=date(2024, 1, 1))
    (scene / "key").write_text("k" * 64)
    _recipes(scene)
    _model(scene / "lake")
    shutil.copytree(scene, base / "empty")
    run(scene, "ingest")
    shutil.copytree(scene, base / "full")


def run(scene: Path, job: str) -> None:
    """Run a job to its end in this process."""
    recipe = load(str(scene / recipe_of(job)))
    driver(recipe.job)(recipe, Job(TAKEN_OVER if job == "night" else RUN_DATE, silent()))


def recipe_of(job: str) -> str:
    """The recipe's file."""
    return "backfill.toml" if job == "backfill" else f"{JOBS[job]}.toml"


def restore(base: Path, job: str) -> Path:
    """The scene as a job finds it. It stands where it was built, as objects are known by their place."""
    scene = base / "scene"
    shutil.rmtree(scene)
    shutil.copytree(base / ("empty" if job in ("ingest", "commit", "night") else "full"), scene)
    return scene


def grow(scene: Path) -> None:
    """More studies come into the archive."""
    later = synthetic(IMAGES_LATER, seed=9, size=32, first_patient=500)
    write_studies(scene / "archive" / "later", later, first_day=date(2024, 3, 1))


def partial(scene: Path) -> list[str]:
    """Where a snapshot shows something else than its committed runs have counted."""
    state = snapshot(LAKE, str(scene / "lake"))
    counted: Counter[str] = Counter()
    for job, counts in zip(state.runs["job"].to_pylist(), state.runs["counts"].to_pylist(), strict=True):
        counted.update({f"{job} {name}": value for name, value in counts})
    expected = {
        IMAGES: counted["ingest_dicom ingested"],
        QUARANTINE: counted["ingest_dicom duplicate"]
        + counted["ingest_dicom quarantined"]
        + counted["prepare quarantined"],
        PREDICTIONS: counted["predict scored"] + counted["predict abstained"],
    }
    return other_than(state, expected)


def faults(scene: Path) -> list[str]:
    """What is lost or doubled once everything has been run to its end."""
    state = snapshot(LAKE, str(scene / "lake"))
    images = state.table(IMAGES, ("SOPInstanceUID", "source_key"))
    answers = state.table(PREDICTIONS, ("SOPInstanceUID", "model_version"))
    refused = state.table(QUARANTINE, ("source_key",))
    total = IMAGES_BEFORE + IMAGES_LATER
    found = partial(scene)
    found += exactly_once("image", images["SOPInstanceUID"].to_pylist(), total)
    found += exactly_once(
        "object", images["source_key"].to_pylist() + refused["source_key"].to_pylist(), total + PROBLEMS
    )
    by_version = {1: [], 2: []} | _grouped(answers)
    found += exactly_once("answer", by_version[1], total)
    if by_version[2]:  # back-filled: what was there before
        found += exactly_once("answer of the next version", by_version[2], IMAGES_BEFORE)
    found += differences(state.lake, IMAGES, total) + differences(state.lake, PREDICTIONS, answers.num_rows)
    found += exactly_once("run", state.runs["run_id"].to_pylist(), state.runs.num_rows)
    left = [path.name for path in (scene / "lake" / "tables").rglob(".tmp-*")]
    return found + [f"left over: {name}" for name in left]


def _grouped(answers: pa.Table) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for uid, version in zip(*(answers[name].to_pylist() for name in ("SOPInstanceUID", "model_version")), strict=True):
        found.setdefault(version, []).append(uid)
    return found


def _recipes(scene: Path) -> None:
    for job, sections in _SECTIONS.items():
        head = f'job = "{JOBS.get(job, job)}"\nname = "kill"\nlake = "{scene}/lake"\n'
        body = "".join(_TEXTS[name] for name in sections)
        (scene / f"{job}.toml").write_text(head + body.format(scene=scene))


def _model(lake: Path) -> None:
    """A network with random weights in production: kills do not care how good it is."""
    import torch

    from medray import rooms

    family = rooms.family("image")
    config = load(str(lake.parent / "prepare.toml")).family  # type: ignore[attr-defined]
    summary = family.summarise(family.survey(np.arange(512, dtype=np.uint8).reshape(2, 1, 16, 16), config))
    torch.manual_seed(1)
    weights = {name: value.numpy() for name, value in family.build(config, summary, 1).state_dict().items()}
    for version, threshold in ((1, 0.5), (2, 0.4)):
        definition = {
            "family": "image", "family_config": config.model_dump(mode="json"), "family_summary": summary,
            "task": "binary", "task_config": _TASK, "task_summary": {},
            "calibration": {"temperature": [1.0], "bias": [0.0], "threshold": [threshold]},
        }  # fmt: skip
        sha256 = save_model(LAKE, str(lake), weights, definition, {"train": np.array([1], np.int64)})
        card = {"run_id": f"none {version}", "split": {}, "history": []}
        register(LAKE, str(lake), "kill", sha256, card)
    promote(LAKE, str(lake), "kill", 1, "test")
