"""An evaluation like that of a paper, on a small lake of records and on one of images."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from record_scene import PATIENTS, RecordScene
from scene import Scene

from medray.errors import RecipeError, SplitError
from medray.storage.models import load_model, model_subjects, register, save_model
from medray.storage.promotions import choose
from medray.storage.store import LAKE

pytestmark = pytest.mark.ray
GROUPS = {
    "sex": {"code": "SEX", "names": {"F": "female", "M": "male"}},
    "age": {"code": "HR", "unit": "years"},
    "age_bands": [0, 100],
    "other": {"fate": {"code": "DEATH"}},
    "min_examples": 4,
    "min_each_class": 1,
}


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
    for words in ("female", "Against tiny version 2", "Decision curve", "More data", "Calibration, before and after"):
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
    assert "no event with the code DEATH was known" in traits["fate"]["absent"]
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
    everybody = {"train": np.concatenate(list(_held_out_and_all(records)))}
    other = _add_other(records, everybody, temperature=[3.0])
    with pytest.raises(SplitError, match=f"model tiny version {other} was made with, in its train split"):
        records.run("evaluate", against={"name": "tiny", "version": other})


def _held_out_and_all(scene: RecordScene) -> list[np.ndarray]:
    from medray.schema.events import EVENTS
    from medray.storage.snapshot import snapshot

    state = snapshot(LAKE, scene.lake)
    return [np.unique(state.table(EVENTS, ("subject_id",))["subject_id"].to_numpy())]


def test_a_model_is_not_measured_against_itself(records: RecordScene) -> None:
    with pytest.raises(RecipeError, match="the very model that is evaluated"):
        records.run("evaluate", against={"name": "tiny", "version": 1})


def test_traits_of_images_come_from_their_headers(trained: Scene) -> None:
    with pytest.raises(RecipeError, match=r"sex of events, for a model that reads images"):
        trained.run("evaluate", subgroups={"sex": {"code": "SEX"}})
    traits = trained.run("evaluate").facts["evaluation"]["subgroups"]["traits"]
    assert "not retained by de-identification" in traits["sex"]["absent"]
    assert "not retained by de-identification" in traits["age"]["absent"]
    assert set(traits) == {"sex", "age", "site_key", "scanner_key"}
