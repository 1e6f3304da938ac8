"""What becomes of a record that comes again and says nothing any more."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hospital import TABLES, Hospital, without_engine

from medray.drivers.job import Result
from medray.schema.events import EVENTS

ROWS = "id,subject_id,hadm_id,charttime,itemid,value,unit\n"
NOON = "2020-01-02 12:00:00"


@pytest.fixture
def hospital(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Hospital:
    return without_engine(tmp_path / "hospital", monkeypatch)


def night(hospital: Hospital, name: str, *rows: str, **changes: Any) -> dict[str, int]:
    """What becomes of the candidates of a file of labs `id,subject,time,value`."""
    cells = [row.split(",") for row in rows]
    hospital.put(name, ROWS + "".join(f"{a},{b},,{c},K,{d},u\n" for a, b, c, d in cells))
    source = {"kind": "tables", "uri": str(hospital.archive), "tables": TABLES[1:2]}
    return parts(hospital.ingest(source=source, **changes))


def parts(result: Result) -> dict[str, int]:
    return {name: count for name, count in result.sums[1].parts.items() if count}


@pytest.mark.parametrize(
    ("row", "otherwise"),
    [(f"1,p1,{NOON},", "empty"), (f"1,p1,{NOON},hemolysed", "not_numeric"), ("1,p1,noon,9.9", "unreadable_time")],
)
def test_a_correction_that_cannot_be_used_takes_back(hospital: Hospital, row: str, otherwise: str) -> None:
    refused = {} if otherwise == "empty" else {otherwise: 1}
    counted = {"empty": 1} if otherwise == "empty" else {"quarantined": 1}
    assert night(hospital, "labs-0.csv", row) == counted  # nothing stands
    assert (hospital.values(), hospital.reasons()) == ([], refused)
    assert night(hospital, "labs-1.csv", f"1,p1,{NOON},9.9") == {"ingested": 1}
    assert hospital.values() == [("LAB//K", pytest.approx(9.9))]
    assert night(hospital, "labs-2.csv", row) == {"ingested": 1}
    assert (hospital.values(), hospital.reasons()) == ([], refused)
    assert night(hospital, "labs-3.csv", row) == {"known": 1}
    assert night(hospital, "labs-4.csv", f"1,p1,{NOON},9.8") == {"ingested": 1}
    assert hospital.values() == [("LAB//K", pytest.approx(9.8))]


def test_within_one_run_the_last_word_counts(hospital: Hospital) -> None:
    assert night(hospital, "labs.csv", f"1,p1,{NOON},9.9", f"1,p1,{NOON},", f"2,p1,{NOON},", f"2,p1,{NOON},7") == {
        "ingested": 3,
        "empty": 1,
    }
    assert hospital.values() == [("LAB//K", 7.0)]


def test_a_result_that_was_awaited_is_no_news_when_it_comes_again(hospital: Hospital) -> None:
    awaited, told = f"1,p1,{NOON},", f"1,p1,{NOON},7"
    assert night(hospital, "labs-1.csv", awaited, told) == {"ingested": 1, "empty": 1}
    assert night(hospital, "labs-2.csv", awaited, told) == {"known": 2}


def test_a_recipe_that_refuses_corrections_keeps_the_value(hospital: Hospital) -> None:
    night(hospital, "labs-1.csv", f"1,p1,{NOON},9.9")
    assert night(hospital, "labs-2.csv", f"1,p1,{NOON},", on_change="conflict") == {"quarantined": 1}
    assert (hospital.values(), hospital.reasons()) == ([("LAB//K", pytest.approx(9.9))], {"conflict": 1})


def test_what_is_nobodys_counts_as_before(hospital: Hospital) -> None:
    assert night(hospital, "labs.csv", f"1,,{NOON},", f"2,,{NOON},high", f"3,,{NOON},1") == {
        "empty": 1,
        "quarantined": 2,
    }
    assert hospital.reasons() == {"not_numeric": 1, "missing_subject": 1}


def observation(**given: Any) -> str:
    plain = {
        "resourceType": "Observation", "id": "o", "status": "corrected", "subject": {"reference": "Patient/p1"},
        "effectiveDateTime": "2020-01-01", "code": {"coding": [{"system": "http://loinc.org", "code": "K"}]},
    }  # fmt: skip
    return json.dumps({**plain, **given})


@pytest.mark.parametrize(
    ("given", "left"),
    [
        ({"dataAbsentReason": {"text": "error"}}, []),
        ({"valueQuantity": {"value": "high"}}, []),
        ({"valueQuantity": {"value": 1}, "effectiveDateTime": "noon"}, []),
        ({"valueQuantity": {"value": 1}, "code": {}}, []),
        ({"status": "registered"}, [9.9]),
        ({"valueQuantity": {"value": 8}}, [8.0]),
    ],
)
def test_a_resource_that_says_nothing_any_more_takes_back(
    hospital: Hospital, given: dict[str, Any], left: list[float]
) -> None:
    source = {"kind": "fhir", "uri": str(hospital.archive), "subject": "id"}
    hospital.put("Observation.1.ndjson", observation(valueQuantity={"value": 9.9}))
    assert parts(hospital.ingest(source=source)) == {"ingested": 1}
    hospital.put("Observation.2.ndjson", observation(**given))
    hospital.ingest(source=source)
    assert [value for _, value in hospital.values()] == pytest.approx(left)


def version(value: float, updated: str | None) -> str:
    meta = {} if updated is None else {"meta": {"lastUpdated": updated}}
    return observation(valueQuantity={"value": value}, **meta)


FHIR_SOURCE = {"kind": "fhir", "subject": "id"}
EARLY, LATE = "2020-01-01T00:00:00Z", "2020-02-01T00:00:00+01:00"


@pytest.mark.parametrize(
    ("first", "second", "stands"),
    [
        (version(2, LATE), version(1, EARLY), 2),
        (version(1, EARLY), version(2, LATE), 2),
        (version(2, None), version(1, EARLY), 1),  # one does not tell: the file that comes later counts
        (observation(dataAbsentReason={}, meta={"lastUpdated": LATE}), version(1, EARLY), None),
    ],
)
@pytest.mark.parametrize("nights", [1, 2])
def test_the_newer_version_counts_whatever_comes_first(
    hospital: Hospital, first: str, second: str, stands: int | None, nights: int
) -> None:
    source = {**FHIR_SOURCE, "uri": str(hospital.archive)}
    hospital.put("a/Observation.ndjson", first)
    if nights == 2:
        hospital.ingest(source=source)
    hospital.put("b/Observation.ndjson", second)
    hospital.ingest(source=source)
    expected = {1: [1.0], 2: [2.0], None: [] if nights == 1 else [1.0]}[stands]
    assert [value for _, value in hospital.values()] == expected


def test_an_old_export_that_comes_late_is_known(hospital: Hospital) -> None:
    source = {**FHIR_SOURCE, "uri": str(hospital.archive)}
    hospital.put("b/Observation.ndjson", version(2, LATE))
    hospital.ingest(source=source)
    hospital.put("a/Observation.ndjson", version(1, EARLY) + "\n" + observation(status="entered-in-error"))
    hospital.put("a/Observation.2.ndjson", observation(status="entered-in-error", meta={"lastUpdated": EARLY}))
    assert parts(hospital.ingest(source=source)) == {"known": 2, "ingested": 1}


def test_files_come_in_the_order_of_their_numbers(hospital: Hospital) -> None:
    hospital.put("labs.10.csv", ROWS + f"1,p1,,{NOON},K,2,u\n")
    assert night(hospital, "labs.9.csv", f"1,p1,{NOON},1") == {"ingested": 2}
    assert hospital.values() == [("LAB//K", 2.0)]


@pytest.mark.parametrize(
    ("way", "old", "new"),
    [
        ("at", "2020-03-01 08:00:00", "2020-03-01 09:00:00"),
        ({"column": "at", "unit": "seconds", "origin": "2000-01-01T00:00:00"}, "9", "10"),
    ],
)
def test_a_table_may_tell_which_version_is_newer(hospital: Hospital, way: Any, old: str, new: str) -> None:
    table = {**TABLES[1], "version": way}
    source = {"kind": "tables", "uri": str(hospital.archive), "tables": [table]}
    head = ROWS.replace("\n", ",at\n")
    hospital.put("labs-1.csv", f"{head}1,p1,,{NOON},K,10,u,{new}\n")
    hospital.put("labs-2.csv", f"{head}1,p1,,{NOON},K,9,u,{old}\n")
    hospital.ingest(source=source)
    assert hospital.values() == [("LAB//K", 10.0)]
    hospital.put("labs-3.csv", f"{head}1,p1,,{NOON},K,8,u,{old}\n1,p1,,{NOON},K,,u,{old}\n")
    assert parts(hospital.ingest(source=source)) == {"known": 2}
    assert hospital.values() == [("LAB//K", 10.0)]


def test_the_time_of_a_version_is_not_told(hospital: Hospital) -> None:
    """Its differences are, within one record; two records of one time have other numbers."""
    source = {**FHIR_SOURCE, "uri": str(hospital.archive)}
    lines = [version(1, EARLY), version(2, LATE), version(3, EARLY).replace('"o"', '"other"')]
    hospital.put("Observation.ndjson", "\n".join(lines))
    hospital.ingest(source=source)
    rows = hospital.state.table(EVENTS, ("numeric_value", "record_order")).to_pylist()
    order = {row["numeric_value"]: row["record_order"] for row in rows}
    assert (order[2.0] - order[1.0]) % 2**64 == (31 * 24 - 1) * 3600 * 10**6
    assert order[1.0] != order[3.0]
    assert all(abs(number) > 10**16 for number in order.values())  # no microseconds of our age
