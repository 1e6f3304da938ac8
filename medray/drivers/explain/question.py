"""Which prediction is meant: what a person has in hand, and the rows that fit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow.compute as pc

from medray.drivers.input import InputKey, input_key
from medray.errors import QuestionError
from medray.schema.contract import TableContract
from medray.schema.held import HELD
from medray.schema.predictions import PREDICTIONS
from medray.storage.delta import scan_file, table_uri
from medray.storage.failures import told
from medray.storage.snapshot import Snapshot
from medray.storage.uri import join

STATES: tuple[tuple[TableContract, str], ...] = ((PREDICTIONS, "published"), (HELD, "held"))


@dataclass(frozen=True)
class Question:
    """What is known of a row of `predictions`; None: anything.

    Attributes:
        image: SOPInstanceUID.
        subject, time: `subject_id` and `prediction_time`.
        model: a model's name, `name/version`, or the beginning of a `model_sha256`.
        run: the beginning of a `run_id`.
    """

    image: str | None = None
    subject: int | None = None
    time: datetime | None = None
    label: str | None = None
    model: str | None = None
    frame: int | None = None
    input_version: int | None = None
    run: str | None = None

    def fits(self, row: Mapping[str, Any]) -> bool:
        """Whether the row is one that the person can mean."""
        given = {
            "SOPInstanceUID": self.image,
            "subject_id": self.subject,
            "prediction_time": self.time,
            "label": self.label,
            "frame_index": self.frame,
            "input_version": self.input_version,
        }
        return (
            all(row[name] == value for name, value in given.items() if value is not None)
            and (self.run is None or row["run_id"].startswith(self.run))
            and (self.model is None or _is_model(row, self.model))
        )


@dataclass(frozen=True)
class Answer:
    """A row with where it stands.

    Attributes:
        state: what it is to readers: "published", or "held" by the gate of its night.
        file: its file, relative to the table's folder.
    """

    columns: Mapping[str, Any]
    state: str
    table: str
    file: str

    @property
    def key(self) -> InputKey:
        return input_key(self.columns)

    def choice(self) -> dict[str, Any]:
        """By what it is told from others."""
        names = ("SOPInstanceUID", "subject_id", "prediction_time", "label", "frame_index", "input_version")
        told = {name: self.columns[name] for name in names if self.columns[name] is not None}
        model = f"{self.columns['model_name']}/{self.columns['model_version']}"
        told |= {"model": model, "model_sha256": self.columns["model_sha256"], "run_id": self.columns["run_id"]}
        return {**told, "state": self.state}


def answers(state: Snapshot, question: Question) -> list[Answer]:
    """Every answer, published or held, about the question's image or subject.

    Raises:
        QuestionError: it names neither.
    """
    if question.image is None and question.subject is None:
        raise QuestionError(
            "explain-row",
            "neither an image nor a subject",
            "--image SOPInstanceUID, or --subject subject_id (with --time prediction_time)",
            "copy them from the row of `predictions`",
        )
    return [found for contract, word in STATES for found in _of_table(state, question, contract, word)]


def _of_table(state: Snapshot, question: Question, contract: TableContract, word: str) -> Iterator[Answer]:
    by_image, by_subject = pc.field("SOPInstanceUID") == question.image, pc.field("subject_id") == question.subject
    where = by_subject if question.image is None else by_image
    for path in state.files(contract):
        with told(state.lake):
            uri = join(table_uri(state.lake, contract.name), path)
            for batch in scan_file(state.store, uri, contract, contract.schema.names, where):
                yield from (Answer(row, word, contract.name, path) for row in batch.to_pylist())


def _is_model(row: Mapping[str, Any], model: str) -> bool:
    name = row["model_name"]
    return model in (name, f"{name}/{row['model_version']}") or row["model_sha256"].startswith(model)
