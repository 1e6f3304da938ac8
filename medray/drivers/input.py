"""What an input is: an image, or a subject at one time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

InputKey = tuple[str, int]  # id, input_version


@dataclass(frozen=True, slots=True)
class Input:
    """One image, or one subject at one time, as it stands in a data file.

    Attributes:
        id: SOPInstanceUID of an image; `record_id` of a subject and time.
        study_uid, source_key: of an image.
        prediction_time: of a subject; None for images, and where only static facts are asked.
        reason: why the family does not take it; None when it does.
    """

    id: str
    input_version: int
    subject_id: int
    study_uid: str | None
    source_key: str | None
    prediction_time: datetime | None
    reason: str | None

    @property
    def key(self) -> InputKey:
        return (self.id, self.input_version)


@dataclass(frozen=True)
class DataFile:
    """One data file of `images` or `labels`, its inputs in order, and where its shard lies."""

    path: str
    inputs: tuple[Input, ...]
    shard: str

    def accepted(self) -> list[Input]:
        return [item for item in self.inputs if item.reason is None]


def record_id(subject_id: int, prediction_time: datetime | None) -> str:
    """The id of a subject at a time."""
    return f"{subject_id}@{prediction_time.isoformat() if prediction_time else 'static'}"


def input_key(row: Mapping[str, Any]) -> InputKey:
    """The input that a row of `predictions` answers."""
    uid = row["SOPInstanceUID"]
    return (uid or record_id(row["subject_id"], row["prediction_time"]), row["input_version"])


KEY_COLUMNS = ("SOPInstanceUID", "subject_id", "prediction_time", "input_version")  # of `predictions`
