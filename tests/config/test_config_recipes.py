"""Recipes: every mistake at once, before a machine is touched."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import story
from model_text import CARD
from pydantic import ValidationError
from record_scene import RecordScene

from medray.config import JOBS, load, parse, resolved
from medray.errors import RecipeError

RECIPES = Path(__file__).resolve().parents[2] / "jobs" / "recipes"
INGEST = """
job = "ingest_dicom"
name = "site"
lake = "s3://bucket/lake/"

[source]
kind = "dicom"
uri = "/archive"
subject = "PatientID"

[deidentify]
profile = "basic"
key = "env:SITE_KEY"
"""


@pytest.fixture
def ingest(tmp_path: Path) -> str:
    path = tmp_path / "ingest.toml"
    path.write_text(INGEST)
    return str(path)


def mistakes(document: dict[str, Any]) -> list[str]:
    with pytest.raises(RecipeError) as raised:
        parse(document, where="recipe x.toml")
    return [line.strip() for line in raised.value.found.splitlines()[1:] if line.strip()]


def test_a_recipe_is_read_with_its_mechanics_filled_in(ingest: str) -> None:
    recipe = load(ingest)
    assert (recipe.job, recipe.name, recipe.lake) == ("ingest_dicom", "site", "s3://bucket/lake")
    assert resolved(recipe)["chunks"] == {"megabytes": 96, "objects": 2000}
    assert resolved(recipe)["on_change"] == "conflict"


def test_a_recipe_never_changes(ingest: str) -> None:
    with pytest.raises(ValidationError, match="frozen"):
        load(ingest).name = "other"


def test_json_is_the_same_recipe(ingest: str, tmp_path: Path) -> None:
    path = tmp_path / "resolved.json"
    path.write_text(json.dumps(resolved(load(ingest))))
    assert load(str(path)) == load(ingest)


@pytest.mark.parametrize("job", JOBS)
def test_resolved_recipes_are_complete(job: str) -> None:
    lake = "/lake"
    ranges = {"training.learning_rate": {"low": 1e-4, "high": 1e-2, "log": True}}
    search = {"trials": 3, "seed": 1, "grace_epochs": 1, "reduction": 3, "ranges": ranges}
    documents = {
        "ingest_dicom": story.ingest_recipe(lake, "/archive", "/labels.csv"),
        "ingest_ehr": RecordScene(Path("/site")).recipe("ingest_ehr"),
        "train": story.train_recipe(lake),
        "tune": {**story.train_recipe(lake), "job": "tune", "search": search},
        "prepare": {"job": "prepare", "name": "p", "lake": lake, "family": story.train_recipe(lake)["family"]},
        "predict": story.predict_recipe(lake),
        "evaluate": {**story.predict_recipe(lake), "job": "evaluate", "split": "held_out", "seed": 1},
        "explain": RecordScene(Path("/site")).recipe("explain"),
        "nightly": story.nightly_recipe(lake, "/archive"),
    }
    recipe = story.recipe(documents[job])
    assert parse(resolved(recipe), "again") == recipe


def test_every_mistake_is_told_at_once() -> None:
    document = story.ingest_recipe("gs://lake", "/archive")
    del document["source"]["subject"]
    document |= {"name": "Has Spaces", "chunks": {"megabytes": "many", "objects": 0}, "colour": "blue"}
    document["deidentify"] = {"profile": "none", "key": "env:K", "salt": 1}
    found = mistakes(document)
    assert [line.split(":")[0] for line in sorted(found)] == [
        "chunks.megabytes", "chunks.objects", "colour", "deidentify.salt", "lake", "name", "source.subject",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"training": {"epochs": 0}}, "training.epochs"),
        ({"training": {"batch_size": 5, "workers": 2}}, "training"),
        ({"split": {"label": "split", "salt": "s"}}, "split"),
        ({"split": {"salt": "s", "tuning": 0.2}}, "split"),
        ({"split": {"salt": "s", "tuning": 0.5, "held_out": 0.5}}, "split"),
    ],
)
def test_contradictions_are_mistakes(changes: dict[str, Any], place: str) -> None:
    document = story.train_recipe("/lake")
    for section, values in changes.items():
        document[section] = {**(document[section] if section == "training" else {}), **values}
    assert mistakes(document)[0].startswith(f"{place}:")


@pytest.mark.parametrize("section", ["seed", "epochs", "batch_size", "learning_rate", "weight_decay"])
def test_what_changes_the_science_has_no_default(section: str) -> None:
    document = story.train_recipe("/lake")
    del document["training"][section]
    assert mistakes(document) == [f"training.{section}: Field required"]


@pytest.mark.parametrize(
    ("profile", "reason", "right"),
    [("basic", None, True), ("basic", "x", False), ("none", None, False), ("none", "x", True)],
)
def test_an_identified_lake_needs_a_reason(profile: str, reason: str | None, right: bool) -> None:
    document = story.ingest_recipe("/lake", "/archive")
    document["deidentify"] |= {"profile": profile, "reason": reason}
    if right:
        assert story.recipe(document).deidentify.reason == reason
    else:
        assert mistakes(document)[0].startswith("deidentify:")


def test_a_secret_in_a_recipe_is_not_repeated() -> None:
    document = story.ingest_recipe("/lake", "/archive")
    document["deidentify"]["key"] = "0123456789abcdef0123456789abcdef"
    (line,) = mistakes(document)
    assert line.startswith("deidentify.key:")
    assert "0123456789abcdef" not in line


@pytest.mark.parametrize("job", [None, 3, ["train"]])
def test_a_job_is_a_word(job: object) -> None:
    with pytest.raises(RecipeError, match="ingest_dicom, ingest_ehr, prepare, train"):
        parse({"job": job}, "recipe x.toml")


def test_an_unknown_job_names_the_known_ones(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_text('job = "ingest"')
    with pytest.raises(RecipeError, match="ingest_dicom, ingest_ehr, prepare, train"):
        load(str(path))


@pytest.mark.parametrize(
    ("change", "section", "key", "value"),
    [
        ("chunks.megabytes=3", "chunks", "megabytes", 3),
        (" chunks.megabytes = 2.5 ", "chunks", "megabytes", 2.5),
        ('deidentify.key="env:OTHER"', "deidentify", "key", "env:OTHER"),
        ("deidentify.key=file:/run/key=1", "deidentify", "key", "file:/run/key=1"),
        ("source.uri=s3://bucket/archive", "source", "uri", "s3://bucket/archive"),
    ],
)
def test_a_value_may_be_changed_and_is_recorded(
    ingest: str, change: str, section: str, key: str, value: object
) -> None:
    assert resolved(load(ingest, [change]))[section][key] == value


def test_the_last_change_counts(ingest: str) -> None:
    assert load(ingest, ["name=one", "name=two"]).name == "two"


@pytest.mark.parametrize(
    "change", ["chunks.megabytes", "=3", "name.part=3", "chunks.colour=blue", "chunks.megabytes=many"]
)
def test_a_wrong_change_is_told(ingest: str, change: str) -> None:
    with pytest.raises(RecipeError):
        load(ingest, [change])


@pytest.mark.parametrize("text", ["job = ", "\x00", "[source"])
def test_text_that_is_no_toml_is_told(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.toml"
    path.write_text(text)
    with pytest.raises(RecipeError, match="not TOML"):
        load(str(path))


@pytest.mark.parametrize("data", [b"[1]", b"{", b"\xff\xfe"])
def test_json_that_is_no_recipe_is_told(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(data)
    with pytest.raises(RecipeError):
        load(str(path))


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="No such file"):
        load(str(tmp_path / "x.toml"))


def test_every_policy_of_volumes_is_declared_and_a_night_has_them_too() -> None:
    volumes = {
        "modalities": ["CT"], "min_slices": 12, "settle_nights": 1, "several_acquisitions": "split",
        "duplicate_positions": "reject", "missing_slices": "split", "uneven_spacing": "resample",
        "gantry_tilt": "correct",
    }  # fmt: skip
    night = parse({**story.nightly_recipe("/lake", "/archive"), "volumes": volumes}, where="recipe x.toml")
    assert night.ingest().volumes == night.volumes  # type: ignore[attr-defined]
    assert night.volumes.model_dump(mode="json") == volumes  # type: ignore[attr-defined]
    document = story.ingest_recipe("/lake", "/archive", volumes={})
    assert [line.split(":")[0] for line in mistakes(document)] == [f"volumes.{name}" for name in volumes]


@pytest.mark.parametrize("folder", ["wdbc", "pneumoniamnist", "physionet2012/mortality"])
def test_a_cross_validation_validates_the_training_beside_it(folder: str) -> None:
    train, validated = (load(str(RECIPES / folder / f"{name}.toml")) for name in ("train", "cross_validate"))
    assert resolved(validated)["folds"]["count"] == 5
    assert {**resolved(validated), "folds": None} == resolved(train)


def test_an_answer_that_the_family_reads_by_name_is_refused_at_the_door() -> None:
    text = (RECIPES / "wdbc" / "train.toml").read_text().replace('"mean radius"', '"malignant"')
    (told,) = mistakes(tomllib.loads(text))
    assert "[family] reads malignant, which [task] asks for: the answer itself" in told


def test_the_same_seed_twice_is_no_repetition() -> None:
    with pytest.raises(RecipeError, match="each seed may stand once"):
        load(str(RECIPES / "wdbc" / "cross_validate.toml"), ["folds.seeds=[1, 1]"])


def test_the_nights_links_are_complete_recipes() -> None:
    night = story.recipe({**story.nightly_recipe("/lake", "/archive"), "select": {"modalities": ["CR"]}})
    assert parse(resolved(night.ingest()), "ingest") == night.ingest()
    assert night.ingest().source == night.source
    assert night.ingest().chunks == night.chunks
    assert night.predict(3).select.modalities == ("CR",)
    assert (night.predict(3).model.name, night.predict(3).model.version) == (night.model.name, 3)


def test_a_laptop_needs_neither_ray_nor_torch() -> None:
    heavy = ("ray", "torch", "monai", "pydicom", "deltalake", "s3fs", "sklearn")
    code = f"import sys, medray.config; print([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("said", "empty"),
    [
        ({}, "intended_use, exclusions, limits, licence"),
        ({**CARD, "exclusions": " ", "licence": "..."}, "exclusions, licence"),
    ],
)
def test_a_recipe_that_promotes_says_everything_about_its_model(said: dict[str, str], empty: str) -> None:
    document = story.train_recipe("/lake")
    (mistake,) = mistakes({**document, "model": {"name": "m", "promote": True, "card": said}})
    assert f"[model.card] leaves empty: {empty}." in mistake
    assert not parse({**document, "model": {"name": "m", "card": said}}, "x").model.promote  # type: ignore[attr-defined]


def test_a_card_has_four_fields_and_no_other() -> None:
    document = story.train_recipe("/lake")
    (mistake,) = mistakes({**document, "model": {"name": "m", "card": {**CARD, "author": "me"}}})
    assert mistake.startswith("model.card.author")
