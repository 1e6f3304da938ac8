"""FHIR bulk export: a folder of invented patients and the records that it must give."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from medray.contracts import RECORDS, RecordFile
from medray.ehr.fhir.config import FhirConfig
from medray.ehr.fhir.spec import SOURCE
from medray.errors import Unusable

GOLDEN = Path(__file__).parent / "golden" / "fhir"
FILES = sorted(path.name for path in (GOLDEN / "in").iterdir())
MRN = FhirConfig(kind="fhir", subject="http://hospital.example/mrn")


def _rows(name: str) -> Iterator[dict[str, str]]:
    with (GOLDEN / name).open(newline="") as stream:
        yield from csv.DictReader(stream)


FACTS = {row["file"]: row for row in _rows("files.csv")}


def _file(name: str) -> RecordFile:
    path = GOLDEN / "in" / name
    return RecordFile(name, path.stat().st_size, lambda: pa.OSFile(str(path)))


def _expected(name: str) -> list[dict[str, str]]:
    return [
        {key: value for key, value in row.items() if key != "file"}
        for row in _rows("records.csv")
        if row["file"] == name
    ]


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.6g}" if isinstance(value, float) else str(value)


@pytest.mark.parametrize("name", FILES)
def test_each_file_gives_its_records(name: str) -> None:
    facts = FACTS[name]
    table = SOURCE.table_of(name, MRN)
    assert (table or "") == facts["table"]
    if table is None or facts["unusable"]:
        return
    assert SOURCE.parts(_file(name), table, MRN) == 1
    found = list(SOURCE.read(_file(name), table, 0, MRN))
    assert all(records.rows.schema == RECORDS for records in found)
    rows = [{key: _cell(value) for key, value in row.items()} for records in found for row in records.rows.to_pylist()]
    assert rows == _expected(name)
    assert sum(records.source_rows for records in found) == int(facts["source_rows"])
    assert sum(records.empty for records in found) == int(facts["empty"])


@pytest.mark.parametrize("name", [name for name in FILES if FACTS[name]["unusable"]])
def test_files_that_cannot_be_trusted(name: str) -> None:
    with pytest.raises(Unusable) as told:
        list(SOURCE.read(_file(name), FACTS[name]["table"], 0, MRN))
    assert told.value.reason == FACTS[name]["unusable"]


def test_patients_have_the_identifier_that_images_have() -> None:
    assert SOURCE.subjects([_file(name) for name in FILES], MRN) == {"p1": "MRN-1", "p2": "MRN-2", "p4": "MRN-4"}
    assert SOURCE.subjects([_file(name) for name in FILES], FhirConfig(kind="fhir", subject="id")) is None


def test_no_free_text_leaves() -> None:
    for name in FILES:
        if FACTS[name]["table"] and not FACTS[name]["unusable"]:
            for records in SOURCE.read(_file(name), FACTS[name]["table"], 0, MRN):
                assert "Invented" not in str(records.rows.to_pylist())
                assert "Ada" not in str(records.rows.to_pylist())
