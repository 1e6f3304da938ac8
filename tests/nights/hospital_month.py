"""A month in a hospital: what comes into its archive each night, and a model that scores it.

Two scanners at one site send drawn radiographs, one a patient. The network's weights are random, as
nights do not care how good it is; its calibration spreads its scores, and its reference is counted
from real scores, as a training would.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from model_text import complete_record
from place import Place
from pydicom import dcmread
from scene import FAMILY, KEY

from medray import config, rooms
from medray.demo.cases import synthetic
from medray.dicom.wrap import wrap
from medray.drivers.inputs.find import newest_inputs, read_inputs
from medray.drivers.inputs.reading import declared
from medray.drivers.job import Job, Result
from medray.drivers.models.promote import promote
from medray.engine.infer import Network
from medray.entry import driver
from medray.narration import silent
from medray.planning.gate.observed import reference_of
from medray.storage.models import register, save_model
from medray.storage.shards import open_shard
from medray.storage.snapshot import snapshot
from medray.storage.store import LAKE

MODEL = "month"
BEFORE = 160  # images in the archive before the first night: what the model was calibrated on
SCANNERS = ("SN-1", "SN-2")
NATIVE = "1.2.840.10008.1.2.1"


@dataclass(frozen=True)
class Month(Place):
    """A folder with an archive, a lake, and how many images were written."""

    def write(self, night: int, count: int, *, brighter: dict[str, int] | None = None) -> list[Path]:
        """A night's images, by the two scanners in turn; some of them brighter than usual."""
        cases = synthetic(count, seed=100 + night, size=32)
        paths = []
        for index, image in enumerate(cases.images):
            scanner = SCANNERS[index % 2]
            shifted = np.clip(image.astype(int) + (brighter or {}).get(scanner, 0), 0, 255).astype(np.uint8)
            path = self.archive / f"{night:03d}" / f"{index:03d}.dcm"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"")
            instance(shifted, f"{night}-{index}", scanner).save_as(path)
            paths.append(path)
        return paths

    def night(self, day: date, **changes: Any) -> Result:
        """One nightly run."""
        return self._run(self.parsed("nightly", **changes), day)

    def predict(self, day: date, **changes: Any) -> Result:
        """A predict job by hand."""
        return self._run(self.parsed("predict", **changes), day)

    def parsed(self, job: str, **changes: Any) -> Any:
        return config.parse({**self.recipe(job), **changes}, "month")

    def recipe(self, job: str) -> dict[str, Any]:
        archive = {
            "source": {"kind": "dicom", "uri": str(self.archive), "subject": "PatientID"},
            "deidentify": {"profile": "basic", "key": f"file:{self.folder / 'key'}"},
            "on_change": "supersede",
        }
        sections = {
            "ingest_dicom": archive,
            "prepare": {"family": FAMILY},
            "predict": {"model": {"name": MODEL}},
            "nightly": {**archive, "model": {"name": MODEL}, "gate": {"min_inputs": 10}},
        }
        return {"job": job, "name": "month", "lake": self.lake, **sections[job]}

    def begin(self, day: date, *, write: bool = True) -> None:
        """The archive before the first night, and version 1 of the model, promoted."""
        (self.folder / "key").write_text(KEY)
        if write:
            self.write(0, BEFORE)
        self._run(self.parsed("ingest_dicom"), day)
        self._run(self.parsed("prepare"), day)
        self.new_model(threshold=0.5)
        promote(self.lake, MODEL, 1, Job(day.isoformat(), silent()))

    def new_model(self, threshold: float) -> None:
        """The next version; another threshold is another model."""
        reading = declared(self.parsed("prepare"))
        state = snapshot(LAKE, self.lake)
        files = read_inputs(state, newest_inputs(state, reading).values(), reading)
        values = np.concatenate([np.asarray(open_shard(LAKE, file.shard).values) for file in files])[:BEFORE]
        weights, summary = _network(reading, values)
        logits = Network(reading.family, reading.config, summary, 1, weights).logits(
            np.arange(len(values)), lambda rows: values[rows]
        )
        calibration = {
            "temperature": [float(logits.std())], "bias": [-float(logits.mean() / logits.std())],
            "threshold": [threshold],
        }  # fmt: skip
        task = rooms.task("binary")
        task_config = {"kind": "binary", "label": "opacity", "class_weights": False, "threshold": "youden"}
        decoded = task.decode(logits, task.Config.model_validate(task_config), calibration)
        definition = {
            "family": "image", "family_config": reading.config.model_dump(mode="json"), "family_summary": summary,
            "task": "binary", "task_config": task_config, "task_summary": {}, "calibration": calibration,
        }  # fmt: skip
        sha256 = save_model(LAKE, self.lake, weights, definition, {"train": np.array([1], np.int64)})
        scores = {label: columns["predicted_boolean_probability"] for label, columns in decoded.items()}
        traits = reading.family.traits(values, reading.config, summary)
        reference = reference_of(scores, traits, len(values), len(values))
        register(LAKE, self.lake, MODEL, sha256, complete_record(f"training {threshold}", reference=reference))

    def _run(self, recipe: Any, day: date) -> Result:
        result: Result = driver(recipe.job)(recipe, Job(day.isoformat(), silent()))
        return result


def _network(reading: Any, values: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    import torch

    family = reading.family
    summary = family.summarise(family.survey(values, reading.config))
    torch.manual_seed(1)
    network = family.build(reading.config, summary, 1)
    return {name: value.numpy() for name, value in network.state_dict().items()}, summary


def instance(image: Any, name: str, scanner: str) -> Any:
    """A radiograph as pydicom has it."""

    import hashlib

    def uid(kind: str) -> str:
        return f"2.25.{int.from_bytes(hashlib.sha256(f'{kind} {name}'.encode()).digest()[:16], 'big')}"

    data = wrap(
        image, modality="CR", patient_id=f"SYNTHETIC-{name}", study_uid=uid("study"), series_uid=uid("series"),
        sop_uid=uid("instance"), transfer_syntax=NATIVE, photometric="MONOCHROME2", study_date="20260301",
        study_time="080000",
    )  # fmt: skip
    found = dcmread(BytesIO(data))
    found.DeviceSerialNumber, found.InstitutionName = scanner, "SYNTHETIC HOSPITAL"
    return found
