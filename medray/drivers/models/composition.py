"""Who and what a model learnt from: subjects by sex, age, site, scanner, maker and modality, and the years."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from medray.drivers.input import DataFile, InputKey
from medray.drivers.inputs.reading import Reading
from medray.drivers.models.labelled import Labelled
from medray.schema.images import IMAGES
from medray.storage.delta import scan_file, table_uri
from medray.storage.failures import told
from medray.storage.snapshot import Snapshot
from medray.storage.uri import join

NOT_KNOWN = "not known"
AGES = ((18, "0-17"), (40, "18-39"), (65, "40-64"), (90, "65-89"), (1000, "90+"))
_SEXES = {"F": "female", "M": "male", "O": "other"}  # PS3.3 C.7.1.1, Patient's Sex
_HEADER = {
    "sex": "PatientSex", "age": "age_years", "site": "site_key", "scanner": "scanner_key", "maker": "manufacturer",
    "modality": "Modality",
}  # fmt: skip
_COLUMNS = ("SOPInstanceUID", "input_version", "part_index", "study_time", *_HEADER.values())
_MOST = 12  # sites or scanners that are named
_SUBJECTS_OF_A_YEAR = 20  # fewer could be told apart by it


def composition(
    state: Snapshot, reading: Reading, files: Sequence[DataFile], learnt: Sequence[Labelled]
) -> dict[str, Any]:
    """`groups`: by trait and split, how many subjects have each value, most first; `years`: the first and last one
    in which 20 subjects or more have an input (as stored: moved by up to a year where dates are), or None.

    Records say nothing of groups here: which code holds a sex or an age differs from archive to archive.
    """
    subject = {one.item.key: (one.split, one.item.subject_id) for one in learnt}
    if reading.problem is not None:
        times = [(one.item.subject_id, one.item.prediction_time) for one in learnt]
        return {"groups": {}, "years": _years(times)}
    members: dict[str, dict[str, dict[str, set[int]]]] = {trait: {} for trait in _HEADER}
    times = []
    for path in sorted({files[one.file].path for one in learnt}):
        for key, row in _headers(state, path):
            if key not in subject:
                continue
            split, who = subject[key]
            times.append((who, row["study_time"]))
            for trait, column in _HEADER.items():
                members[trait].setdefault(split, {}).setdefault(_value(trait, row[column]), set()).add(who)
    groups = {
        trait: {split: _counts(found) for split, found in sorted(splits.items())} for trait, splits in members.items()
    }
    return {"groups": groups, "years": _years(times)}


def _headers(state: Snapshot, path: str) -> Iterator[tuple[InputKey, dict[str, Any]]]:
    uri = join(table_uri(state.lake, IMAGES.name), path)
    with told(state.lake):
        for batch in scan_file(state.store, uri, IMAGES, _COLUMNS):
            for row in batch.to_pylist():
                if row["part_index"] == 0:
                    yield (row["SOPInstanceUID"], row["input_version"]), row


def _value(trait: str, value: Any) -> str:
    """A header's value as a group's name; keys of sites and scanners by their first 8 digits."""
    if value is None or value == "":
        return NOT_KNOWN
    if trait == "age":
        return next(name for end, name in AGES if value < end)
    if trait == "sex":
        return _SEXES.get(value, NOT_KNOWN)
    return str(value)[:8] if trait in ("site", "scanner") else str(value)


def _counts(found: dict[str, set[int]]) -> dict[str, int]:
    order = sorted(found, key=lambda name: (-len(found[name]), name))
    counts = {name: len(found[name]) for name in order[:_MOST]}
    if rest := order[_MOST:]:
        counts[f"{len(rest)} others"] = len(set().union(*(found[name] for name in rest)))
    return counts


def _years(times: Sequence[tuple[int, datetime | None]]) -> list[int] | None:
    seen: dict[int, set[int]] = {}
    for who, time in times:
        if time is not None:
            seen.setdefault(time.year, set()).add(who)
    years = [year for year, subjects in seen.items() if len(subjects) >= _SUBJECTS_OF_A_YEAR]
    return [min(years), max(years)] if years else None
