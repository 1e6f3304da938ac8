"""Events as they hold now: highest versions, in order, of some subjects."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from medray.drivers.records.read_events import read_bucket, read_subjects
from medray.planning.buckets import Bucket
from medray.schema.events import EVENTS
from medray.storage import event_file
from medray.storage.delta import table_uri
from medray.storage.event_file import write_events
from medray.storage.store import LAKE
from medray.storage.uri import join

ALL = Bucket(0, 1)
HALF = 2**62
SHORT = ("subject_id", "time", "code", "numeric_value")


def event(subject: int, day: int | None, code: str, value: float = 0.0, **other: Any) -> dict[str, Any]:
    return {
        "subject_id": subject, "time": None if day is None else datetime(2020, 1, day), "code": code,
        "numeric_value": value, "defines_encounter": False, "input_version": 1, "withdrawn": False,
        "source_key": "s", **other,
    }  # fmt: skip


def publish(lake: str, run: str, bucket: Bucket, *groups: list[dict[str, Any]]) -> str:
    path = f"data/{run}/{bucket.name}.parquet"
    tables = [pa.Table.from_pylist(group, schema=EVENTS.schema) for group in groups]
    facts = write_events(LAKE, join(table_uri(lake, EVENTS.name), path), tables)
    assert facts["rows"] == sum(map(len, groups))
    return path


def read(lake: str, paths: list[str], bucket: Bucket = ALL, subjects: list[int] | None = None) -> list[tuple[Any, ...]]:
    table = read_bucket(LAKE, lake, paths, bucket, SHORT, None if subjects is None else np.array(subjects, np.int64))
    days = [None if time is None else time.day for time in table["time"].to_pylist()]
    return list(
        zip(
            table["subject_id"].to_pylist(),
            days,
            table["code"].to_pylist(),
            table["numeric_value"].to_pylist(),
            strict=True,
        )
    )


@pytest.fixture
def corrected(lake: str) -> tuple[str, list[str]]:
    """Two nights: the second corrects the code of record 7 and withdraws record 8."""
    first = [
        publish(
            lake, "a", Bucket(0, 2),
            [event(1, None, "SEX"), event(1, 2, "HR", 80, record_key=7), event(1, 2, "K", 4)],
            [event(2, 1, "HR", 90, record_key=8)],
        ),
        publish(lake, "a", Bucket(1, 2), [event(HALF, 3, "HR", 70, record_key=7)]),
    ]  # fmt: skip
    second = publish(
        lake, "b", ALL,
        [
            event(1, 1, "BP", 120), event(1, 2, "PULSE", 81, record_key=7, input_version=2),
            event(2, 1, "HR", 90, record_key=8, input_version=2, withdrawn=True),
        ],
    )  # fmt: skip
    return lake, [*first, second]


def test_the_highest_version_holds_unless_it_is_withdrawn(corrected: tuple[str, list[str]]) -> None:
    lake, paths = corrected
    assert read(lake, paths[:2]) == [
        (1, None, "SEX", 0), (1, 2, "HR", 80), (1, 2, "K", 4), (2, 1, "HR", 90), (HALF, 3, "HR", 70)
    ]  # fmt: skip
    assert read(lake, paths, Bucket(0, 2)) == [
        (1, None, "SEX", 0), (1, 1, "BP", 120), (1, 2, "K", 4), (1, 2, "PULSE", 81)
    ]  # fmt: skip


def test_some_subjects_are_read_as_they_hold(corrected: tuple[str, list[str]]) -> None:
    lake, paths = corrected
    assert read(lake, paths, ALL, [1]) == [(1, None, "SEX", 0), (1, 1, "BP", 120), (1, 2, "K", 4), (1, 2, "PULSE", 81)]
    assert read(lake, paths, ALL, [2, HALF]) == [(HALF, 3, "HR", 70)]
    assert read(lake, paths, ALL, []) == []


def test_a_record_is_told_by_subject_and_key(corrected: tuple[str, list[str]]) -> None:
    lake, paths = corrected
    assert (HALF, 3, "HR", 70) in read(lake, paths)


@pytest.mark.parametrize("n", [1, 2, 4, 64])
def test_all_buckets_together_hold_every_event_once(lake: str, n: int) -> None:
    subjects = np.sort(np.random.default_rng(1).integers(0, 2**63, 50))
    rows = [event(int(subject), 1, "HR") for subject in subjects]
    path = publish(lake, "a", ALL, rows[:20], rows[20:])
    found = [row[0] for k in range(n) for row in read(lake, [path], Bucket(k, n))]
    assert found == subjects.tolist()


def test_words_are_dictionaries_and_columns_as_asked(corrected: tuple[str, list[str]]) -> None:
    lake, paths = corrected
    table = read_bucket(LAKE, lake, paths, ALL, ("unit", "code"))
    assert table.column_names == ["unit", "code"]
    assert pa.types.is_dictionary(table["code"].type)
    assert read_bucket(LAKE, lake, [], ALL, ("unit", "code")).schema == table.schema


def test_subjects_are_read_with_all_versions(corrected: tuple[str, list[str]]) -> None:
    lake, paths = corrected
    wanted = np.array([2, 3, HALF])
    rows = [
        row
        for path in paths
        for piece in read_subjects(LAKE, lake, path, wanted, ("subject_id", "input_version"))
        for row in piece.to_pylist()
    ]
    assert [tuple(row.values()) for row in rows] == [(2, 1), (HALF, 1), (2, 2)]
    assert not list(read_subjects(LAKE, lake, paths[0], np.array([], np.int64), ("subject_id",)))


def test_a_file_can_be_read_as_the_table_says(lake: str) -> None:
    path = publish(lake, "a", ALL, [event(1, 2, "HR", 80, record_key=7, unit="bpm")])
    table = pq.read_table(join(table_uri(lake, EVENTS.name), path))
    assert table.schema.remove_metadata() == EVENTS.schema
    assert table.schema.metadata[b"medray.schema_version"] == b"2"
    assert event_file.write_events(LAKE, join(table_uri(lake, EVENTS.name), path), [table])["rows"] == 1


def test_a_file_of_the_first_version_lacks_a_column(lake: str) -> None:
    path = publish(lake, "a", ALL, [event(1, 2, "HR", 80, record_key=7)])
    uri = join(table_uri(lake, EVENTS.name), path)
    pq.write_table(pq.read_table(uri).drop_columns(["record_order"]), uri)
    (row,) = read_bucket(LAKE, lake, [path], ALL).to_pylist()
    assert (row["record_key"], row["record_order"]) == (7, None)
