"""Label files become rows of `labels`; rows of `labels` become the answers to an input."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from medray.drivers.input import Input
from medray.drivers.job import Job, Result, host_facts, new_plan
from medray.drivers.label_names import problem_of
from medray.drivers.turns import in_turn
from medray.errors import LabelError
from medray.planning.accounting import Sum
from medray.planning.label_rows import LabelKey, keyed_rows, whole_keys
from medray.privacy.pseudonyms import Pseudonyms
from medray.recipes.ingest import Archive, LabelFile
from medray.recipes.ingest_ehr import RecordsRecipe
from medray.schema.events import EVENTS
from medray.schema.images import IMAGES
from medray.schema.labels import INPUT_KEYS, LABELS, VALUES
from medray.schema.quarantine import QUARANTINE
from medray.storage.commit import Outcome, commit_run, write_rows
from medray.storage.failures import told
from medray.storage.plans import Plan
from medray.storage.snapshot import Snapshot, snapshot

JOB = "labels"
TIMED = "subject_id, prediction_time"  # the key of an answer about one time


def with_labels(ingested: Result, recipe: Archive | RecordsRecipe, pseudonyms: Pseudonyms, job: Job) -> Result:
    """What an ingest did, and then its label file where the recipe names one; the facts are the ingest's."""
    if recipe.labels is None:
        return ingested
    labels = ingest_labels(recipe, recipe.labels, pseudonyms, job)
    idle = ingested.status == labels.status == "nothing"
    runs, sums = ingested.run_ids + labels.run_ids, ingested.sums + labels.sums
    return Result("nothing" if idle else "done", runs, sums, ingested.facts)


def ingest_labels(recipe: Archive | RecordsRecipe, file: LabelFile, pseudonyms: Pseudonyms, job: Job) -> Result:
    """Bring the answers of a label file that are new or changed into the lake.

    Raises:
        LabelError: the file lacks a column, holds a value of another kind, gives a label that is a
            prediction problem's, or names no input.
    """
    _must_be_free(file, recipe.lake, job)
    return in_turn(
        job,
        recipe.lake,
        JOB,
        f"labels {file.uri}",
        lambda plan: _execute(plan, recipe.lake, job),
        lambda: _look(recipe, file, pseudonyms, job),
    )


def _look(recipe: Archive | RecordsRecipe, file: LabelFile, pseudonyms: Pseudonyms, job: Job) -> Plan | Result:
    """A plan of the answers that are new or changed."""
    state = snapshot(job.store, recipe.lake)
    read = _read(file, job)
    for table in (read, whole_keys(read, file)):  # first as it is written
        rows, missing = keyed_rows(table, file, recipe.source.uri, pseudonyms, _midnight(job.run_date))
        matched = _matched(state, rows)
        if matched:
            break
    standing = _newest(state, set(file.columns))
    new = [row for row in rows if not _is_known(row, standing)]
    if rows and not matched:
        raise LabelError(
            f"label file {file.uri}",
            f"{len(rows):,} answers of which none names an input of the lake",
            f"values of {file.key} in column {file.key_column!r}",
            "correct [labels] key or key_column; images are kept",
        )
    if matched < len(rows):
        job.tell.warn(
            f"labels: {len(rows) - matched:,} of {len(rows):,} answers name no input of the lake (kept until it comes)"
        )
    facts = {"listed": len(rows) + missing, "known": len(rows) - len(new), "missing": missing}
    if not new:
        return Result("nothing", sums=(_sum(facts, 0),))
    inputs = pa.Table.from_pylist([{"chunk": 0, **row} for row in new], schema=_inputs_schema())
    return new_plan(recipe, JOB, f"labels {file.uri}", job.run_date, state.versions, facts, inputs)


def _must_be_free(file: LabelFile, lake: str, job: Job) -> None:
    for label in file.columns:
        owner = problem_of(job.store, lake, label)
        if owner is not None:
            raise LabelError(
                f"label file {file.uri}, column {label!r}",
                f"a name that the prediction problem {owner!r} has in this lake",
                "a name of its own: answers under one name would overwrite each other",
                "rename the column",
            )


def latest(state: Snapshot, labels: Iterable[str]) -> dict[LabelKey, Any]:
    """The newest answer for each input key and label that has one: a withdrawn row has none."""
    return {key: value for key, (_, value) in _newest(state, labels).items() if value is not None}


