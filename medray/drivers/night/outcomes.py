"""Published answers beside outcomes that have arrived since, by month of the night."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np
import pyarrow.compute as pc

from medray.drivers.input import KEY_COLUMNS, Input, input_key
from medray.drivers.job import Job
from medray.drivers.labels import answers, latest
from medray.drivers.models.learnt_task import learnt_task
from medray.drivers.models.stored_answers import ANSWER
from medray.schema.images import IMAGES
from medray.schema.predictions import PREDICTIONS
from medray.storage.models import Registered, model_subjects
from medray.storage.snapshot import Snapshot

_DAYS = 366
_RESAMPLES = 200
_COLUMNS = (*KEY_COLUMNS, "StudyInstanceUID", "frame_index", "run_date", "label", *ANSWER)


def outcomes(state: Snapshot, model: Registered, run_date: str, job: Job) -> dict[str, dict[str, Any]]:
    """Metrics by month ("2026-01") and label, of this model's published answers of the last year.

    Subjects that the model was made with are left out. Empty where no outcome is known.
    """
    task, config = learnt_task(job.store, state.lake, model)
    known = latest(state, config.labels)
    if not known:
        return {}
    learnt = {one for ids in model_subjects(job.store, state.lake, model.sha256).values() for one in ids.tolist()}
    by_month: dict[str, list[dict[str, Any]]] = {}
    for row in _published(state, model, date.fromisoformat(run_date)):
        if row["subject_id"] not in learnt:
            by_month.setdefault(row["run_date"].isoformat()[:7], []).append(row)
    keys = _source_keys(state) if by_month and any(key[0] == "source_key" for key in known) else {}
    found = {}
    for month, rows in sorted(by_month.items()):
        examples = _examples(rows, task.questions(config))
        inputs = [_input(row, keys) for row in examples[0]]
        targets = task.targets({label: answers(inputs, known, label) for label in config.labels}, config)
        asked = np.flatnonzero(~np.isnan(targets).all(axis=1))
        if len(asked):
            stored = {
                label: {name: np.array([group[row][name] for row in asked]) for name in ANSWER}
                for label, group in zip(task.questions(config), examples, strict=True)
            }
            subjects = np.array([inputs[row].subject_id for row in asked], np.int64)
            found[month] = task.evaluate(stored, targets[asked], config, subjects, _RESAMPLES, 0)
    return found


def _published(state: Snapshot, model: Registered, until: date) -> list[dict[str, Any]]:
    ours = (
        (pc.field("model_sha256") == model.sha256)
        & (pc.field("status") == "scored")
        & (pc.field("run_date") > until - timedelta(days=_DAYS))
        & (pc.field("run_date") <= until)
    )
    return [row for batch in state.scan(PREDICTIONS, _COLUMNS, ours) for row in batch.to_pylist()]


def _examples(rows: Sequence[dict[str, Any]], questions: Sequence[str]) -> list[list[dict[str, Any]]]:
    """For each question the rows of all examples, in one order."""
    by_label: dict[str, dict[Any, dict[str, Any]]] = {label: {} for label in questions}
    for row in rows:
        by_label[row["label"]][input_key(row), row["frame_index"]] = row
    order = sorted(by_label[questions[0]])
    return [[by_label[label][key] for key in order] for label in questions]


def _input(row: dict[str, Any], keys: dict[str, str]) -> Input:
    uid, version = input_key(row)
    return Input(
        uid,
        version,
        row["subject_id"],
        row["StudyInstanceUID"],
        keys.get(uid),
        None if row["SOPInstanceUID"] else row["prediction_time"],
        None,
    )


def _source_keys(state: Snapshot) -> dict[str, str]:
    rows = state.table(IMAGES, ("SOPInstanceUID", "source_key"))
    return dict(zip(rows["SOPInstanceUID"].to_pylist(), rows["source_key"].to_pylist(), strict=True))
