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
        ([{"system": "urn:x", "code": "note Mustermann"}], (), None),
        ([{"system": "urn:x", "code": "note Mustermann"}, LOINC], (), "LOINC//8867-4"),
        ([{"system": "urn:x", "code": "HOME HEALTH"}], ("urn:x",), "urn:x//HOME HEALTH"),
        ([{"system": "urn:x", "code": "HOME HEALTH"}], ("LOINC",), None),
        ([{"system": "http://loinc.org", "code": "two words"}], ("LOINC",), "LOINC//two words"),
        ([{"system": "urn:x", "code": "seen 2021-07-18"}], ("urn:x",), None),
        ([{"system": "urn:x", "code": "seen:2021-07-18"}], (), None),
        ([{"system": "urn:x", "code": "18.7.2021"}], (), None),
        ([{"system": "urn:oid:1.2", "code": "1.2.840.2021.3"}], (), "urn:oid:1.2//1.2.840.2021.3"),
        ([{"system": "http://hl7.org/fhir/sid/ndc", "code": "0093-1048-01"}], (), "NDC//0093-1048-01"),
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
        ({"value": 5, "unit": "x" * 32}, Value(5.0, None, "x" * 32)),
        ({"value": 5, "unit": "x" * 33}, Value(5.0)),
        ({"value": 5, "code": "x" * 64}, Value(5.0, None, "x" * 64)),
        ({"value": 5, "unit": "given by nurse Mustermann"}, Value(5.0)),
        ({"value": 5, "unit": "given\u00a0by"}, Value(5.0)),
        ({"value": 5, "unit": "2021-07-19"}, Value(5.0)),
        ({"value": 5, "code": "given by nurse", "unit": "mg"}, Value(5.0, None, "mg")),
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


@pytest.mark.parametrize(
    ("kind", "left", "systems", "codes"),
    [
        ({"code": "IMP"}, {"code": "home"}, (), ["//IMP", "DISCHARGE//home"]),
        ({"code": "Frau Mustermann"}, {"code": "to daughter Erika 2021-07-19"}, (), ["", None]),
        ({"code": "x" * 33}, {"code": "x" * 33}, (), ["", None]),
        ({"code": "x" * 33, "system": "urn:x"}, {"code": "x" * 33, "system": "urn:x"}, (), ["//" + "x" * 33] * 2),
        ({"code": "A B", "system": "urn:x"}, {"code": "A B", "system": "urn:x"}, (), ["", None]),
        (
            {"code": "A B", "system": "urn:x"},
            {"code": "A B", "system": "urn:x"},
            ("urn:x",),
            ["//A B", "DISCHARGE//A B"],
        ),
        ({}, {"display": "home"}, (), [""]),
    ],
)
def test_classes_and_dispositions_are_codes_and_no_text(
    kind: Any, left: Any, systems: tuple[str, ...], codes: list[str | None]
) -> None:
    encounter = {
        "resourceType": "Encounter", "id": "1", "class": kind, "subject": {"reference": "Patient/1"},
        "period": {"start": "2020", "end": "2020"}, "hospitalization": {"dischargeDisposition": {"coding": [left]}},
    }  # fmt: skip
    config = FhirConfig(kind="fhir", subject="id", systems=systems)
    start, end, *more = [(event.code, event.reason) for event in events_of(encounter, config) if event]
    assert (start, end) == (("ENCOUNTER_START" + str(codes[0]), None), ("ENCOUNTER_END" + str(codes[0]), None))
    wanted = [code if code is None or code.startswith("DISCHARGE") else "DISCHARGE" + code for code in codes[1:]]
    assert more == [(code, None if code else "no_code") for code in wanted]


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
