"""The worked mappings, and archives of their form in a few rows."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pytest
from ehr.record_archive import counts, file, parquet, read, rows, tables

from medray.config import load
from medray.ehr.tables.config import TablesConfig
from medray.ehr.tables.source import lookups
from medray.ehr.tables.spec import SOURCE

RECIPES = Path(__file__).resolve().parents[2] / "jobs" / "recipes"


def mapping(name: str) -> TablesConfig:
    source = load(str(RECIPES / name / "ingest.toml")).source  # type: ignore[attr-defined]
    return TablesConfig.model_validate(source.model_dump(exclude={"uri"}))


def test_mimic3() -> None:
    config = mapping("mimic3")
    admissions = file(
        "ADMISSIONS.csv.gz",
        "row_id,subject_id,hadm_id,admittime,dischtime,deathtime,admission_type,admission_location,discharge_location,"
        "insurance,language,marital_status,ethnicity,edregtime,edouttime,diagnosis\n"
        "1,10,100,2101-01-01 10:00:00,2101-01-05 12:00:00,,URGENT,,HOME,Medicare,,SINGLE,WHITE,,,SEPSIS\n",
    )
    assert [(row["code"], row["time"].day) for row in rows(admissions, config)] == [
        ("ADMISSION//URGENT//UNK", 1), ("INSURANCE//Medicare", 1), ("MARITAL_STATUS//SINGLE", 1),
        ("ETHNICITY//WHITE", 1), ("DISCHARGE//HOME", 5),
    ]  # fmt: skip
    diagnoses = file(
        "DIAGNOSES_ICD.csv", "ROW_ID,SUBJECT_ID,HADM_ID,SEQ_NUM,ICD9_CODE\n5,10,100,1,0389\n6,10,101,1,4019\n"
    )
    assert rows(diagnoses, config, found=lookups([admissions], config)) == [
        {
            "row": 0, "subject": "10", "record": "5", "encounter": "100", "code": "DIAGNOSIS//ICD9CM//0389",
            "time": datetime(2101, 1, 5, 12),
        },
        {"row": 1, "subject": "10", "record": "6", "code": "DIAGNOSES_ICD", "withdrawn": True, "reason": "empty"},
    ]  # fmt: skip
    doses = file(
        "PRESCRIPTIONS.csv",
        "ROW_ID,SUBJECT_ID,HADM_ID,STARTDATE,ENDDATE,DRUG,DOSE_VAL_RX,DOSE_UNIT_RX,ROUTE\n"
        "7,10,100,2101-01-02 00:00:00,,Heparin,1-2,mL,\n",
    )
    (dose,) = rows(doses, config)
    assert (dose["code"], dose["text_value"], dose["unit"]) == ("DRUG_START//Heparin//UNK", "1-2", "mL")
    assert dose["time"] == datetime(2101, 1, 2, 23, 59, 59)


def test_the_dates_of_mimic3_are_known_when_they_are_over() -> None:
    last = datetime(2101, 1, 2, 23, 59, 59)
    for name, header, row, times in [
        ("PATIENTS.csv", "SUBJECT_ID,GENDER,DOB,DOD", "1,,2050-01-01 00:00:00,{}", [datetime(2050, 1, 1), last]),
        (
            "PRESCRIPTIONS.csv",
            "ROW_ID,SUBJECT_ID,HADM_ID,STARTDATE,ENDDATE,DRUG,DOSE_VAL_RX,DOSE_UNIT_RX,ROUTE",
            "1,1,1,{0},{0},Heparin,1,mL,",
            [last, last],
        ),
        (
            "MICROBIOLOGYEVENTS.csv",
            "ROW_ID,SUBJECT_ID,HADM_ID,SPEC_TYPE_DESC,CHARTTIME,CHARTDATE",
            "1,1,1,URINE,,{}\n2,1,1,URINE,2101-01-02 00:00:00,{}",
            [last, datetime(2101, 1, 2)],
        ),
    ]:
        item = file(name, f"{header}\n{row.format(*['2101-01-02 00:00:00'] * 2)}\n")
        assert [found["time"] for found in rows(item, mapping("mimic3"))] == times, name
    cpt = file("CPTEVENTS.csv", "ROW_ID,SUBJECT_ID,HADM_ID,CPT_CD,CHARTDATE\n1,1,1,99,2101-01-02 00:00:00\n")
    stays = file("ADMISSIONS.csv", "HADM_ID,DISCHTIME\n1,2101-01-09 12:00:00\n")
    (found,) = rows(cpt, mapping("mimic3"), found=lookups([stays], mapping("mimic3")))
    assert found["time"] == last


def test_physionet2012() -> None:
    events = pa.table(
        {
            "record_id": pa.array([132539] * 5, pa.int32()),
            "minute": pa.array([0, 0, 0, 7, 9], pa.int16()),
            "parameter": pa.array(["RecordID", "Age", "Height", "HR", "Weight"]).dictionary_encode(),
            "value": pa.array([132539, 54, -1, 73, -1], pa.float32()),
        }
    )
    found = read(parquet("set_a_events.parquet", events, 2), mapping("physionet2012"))
    assert counts(found) == (5, 3, 12)
    assert rows(parquet("set_a_events.parquet", events, 2), mapping("physionet2012")) == [
        {"row": 0, "subject": "132539", "code": "ADMISSION", "time": datetime(2000, 1, 1)},
        {"row": 1, "subject": "132539", "code": "Age", "numeric_value": 54.0},
        {"row": 3, "subject": "132539", "code": "HR", "numeric_value": 73.0, "time": datetime(2000, 1, 1, 0, 7)},
    ]


EICU = """
[subjects]
files = "patient.csv*"
subject = "patientunitstayid"
shared = "uniquepid"

