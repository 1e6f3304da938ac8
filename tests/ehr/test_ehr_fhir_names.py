"""FHIR: names of files, codes, times, references and numbers, one by one."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from medray.ehr.fhir.concepts import code_of
from medray.ehr.fhir.config import FhirConfig
from medray.ehr.fhir.event import Value
from medray.ehr.fhir.files import table_of
from medray.ehr.fhir.references import target_id
from medray.ehr.fhir.resource import events_of
from medray.ehr.fhir.values import quantity, value_of

CONFIG = FhirConfig(kind="fhir", subject="id")
KEEP_TEXT = FhirConfig(kind="fhir", subject="id", keep_text=True)
LOINC = {"system": "http://loinc.org", "code": "8867-4"}
ICD = {"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "I10"}
LOCAL = {"system": "http://hospital.example/codes", "code": "HR"}


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("Observation.ndjson", "Observation"),
        ("Observation.000.ndjson", "Observation"),
        ("1.Patient.ndjson.gz", "Patient"),
        ("patients/part-0001.jsonl", "Patient"),
        ("MedicationRequest/MedicationRequest-0-of-3.ndjson", "MedicationRequest"),
        ("Observation/2021/Condition_3.NDJSON", "Condition"),
        ("Observation/2021/7.ndjson", "Observation"),
        ("Patient/Observation/7.ndjson", "Observation"),
        ("fhir/MimicObservationLabevents.ndjson.gz", "Observation"),
        ("fhir/MimicMedicationAdministrationICU.ndjson.gz", "MedicationAdministration"),
        ("fhir/MimicMedication.ndjson.gz", None),
        ("ObservationDefinition.ndjson", None),
        ("ImmunizationRecommendation.ndjson", None),
        ("Specimen.ndjson", None),
        ("Patient.json", None),
        ("Patient.ndjson.zip", None),
    ],
)
def test_files_are_known_by_their_names(name: str, table: str | None) -> None:
    assert table_of(name, CONFIG) == table


@pytest.mark.parametrize(
    ("codings", "systems", "code"),
    [
        ([LOCAL, LOINC, ICD], (), "LOINC//8867-4"),
        ([LOCAL, LOINC, ICD], ("SNOMED", "ICD10CM"), "ICD10CM//I10"),
        ([LOCAL, LOINC], ("http://hospital.example/codes",), "http://hospital.example/codes//HR"),
        ([LOINC, ICD], ("http://hl7.org/fhir/sid/icd-10-cm",), "ICD10CM//I10"),
        ([LOCAL], ("SNOMED",), "http://hospital.example/codes//HR"),
        ([{"system": "http://snomed.info/sct/", "code": "1"}], (), "SNOMED//1"),
        ([{"code": "8867-4"}], (), None),
        ([{"system": "hospital", "code": "HR"}], (), None),
        ([{"system": "http://loinc.org", "code": " 8867-4"}], (), None),
        ([{"system": "http://loinc.org", "code": "a\nb"}], (), None),
        ([{"system": "http://loinc.org", "code": "\ud800"}], (), None),
        ([{"system": "http://loinc.org", "code": 8867}, "x", None], (), None),
    ],
)
def test_codes(codings: list[Any], systems: tuple[str, ...], code: str | None) -> None:
    assert code_of({"coding": codings, "text": "Heart rate"}, systems) == code


@pytest.mark.parametrize(
    ("reference", "target"),
    [
        ({"reference": "Patient/123"}, "123"),
        ({"reference": "https://server/fhir/Patient/123/_history/4"}, "123"),
        ({"reference": "urn:uuid:0a-1"}, "0a-1"),
        ({"reference": "Patient/123", "type": "Patient"}, "123"),
        ({"reference": "urn:uuid:0a-1", "type": "Group"}, None),
        ({"reference": "Group/123"}, None),
        ({"reference": "InPatient/123"}, None),
        ({"reference": "Patient?identifier=1"}, None),
        ({"reference": "Patient/"}, None),
        ({"reference": "#123"}, None),
        ({"reference": 123}, None),
        ({"display": "Ada"}, None),
    ],
)
def test_references(reference: dict[str, Any], target: str | None) -> None:
    assert target_id(reference, "Patient") == target


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"value": 1, "code": "mg", "unit": "milligram"}, Value(1.0, None, "mg")),
        ({"value": "-1.5e1"}, Value(-15.0)),
        ({"value": 5, "comparator": ">="}, Value(5.0, ">=")),
        ({"value": 5, "comparator": "about"}, Value(5.0)),
        ({"value": 5, "unit": "x" * 65}, Value(5.0)),
        ({"unit": "mg"}, None),
        *(
            (bad, Value(reason="not_numeric"))
            for bad in [
                {"value": "abc"}, {"value": True}, {"value": [1]}, {"value": {}}, {"value": "nan"}, {"value": "1_0"},
                {"value": 1e39}, {"value": 10**400}, {"value": ""}, [1], "1", None,
            ]
        ),
    ],
)  # fmt: skip
def test_quantities(value: object, expected: Value | None) -> None:
    assert quantity(value) == expected


def test_text_is_kept_on_request_only() -> None:
    for holder in ({"valueString": "a\ud800b"}, {"valueCodeableConcept": {"text": "a\ud800b"}}):
        assert value_of(holder, CONFIG) == Value()
        assert value_of(holder, KEEP_TEXT) == Value(text="a?b")
    assert value_of({"valueString": ["a"]}, KEEP_TEXT) == Value()
    assert value_of({"valueCodeableConcept": {"coding": [LOINC], "text": "x"}}, KEEP_TEXT) == Value(
        text="LOINC//8867-4"
    )


def test_a_panel_with_a_value_of_its_own_keeps_it() -> None:
    panel = {
        "resourceType": "Observation", "id": "1", "code": {"coding": [LOINC]}, "effectiveDateTime": "2020",
        "subject": {"reference": "Patient/1"}, "valueInteger": 9,
        "component": [{"code": {"coding": [ICD]}, "valueInteger": 4}],
    }  # fmt: skip
    found = events_of(panel, CONFIG)
    assert [(event.code, event.numeric_value) for event in found if event] == [
        ("LOINC//8867-4", 9),
        ("ICD10CM//I10", 4),
    ]


@pytest.mark.parametrize("subject", ["", "PatientID", "hospital mrn", "http://a b"])
def test_the_subject_is_declared(subject: str) -> None:
    with pytest.raises(ValidationError):
        FhirConfig(kind="fhir", subject=subject)
    with pytest.raises(ValidationError):
        FhirConfig(kind="fhir")  # type: ignore[call-arg]
