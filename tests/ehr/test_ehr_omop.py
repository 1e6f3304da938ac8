"""OMOP CDM tables by hand."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pyarrow as pa
import pytest
from ehr.record_archive import counts, file, parquet, read, rows
from pydantic import ValidationError

from medray.ehr.omop.config import OmopConfig
from medray.ehr.omop.spec import SOURCE
from medray.errors import Unusable

CONFIG = OmopConfig(kind="omop", codes="concept", subject="person_id")
OWN = OmopConfig(kind="omop", codes="source", subject="person_source_value")
LAST = datetime(2101, 1, 1, 23, 59, 59)
PERSON = file(
    "person.csv",
    "person_id,gender_concept_id,year_of_birth,month_of_birth,day_of_birth,birth_datetime,race_concept_id,"
    "ethnicity_concept_id,person_source_value,gender_source_value,race_source_value,ethnicity_source_value\n"
    "1,8507,1960,2,29,,8527,0,MRN1,M,,\n"
    "2,0,1970,,,1970-05-06 07:08:00,0,38003564,MRN2,F,,\n",
)


def omop(item: Any, config: OmopConfig = CONFIG) -> list[dict[str, Any]]:
    return rows(item, config, SOURCE)


def test_persons_are_born_and_have_static_facts() -> None:
    assert omop(PERSON) == [
        {"row": 0, "subject": "1", "record": "1"} | more
        for more in (
            {"code": "MEDS_BIRTH", "time": datetime(1960, 2, 29)},
            {"code": "GENDER//OMOP//8507"},
            {"code": "RACE//OMOP//8527"},
        )
    ] + [
        {"row": 1, "subject": "2", "record": "2"} | more
        for more in (
            {"code": "MEDS_BIRTH", "time": datetime(1970, 5, 6, 7, 8)},
            {"code": "GENDER//F"},
            {"code": "ETHNICITY//OMOP//38003564"},
        )
    ]
    assert counts(read(PERSON, CONFIG, SOURCE)) == (2, 6, 2)
    assert [row["code"] for row in omop(PERSON, OWN)] == ["MEDS_BIRTH", "GENDER//M", "MEDS_BIRTH", "GENDER//F"]


def test_the_shared_identifier_stands_in_person() -> None:
    files = [file("DEATH.csv", "person_id\n1\n"), PERSON]
    assert SOURCE.subjects(files, CONFIG) is None
    assert SOURCE.subjects(files, OWN) == {"1": "MRN1", "2": "MRN2"}


def test_deaths() -> None:
    item = file("DEATH.csv", "PERSON_ID,DEATH_DATE,CAUSE_CONCEPT_ID\n1,2101-02-03,5\n")
    assert omop(item) == [
        {"row": 0, "subject": "1", "record": "1", "code": "MEDS_DEATH", "time": datetime(2101, 2, 3, 23, 59, 59)}
    ]


def test_visits_define_encounters() -> None:
    content = (
        "visit_occurrence_id,person_id,visit_concept_id,visit_start_date,visit_start_datetime,visit_end_date\n"
        "70,1,9201,2101-01-01,2101-01-01 12:30:00,2101-01-05\n"
        "71,1,0,2101-02-01,,\n"
    )
    shared = {"row": 0, "subject": "1", "record": "70", "encounter": "70", "defines_encounter": True}
    assert omop(file("visit_occurrence.csv", content)) == [
        shared | {"code": "VISIT//START//OMOP//9201", "time": datetime(2101, 1, 1, 12, 30)},
        shared | {"code": "VISIT//END//OMOP//9201", "time": datetime(2101, 1, 5, 23, 59, 59)},
        {
            "row": 1, "subject": "1", "record": "71", "code": "visit_occurrence", "withdrawn": True, "reason": "empty"
        },
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("dates", "start", "end"),
    [
        ("2101-01-01,,2101-01-01,2101-01-01 15:00:00", datetime(2101, 1, 1, 15), datetime(2101, 1, 1, 15)),
        ("2101-01-01,,2101-01-01,", LAST, LAST),
        ("2101-01-01,2101-01-01 00:00:00,2101-01-01,2101-01-01 00:00:00", LAST, LAST),
        ("2101-01-01 00:00:00,,2101-01-01 00:00:00,", LAST, LAST),
        ("2101-01-01,,2101-01-03,", LAST, datetime(2101, 1, 3, 23, 59, 59)),
        ("2101-01-01,2101-01-01 08:00:00,2101-01-01,", datetime(2101, 1, 1, 8), LAST),
    ],
)
def test_a_day_without_a_time_is_known_when_it_is_over(dates: str, start: datetime, end: datetime) -> None:
    content = (
        "visit_occurrence_id,person_id,visit_concept_id,visit_start_date,visit_start_datetime,visit_end_date,"
        f"visit_end_datetime\n70,1,9201,{dates}\n"
    )
    assert [row["time"] for row in omop(file("visit_occurrence.csv", content))] == [start, end]


def test_details_of_visits_belong_to_an_encounter() -> None:
    content = (
        "visit_detail_id,person_id,visit_detail_concept_id,visit_detail_start_date,visit_detail_end_date,"
        "visit_occurrence_id\n5,1,32037,2101-01-01,2101-01-02,70\n"
    )
    found = omop(file("visit_detail.csv", content))
    assert [(row["code"], row["encounter"], "defines_encounter" in row) for row in found] == [
        ("VISIT_DETAIL//START//OMOP//32037", "70", False), ("VISIT_DETAIL//END//OMOP//32037", "70", False),
    ]  # fmt: skip


def test_measurements() -> None:
    table = pa.table(
        {
            "measurement_id": [1, 2, 3],
            "person_id": [1, 1, 2],
            "measurement_concept_id": [3027018, 0, 3004410],
            "measurement_date": [date(2101, 1, 1)] * 3,
            "measurement_datetime": pa.array([datetime(2101, 1, 1, 8), None, None], pa.timestamp("us")),
            "value_as_number": [0.0, 7.5, None],
            "value_as_concept_id": [0, None, 45884084],
            "unit_source_value": ["bpm", None, None],
            "visit_occurrence_id": pa.array([70, None, None], pa.int64()),
            "measurement_source_value": ["HR", "site-7", "A1c"],
        }
    )
    assert omop(parquet("measurement/part-0.parquet", table, 2)) == [
        {
            "row": 0, "subject": "1", "record": "1", "code": "OMOP//3027018", "time": datetime(2101, 1, 1, 8),
            "numeric_value": 0.0, "unit": "bpm", "encounter": "70",
        },
        {
            "row": 1, "subject": "1", "record": "2", "code": "MEASUREMENT//site-7", "time": LAST,
            "numeric_value": 7.5,
        },
        {
            "row": 2, "subject": "2", "record": "3", "code": "OMOP//3004410", "time": LAST,
            "text_value": "45884084",
        },
    ]  # fmt: skip


MEASURED = (
    "measurement_id,person_id,measurement_concept_id,measurement_date,value_as_number,value_as_concept_id,"
    "unit_concept_id,unit_source_value,visit_occurrence_id,measurement_source_value\n"
)


def test_ids_that_were_written_as_floats_are_the_same_ids() -> None:
    plain = "1,2,3000963,2101-01-01,7.5,45876384,8713,,10,5.0\n2,2,0,2101-01-01,10.0,0,0,,,5.0\n"
    floats = "1.0,2.0,3000963.0,2101-01-01,7.5,45876384.0,8713.0,,10.0,5.0\n2.0,2.0,0.0,2101-01-01,10.0,0.0,0.0,,,5.0\n"
    for config in (CONFIG, OWN):
        expected = omop(file("measurement.csv", MEASURED + plain), config)
        assert omop(file("measurement.csv", MEASURED + floats), config) == expected
    assert [(row["code"], row["record"]) for row in omop(file("measurement.csv", MEASURED + floats))] == [
        ("OMOP//3000963", "1"), ("MEASUREMENT//5.0", "2"),
    ]  # fmt: skip
    person = file("person.csv", "person_id,person_source_value\n1.0,MRN1\n2.0,3.0\n")
    assert SOURCE.subjects([person], OWN) == {"1": "MRN1", "2": "3.0"}


def test_a_unit_is_the_printed_one_or_else_its_concept() -> None:
    rows_ = "1,1,5,2101-01-01,7,,8713,g/dL,,x\n2,1,5,2101-01-01,7,,8713,,,x\n3,1,5,2101-01-01,7,,0,,,x\n"
    item = file("measurement.csv", MEASURED + rows_)
    assert [row.get("unit") for row in omop(item)] == ["g/dL", "OMOP//8713", None]
    assert [row.get("unit") for row in omop(item, OWN)] == ["g/dL", None, None]


def test_texts_of_observations_are_kept_when_asked_for() -> None:
    content = (
        "observation_id,person_id,observation_concept_id,observation_date,value_as_string,value_as_concept_id,"
        "observation_source_value\n1,1,4275495,2101-01-01,never,45879404,smoking\n"
    )
    (found,) = omop(file("OBSERVATION.csv", content))
    assert (found["text_value"], found["code"]) == ("45879404", "OMOP//4275495")
    (found,) = omop(file("OBSERVATION.csv", content), OWN.model_copy(update={"keep_text": True}))
    assert (found["text_value"], found["code"]) == ("never", "OBSERVATION//smoking")


@pytest.mark.parametrize(
    ("name", "noun", "when"),
    [
        ("condition_occurrence", "condition", "condition_start"),
        ("drug_exposure", "drug", "drug_exposure_start"),
        ("procedure_occurrence", "procedure", "procedure"),
        ("device_exposure", "device", "device_exposure_start"),
    ],
)
def test_the_other_clinical_tables(name: str, noun: str, when: str) -> None:
    header = (
        f"{name}_id,person_id,{noun}_concept_id,{when}_date,{when}_datetime,visit_occurrence_id,{noun}_source_value"
    )
    item = file(f"{name}.tsv", f"{header}\n9,1,42,2101-01-01,2101-01-01 10:00:00,70,I10\n".replace(",", "\t"))
    expected = {"row": 0, "subject": "1", "record": "9", "encounter": "70", "time": datetime(2101, 1, 1, 10)}
    assert omop(item) == [expected | {"code": "OMOP//42"}]
    assert omop(item, OWN) == [expected | {"code": f"{noun.upper()}//I10"}]
    with pytest.raises(Unusable, match=f"no_columns .lacks {noun}_concept_id"):
        omop(file(f"{name}.csv", f"{name}_id,person_id,{when}_date\n"))


def test_tables_by_the_name_of_the_file_or_its_folder() -> None:
    names = {
        "PERSON.csv": "person", "cdm/measurement.csv.gz": "measurement", "cdm/MEASUREMENT/0.parquet": "measurement",
        "drug_exposure.parquet": "drug_exposure", "concept.csv": None, "person.txt": None,
        "visit_detail.tsv": "visit_detail", "person/README.md": None, "drug_era.csv": None,
    }  # fmt: skip
    assert {name: SOURCE.table_of(name, CONFIG) for name in names} == names


def test_mistakes_are_told() -> None:
    with pytest.raises(ValidationError, match="codes"):
        OmopConfig(kind="omop", subject="person_id")  # type: ignore[call-arg]
