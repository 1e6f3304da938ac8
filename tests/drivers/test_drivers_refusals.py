"""What a job refuses, each with one message, and that nothing is lost or half done."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from deltalake import DeltaTable
from scene import Scene

from medray import config
from medray.drivers.abandon import abandon
from medray.drivers.job import Job
from medray.drivers.locate import locate
from medray.drivers.open_plans import unfinished
from medray.errors import KeyMismatchError, MedrayError, ModelError, PlanError, RecipeError, SchemaError, StorageError
from medray.narration import silent
from medray.schema.images import IMAGES
from medray.storage.models import load_model, register, save_model, versions
from medray.storage.promotions import promote
from medray.storage.snapshot import snapshot
from medray.storage.store import LAKE

pytestmark = pytest.mark.ray


def _runs(scene: Scene) -> set[str]:
    return snapshot(LAKE, scene.lake).run_ids()


def _refused(scene: Scene, kind: type[MedrayError], match: str, job: str, **changes: object) -> None:
    before = _runs(scene)
    with pytest.raises(kind, match=match) as told:
        scene.run(job, **changes)
    assert _runs(scene) == before
    for part in (told.value.where, told.value.found, told.value.allowed, told.value.do):
        assert part.strip()


def test_another_key(trained: Scene) -> None:
    (trained.folder / "key").write_text("another secret of more than 32 bytes")
    _refused(trained, KeyMismatchError, "with which the lake was begun", "ingest_dicom")


def test_another_privacy(trained: Scene) -> None:
    other = {"profile": "none", "reason": "a test", "key": f"file:{trained.folder / 'key'}"}
    _refused(trained, KeyMismatchError, "recipes for an de-identified lake", "ingest_dicom", deidentify=other)


def test_an_empty_archive(trained: Scene) -> None:
    (trained.folder / "void").mkdir()
    source = {"kind": "dicom", "uri": str(trained.folder / "void"), "subject": "PatientID"}
    _refused(trained, StorageError, "no object", "ingest_dicom", source=source)


def test_a_model_whose_weights_belong_to_another_network(trained: Scene) -> None:
    (model,) = versions(LAKE, trained.lake, "tiny")
    stored = load_model(LAKE, trained.lake, model.sha256)
    definition = {name: value for name, value in stored.definition.items() if name != "format"}
    definition["family_config"] = {**definition["family_config"], "width": 9}
    sha256 = save_model(LAKE, trained.lake, stored.weights, definition, {"train": np.array([1], np.int64)})
    register(LAKE, trained.lake, "tiny", sha256, {"run_id": "none", "split": {}, "history": []})
    promote(LAKE, trained.lake, "tiny", 2, "test")
    before = _runs(trained)
    with pytest.raises(ModelError, match="do not fit the network"):
        trained.run("predict")
    assert not snapshot(LAKE, trained.lake).version(IMAGES) < 0
    # the images may have been prepared by then; nothing was answered
    assert {row["job"] for row in snapshot(LAKE, trained.lake).runs.to_pylist() if row["run_id"] not in before} <= {
        "prepare"
    }


def test_a_model_with_a_config_of_another_version(trained: Scene) -> None:
    (model,) = versions(LAKE, trained.lake, "tiny")
    stored = load_model(LAKE, trained.lake, model.sha256)
    definition = {name: value for name, value in stored.definition.items() if name != "format"}
    definition["family_config"] = {**definition["family_config"], "columns": ["heart_rate"]}
    sha256 = save_model(LAKE, trained.lake, stored.weights, definition, {"train": np.array([1], np.int64)})
    register(LAKE, trained.lake, "tiny", sha256, {"run_id": "none", "split": {}, "history": []})
    promote(LAKE, trained.lake, "tiny", 2, "test")
    _refused(trained, ModelError, "does not know", "predict")


def test_a_table_of_a_newer_schema(trained: Scene) -> None:
    table = DeltaTable(f"{trained.lake}/tables/runs")
    table.alter.set_table_properties({"medray.schema_version": "3"}, raise_if_not_exists=False)
    with pytest.raises(SchemaError, match="schema version 3"):
        trained.run("predict")


def test_more_workers_than_cpus(trained: Scene) -> None:
    training = {"epochs": 1, "batch_size": 8, "learning_rate": 0.01, "weight_decay": 0, "seed": 1, "workers": 8}
    before = _runs(trained)
    with pytest.raises(MedrayError, match="8 CPUs"):
        trained.run("train", training=training)
    assert {row["job"] for row in snapshot(LAKE, trained.lake).runs.to_pylist() if row["run_id"] not in before} <= {
        "prepare"
    }


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 160 KB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=160k", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("needs root to mount a small disk")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=False)


def test_a_full_disk_loses_nothing(new_scene: Callable[..., Scene], ray_session: object, small_disk: Path) -> None:
    scene = new_scene(40)
    lake = str(small_disk / "lake")
    changes = {"lake": lake, "labels": None, "chunks": {"objects": 4}}
    with pytest.raises(StorageError, match="no space left"):
        scene.run("ingest_dicom", **changes)
    assert snapshot(LAKE, lake).runs.num_rows == 0
    finished = {path: path.stat().st_mtime_ns for path in small_disk.rglob("*.parquet")}
    assert finished
    subprocess.run(["mount", "-o", "remount,size=20m", str(small_disk)], check=True)
    total = scene.run("ingest_dicom", **changes).sums[0]
    assert dict(total.parts) == {"known": 0, "ingested": 40, "duplicate": 1, "quarantined": 5}
    assert {path: path.stat().st_mtime_ns for path in finished} == finished
    assert list((small_disk / "lake" / "tables").rglob(".tmp-*")) == []


def test_an_unfinished_plan_can_be_given_up(
    new_scene: Callable[..., Scene], ray_session: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = new_scene()
    job = Job("2026-01-01", silent())
    import medray.drivers.images.ingest as ingest

    def crash(*_: object, **__: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(ingest, "commit_run", crash)
        with pytest.raises(MemoryError):
            scene.run("ingest_dicom", labels=None)
    (planned,) = unfinished(job, scene.lake, "ingest_dicom")
    with pytest.raises(PlanError, match="0 unfinished plans"):
        abandon(scene.lake, "f" * 32, job)
    assert abandon(scene.lake, planned[:8], job) == planned
    assert unfinished(job, scene.lake, "ingest_dicom") == []
    assert scene.run("ingest_dicom", labels=None).sums[0].parts["ingested"] == 8


def test_a_key_leads_back_only_where_the_recipe_allows(new_scene: Callable[..., Scene], ray_session: object) -> None:
    scene = new_scene()
    linkage = {"uri": str(scene.folder / "trust-office")}
    scene.run("ingest_dicom", labels=None, linkage=linkage)
    row = snapshot(LAKE, scene.lake).table(IMAGES, ("source_key", "SOPInstanceUID", "subject_id")).to_pylist()[0]
    plain = config.parse(scene.recipe("ingest_dicom"), "test")
    ((kind, path),) = locate(plain, row["source_key"])
    assert kind == "source"
    assert os.path.exists(path)
    with pytest.raises(RecipeError, match="names no linkage table"):
        locate(plain, str(row["subject_id"]))
    linked = config.parse(scene.recipe("ingest_dicom", linkage=linkage), "test")
    ((kind, patient),) = locate(linked, str(row["subject_id"]))
    assert (kind, patient.startswith("SYNTHETIC-")) == ("subject", True)
    ((kind, _),) = locate(linked, row["SOPInstanceUID"])
    assert kind == "instance"


def test_nothing_of_the_archive_is_in_the_lake(scored: Scene) -> None:
    """Patients, folders and file names of the demo archive occur in no byte of the lake."""
    scored.run("evaluate")
    words = [b"SYNTHETIC", b"problems/", b"archive/images", b"same_again", b"portal.dcm"]
    for path in (p for p in Path(scored.lake).rglob("*") if p.is_file()):
        data = path.read_bytes()
        leaked = [word for word in words if word in data]
        assert not leaked or path.name == "plan.json", (path.name, leaked)
    for path in Path(scored.lake).rglob("plan.json"):
        document = json.loads(path.read_bytes())
        document.pop("recipe")  # the recipe names the archive's and the label file's place
        assert b"SYNTHETIC" not in json.dumps(document).encode()
