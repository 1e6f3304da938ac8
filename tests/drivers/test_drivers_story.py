"""The way from archive to nightly predictions, by what a user sees in the tables."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from model_text import CARD
from scene import IMAGES, SIDE, Scene

from medray import config
from medray.demo.archive import write_studies
from medray.demo.cases import synthetic
from medray.drivers.inputs.find import newest_inputs
from medray.drivers.inputs.reading import declared
from medray.drivers.job import Job
from medray.drivers.models.shelf import card
from medray.errors import LabelError, ModelError, SplitError
from medray.narration import silent
from medray.schema.images import IMAGES as IMAGE_TABLE
from medray.schema.labels import LABELS
from medray.schema.predictions import PREDICTIONS
from medray.schema.quarantine import QUARANTINE
from medray.storage.models import load_model, register, save_model, versions
from medray.storage.promotions import choose, promote
from medray.storage.snapshot import Snapshot, snapshot
from medray.storage.store import LAKE

pytestmark = pytest.mark.ray


def _state(scene: Scene) -> Snapshot:
    return snapshot(LAKE, scene.lake)


def _add(scene: Scene, images: int, seed: int) -> None:
    write_studies(scene.archive / f"later-{seed}", synthetic(images, seed, 32, 900), first_day=date(2024, 5, 1))


def test_ingest_accounts_for_every_object_and_knows_them_next_time(trained: Scene) -> None:
    first = next(counts for job, counts in _runs(trained) if job == "ingest_dicom")
    assert first == {"listed": IMAGES + 6, "known": 0, "ingested": IMAGES, "duplicate": 1, "quarantined": 5}
    again = trained.run("ingest_dicom")
    assert again.status == "nothing"
    assert dict(again.sums[0].parts) == {"known": IMAGES + 6, "ingested": 0, "duplicate": 0, "quarantined": 0}


def test_quarantine_gives_each_reason(trained: Scene) -> None:
    reasons = sorted(_state(trained).table(QUARANTINE, ("reason",))["reason"].to_pylist())
    assert reasons == ["conflict", "duplicate", "empty", "not_dicom", "not_dicom", "truncated"]


def test_a_night_scores_only_what_is_new(scored: Scene) -> None:
    _add(scored, 3, seed=50)
    night = scored.run("nightly", "2026-01-02")
    assert [str(one) for one in night.sums] == [
        "listed 69 = known 66 + ingested 3 + duplicate 0 + quarantined 0",
        "requested 63 = known 60 + scored 3 + abstained 0 + quarantined 0",
    ]
    rows = _state(scored).table(PREDICTIONS, ("SOPInstanceUID", "run_date", "model_sha256", "threshold", "raw_score"))
    assert rows.num_rows == len(set(rows["SOPInstanceUID"].to_pylist())) == IMAGES + 3
    assert rows["run_date"].to_pylist().count(date(2026, 1, 2)) == 3
    assert None not in rows["threshold"].to_pylist() + rows["raw_score"].to_pylist()
    assert scored.run("nightly", "2026-01-02").status == "already"


def test_a_night_without_news_is_committed(scored: Scene) -> None:
    before = _state(scored).runs.num_rows
    assert scored.run("nightly", "2026-01-05").status == "done"
    runs = _runs(scored)
    assert len(runs) == before + 1
    assert ("nightly", 0) in [(job, counts.get("requested/scored")) for job, counts in runs]


def test_a_night_without_a_model_touches_nothing(new_scene: Callable[..., Scene]) -> None:
    scene = new_scene()
    with pytest.raises(ModelError, match="no version in production"):
        scene.run("nightly")
    assert not os.path.exists(scene.lake)


def test_a_new_model_back_fills_only_its_own_answers(scored: Scene) -> None:
    _add_recalibrated_model(scored)
    again = scored.run("predict")
    assert again.sums[0].parts["scored"] == IMAGES
    assert _state(scored).table(PREDICTIONS, ("label",)).num_rows == 2 * IMAGES
    promote(LAKE, scored.lake, "tiny", 1, "back")
    assert scored.run("predict").status == "nothing"


def _add_recalibrated_model(scene: Scene) -> None:
    """The same network with another threshold is another model: version 2, in production."""
    stored = load_model(LAKE, scene.lake, choose(LAKE, scene.lake, "tiny", 1).sha256)
    definition = {name: value for name, value in stored.definition.items() if name != "format"}
    definition["calibration"] = {**definition["calibration"], "threshold": [0.123]}
    sha256 = save_model(LAKE, scene.lake, stored.weights, definition, {"train": np.array([1], np.int64)})
    card = {name: value for name, value in choose(LAKE, scene.lake, "tiny", 1).card.items() if name != "version"}
    register(
        LAKE, scene.lake, "tiny", sha256, {**card, "run_id": "recalibrated", "model_sha256": sha256, "name": "tiny"}
    )
    assert [one.version for one in versions(LAKE, scene.lake, "tiny")] == [1, 2]
    promote(LAKE, scene.lake, "tiny", 2, "test")


def test_the_same_training_is_not_repeated(trained: Scene) -> None:
    again = trained.run("train", run_date="2026-03-01")
    assert again.status == "already"
    assert again.facts["model_sha256"] == choose(LAKE, trained.lake, "tiny", 1).sha256
    assert len(versions(LAKE, trained.lake, "tiny")) == 1


def test_the_card_says_what_was_learnt_and_how_good_it_is(scored: Scene) -> None:
    known = card(scored.lake, "tiny", 1, Job("2026-01-01", silent()))
    cases = synthetic(IMAGES, seed=3, size=SIDE)
    for split in ("train", "tuning", "held_out"):
        rows = [row for row in range(IMAGES) if cases.splits[row] == split]
        told = known["data"]["splits"][split]
        assert (told["inputs"], told["subjects"]) == (len(rows), len({cases.patients[row] for row in rows}))
        if split != "held_out":
            yes = int(cases.labels[rows].sum())
            assert told["answers"] == {"opacity": {"no": len(rows) - yes, "yes": yes}}
    subjects = known["data"]["splits"]["train"]["subjects"]
    assert list(known["data"]["groups"]["scanner"]["train"].values()) == [subjects]
    assert known["data"]["groups"]["sex"]["train"] == {"not known": subjects}
    assert (known["declared"], known["empty"], known["in_production"]) == (CARD, [], True)
    assert "of one scanner" in " ".join(known["limits"])
    # answered again by the stored model, the tuning subjects give what the training has told of them
    found = scored.run("evaluate", split="tuning").facts["metrics"]["opacity"]["metrics"]
    for name, value in known["tuning"]["opacity"]["metrics"].items():
        assert found[name]["value"] == pytest.approx(value["value"], abs=1e-6)
    change = known["calibration"]["questions"]["opacity"]
    assert change["after"]["ece"] == pytest.approx(found["ece"]["value"], abs=1e-6)
    assert change["after"]["brier"] == pytest.approx(found["brier"]["value"], abs=1e-6)
    again = card(scored.lake, "tiny", 1, Job("2026-01-01", silent()))
    (evaluation,) = again["evaluations"]
    assert (evaluation["split"], evaluation["metrics"]["opacity"]["n"]) == ("tuning", known["tuning"]["opacity"]["n"])
    assert evaluation["run_id"] in Path(str(again["page"])).read_text()


def test_evaluation_has_intervals_and_is_not_repeated(trained: Scene) -> None:
    found = trained.run("evaluate")
    auroc = found.facts["metrics"]["opacity"]["metrics"]["auroc"]
    assert auroc["lower"] <= auroc["value"] <= auroc["upper"]
    assert "<html" in Path(found.facts["report"]).read_text()
    assert trained.run("evaluate", run_date="2026-02-01").status == "already"


@pytest.mark.parametrize("split", ["train", "tuning"])
def test_subjects_that_the_model_was_made_with_are_not_evaluated(trained: Scene, split: str) -> None:
    """A later label file moves a split into the held-out one."""
    lines = (trained.folder / "labels.csv").read_text().splitlines()
    moved = [line.removesuffix(f",{split}") + ",held_out" if line.endswith(f",{split}") else line for line in lines]
    (trained.folder / "labels.csv").write_text("\n".join(moved) + "\n")
    trained.run("ingest_dicom", run_date="2026-01-02")
    with pytest.raises(SplitError, match=f"was made with, in its {split} split"):
        trained.run("evaluate")


def test_a_missing_answer_is_masked_and_a_changed_one_wins(trained: Scene) -> None:
    lines = (trained.folder / "labels.csv").read_text().splitlines()
    path, answer, split = lines[1].split(",")
    other = "0" if answer == "1" else "1"
    changed = [lines[0], f"{path},{other},{split}", lines[2].split(",")[0] + ",,train", *lines[3:]]
    (trained.folder / "labels.csv").write_text("\n".join(changed) + "\n")
    total = trained.run("ingest_dicom").sums[-1]
    added = 1 + (lines[2].split(",")[2] != "train")
    assert dict(total.parts) == {"known": 2 * IMAGES - 1 - added, "added": added, "missing": 1}
    rows = _state(trained).table(LABELS, ("boolean_value", "run_id")).to_pylist()
    assert [row["boolean_value"] for row in rows].count(other == "1") >= 1
    assert trained.run("ingest_dicom").status == "nothing"


def test_labels_that_name_nothing_are_an_error_and_images_stay(
    new_scene: Callable[..., Scene], ray_session: object
) -> None:
    scene = new_scene()
    (scene.folder / "labels.csv").write_text("path,opacity,split\nelsewhere/1.dcm,1,train\n")
    with pytest.raises(LabelError, match="none names an input"):
        scene.run("ingest_dicom")
    assert sum(batch.num_rows for batch in _state(scene).scan(IMAGE_TABLE, ("part_index",))) == 8
    assert scene.run("ingest_dicom", labels=None).status == "nothing"


def test_superseded_images_are_scored_again_in_their_new_version(scored: Scene) -> None:
    conflict = scored.archive / "problems" / "same_id_other_bytes.dcm"
    (scored.archive / "zz").mkdir()
    shutil.copy(conflict, scored.archive / "zz" / "again.dcm")
    ingested = scored.run("ingest_dicom", on_change="supersede")
    assert dict(ingested.sums[0].parts) == {"known": IMAGES + 6, "ingested": 1, "duplicate": 0, "quarantined": 0}
    reading = declared(config.parse(scored.recipe("train"), "test"))
    inputs = newest_inputs(_state(scored), reading)
    assert len(inputs) == IMAGES
    assert sorted({version for _, version in inputs}) == [1, 2]
    again = scored.run("predict")
    assert dict(again.sums[0].parts) == {"known": IMAGES - 1, "scored": 1, "abstained": 0, "quarantined": 0}


def test_ingest_gives_the_same_rows_on_one_and_two_workers(
    new_scene: Callable[..., Scene], ray_session: object, tmp_path: Path
) -> None:
    scene = new_scene(12)
    tables = []
    for name, chunks in (("one", {"objects": 1000}), ("many", {"objects": 3})):
        other = {"lake": str(tmp_path / name), "chunks": chunks, "labels": None}
        scene.run("ingest_dicom", **other)
        state = snapshot(LAKE, other["lake"])
        tables.append(state.table(IMAGE_TABLE).sort_by("source_key"))
    assert tables[0].num_rows == 12
    assert tables[0].equals(tables[1])


def test_inputs_out_of_the_models_range_abstain_with_the_reason(trained: Scene) -> None:
    _add_ct(trained)
    trained.run("ingest_dicom")
    assert trained.run("predict").sums[0].parts["abstained"] == 1
    rows = _state(trained).table(PREDICTIONS, ("status", "reason", "raw_score")).to_pylist()
    assert [row for row in rows if row["status"] == "abstained"] == [
        {"status": "abstained", "reason": "modality_out_of_range", "raw_score": None}
    ]
    assert trained.run("predict").status == "nothing"


def _add_ct(scene: Scene) -> None:
    from medray.dicom.examples import FOLDER

    shutil.copy(FOLDER / "CT_small.dcm", scene.archive / "ct.dcm")


def _runs(scene: Scene) -> list[tuple[str, dict[str, int]]]:
    runs: pa.Table = _state(scene).runs
    return [
        (job, dict(counts)) for job, counts in zip(runs["job"].to_pylist(), runs["counts"].to_pylist(), strict=True)
    ]
