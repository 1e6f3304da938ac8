"""A recipe that was wrong costs no file: what it could not read comes once it is right."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hospital import TABLES, Hospital, without_engine

from medray.drivers.abandon import abandon
from medray.drivers.job import Job, Result
from medray.drivers.open_plans import unfinished
from medray.errors import RecipeError, StorageError
from medray.narration import silent
from medray.schema.events import EVENTS
from medray.schema.quarantine import QUARANTINE
from medray.schema.record_files import RECORD_FILES

LABS: dict[str, Any] = TABLES[1]
ROWS = "id,subject_id,hadm_id,charttime,itemid,value,unit\n"
JOB = Job("2026-01-01", silent())


@pytest.fixture
def hospital(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Hospital:
    return without_engine(tmp_path / "hospital", monkeypatch)


def labs(hospital: Hospital, count: int = 1, **cells: str) -> None:
    row = {"subject_id": "p1", "charttime": "2020-01-02 00:00:00", "value": "140", **cells}
    lines = [f"{i},{row['subject_id']},,{row['charttime']},NA,{row['value']},u\n" for i in range(count)]
    hospital.put("labs.csv", ROWS + "".join(lines))


def ingest(hospital: Hospital, *tables: dict[str, Any], **changes: Any) -> Result:
    source = {"kind": "tables", "uri": str(hospital.archive), "tables": list(tables) or [LABS]}
    return hospital.ingest(source=source, **changes)


def timed(form: str) -> dict[str, Any]:
    return {**LABS, "events": [{**LABS["events"][0], "time": {"column": "charttime", "format": form}}]}


@pytest.mark.parametrize("mistake", [{"subject": "pat"}, {"encoding": "utf-8"}])
def test_a_file_that_a_corrected_mapping_reads_is_new(hospital: Hospital, mistake: dict[str, str]) -> None:
    (hospital.archive / "labs.csv").write_bytes((ROWS + "1,p1,,2020-01-02,NA,140,\xb5g\n").encode("latin-1"))
    right = {**LABS, "encoding": "latin-1"}
    wrong = {**right, **mistake}
    assert dict(ingest(hospital, wrong).sums[0].parts) == {"known": 0, "ingested": 0, "quarantined": 1}
    assert ingest(hospital, wrong).status == "nothing"
    assert ingest(hospital, wrong, {**TABLES[2], "subject": "other"}).status == "nothing"  # of another table
    assert dict(ingest(hospital, right).sums[0].parts) == {"known": 0, "ingested": 1, "quarantined": 0}
    assert hospital.values() == [("LAB//NA", 140.0)]
    assert ingest(hospital, right).status == "nothing"
    assert ingest(hospital, wrong).status == "nothing"
    assert (sum(hospital.reasons().values()), hospital.state.table(RECORD_FILES).num_rows) == (1, 1)


def test_a_refusal_without_a_mapping_is_looked_at_again() -> None:
    """Those of a lake that an earlier version wrote."""
    from medray.drivers.records.ingest_plan import _stays

    assert not _stays("no_columns", None, "now")
    assert _stays("no_columns", "now", "now")
    assert _stays("no_columns", "then", None)
    assert _stays("truncated", None, "now")


@pytest.mark.parametrize(
    ("cells", "wrong", "reason"),
    [
        ({}, timed("%d.%m.%Y"), "unreadable_time"),
        ({"charttime": "xx"}, {**LABS, "events": [{**LABS["events"][0], "value": "charttime"}]}, "unreadable_time"),
        ({}, {**LABS, "events": [{**LABS["events"][0], "value": "itemid"}]}, "not_numeric"),
        ({}, {**LABS, "subject": "hadm_id"}, "missing_subject"),
    ],
)
def test_a_recipe_that_no_row_fits_stops_before_anything_is_committed(
    hospital: Hospital, cells: dict[str, str], wrong: dict[str, Any], reason: str
) -> None:
    labs(hospital, 20, **cells)
    for _ in range(2):
        with pytest.raises(RecipeError, match=f"table labs: all 20 candidates are {reason}"):
            ingest(hospital, wrong)
        assert unfinished(JOB, hospital.lake, "ingest_ehr") == []
        assert list((Path(hospital.lake) / "staging").iterdir()) == []
        assert [hospital.state.table(table).num_rows for table in (EVENTS, QUARANTINE, RECORD_FILES)] == [0, 0, 0]
    labs(hospital, 20)
    assert dict(ingest(hospital).sums[1].parts)["ingested"] == 20


def test_few_rows_and_one_good_one_prove_no_recipe_wrong(hospital: Hospital) -> None:
    labs(hospital, 19, charttime="xx")
    assert dict(ingest(hospital).sums[1].parts)["quarantined"] == 19
    labs(hospital, 20, charttime="xx")
    hospital.put("labs-2.csv", ROWS + "99,p1,,2020-01-01,NA,1,u\n")
    assert dict(ingest(hospital).sums[1].parts)["quarantined"] == 20


def test_a_bad_delivery_of_a_table_that_worked_stops_no_night(hospital: Hospital) -> None:
    labs(hospital, 1)
    ingest(hospital)
    hospital.put("labs-2.csv", ROWS + "".join(f"{i},p1,,xx,NA,1,u\n" for i in range(100, 130)))
    assert dict(ingest(hospital).sums[1].parts)["quarantined"] == 30


def test_rows_that_hold_nothing_save_no_recipe(hospital: Hospital) -> None:
    labs(hospital, 20, charttime="xx")
    hospital.put("labs-2.csv", ROWS + "99,p1,,,NA,,u\n")
    with pytest.raises(RecipeError, match="all 20 candidates"):
        ingest(hospital)


def test_a_file_that_nobody_could_open_is_read_when_it_is_back(
    hospital: Hospital, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twice it cannot be opened, and the third night is another run than the second."""
    observation = {
        "resourceType": "Observation", "id": "o", "status": "final", "subject": {"reference": "Patient/p1"},
        "effectiveDateTime": "2020-01-01", "code": {"coding": [{"system": "http://loinc.org", "code": "K"}]},
        "valueQuantity": {"value": 4.5},
    }  # fmt: skip
    hospital.put("Observation.ndjson", json.dumps(observation))
    source = {"kind": "fhir", "uri": str(hospital.archive), "subject": "id"}  # planning does not open its files
    with monkeypatch.context() as patch:

        def closed(*_: Any) -> Any:
            raise PermissionError

        patch.setattr("medray.drivers.records.files._stream", closed)
        for night in (1, 2):
            result = hospital.ingest(source=source)
            assert dict(result.sums[0].parts) == {"known": 0, "ingested": 0, "quarantined": 1}
            assert hospital.reasons() == {"unreadable": night}
    result = hospital.ingest(source=source)
    assert [dict(one.parts) for one in result.sums] == [
        {"known": 0, "ingested": 1, "quarantined": 0},
        {"ingested": 1, "known": 0, "empty": 0, "duplicate": 0, "quarantined": 0},
    ]
    assert (hospital.values(), hospital.reasons()) == ([("LOINC//K", 4.5)], {"unreadable": 2})
    assert hospital.ingest(source=source).status == "nothing"


