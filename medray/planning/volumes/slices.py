"""The slices of one series: header columns of `images` become arrays, one entry a frame."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from math import inf, nan
from typing import Any, Self

import numpy as np

from medray.contracts import Array

Row = Mapping[str, Any]
Numbers = Sequence[float]
Part = tuple[Row, int]  # frames of an instance that share a row, and how many come before

COLUMNS = (
    "subject_id", "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "input_version", "part_index", "Modality",
    "InstanceNumber", "AcquisitionNumber", "TemporalPositionIdentifier", "EchoTime", "ImageType",
    "FrameOfReferenceUID", "ImagePositionPatient", "ImageOrientationPatient", "frame_positions", "frame_orientations",
    "PixelSpacing", "Rows", "Columns", "PhotometricInterpretation", "NumberOfFrames", "frame_offsets",
)  # fmt: skip

# What may tell slices at one position apart, most telling first.
MARKS = ("AcquisitionNumber", "TemporalPositionIdentifier", "EchoTime", "ImageType")

# Image Types of pictures that are no slice of the patient: localizers (PS3.3 C.8.2.1.1.1 and the words
# that scanners write for them) and projections; the Imaging Data Commons leaves out LOCALIZER and MIP.
PROJECTIONS = frozenset({"LOCALIZER", "SCOUT", "SCANOGRAM", "MIP"})


@dataclass(frozen=True)
class Slices:
    """N slices.

    Attributes:
        uid, version, frame: (N,) which frame of which instance.
        size: (N, 2) rows and columns.
        reference: (N,) FrameOfReferenceUID, "" without one.
        position: (N, 3) mm, orientation: (N, 6) row and column direction, spacing: (N, 2) mm between
            rows and between columns; NaN where the header says nothing.
        marks: (N, 4) of `MARKS`, as ranks of their values in the series, absent lowest.
        flat: (N,) a slice of the patient in grey, no projection and no colour.
    """

    uid: Array
    version: Array
    frame: Array
    size: Array
    reference: Array
    position: Array
    orientation: Array
    spacing: Array
    marks: Array
    flat: Array

    def __len__(self) -> int:
        return len(self.uid)

    def take(self, chosen: Array) -> Self:
        """The slices at some indices, or where a mask is true."""
        return type(self)(**{field.name: getattr(self, field.name)[chosen] for field in fields(self)})


def slices_of(parts: Iterable[Part]) -> Slices:
    """The slices of a series in their order of acquisition (InstanceNumber, frame).

    Args:
        parts: what `newest_parts` gives, with `COLUMNS`.
    """
    frames = [frame for part in parts for frame in _frames(part)]
    frames.sort(key=lambda frame: frame["order"])

    def column(name: str, kind: Any = np.float64) -> Array:
        return np.array([frame[name] for frame in frames], dtype=kind)

    return Slices(
        uid=column("uid", object),
        version=column("version", np.int64),
        frame=column("frame", np.int64),
        size=column("size", np.int64).reshape(-1, 2),
        reference=column("reference", object),
        position=column("position").reshape(-1, 3),
        orientation=column("orientation").reshape(-1, 6),
        spacing=column("spacing").reshape(-1, 2),
        marks=_ranks([frame["marks"] for frame in frames]),
        flat=column("flat", np.bool_),
    )


def newest_parts(rows: Iterable[Row]) -> list[Part]:
    """The rows of the newest version of each instance, each with the number of frames before its own,
    in order of their ids. The rows come in any order."""
    parts: dict[tuple[str, int], list[Row]] = defaultdict(list)
    for row in rows:
        parts[row["SOPInstanceUID"], row["input_version"]].append(row)
    newest: dict[str, int] = {}
    for uid, version in parts:
        newest[uid] = max(version, newest.get(uid, 0))
    found: list[Part] = []
    for key in sorted(newest.items()):
        before = 0
        for row in sorted(parts[key], key=lambda row: int(row["part_index"])):
            found.append((row, before))
            before += len(row["frame_offsets"]) - 1
    return found


def _frames(part: Part) -> Iterable[dict[str, Any]]:
    row, before = part
    count = len(row["frame_offsets"]) - 1
    alone = row["NumberOfFrames"] == 1
    # One position for many frames is no place for each of them.
    position = _of_frames(row["frame_positions"], row["ImagePositionPatient"] if alone else None, 3, count)
    orientation = _of_frames(row["frame_orientations"], row["ImageOrientationPatient"], 6, count)
    words = {word for word in row["ImageType"] or () if word}
    shared = {
        "uid": row["SOPInstanceUID"],
        "version": row["input_version"],
        "size": (row["Rows"], row["Columns"]),
        "reference": row["FrameOfReferenceUID"] or "",
        "spacing": _vector(row["PixelSpacing"], 2),
        "marks": tuple(_comparable(row[name]) for name in MARKS),
        "flat": row["PhotometricInterpretation"].startswith("MONOCHROME") and not words & PROJECTIONS,
    }
    number = inf if row["InstanceNumber"] is None else row["InstanceNumber"]
    for index in range(count):
        order = (number, row["SOPInstanceUID"], before + index)
        yield {
            **shared,
            "frame": before + index,
            "order": order,
            "position": position[index],
            "orientation": orientation[index],
        }


def _of_frames(each: Numbers | None, shared: Numbers | None, width: int, count: int) -> Sequence[Numbers]:
    """`count` times `width` numbers, of each frame or shared by all."""
    if each is not None and len(each) == width * count:
        return [each[at : at + width] for at in range(0, len(each), width)]
    return [_vector(shared, width)] * count


def _vector(values: Numbers | None, width: int) -> Numbers:
    return (nan,) * width if values is None or len(values) != width else values


def _comparable(value: Any) -> tuple[bool, Any]:
    """A value of a mark that can be sorted beside absent ones."""
    if isinstance(value, list):
        value = "\\".join(word or "" for word in value)
    return (value is not None, 0 if value is None else value)


def _ranks(marks: Sequence[tuple[tuple[bool, Any], ...]]) -> Array:
    ranks = np.zeros((len(marks), len(MARKS)), np.int64)
    for column, found in enumerate(zip(*marks, strict=True)):
        present = sorted({value for known, value in found if known})
        rank = {value: number for number, value in enumerate(present, start=1)}
        ranks[:, column] = [rank[value] if known else 0 for known, value in found]
    return ranks
