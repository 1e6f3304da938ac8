"""An evaluation like that of a paper, on a small lake of records and on one of images; drivers, trainings and
all in one process."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from record_scene import PATIENTS, RecordScene, write_records
from safetensors.numpy import load as load_tensors
from scene import Scene, write_scene
from without_ray import without_ray

from medray.contracts import Array, Family, Sums
from medray.engine import fit as fitting
from medray.engine import survey as surveying
from medray.engine.examples import Examples
from medray.engine.loop import Fit, FitSpec
from medray.errors import RecipeError, SplitError
from medray.schema.events import EVENTS
from medray.storage.models import load_model, model_subjects, register, save_model
from medray.storage.promotions import choose
from medray.storage.shards import open_shard
from medray.storage.snapshot import snapshot
from medray.storage.store import LAKE, Store

GROUPS = {
    "sex": {"code": "SEX", "names": {"F": "female", "M": "male"}},
    "age": {"code": "HR", "unit": "years"},
    "age_bands": [0, 100],
    "other": {"fate": {"code": "DEA*"}},
    "min_examples": 4,
    "min_each_class": 1,
}


def _fit(spec: FitSpec, watch: Callable[[dict[str, float]], None]) -> tuple[dict[str, Array], Array, list[Any]]:
    if not spec.store.exists(spec.result_uri):
        rank = Fit(spec, torch.device("cpu"))
        while not rank.done():
            rank.epoch()
        rank.finish()
    tensors = load_tensors(spec.store.read(spec.result_uri))
    weights = {name.removeprefix("weights/"): value for name, value in tensors.items() if name.startswith("weights/")}
    return weights, np.asarray(tensors["logits"]), json.loads(spec.store.read(spec.progress_uri))["history"]


def _survey(family: Family, config: Any, store: Store, examples: Examples, index: Array) -> Sums:
    parts = [
        family.survey(
            np.asarray(open_shard(store, uri).values[examples.row[index[examples.shard[index] == number]]]), config
        )
        for number, uri in enumerate(examples.shards)
        if (examples.shard[index] == number).any()
    ]
    total = parts[0]
    for part in parts[1:]:
        total = family.merge(total, part)
    return total


@contextmanager
def _alone() -> Iterator[None]:
    """Everything happens in this process."""
    for driver in ("train", "evaluate"):
        importlib.import_module(f"medray.drivers.models.{driver}")
    with without_ray(), pytest.MonkeyPatch.context() as patch:
        for name, real, here in (("fit", fitting.fit, _fit), ("survey", surveying.survey, _survey)):
            for module in [one for key, one in sys.modules.items() if key.startswith("medray.drivers.")]:
                if getattr(module, name, None) is real:
                    patch.setattr(module, name, here)
        yield


def _trained(scene: Any, ingest: str) -> Iterator[Any]:
    training = {**scene.recipe("train")["training"], "workers": 1, "gpu": "no"}
    with _alone():
        scene.run(ingest)
        scene.run("train", training=training)
        yield scene


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RecordScene]:
    yield from _trained(write_records(tmp_path_factory.mktemp("alone") / "scene"), "ingest_ehr")


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    yield from _trained(write_scene(tmp_path_factory.mktemp("alone") / "images"), "ingest_dicom")


def _add_other(scene: Any, subjects: dict[str, np.ndarray], **calibration: Any) -> int:
    """The same network with another calibration, said to be made with some subjects. Returns its version."""
    first = choose(LAKE, scene.lake, "tiny", 1)
    stored = load_model(LAKE, scene.lake, first.sha256)
    definition = {name: value for name, value in stored.definition.items() if name != "format"}
    definition["calibration"] = {**definition["calibration"], **calibration}
    sha256 = save_model(LAKE, scene.lake, stored.weights, definition, subjects)
    card = {name: value for name, value in first.card.items() if name not in ("version", "model_sha256", "name")}
    return register(LAKE, scene.lake, "tiny", sha256, {**card, "run_id": f"other {sha256}"}).version


def test_a_whole_evaluation_of_records(records: RecordScene) -> None:
    learnt = model_subjects(LAKE, records.lake, choose(LAKE, records.lake, "tiny", 1).sha256)
    other = _add_other(records, learnt, temperature=[9.0])
    asked = {
        "subgroups": GROUPS, "against": {"name": "tiny", "version": other}, "decision_curve": {"highest": 0.4},
        "learning_curve": {"shares": [0.5], "seeds": [3]}, "model": {"name": "tiny", "version": 1},
    }  # fmt: skip
    done = records.run("evaluate", **asked)
    told = done.facts["evaluation"]
    assert json.loads((Path(done.facts["report"]).parent / "metrics.json").read_text()) == told
    _traits_are_as_they_were_known(told)
    _both_models_are_measured_on_the_same_inputs(told)
    _a_curve_for_each_thing_asked(told, sum(len(ids) for ids in learnt.values()))
    page = Path(done.facts["report"]).read_text()
    for words in (
        "female",
        f"Against tiny version {other}",
        "Decision curve",
        "More data",
        "Calibration, before and after",
    ):
        assert words in page
    assert records.run("evaluate", **asked).status == "already"


def _traits_are_as_they_were_known(told: dict[str, Any]) -> None:
    traits, count = told["subgroups"]["traits"], told["examples"]
    sexes = {group["name"]: group for group in traits["sex"]["answers"]["death"]}
    assert list(sexes) == ["female", "male"]
    assert sexes["female"]["n"] + sexes["male"]["n"] == count
    assert sexes["female"]["gap"]["auroc"]["value"] == -sexes["male"]["gap"]["auroc"]["value"]
    # who dies has a heart rate of 110 and more: of each band only one answer is there
    bands = {group["name"]: group for group in traits["age"]["answers"]["death"]}
    assert bands["100+"]["n"] == bands["100+"]["n_positive"] == told["answers"]["death"]["n_positive"]
    assert bands["100+"]["reason"] == "fewer than 1 negative examples"
    # a death comes after the prediction
    assert "no event with the code DEA* was known" in traits["fate"]["absent"]
    assert "do not say where they come from" in traits["scanner_key"]["absent"]


def _both_models_are_measured_on_the_same_inputs(told: dict[str, Any]) -> None:
    lines = {line["metric"]: line for line in told["against"]["lines"]}
    assert told["against"]["examples"] == {"both": told["examples"], "only_model": 0, "only_other": 0}
    assert lines["auroc"]["difference"]["value"] == 0.0
    assert lines["auroc"]["delong"] == {"reason": "both models rank all pairs alike"}
    assert lines["brier"]["model"] != lines["brier"]["other"]


def _a_curve_for_each_thing_asked(told: dict[str, Any], learnt: int) -> None:
    curve = told["decision_curves"]["death"]
    assert (curve["thresholds"][0], curve["thresholds"][-1]) == (0.0, 0.4)
    assert curve["model"][0]["value"] == pytest.approx(told["answers"]["death"]["n_positive"] / told["examples"])
    (point,) = told["learning_curve"]["points"]
    assert 0 < point["subjects"] < learnt < PATIENTS
    assert 0 <= point["value"] <= 1
    assert told["learning_curve"]["split"] == "tuning"


def test_another_model_must_not_know_the_subjects_either(records: RecordScene) -> None:
    everybody = np.unique(snapshot(LAKE, records.lake).table(EVENTS, ("subject_id",))["subject_id"].to_numpy())
    other = _add_other(records, {"train": everybody}, temperature=[3.0])
    with pytest.raises(SplitError, match=f"model tiny version {other} was made with, in its train split"):
        records.run("evaluate", against={"name": "tiny", "version": other})


def test_a_model_is_not_measured_against_itself(records: RecordScene) -> None:
    with pytest.raises(RecipeError, match="the very model that is evaluated"):
        records.run("evaluate", against={"name": "tiny", "version": 1})


def test_traits_of_images_come_from_their_headers(images: Scene) -> None:
    with pytest.raises(RecipeError, match=r"sex of events, for a model that reads images"):
        images.run("evaluate", subgroups={"sex": {"code": "SEX"}})
    traits = images.run("evaluate").facts["evaluation"]["subgroups"]["traits"]
    assert "not retained by de-identification" in traits["sex"]["absent"]
    assert "not retained by de-identification" in traits["age"]["absent"]
    assert set(traits) == {"sex", "age", "site_key", "scanner_key"}
