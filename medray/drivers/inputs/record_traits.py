"""Traits that events of records tell, as they were known at each prediction time."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from medray.drivers.input import Input
from medray.drivers.inputs.cut import fine_cut
from medray.drivers.records.read_events import read_bucket
from medray.planning.buckets import buckets
from medray.planning.timelines import matches
from medray.planning.traits import Trait, age_bands, missing, named
from medray.recipes.evaluate import Age, Coded, Subgroups
from medray.schema.events import EVENTS
from medray.storage.snapshot import Snapshot

_COLUMNS = ("subject_id", "time", "code", "numeric_value", "text_value")
_NOT_KEPT = "records of this lake do not say where they come from: name events for it in [subgroups.other]"
_YEAR = 365.25  # days

Event = Mapping[str, Any]
Read = Callable[[Event, Input], Any]


def record_traits(asked: Subgroups, state: Snapshot, inputs: Sequence[Input]) -> dict[str, Trait]:
    """Sex, age and other traits of some inputs by name; site and scanner as absent unless they are named."""
    coded = {"sex": asked.sex, **asked.other}
    codes = {asked.age.code, *(one.code for one in coded.values())}
    events = _events(state, codes, {item.subject_id for item in inputs})
    found = {name: _coded(name.replace("_", " ").capitalize(), one, events, inputs) for name, one in coded.items()}
    ages = [_known(events, item, asked.age.code, lambda event, at: _years(event, at, asked.age)) for item in inputs]
    age = age_bands(ages, asked.age_bands, "Age at the prediction time, years")
    if all(one is None for one in ages):
        age = missing(age.title, len(inputs), _nothing(asked.age.code))
    absent = {
        name: missing(title, len(inputs), _NOT_KEPT)
        for name, title in (("site_key", "Site"), ("scanner_key", "Scanner"))
    }
    return {"sex": found.pop("sex"), "age": age, **found, **absent}


def _coded(title: str, one: Coded, events: Mapping[int, list[Event]], inputs: Sequence[Input]) -> Trait:
    values = [_known(events, item, one.code, lambda event, _: _value(event, one.code)) for item in inputs]
    if all(value is None for value in values):
        return missing(title, len(inputs), _nothing(one.code))
    return named(values, one.names, title)


def _nothing(code: str) -> str:
    return f"no event with the code {code} was known of any of these inputs"


def _events(state: Snapshot, codes: Collection[str], subjects: Collection[int]) -> dict[int, list[Event]]:
    """The events of some codes of some subjects, oldest first, static facts before all others."""
    found: dict[int, list[Event]] = {}
    for table in _parts(state, np.array(sorted(subjects), np.int64)):
        names = table["code"].combine_chunks().dictionary.to_pylist() if table.num_rows else []
        wanted = [name for name in names if matches(name, codes)]
        kept = table.filter(pc.is_in(table["code"].cast(pa.string()), pa.array(wanted, pa.string())))
        for row in kept.to_pylist():
            found.setdefault(row["subject_id"], []).append(row)
    return found


def _parts(state: Snapshot, subjects: Any) -> Iterator[pa.Table]:
    """A million events or so at a time."""
    rows = state.file_rows(EVENTS)
    for part in buckets(fine_cut(rows)):
        own = subjects[part.holds(subjects)]
        if len(own):
            yield read_bucket(state.store, state.lake, sorted(rows), part, _COLUMNS, own)


def _known(events: Mapping[int, list[Event]], item: Input, code: str, read: Read) -> Any:
    """What the newest event tells that was known at the input's prediction time and tells anything."""
    for event in reversed(events.get(item.subject_id, [])):
        if matches(event["code"], (code,)) and _was_known(event["time"], item.prediction_time):
            value = read(event, item)
            if value is not None:
                return value
    return None


def _was_known(time: datetime | None, at: datetime | None) -> bool:
    return time is None or (at is not None and time <= at)


def _value(event: Event, code: str) -> str | None:
    if event["text_value"] is not None:
        return str(event["text_value"])
    if event["numeric_value"] is not None:
        return f"{event['numeric_value']:g}"
    rest = event["code"].removeprefix(code.removesuffix("*"))
    return rest or None


def _years(event: Event, item: Input, age: Age) -> float | None:
    """Age in years; None where it cannot be told, or is below 0."""
    if age.unit != "birth":
        count = event["numeric_value"]
        years = None if count is None else count / {"years": 1.0, "months": 12.0, "days": _YEAR}[age.unit]
    elif event["time"] is None or item.prediction_time is None:
        years = None
    else:
        years = (item.prediction_time - event["time"]).total_seconds() / 86400 / _YEAR
    return years if years is not None and years >= 0 else None
