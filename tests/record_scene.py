"""One small lake of health records, ingested and trained once; each test gets it as new."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from model_text import CARD
from place import Place
from scene import ONE_ACTOR, as_new

from medray import config
from medray.drivers.job import Job, Result
from medray.entry import driver
from medray.narration import silent

KEY = "r" * 64
PATIENTS = 80
FIRST = datetime(2023, 5, 1)
PROBLEM = {
    "name": "death-after-12h",
    "observe_hours": 12,
    "cohort": {
        "kind": "trigger", "codes": ["ADMISSION"], "which": "first", "after_hours": 12, "unless": ["DEATH"],
        "reached": "observed",
    },
    "targets": {
        "death": {
            "codes": ["DEATH"], "gap_hours": 0, "window_hours": 72, "take": "any", "until": ["DEATH", "DISCHARGE"],
        },
        "next_rate": {"codes": ["HR"], "gap_hours": 0, "window_hours": 2, "take": "mean"},
    },
}  # fmt: skip
EHR = {
    "name": "ehr", "max_events": 64, "min_events": 10, "vocabulary": 16, "min_count": 2, "hours": 12,
    "architecture": "gru_d", "width": 8, "step_hours": 2, "summary_codes": 4, "members": 1, "dropout": 0.0,
    "event_dropout": 0.0,
}  # fmt: skip
TABULAR = {
    "name": "tabular", "columns": [{"codes": ["HR"], "take": ["last", "mean"]}], "categories": {"SEX": ["F", "M"]},
    "min_events": 1, "architecture": "mlp", "width": 8, "layers": 1, "dropout": 0.0,
}  # fmt: skip
TABLES = [
    {"name": "patients", "files": "patients*.csv", "subject": "patient", "events": [{"code": "SEX", "text": "sex"}]},
    {
        "name": "events", "files": "events*.csv", "subject": "patient", "record": "row",
        "events": [{"code": "{item}", "time": "time", "value": "value", "value_required": False}],
    },
]  # fmt: skip


@dataclass(frozen=True)
class RecordScene(Place):
    """A folder with tables, a lake and recipes as dicts."""

    def recipe(self, job: str, **changes: Any) -> dict[str, Any]:
        archive = {
            "source": {"kind": "tables", "uri": str(self.archive), "tables": TABLES},
            "issuer": "",
            "encounters": "any",
            "deidentify": {"profile": "basic", "key": f"file:{self.folder / 'key'}"},
        }
        sections: dict[str, dict[str, Any]] = {
            "ingest_ehr": archive,
            "prepare": {"family": EHR, "problem": PROBLEM},
            "train": {
                "task": {"kind": "binary", "label": "death", "class_weights": True, "threshold": "youden"},
                "family": EHR,
                "problem": PROBLEM,
                "split": {"salt": "records", "tuning": 0.25, "held_out": 0.25},
                "training": {
                    "epochs": 6,
                    "batch_size": 8,
                    "learning_rate": 0.02,
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
                "label": "death",
                "methods": ["shap", "lime"],
                "reference": "missing",
                "seed": 1,
            },
            "nightly": {**archive, "model": {"name": "tiny"}},
        }
        return {"job": job, "name": "tiny", "lake": self.lake, **ONE_ACTOR, **sections[job], **changes}

    def run(self, job: str, run_date: str = "2026-01-01", **changes: Any) -> Result:
        recipe = config.parse(self.recipe(job, **changes), "test")
        result: Result = driver(job)(recipe, Job(run_date, silent()))
        return result

    def add(self, name: str, rows: list[str]) -> None:
        """A file of the events table more."""
        (self.archive / name).write_text("row,patient,time,item,value\n" + "\n".join(rows) + "\n")


def patient_rows(number: int, first_row: int, per_beat: float = 1.0) -> Iterator[str]:
    """Admission, a heart rate every hour, and after 30 h death or discharge: who dies has beats from
    110 on, who lives below. Rates are told in beats a minute times `per_beat`."""
    dies = number % 3 == 0
    rng = np.random.default_rng(number)
    start = FIRST + timedelta(days=number)
    told = [(0.0, "ADMISSION", "")]
    told += [(hour + 0.5, "HR", f"{per_beat * rng.normal(118 if dies else 82, 6):.1f}") for hour in range(29)]
    told.append((30.0, "DEATH" if dies else "DISCHARGE", ""))
    for row, (hour, item, value) in enumerate(told, start=first_row):
        yield f"{row},P{number:03d},{start + timedelta(hours=hour):%Y-%m-%d %H:%M:%S},{item},{value}"


def write_records(folder: Path, patients: int = PATIENTS) -> RecordScene:
    scene = RecordScene(folder)
    scene.archive.mkdir(parents=True)
    sexes = [f"P{number:03d},{'FM'[number % 2]}" for number in range(patients)]
    (scene.archive / "patients.csv").write_text("patient,sex\n" + "\n".join(sexes) + "\n")
    scene.add("events.csv", [row for number in range(patients) for row in patient_rows(number, number * 100)])
    (folder / "key").write_text(KEY)
    return scene


@pytest.fixture(scope="session")
def pristine_records(ray_session: dict[str, float], tmp_path_factory: pytest.TempPathFactory) -> RecordScene:
    """Ingested and trained once, and put aside."""
    folder = tmp_path_factory.mktemp("records")
    scene = write_records(folder / "scene")
    scene.run("ingest_ehr")
    scene.run("train")
    shutil.copytree(scene.folder, folder / "aside")
    return scene


@pytest.fixture
def records(pristine_records: RecordScene) -> RecordScene:
    """A scene that was ingested and trained, as new."""
    as_new(pristine_records.folder)
    return pristine_records


@pytest.fixture(scope="session")
def pristine_scored_records(pristine_records: RecordScene) -> RecordScene:
    """Scored once, and put aside too."""
    as_new(pristine_records.folder)
    pristine_records.run("predict")
    shutil.copytree(pristine_records.folder, pristine_records.folder.parent / "scored")
    return pristine_records


@pytest.fixture
def scored_records(pristine_scored_records: RecordScene) -> RecordScene:
    """A scene that was ingested, trained and scored, as new."""
    as_new(pristine_scored_records.folder, "scored")
    return pristine_scored_records


@pytest.fixture
def new_records(tmp_path: Path) -> Callable[..., RecordScene]:
    """Makes an archive with an empty lake."""
    return lambda patients=8: write_records(tmp_path / "new", patients)
