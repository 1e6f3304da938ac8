"""What came after a prediction: newer versions of its input, other answers to the same question."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow.compute as pc

from medray.drivers.explain.input_facts import Given
from medray.drivers.explain.question import Answer
from medray.drivers.job import Job
from medray.errors import ModelError
from medray.schema.images import IMAGES
from medray.schema.labels import LABELS
from medray.storage.promotions import choose
from medray.storage.snapshot import Snapshot


def since(state: Snapshot, given: Given, answer: Answer, about: Sequence[Answer], job: Job) -> dict[str, Any]:
    """Args:
    state: the lake as it is now.
    about: every answer about the same image or subject.
    """
    row = answer.columns
    newer = sorted(version for version in _versions(state, given, answer) if version > row["input_version"])
    others = [one for one in about if one is not answer and _same_question(one, answer)]
    try:
        now = choose(job.store, state.lake, row["model_name"], "production")
        production = f"{now.name}/{now.version}"
    except ModelError:  # the name has no version in production
        production = None
    return {
        "newer_input_versions": newer,
        "withdrawn": _withdrawn(state, given, answer),
        "other_answers": [_told(one) for one in sorted(others, key=lambda one: one.columns["scored_at"])],
        "in_production_now": production,
    }


def _same_question(one: Answer, answer: Answer) -> bool:
    return one.key[0] == answer.key[0] and all(
        one.columns[name] == answer.columns[name] for name in ("label", "frame_index")
    )


def _told(one: Answer) -> dict[str, Any]:
    names = (
        "run_date", "run_id", "input_version", "status", "predicted_boolean_value", "predicted_integer_value",
        "predicted_float_value", "predicted_categorical_value", "raw_score", "threshold", "model_sha256",
    )  # fmt: skip
    kept = {name: one.columns[name] for name in names if one.columns[name] is not None}
    return {"model": f"{one.columns['model_name']}/{one.columns['model_version']}", **kept, "state": one.state}


def _versions(state: Snapshot, given: Given, answer: Answer) -> Iterator[int]:
    if given.reading.problem is None:
        where = pc.field("SOPInstanceUID") == answer.columns["SOPInstanceUID"]
        yield from set(state.table(IMAGES, ("input_version",), where)["input_version"].to_pylist())
        return
    yield from (version for version, _ in _inputs(state, given, answer))


def _withdrawn(state: Snapshot, given: Given, answer: Answer) -> bool:
    """Whether the records that made the problem ask were taken back since."""
    if given.reading.problem is None:
        return False
    return bool(max(_inputs(state, given, answer))[1])


def _inputs(state: Snapshot, given: Given, answer: Answer) -> list[tuple[int, bool]]:
    problem, row = given.reading.problem, answer.columns
    assert problem is not None
    where = (pc.field("subject_id") == row["subject_id"]) & (pc.field("label") == problem.name)
    rows = state.table(LABELS, ("prediction_time", "input_version", "withdrawn"), where).to_pylist()
    return [
        (one["input_version"], bool(one["withdrawn"]))
        for one in rows
        if one["prediction_time"] == row["prediction_time"] and one["input_version"] is not None
    ]
