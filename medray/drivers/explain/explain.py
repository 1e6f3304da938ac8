"""`medray explain-row`: everything that stands behind one prediction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import pyarrow.compute as pc

from medray.drivers.explain.input_facts import Given, input_facts
from medray.drivers.explain.model_facts import model_facts
from medray.drivers.explain.question import Answer, Question, answers
from medray.drivers.explain.rebuild import rebuilt
from medray.drivers.explain.since import since
from medray.drivers.inputs.reading import read_by
from medray.drivers.job import Job
from medray.errors import QuestionError
from medray.storage.plans import read_plan
from medray.storage.promotions import choose
from medray.storage.run_row import run_row
from medray.storage.snapshot import Snapshot, snapshot

Facts = dict[str, Any]
_VALUES = (
    "predicted_boolean_value",
    "predicted_boolean_probability",
    "predicted_integer_value",
    "predicted_float_value",
    "predicted_categorical_value",
    "prediction_lower",
    "prediction_upper",
)


@dataclass(frozen=True)
class Explained:
    """Attributes:
    choices: the rows that fit, where they are several; nothing was looked up then.
    facts: by section, JSON; empty where there are choices.
    """

    choices: Sequence[Facts]
    facts: Mapping[str, Facts]

    @property
    def same(self) -> bool:
        """Whether nothing that was rebuilt differs."""
        return not self.facts.get("rebuild", {}).get("differs")


def explain(lake: str, question: Question, job: Job, *, recipe: bool = False, rebuild: bool = False) -> Explained:
    """What stands behind the one row that fits.

    Args:
        recipe: with the resolved recipe of its run.
        rebuild: prepare and score its input again, here.

    Raises:
        QuestionError: no row fits.
    """
    state = snapshot(job.store, lake)
    about = answers(state, question)
    fits = [one for one in about if question.fits(one.columns)]
    if not fits:
        raise QuestionError(
            f"lake {lake}",
            f"no prediction that fits ({len(about)} about the same image or subject)",
            "values of one row of `predictions`",
            "leave out --label, --model, --time and the like, and choose from what is listed",
        )
    if len(fits) > 1:
        return Explained([_plain(one.choice()) for one in fits], {})
    return Explained([], _behind(state, fits[0], about, job, recipe, rebuild))


def _behind(
    state: Snapshot, answer: Answer, about: Sequence[Answer], job: Job, recipe: bool, rebuild: bool
) -> dict[str, Facts]:
    row, lake = answer.columns, state.lake
    run = run_row(job.store, lake, row["run_id"])
    if run is None:
        raise QuestionError(
            f"run {row['run_id'][:12]}", "no row of `runs`", "a committed run", "look at `medray status`"
        )
    plan = read_plan(job.store, lake, run["job"], row["run_id"])
    model = choose(job.store, lake, row["model_name"], row["model_version"])
    reading = read_by(model, lake, job)
    # What the run could see: its versions of the tables, without runs that were finished after it.
    then = Snapshot(job.store, lake, _until(state, run["committed_at"]), plan.tables_read)
    given = Given(then, reading, answer.key, _data_file(plan.inputs, plan.facts["data_files"], answer))
    facts = {
        "answer": _answer(answer),
        "input": {**_named(row), **input_facts(given, row)},
        "preparation": {"family": reading.family.name, "prepare_hash": reading.hash},
        "model": model_facts(state, model, row["subject_id"], job),
        "run": {**_run(run), "decisions": _decisions(state, row)},
        "nights": {one["run_id"]: f"night of {one['run_date']}, {one['report_uri']}" for one in _nights(state, row)},
        "since": since(state, given, answer, about, job),
    }
    if recipe:
        facts["recipe"] = run["recipe"]
    if rebuild:
        facts["rebuild"] = rebuilt(given, row, model, job)
    return {name: _plain(section) for name, section in facts.items()}


def _until(state: Snapshot, committed_at: datetime) -> Any:
    return state.runs.filter(pc.less_equal(state.runs["committed_at"], committed_at))


def _data_file(inputs: Any, data_files: Sequence[str], answer: Answer) -> str:
    """The data file in which the run's plan found the input."""
    name, version = answer.key
    of_input = pc.and_(pc.equal(inputs["input_id"], name), pc.equal(inputs["input_version"], version))
    return str(data_files[inputs.filter(of_input)["chunk"][0].as_py()])


def _answer(answer: Answer) -> Facts:
    row = answer.columns
    told = {name: row[name] for name in ("label", "task", "status", "reason", *_VALUES, "raw_score", "threshold")}
    told["calibrated_score"] = row["predicted_boolean_probability"]
    kept = {name: value for name, value in told.items() if value is not None}
    return {**kept, "state": answer.state, "table": answer.table, "file": answer.file}


def _named(row: Mapping[str, Any]) -> Facts:
    names = ("SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID", "subject_id", "prediction_time", "frame_index")
    kept = {name: row[name] for name in names if row[name] is not None}
    return {**kept, "input_version": row["input_version"], "input_sha256": row["input_sha256"]}


def _run(run: Mapping[str, Any]) -> Facts:
    names = ("run_id", "job", "name", "run_date", "planned_at", "committed_at", "code_version", "recipe_sha256")
    more = ("tables_read", "tables_written", "counts", "report_uri", "host_facts")
    return {name: run[name] for name in (*names, *more)}


def _nights(state: Snapshot, row: Mapping[str, Any]) -> list[Facts]:
    """The nightly runs that have the row's run among their links."""
    return [one for one in state.runs.to_pylist() if one["job"] == "nightly" and row["run_id"] in one["children"]]


def _decisions(state: Snapshot, row: Mapping[str, Any]) -> list[Facts]:
    """What people decided about the row's run while it was held."""
    names = ("job", "run_id", "run_date", "committed_at")
    return [
        {name: one[name] for name in names}
        for one in state.runs.to_pylist()
        if one["job"] in ("release", "reject") and row["run_id"] in one["children"]
    ]


def _plain(value: Any) -> Any:
    """As JSON: times and dates as ISO texts."""
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value.isoformat() if isinstance(value, date) else value
