"""Prediction problems on a lake whose past is corrected, on the workers' code without workers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hospital import Hospital

import medray.drivers.inputs.cut
import medray.drivers.inputs.prepare
import medray.drivers.inputs.problem
import medray.drivers.inputs.problem_chunk
import medray.drivers.inputs.reading
import medray.drivers.inputs.windows
import medray.drivers.records.ingest
from medray import config, rooms
from medray.drivers.inputs.cut import fine_cut
from medray.drivers.inputs.find import newest_inputs, read_inputs
from medray.drivers.inputs.prepare import prepare_files
from medray.drivers.inputs.problem import derive
from medray.drivers.inputs.reading import declared, read_by
from medray.drivers.inputs.windows import read_windows
from medray.drivers.job import Job, Result
from medray.drivers.labels import latest
from medray.drivers.models.labelled import labelled_inputs
from medray.drivers.records.read_events import read_bucket
from medray.errors import LabelError, ModelError, RecipeError
from medray.narration import silent
from medray.ops.code_id import code_id
from medray.schema.events import EVENTS
from medray.schema.labels import LABELS
from medray.storage.models import Registered
from medray.storage.shards import prepare_hash
from medray.storage.store import LAKE

TABLES = [
    {
        "name": "events", "files": "ev*", "subject": "patient", "record": "row", "withdrawn": {"error": "1"},
        "events": [{"code": "{item}", "time": "time", "value": "value", "value_required": False}],
    }
]  # fmt: skip
COHORT = {
    "kind": "trigger", "codes": ["ADMISSION"], "which": "first", "after_hours": 12, "unless": ["DEATH"],
    "reached": "observed",
}  # fmt: skip
DEATH = {"codes": ["DEATH"], "gap_hours": 0, "window_hours": 72, "take": "any"}
PROBLEM = {"name": "p12", "observe_hours": 12, "cohort": COHORT, "targets": {"death": DEATH}}
FAMILY = {
    "name": "tabular", "columns": [{"codes": ["HR"], "take": ["last"]}], "min_events": 0, "architecture": "mlp",
    "width": 8, "layers": 1, "dropout": 0.0,
}  # fmt: skip
STAY = [
    "1,p1,2020-01-01 08:00,ADMISSION,,",
    "2,p1,2020-01-01 09:00,HR,80,",
    "3,p1,2020-01-01 21:00,HR,90,",
    "4,p1,2020-01-02 20:00,DEATH,,",
]


def serial(work: Callable[[Any], Any], chunks: Sequence[Any]) -> Iterator[Any]:
    """`run_chunks` without Ray."""
    for chunk in chunks:
        yield json.loads(json.dumps(work(chunk)))


class Ward(Hospital):
    """A lake whose dates are the archive's own, so that times can be written down by hand."""

    def night(self, name: str, *rows: str, **changes: Any) -> Result:
        self.put(name, "row,patient,time,item,value,error\n" + "\n".join(rows) + "\n")
        plain = {"profile": "none", "reason": "test", "key": f"file:{self.folder / 'key'}"}
        source = {"kind": "tables", "uri": str(self.archive), "tables": TABLES}
        return self.ingest(source=source, encounters="any", deidentify=plain, **changes)

    def recipe_of(self, problem: dict[str, Any]) -> Any:
        document = {
            "job": "train", "name": "t", "lake": self.lake, "family": FAMILY, "problem": problem,
            "task": {"kind": "binary", "label": "death", "class_weights": True, "threshold": "youden"},
            "split": {"salt": "x", "tuning": 0.25, "held_out": 0.25},
            "training": {"epochs": 1, "batch_size": 8, "learning_rate": 0.01, "weight_decay": 0, "seed": 1},
            "model": {"name": "m"},
        }  # fmt: skip
        return config.parse(document, "t")

    def ask(self, problem: dict[str, Any] = PROBLEM) -> Result:
        recipe = self.recipe_of(problem)
        return derive(recipe.problem, recipe, Job("2026-01-01", silent()))

    def learnt(self, problem: dict[str, Any] = PROBLEM) -> dict[str, tuple[int, float]]:
        """What a training would learn from: time -> version, answer."""
        recipe = self.recipe_of(problem)
        reading, state = declared(recipe), self.state
        current = newest_inputs(state, reading)
        files = read_inputs(state, current.values(), reading)
        split = recipe.split.model_dump()
        found = labelled_inputs(state, current, files, rooms.task("binary"), recipe.task, split)
        return {one.item.id.split("@")[1]: (one.item.input_version, float(one.targets[0])) for one in found}

    def asked(self, problem: dict[str, Any] = PROBLEM) -> dict[str, int]:
        """The inputs that a prediction would score: time -> version."""
        current = newest_inputs(self.state, declared(self.recipe_of(problem)))
        assert len(current) == len({name for name, _ in current})
        return {name.split("@")[1]: version for name, version in current}


