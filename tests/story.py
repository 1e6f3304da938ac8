"""What tests are told about: a tiny archive of drawn chests, and the recipes that take it through the lake."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
from model_text import CARD

from medray.config import parse
from medray.demo.archive import Archive, write_archive, write_studies
from medray.demo.cases import Cases, synthetic
from medray.drivers.job import Job
from medray.narration import silent
from medray.storage.plans import Plan

KEY = "medray-tests-key-of-64-characters-which-is-no-secret-of-anybody."
KEY_VARIABLE = "MEDRAY_TEST_KEY"
LABEL = "opacity"
MODEL = "tiny"
SIDE = 32
IMAGES = 24
FIRST_DAY = date(2025, 3, 1)
DAY, NIGHT = "2026-01-01", "2026-01-02"


def cases(count: int = IMAGES, seed: int = 3, first_patient: int = 0) -> Cases:
    """Phantoms of 32 x 32; with the defaults every split has both answers."""
    return synthetic(count, seed=seed, size=SIDE, first_patient=first_patient)


def archive(folder: Path, count: int = IMAGES) -> Archive:
    """`folder/archive` with `count` images and the six problem files, and `folder/labels.csv`."""
    folder.mkdir(parents=True, exist_ok=True)
    return write_archive(folder, cases(count), label=LABEL, first_day=FIRST_DAY)


def next_morning(root: Path, count: int = 4) -> tuple[str, ...]:
    """New patients' images in an archive. Returns their paths below `root/next-morning`."""
    return write_studies(root / "next-morning", cases(count, seed=5, first_patient=1000), first_day=FIRST_DAY)


def ingest_recipe(lake: str, archive_uri: str, labels_uri: str | None = None, **changes: Any) -> dict[str, Any]:
    labels = {
        "uri": labels_uri,
        "key": "path",
        "key_column": "path",
        "columns": {LABEL: "boolean", "split": "categorical"},
    }
    document = {"job": "ingest_dicom", "name": "tiny-archive", **_archive(lake, archive_uri)}
    return {**document, **({"labels": labels} if labels_uri else {}), **changes}


def train_recipe(lake: str, epochs: int = 1, **training: Any) -> dict[str, Any]:
    return {
        "job": "train",
        "name": "tiny-train",
        "lake": lake,
        "task": {"kind": "binary", "label": LABEL, "class_weights": True, "threshold": "youden"},
        "family": {
            "name": "image", "size": [16, 16], "channels": 1, "window": "full", "modalities": ["CR", "DX"],
            "frames": "single", "min_side": 16, "architecture": "small_cnn", "width": 4, "dropout": 0.0,
            "augment": {
                "rotate_degrees": 5, "translate": 0, "scale": 0, "shear_degrees": 0, "flip_horizontal": False,
                "brightness": 0, "contrast": 0, "gamma": 0, "noise": 0, "erase": 0,
            },
        },
        "split": {"label": "split"},
        "training": {
            "epochs": epochs, "batch_size": 4, "learning_rate": 0.01, "weight_decay": 0.0, "seed": 1, "gpu": "no",
            **training,
        },
        "model": {"name": MODEL, "promote": True, "card": CARD},
    }  # fmt: skip


def predict_recipe(lake: str) -> dict[str, Any]:
    return {"job": "predict", "name": "tiny-predict", "lake": lake, "model": {"name": MODEL}}


def nightly_recipe(lake: str, archive_uri: str) -> dict[str, Any]:
    return {"job": "nightly", "name": "tiny-night", "model": {"name": MODEL}, **_archive(lake, archive_uri)}


def _archive(lake: str, archive_uri: str) -> dict[str, Any]:
    return {
        "lake": lake,
        "source": {"kind": "dicom", "uri": archive_uri, "subject": "PatientID"},
        "deidentify": {"profile": "basic", "key": f"env:{KEY_VARIABLE}"},
        "chunks": {"objects": 12},
    }


def recipe(document: Mapping[str, Any]) -> Any:
    """The checked recipe of a document."""
    return parse(document, where="a test's recipe")


def job(run_date: str = DAY) -> Job:
    """A call of a job that tells nobody."""
    return Job(run_date, silent())


def plan(
    name: str = "a",
    kind: str = "predict",
    inputs: Sequence[int] = (0, 0, 1),
    planned_at: datetime = datetime(2026, 1, 1, 12),
    **other: Any,
) -> Plan:
    """A plan of the inputs 0..N-1 whose chunks are given."""
    table = pa.table({"chunk": pa.array(inputs, pa.int32()), "key": [f"k{number}" for number in range(len(inputs))]})
    facts: dict[str, Any] = {
        "run_date": DAY, "code_version": "0.1.0+test", "recipe": {"name": name}, "tables_read": {}, "facts": {}, **other
    }  # fmt: skip
    return Plan(job=kind, name=name, stream=f"{kind} {name}", inputs=table, planned_at=planned_at, **facts)