[[tables]]
name = "vitalPeriodic"
files = "vitalPeriodic.csv*"
subject = "patientunitstayid"
record = "vitalperiodicid"
encounter = "patientunitstayid"
[[tables.events]]
code = "VITAL//{column}"
columns = ["temperature", "heartrate"]
time = { column = "observationoffset", unit = "minutes", origin = 2000-01-01T00:00:00 }
"""


def test_offsets_and_wide_rows_as_in_eicu() -> None:
    vitals = file(
        "vitalPeriodic.csv",
        "vitalperiodicid,patientunitstayid,observationoffset,temperature,heartrate\n37,141765,-5,,88\n38,141765,60,37.5,\n",
    )
    shared = {"subject": "141765", "encounter": "141765"}
    assert rows(vitals, tables(EICU)) == [
        shared | {
            "row": 0, "record": "37", "code": "VITAL//heartrate", "numeric_value": 88.0,
            "time": datetime(1999, 12, 31, 23, 55),
        },
        shared | {
            "row": 1, "record": "38", "code": "VITAL//temperature", "numeric_value": 37.5,
            "time": datetime(2000, 1, 1, 1),
        },
    ]  # fmt: skip
    patient = file("patient.csv", "patientunitstayid,uniquepid\n141765,002-34851\n")
    assert SOURCE.subjects([patient, vitals], tables(EICU)) == {"141765": "002-34851"}


def test_ages_and_anchor_years_as_in_mimic4() -> None:
    config = tables(
        '[[tables]]\nname="patients"\nfiles="hosp/patients.csv*"\nsubject="subject_id"\n'
        'events=[{code="MEDS_BIRTH", time={year="anchor_year", age="anchor_age"}}]'
    )
    patients = file("hosp/patients.csv", "subject_id,gender,anchor_age,anchor_year\n10000032,F,52,2180\n")
    assert rows(patients, config)[0]["time"] == datetime(2128, 1, 1)


DATA = Path(os.environ.get("MEDRAY_TEST_DATA", RECIPES.parents[2] / "shared" / "data"))
# candidates that hold something, of the 23 tables of the demo; counted by hand in its files
MIMIC3_DEMO = {
    "PATIENTS": (100, 300), "ADMISSIONS": (128, 928), "ICUSTAYS": (136, 272), "TRANSFERS": (524, 524),
    "SERVICES": (163, 163), "CALLOUT": (77, 154), "DIAGNOSES_ICD": (1761, 1753), "PROCEDURES_ICD": (506, 503),
    "DRGCODES": (297, 296), "CPTEVENTS": (1579, 1563), "DATETIMEEVENTS": (15551, 15551),
    "INPUTEVENTS_MV": (13224, 20628), "OUTPUTEVENTS": (11320, 11320), "PROCEDUREEVENTS_MV": (753, 1454),
    "PRESCRIPTIONS": (10398, 20795), "MICROBIOLOGYEVENTS": (2003, 2003),
}  # fmt: skip


def test_the_demo_of_mimic3() -> None:
    folder = DATA / "mimic3_demo"
    if not folder.is_dir():
        pytest.skip("no mimic3_demo in $MEDRAY_TEST_DATA")
    config = mapping("mimic3")
    files = [file(path.name, path.read_bytes()) for path in sorted(folder.glob("*.csv.gz"))]
    found = lookups(files, config)
    read_counts = {}
    for item in files:
        table = SOURCE.table_of(item.name, config)
        if table is not None:
            records = read(item, config, found=found)
            emptied = [word for part in records for word in part.rows["reason"].drop_null().to_pylist()]
            assert set(emptied) <= {"empty"}
            source_rows, events, empty = counts(records)
            assert events + empty == source_rows * len(config.table(table).events)
            read_counts[table] = (source_rows, events - len(emptied))
    assert read_counts == MIMIC3_DEMO
