"""What a prediction says about its input: who, when, which version, which bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow.compute as pc

from medray.contracts import Array
from medray.drivers.input import InputKey, record_id
from medray.drivers.inputs.reading import Reading
from medray.drivers.inputs.record_inputs import read_rows
from medray.schema.images import IMAGES
from medray.storage.delta import scan_file, table_uri
from medray.storage.store import Store
from medray.storage.uri import join

_IMAGE = (
    "subject_id",
    "study_time",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "SOPInstanceUID",
    "input_version",
    "input_sha256",
    "part_index",
    "site_key",
    "scanner_key",
)
_NO_ANSWER = ("study_time", "part_index", "site_key", "scanner_key")


@dataclass(frozen=True)
class Header:
    """Attributes:
    columns: those of `predictions` that one input fixes.
    groups: where it came from, as a night is watched: "site <key>", "scanner <key>".
    """

    columns: Mapping[str, Any]
    groups: tuple[str, ...] = ()

    def of(self, example: Array | None) -> Mapping[str, Any]:
        """With `input_sha256`: of the received bytes of an image; of a window, which no file holds,
        the hash of the prepared example that the model read. An input that nothing was prepared
        of has the hash of no bytes."""
        if "input_sha256" in self.columns:
            return self.columns
        data = b"" if example is None else example.tobytes()
        return {**self.columns, "input_sha256": hashlib.sha256(data).hexdigest()}


def headers_of(
    store: Store, lake: str, path: str, reading: Reading, wanted: Collection[InputKey]
) -> dict[InputKey, Header]:
    """Of the wanted inputs in one data file."""
    if reading.problem is None:
        return _of_images(store, lake, path, wanted)
    return _of_records(store, lake, path, reading.problem.name, wanted)


def _of_images(store: Store, lake: str, path: str, wanted: Collection[InputKey]) -> dict[InputKey, Header]:
    """Of the wanted images in one file of `images`."""
    found: dict[InputKey, Header] = {}
    uri = join(table_uri(lake, IMAGES.name), path)
    for batch in scan_file(store, uri, IMAGES, _IMAGE, pc.field("part_index") == 0):
        for row in batch.to_pylist():
            key = (row["SOPInstanceUID"], row["input_version"])
            if key in wanted:
                kept = {name: row[name] for name in _IMAGE if name not in _NO_ANSWER}
                groups = tuple(f"{kind} {row[f'{kind}_key']}" for kind in ("site", "scanner") if row[f"{kind}_key"])
                found[key] = Header({**kept, "prediction_time": row["study_time"]}, groups)
    return found


def _of_records(
    store: Store, lake: str, path: str, problem: str, wanted: Collection[InputKey]
) -> dict[InputKey, Header]:
    """Of the wanted inputs of a problem in one file of `labels`."""
    found: dict[InputKey, Header] = {}
    for row in read_rows(store, lake, path, problem):
        key = (record_id(row["subject_id"], row["prediction_time"]), row["input_version"])
        if key in wanted:
            found[key] = Header({name: row[name] for name in ("subject_id", "prediction_time", "input_version")})
    return found