@pytest.fixture
def ward(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ward:
    for module in (medray.drivers.inputs.problem, medray.drivers.inputs.prepare, medray.drivers.records.ingest):
        monkeypatch.setattr(module, "run_chunks", serial)
    return Ward(tmp_path)


def test_a_target_of_another_problem_is_refused_and_touches_no_answer(ward: Ward) -> None:
    ward.night("ev1.csv", *STAY[:3], "4,p1,2020-01-20 20:00,DEATH,,", "5,p1,2020-02-20 20:00,HR,70,")
    ward.ask()
    assert ward.learnt() == {"2020-01-01T20:00:00": (1, 0)}  # alive after 72 h
    later = {**PROBLEM, "name": "p12-30d", "targets": {"death": {**DEATH, "window_hours": 720}}}
    with pytest.raises(RecipeError, match="the problem 'p12' has"):
        ward.ask(later)
    with pytest.raises(RecipeError, match="the problem 'p12' has"):
        ward.ask({**PROBLEM, "name": "other", "targets": {"p12": DEATH}})
    assert ward.learnt() == {"2020-01-01T20:00:00": (1, 0)}
    own = {**later, "targets": {"death30": later["targets"]["death"]}}
    assert ward.ask(own).status == "done"  # the refused name was not taken
    assert ward.learnt() == {"2020-01-01T20:00:00": (1, 0)}


def test_a_lake_in_which_two_problems_share_a_target_refuses_both(ward: Ward) -> None:
    """Lakes from before targets were claimed."""
    ward.night("ev1.csv", *STAY)
    ward.ask()
    (Path(ward.lake) / "problems" / "labels" / "death.json").unlink()
    (Path(ward.lake) / "problems" / "labels" / "p12.json").unlink()
    with pytest.raises(RecipeError, match="a label file or another problem"):
        ward.ask({**PROBLEM, "name": "other"})
    assert ward.ask().status == "nothing"  # its own rows are no hindrance


def test_a_label_is_a_problems_or_a_files(ward: Ward) -> None:
    answers = ward.put("answers.txt", "patient,death\np1,1\n").rename(ward.folder / "answers.csv")
    file = {"uri": str(answers), "key": "PatientID", "key_column": "patient", "issuer": "H"}
    ward.night("ev1.csv", *STAY, labels={**file, "columns": {"death": "boolean"}})
    with pytest.raises(RecipeError, match="a label file or another problem"):
        ward.ask()
    ward.ask({**PROBLEM, "targets": {"dies": DEATH}})
    answers.write_text("patient,dies\np1,1\n")
    with pytest.raises(LabelError, match="the prediction problem 'p12' has"):
        ward.night("ev2.csv", "5,p1,2020-01-03 09:00,HR,80,", labels={**file, "columns": {"dies": "boolean"}})


@pytest.mark.parametrize(
    "mistyped",
    [
        {"cohort": {**COHORT, "codes": ["ADMISION"]}},
        {"targets": {"death": {**DEATH, "codes": ["DEAHT*"]}}},
    ],
)
def test_a_code_that_no_event_has_takes_no_name(ward: Ward, mistyped: dict[str, Any]) -> None:
    ward.night("ev1.csv", *STAY)
    with pytest.raises(RecipeError, match="which no event of the lake has"):
        ward.ask({**PROBLEM, **mistyped})
    assert ward.ask().status == "done"
    assert ward.asked() == {"2020-01-01T20:00:00": 1}


def test_a_withdrawn_outcome_takes_its_answer_back(ward: Ward) -> None:
    ward.night("ev1.csv", *STAY)
    ward.ask()
    assert ward.learnt() == {"2020-01-01T20:00:00": (1, 1)}
    ward.night("ev2.csv", STAY[3] + "1")  # DEATH was entered in error
    told = ward.ask()
    assert dict(told.sums[0].parts) == {"known": 1, "added": 0}
    assert latest(ward.state, ["death"]) == {}
    assert ward.learnt() == {}  # the record ends an hour after the time: nobody knows
    assert ward.asked() == {"2020-01-01T20:00:00": 1}  # the past is the same: scored once
    assert ward.ask().status == "nothing"
    ward.night("ev3.csv", "5,p1,2020-01-09 08:00,HR,80,")
    ward.ask()
    assert ward.learnt() == {"2020-01-01T20:00:00": (1, 0)}
    ward.night("ev4.csv", STAY[3])  # and was none after all
    ward.ask()
    assert ward.learnt() == {"2020-01-01T20:00:00": (1, 1)}


def test_a_corrected_time_moves_the_input(ward: Ward) -> None:
    ward.night("ev1.csv", *STAY)
    ward.ask()
    ward.night("ev2.csv", STAY[0].replace("08:00", "08:30"))
    assert dict(ward.ask().sums[0].parts) == {"known": 0, "added": 1}
    assert ward.asked() == {"2020-01-01T20:30:00": 1}
    assert ward.learnt() == {"2020-01-01T20:30:00": (1, 1)}
    ward.night("ev3.csv", STAY[0])  # and back: asked again, as a version that no model has scored
    ward.ask()
    assert ward.asked() == {"2020-01-01T20:00:00": 3}
    assert ward.learnt() == {"2020-01-01T20:00:00": (3, 1)}
    ward.night("ev4.csv", "5,p1,2020-01-01 10:00,HR,70,")  # a late event
    ward.ask()
    assert ward.asked() == {"2020-01-01T20:00:00": 4}


def test_a_withdrawn_stay_is_asked_no_more(ward: Ward) -> None:
    ward.night("ev1.csv", *STAY, "9,p2,2020-01-01 08:00,ADMISSION,,", "10,p2,2020-01-09 08:00,HR,70,")
    ward.ask()
    assert len(ward.state.table(LABELS).to_pylist()) == 4
    ward.night("ev2.csv", *(row + "1" for row in STAY))
    told = ward.ask()
    assert dict(told.sums[0].parts) == {"known": 0, "added": 0}
    assert ward.learnt() == {"2020-01-01T20:00:00": (1, 0)}  # of the other patient
    (row,) = (row for row in ward.state.runs.to_pylist() if row["run_id"] == told.run_ids[0])
    assert dict(row["counts"])["withdrawn"] == 1
    rows = ward.state.table(LABELS).num_rows
    ward.night("ev3.csv", "11,p1,2020-01-01 08:00,HR,70,")
    ward.ask()
    assert ward.state.table(LABELS).num_rows == rows  # it is taken back once


def test_a_time_that_the_record_no_longer_reaches_is_asked_again_when_it_does(ward: Ward) -> None:
    ward.night("ev1.csv", *STAY[:3])
    ward.ask({**PROBLEM, "targets": {}})
    ward.night("ev2.csv", STAY[2] + "1")  # the only event after the time
    ward.ask({**PROBLEM, "targets": {}})
    assert ward.asked() == {}
    ward.night("ev3.csv", STAY[2])
    ward.ask({**PROBLEM, "targets": {}})
    assert ward.asked() == {"2020-01-01T20:00:00": 3}  # the second said that it was asked no more


def test_a_late_event_into_an_empty_window_is_a_new_version(ward: Ward) -> None:
    late = {**PROBLEM, "observe_hours": 6}
    ward.night("ev1.csv", STAY[0], *STAY[2:])  # nothing between 14:00 and 20:00
    ward.ask(late)
    assert ward.asked(late) == {"2020-01-01T20:00:00": 1}
    ward.night("ev2.csv", "5,p1,2020-01-01 15:00,HR,70,")
    ward.ask(late)
    assert ward.asked(late) == {"2020-01-01T20:00:00": 2}


def test_a_text_beside_a_number_leaves_its_code(ward: Ward) -> None:
    told = {"code": "{item}", "time": "time", "value": "value", "text": "text", "value_required": False}
    ward.put("ev1.csv", TEXTS)
    table = {**TABLES[0], "events": [told], "withdrawn": {"text": "entered-in-error"}}
    plain = {"profile": "none", "reason": "test", "key": f"file:{ward.folder / 'key'}"}
    source = {"kind": "tables", "uri": str(ward.archive), "tables": [table]}
    ward.ingest(source=source, encounters="any", deidentify=plain)
    ward.ask()
    reading = declared(ward.recipe_of(PROBLEM))
    assert reading.problem is not None
    state = ward.state
    ((key, path),) = newest_inputs(state, reading).items()
    ((_, window),) = read_windows(LAKE, ward.lake, path, state.files(EVENTS), reading.problem, {key}, 4)
    codes = ("ADMISSION", "TROPONIN", "TROPONIN", "SEX//F")
    assert window.code.tolist() == [code_id(code) for code in codes]
    assert np.array_equal(window.value, np.array([np.nan, 0.02, 0.01, np.nan], np.float32), equal_nan=True)


TEXTS = """row,patient,time,item,value,text
1,p1,2020-01-01 08:00,ADMISSION,,
2,p1,2020-01-01 09:00,TROPONIN,0.02,
3,p1,2020-01-01 10:00,TROPONIN,0.01,<
4,p1,2020-01-01 11:00,SEX,,F
5,p1,2020-01-09 11:00,DEATH,,
"""


def test_windows_of_other_rules_are_neither_read_from_the_cache_nor_given_to_a_model(
    ward: Ward, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = ward.recipe_of(PROBLEM)
    reading = declared(recipe)
    family = reading.family
    assert reading.hash != prepare_hash(family.name, family.prepare_key(reading.config))
    assert replace(reading, problem=None).hash == prepare_hash(family.name, family.prepare_key(reading.config))
    model = Registered("m", 1, "0" * 64, {})
    job = Job("2026-01-01", silent())
    for rules, stays in ((None, False), (1, False), (reading.windows, True)):
        definition = {**reading.document(), **({} if rules is None else {"windows": rules})}
        monkeypatch.setattr(medray.drivers.inputs.reading, "load_definition", lambda *_, made=definition: made)
        if stays:
            assert read_by(model, ward.lake, job) == reading
        else:
            with pytest.raises(ModelError, match="rules of another medray"):
                read_by(model, ward.lake, job)


def test_ids_that_a_label_file_writes_as_floats_are_found(ward: Ward) -> None:
    ward.night("ev1.csv", *(row.replace("p1", "132539") for row in STAY))
    answers = ward.folder / "answers.csv"
    answers.write_text("patient,severe\n132539.0,1\n")
    file = {"uri": str(answers), "key": "PatientID", "key_column": "patient", "issuer": "H"}
    ward.night("ev2.csv", "5,132539,2020-01-09 08:00,HR,80,", labels={**file, "columns": {"severe": "boolean"}})
    ((subject, value),) = ((row["subject_id"], row["boolean_value"]) for row in ward.state.table(LABELS).to_pylist())
    assert value is True
    assert {row["subject_id"] for row in ward.current("subject_id")} == {subject}


def _rows(patients: int, hours: int, first: int) -> list[str]:
    told = [(patient, hour) for patient in range(patients) for hour in range(first, first + hours)]
    start = datetime(2020, 1, 1)
    return [
        f"{patient * 10_000 + hour},p{patient},{start + timedelta(hours=hour)},{'HR' if hour else 'ADMISSION'},80,"
        for patient, hour in told
    ]


def test_a_night_that_touches_everybody_takes_no_more_memory_than_the_first(
    ward: Ward, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[int] = []

    def read(*arguments: Any) -> Any:
        table = read_bucket(*arguments)
        held.append(table.num_rows)
        return table

    for module in (medray.drivers.inputs.problem_chunk, medray.drivers.inputs.windows):
        monkeypatch.setattr(module, "read_bucket", read)
    problem = {**PROBLEM, "targets": {}, "observe_hours": None}
    ward.night("ev1.csv", *_rows(64, 20, 0), chunks={"megabytes": 0.05})
    ward.ask(problem)
    first = sorted(held)
    assert sum(first) == 64 * 20
    assert first[-1] < 64 * 20 / 2  # in parts
    held.clear()
    ward.night("ev2.csv", *_rows(64, 1, 20), chunks={"megabytes": 0.05})
    assert "00000-of-00001.parquet" in {path.rsplit("/")[-1] for path in ward.state.files(EVENTS)}
    ward.ask(problem)
    assert (len(held), sum(held)) == (len(first), 64 * 21)
    assert max(held) <= first[-1] * 21 / 20
    held.clear()
    recipe = ward.recipe_of(problem)
    reading, state = declared(recipe), ward.state
    files = read_inputs(state, newest_inputs(state, reading).values(), reading)
    assert sum(len(file.inputs) for file in files) == 64
    prepare_files(recipe, reading, files, state, Job("2026-01-01", silent()))
    assert sum(held) == 64 * 21
    assert max(held) <= first[-1] * 21 / 20


def test_files_of_events_that_came_one_by_one_are_read_in_parts(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    ward.night("ev1.csv", *_rows(8, 20, 0))
    monkeypatch.setattr(medray.drivers.inputs.cut, "_EVENTS", 50)  # 160 events: four parts of 40
    assert fine_cut(ward.state.file_rows(EVENTS)) == 4
    ward.ask({**PROBLEM, "targets": {}})
    ((path, rows),) = ward.state.file_rows(LABELS).items()
    assert (path.rsplit("/")[-1], rows) == ("00000-of-00001.parquet", 8)  # a quiet night is one file
    subjects = [row["subject_id"] for row in ward.state.table(LABELS).to_pylist()]
    assert subjects == sorted(set(subjects))
