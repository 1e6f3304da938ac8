"""Records become staged rows: refused for a reason, or pseudonymous and in their bucket."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa

from medray.contracts import RECORDS
from medray.drivers.records.mapped_rows import STAGED, RecordMap
from medray.privacy.pseudonyms import Pseudonyms

MINE = Pseudonyms(b"k" * 32)
NOON = datetime(2020, 5, 1, 12)


def record(row: int, **given: Any) -> dict[str, Any]:
    plain = {"subject": "P1", "time": NOON, "code": "HR", "defines_encounter": False, "withdrawn": False}
    return {"row": row, **plain, **given}


def mapped(*records: dict[str, Any], **given: Any) -> list[dict[str, Any]]:
    settings: dict[str, Any] = {
        "pseudonyms": MINE, "issuer": "H", "shared": lambda word: word, "as_of": None, "buckets": 4,
        "met": lambda subject, shared: None,
    }  # fmt: skip
    mapping = RecordMap(**{**settings, **given})
    batch = pa.RecordBatch.from_pylist(list(records), schema=RECORDS)
    rows = []
    for staged, buckets in mapping.rows(batch, 3, "labs"):
        assert staged.schema == STAGED
        rows += [{**row, "bucket": bucket} for row, bucket in zip(staged.to_pylist(), buckets.tolist(), strict=True)]
    return rows


def test_a_good_record_is_pseudonymous() -> None:
    (row,) = mapped(
        record(9, numeric_value=80.5, text_value="t", unit="bpm", record="r1", encounter="e1", defines_encounter=True)
    )
    subject = MINE.subject_id("H", "P1")
    assert row == {
        "file": 3, "row": 9, "reason": None, "subject_id": subject,
        "time": NOON - timedelta(days=MINE.shift_days(subject)), "code": "HR", "numeric_value": 80.5, "text_value": "t",
        "unit": "bpm", "encounter_key": MINE.encounter_key("H", "e1"), "defines_encounter": True,
        "record_key": int(MINE.record_keys("H", "labs", pa.array(["r1"]))[0]), "record_order": None, "withdrawn": False,
        "bucket": subject >> 61,
    }  # fmt: skip


def test_a_static_fact_has_no_time_and_missing_ids_stay_missing() -> None:
    with_ids, without = mapped(record(0, record="1", encounter="1"), record(1, time=None))
    assert (without["time"], without["record_key"], without["encounter_key"]) == (None, None, None)
    assert None not in (with_ids["time"], with_ids["record_key"], with_ids["encounter_key"])


def test_one_bucket_takes_all() -> None:
    rows = mapped(*(record(number, subject=str(number)) for number in range(20)), buckets=1)
    assert {row["bucket"] for row in rows} == {0}
    rows = mapped(*(record(number, subject=str(number)) for number in range(60)), buckets=4)
    assert {row["bucket"] for row in rows} == {0, 1, 2, 3}


def test_each_reason_and_nothing_else_is_kept_of_a_refused_row() -> None:
    rows = mapped(
        record(0),
        record(1, subject=None),
        record(2, subject=" "),
        record(3, code=None),
        record(4, time=NOON + timedelta(seconds=1)),
        record(5, reason="unreadable_time", subject=None),
        record(6, time=None),
        as_of=NOON,
    )
    refused = [row for row in rows if row["reason"] is not None]
    assert [(row["row"], row["reason"]) for row in refused] == [
        (1, "missing_subject"),
        (2, "missing_subject"),
        (3, "no_code"),
        (4, "after_as_of"),
        (5, "unreadable_time"),
    ]
    assert [row["row"] for row in rows if row["reason"] is None] == [0, 6]
    kept = {"file", "row", "reason", "bucket"}
    assert {name for row in refused for name, value in row.items() if value is not None} == kept
    assert {row["bucket"] for row in refused} == {4}


def test_a_subject_that_the_map_lacks_is_refused() -> None:
    shared = {"P1": "MRN1"}
    good, lost = mapped(record(0), record(1, subject="P2"), shared=shared.get)
    assert good["subject_id"] == MINE.subject_id("H", "MRN1")
    assert lost["reason"] == "missing_subject"


def test_every_subject_is_told_once() -> None:
    met: list[tuple[int, str]] = []
    mapped(record(0), record(1), record(2, subject="P2"), met=lambda *one: met.append(one))
    assert met == [(MINE.subject_id("H", "P1"), "P1"), (MINE.subject_id("H", "P2"), "P2")]


def test_an_identified_lake_keeps_times() -> None:
    (row,) = mapped(record(0), pseudonyms=Pseudonyms(b"k" * 32, identified=True))
    assert row["time"] == NOON
