"""What becomes of a record that comes again and says nothing any more."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hospital import TABLES, Hospital, without_engine

from medray.drivers.job import Result

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