def _newest(state: Snapshot, labels: Iterable[str]) -> dict[LabelKey, tuple[tuple[datetime, datetime], Any]]:
    """For each input key and label, when it was answered (and planned: ties go to the later run) and how."""
    planned = dict(zip(state.runs["run_id"].to_pylist(), state.runs["planned_at"].to_pylist(), strict=True))
    best: dict[LabelKey, tuple[tuple[datetime, datetime], Any]] = {}
    columns = (*INPUT_KEYS, "prediction_time", "label", *VALUES, "labelled_at", "run_id")
    for batch in state.scan(LABELS, columns, pc.field("label").isin(sorted(labels))):
        for row in batch.to_pylist():
            key, when = _key(row), (row["labelled_at"], planned.get(row["run_id"], datetime.min))
            if key not in best or best[key][0] < when:
                best[key] = (when, _value(row))
    return best


def _is_known(row: Mapping[str, Any], standing: Mapping[LabelKey, tuple[tuple[datetime, datetime], Any]]) -> bool:
    """The lake has this very answer, or a newer one."""
    when, value = standing.get(_key(row), ((datetime.min, datetime.min), None))
    return bool(value == _value(row) or when[0] > row["labelled_at"])


def answers(inputs: Sequence[Input], known: Mapping[LabelKey, Any], label: str) -> list[Any]:
    """The answer for each input, None where it is missing; the most specific key wins."""
    return [_answer(item, known, label) for item in inputs]


def _answer(item: Input, known: Mapping[LabelKey, Any], label: str) -> Any:
    places = (
        ("source_key", item.source_key),
        ("SOPInstanceUID", item.id),
        ("StudyInstanceUID", item.study_uid),
        (TIMED, (item.subject_id, item.prediction_time)),
        ("subject_id", item.subject_id),
    )
    for column, value in places:
        found = known.get((column, value, label))
        if found is not None:
            return found
    return None


def _key(row: Mapping[str, Any]) -> LabelKey:
    if row.get("prediction_time") is not None:
        return (TIMED, (row["subject_id"], row["prediction_time"]), row["label"])
    column = next(name for name in INPUT_KEYS if row.get(name) is not None)
    return (column, row[column], row["label"])


def _value(row: Mapping[str, Any]) -> Any:
    return next((row[name] for name in VALUES if row.get(name) is not None), None)


def _read(file: LabelFile, job: Job) -> pa.Table:
    wanted = [file.key_column, *file.columns, *([file.labelled_at] if file.labelled_at else [])]
    with told(f"label file {file.uri}"):
        data = pa.BufferReader(job.store.read(file.uri))
    try:
        if file.uri.endswith(".parquet"):
            table = pq.read_table(data)
        else:
            options = pacsv.ConvertOptions(column_types=dict.fromkeys(wanted, pa.string()), strings_can_be_null=False)
            table = pacsv.read_csv(data, convert_options=options)
    except pa.ArrowInvalid as error:
        raise LabelError(
            f"label file {file.uri}", "text that is no table", "CSV with a header line, or Parquet", "open it and look"
        ) from error
    absent = [name for name in wanted if name not in table.column_names]
    if absent:
        raise LabelError(
            f"label file {file.uri}",
            f"no column {', '.join(absent)}",
            f"names of its header line, which has {table.num_columns} columns",
            "correct [labels], or give the file a header line",
        )
    return table.select(wanted)


def _matched(state: Snapshot, rows: Sequence[Mapping[str, Any]]) -> int:
    """How many rows name an input that the lake has seen."""
    if not rows:
        return 0
    column = _key(rows[0])[0]
    wanted = {row[column] for row in rows}
    seen: set[Any] = set()
    for contract in (IMAGES, EVENTS, QUARANTINE):
        if column in contract.schema.names:
            for batch in state.scan(contract, (column,)):
                seen.update(value for value in batch[column].unique().to_pylist() if value in wanted)
    return sum(row[column] in seen for row in rows)


def _execute(plan: Plan, lake: str, job: Job) -> Result:
    started = time.monotonic()
    shared = {"run_id": plan.run_id}
    rows = pa.Table.from_pylist([{**row, **shared} for row in plan.inputs.to_pylist()], schema=LABELS.schema)
    total = _sum(plan.facts, rows.num_rows)
    files = write_rows(job.store, lake, plan, LABELS, rows, "labels")
    commit_run(job.store, lake, plan, Outcome(total.counts(), {LABELS.name: files}, host_facts(started)))
    job.tell.say(f"labels: {total}")
    return Result("done", (plan.run_id,), (total,))


def _sum(facts: Mapping[str, Any], added: int) -> Sum:
    return Sum(
        "answers", facts["listed"], {"known": facts["known"], "added": added, "missing": facts["missing"]}
    ).checked()


def _inputs_schema() -> pa.Schema:
    fields = [pa.field("chunk", pa.int32()), *(field for field in LABELS.schema if field.name != "run_id")]
    return pa.schema(fields)


def _midnight(run_date: str) -> datetime:
    day = date.fromisoformat(run_date)
    return datetime(day.year, day.month, day.day)