def joined(column: str) -> dict[str, Any]:
    return {**LABS, "joins": [{"files": "stays*", "on": "hadm_id", "columns": column}]}


def test_a_join_that_cannot_be_read_leaves_no_plan_behind(hospital: Hospital) -> None:
    labs(hospital)
    hospital.put("stays.csv", "hadm_id,ward\na1,ICU\n")
    with pytest.raises(StorageError, match=r"lacks wart.*correct \[source\], and run again"):
        ingest(hospital, joined("wart"))
    assert unfinished(JOB, hospital.lake, "ingest_ehr") == []
    assert dict(ingest(hospital, joined("ward")).sums[1].parts)["ingested"] == 1


def test_a_plan_that_cannot_be_finished_says_how_it_is_given_up(
    hospital: Hospital, monkeypatch: pytest.MonkeyPatch
) -> None:
    labs(hospital)
    stays = hospital.put("stays.csv", "hadm_id,ward\na1,ICU\n")
    with monkeypatch.context() as patch:
        patch.setattr("medray.drivers.records.ingest.run_chunks", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            ingest(hospital, joined("ward"))
    stays.write_text("hadm_id,wart\na1,ICU\n")
    (run_id,) = unfinished(JOB, hospital.lake, "ingest_ehr")
    with pytest.raises(StorageError, match=f"`medray abandon {run_id} --lake {hospital.lake}`"):
        ingest(hospital, joined("wart"))
    abandon(hospital.lake, run_id, JOB)
    assert dict(ingest(hospital, joined("wart")).sums[1].parts)["ingested"] == 1


CROSSWALK = [(" p1", "X1"), ("P1 ", "x1 "), ("0", "7"), ("2", "8")]


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_crosswalk_compares_identifiers_as_pseudonyms_do(hospital: Hospital, form: str) -> None:
    rows = [f"{i},{who},,2020-01-01,NA,{i},u\n" for i, who in enumerate([" p1", "p1", "P1", "0", "q"])]
    hospital.put("labs.csv", ROWS + "".join(rows))
    path = hospital.folder / f"crosswalk.{form}"
    if form == "csv":
        path.write_text("from,to\n" + "".join(f"{a},{b}\n" for a, b in CROSSWALK))
    else:
        pq.write_table(pa.table({"from": [a for a, _ in CROSSWALK], "to": [b for _, b in CROSSWALK]}), path)
    ingest(hospital, crosswalk=str(path))
    subjects = [row["subject_id"] for row in hospital.current("subject_id", "numeric_value")]
    assert sorted(map(subjects.count, set(subjects))) == [1, 3]
    assert hospital.reasons() == {"missing_subject": 1}


def test_numbers_of_a_crosswalk_are_identifiers(hospital: Hospital) -> None:
    hospital.put("labs.csv", ROWS + "1,0,,2020-01-01,NA,1,u\n2,12,,2020-01-01,NA,2,u\n")
    path = hospital.folder / "crosswalk.parquet"
    pq.write_table(pa.table({"from": [0, 12], "to": [5.0, 6.0]}), path)
    assert dict(ingest(hospital, crosswalk=str(path)).sums[1].parts)["ingested"] == 2


def test_identifiers_that_only_their_case_tells_apart_are_told_apart() -> None:
    from medray.drivers.records.files import shared_identifiers

    shared = shared_identifiers({"a": "1", "A": "2", "b": "3", "B ": "3"}, None)
    assert [shared(word) for word in ("a", "A", " a", " b", "c")] == ["1", "2", None, "3", None]
