"""A cross-validation and its model by one command, on answers that nobody can know."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from record_scene import PATIENTS, TABULAR, RecordScene

import medray.drivers.models.fold_trainings as trainings
from medray.drivers.job import Result
from medray.drivers.open_plans import read_open
from medray.drivers.operate.traces import traces
from medray.errors import EngineError, LabelError
from medray.planning.splits import hashed_split
from medray.storage.models import registered, versions
from medray.storage.plans import read_plan
from medray.storage.snapshot import snapshot
from medray.storage.store import LAKE

pytestmark = pytest.mark.ray
LOST = "fold-2-seed-4"


def _labelled(scene: RecordScene, **columns: Any) -> None:
    """A label file with answers by patient."""
    file = scene.folder / "answers.csv"
    with file.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(("patient", *columns))
        writer.writerows((f"P{number:03d}", *row) for number, row in enumerate(zip(*columns.values(), strict=True)))
    kinds = dict.fromkeys(columns, "boolean")
    labels = {"uri": str(file), "key": "PatientID", "key_column": "patient", "issuer": "", "columns": kinds}
    scene.run("ingest_ehr", labels=labels)


def _train(scene: RecordScene, label: str, **changes: Any) -> Result:
    task = {"kind": "binary", "label": label, "class_weights": False, "threshold": "youden"}
    training = {**scene.recipe("train")["training"], "workers": 1, "epochs": 2}
    return scene.run("train", family=TABULAR, task=task, training=training, model={"name": label}, **changes)


def test_random_answers_are_not_known_and_what_was_killed_goes_on(
    records: RecordScene, monkeypatch: pytest.MonkeyPatch
) -> None:
    _labelled(records, coin=np.random.default_rng(7).integers(0, 2, PATIENTS))
    folds = {"count": 2, "seeds": [4], "salt": "coins"}
    honest = trainings.fit
    begun: dict[str, bool] = {}

    def dies(spec: Any, watch: Any) -> Any:
        if spec.folder.endswith(LOST):
            raise EngineError("training", "a worker that died", "workers that live", "run again")
        return honest(spec, watch)

    def watched(spec: Any, watch: Any) -> Any:
        begun[spec.folder.rsplit("/", 1)[-1]] = not spec.store.exists(spec.result_uri)
        return honest(spec, watch)

    monkeypatch.setattr(trainings, "fit", dies)
    with pytest.raises(EngineError, match="a worker that died"):
        _train(records, "coin", folds=folds)
    assert not versions(LAKE, records.lake, "coin")
    state = snapshot(LAKE, records.lake)
    (plan,) = read_open(state)
    left = traces(state, plan)
    assert (plan.job, left.unit, left.total, len(left.times)) == ("cross_validate", "trainings", 2, 1)
    monkeypatch.setattr(trainings, "fit", watched)
    done = _train(records, "coin", folds=folds)
    assert begun == {"fold-1-seed-4": False, LOST: True}
    _is_whole(records, done)
    assert _train(records, "coin", folds=folds) == Result("already", done.run_ids, facts=_without_time(done.facts))
    assert len(begun) == 2


def _without_time(facts: dict[str, Any]) -> Any:
    """Facts of a repeated call are the same but for the seconds."""

    class _Same(dict[str, Any]):
        def __eq__(self, other: object) -> bool:
            return isinstance(other, dict) and {**other, "seconds": 0} == {**self, "seconds": 0}

        __hash__ = None  # type: ignore[assignment]

    return _Same(facts)


def _is_whole(scene: RecordScene, done: Result) -> None:
    """Both runs are there; chance is what the networks reach; the held-out subjects were not read."""
    assert done.status == "done"
    jobs = dict(zip(*(snapshot(LAKE, scene.lake).runs[name].to_pylist() for name in ("run_id", "job")), strict=True))
    assert [jobs[run] for run in done.run_ids] == ["cross_validate", "train"]
    told = done.facts["cross_validation"]
    card = registered(LAKE, scene.lake, "coin", done.facts["version"]).card["cross_validation"]
    assert (card, card["run_id"]) == (told, done.run_ids[0])
    (area,) = (one for one in told["metrics"] if one["metric"] == "auroc")
    assert area["lower"] <= 0.5 <= area["upper"]
    plan = read_plan(LAKE, scene.lake, "cross_validate", done.run_ids[0])
    subjects = {int(one.split("@")[0]) for one in plan.inputs["input_id"].to_pylist()}
    assert "held_out" not in {hashed_split(subject, "records", 0.25, 0.25) for subject in subjects}
    found = json.loads(Path(told["report"]).with_name("cross_validation.json").read_text())
    assert sum(one["subjects"] for one in found["folds"]) == len(subjects)
    assert {one["baseline"] for one in found["comparisons"]} == {"linear", "trees"}
    assert not [one for one in found["comparisons"] if one["beside"] == "above"]
    assert "Cross-validation of tiny" in Path(told["report"]).read_text()


def test_an_answer_among_the_inputs_stops_the_training(records: RecordScene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever is a woman has the answer yes: a column of the table that the network reads."""
    monkeypatch.setattr("medray.drivers.models.train.fit", lambda *_: pytest.fail("it began to train"))
    _labelled(records, women=[number % 2 == 0 for number in range(PATIENTS)])  # as SEX//F has it
    with pytest.raises(LabelError, match="question 'women': found inputs that hold the answer itself"):
        _train(records, "women", split={"salt": "records", "tuning": 0.1, "held_out": 0.1})
