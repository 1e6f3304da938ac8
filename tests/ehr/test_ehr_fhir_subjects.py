"""FHIR: patients by the identifier that images carry."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pyarrow as pa

from medray.contracts import RecordFile
from medray.ehr.fhir.config import FhirConfig
from medray.ehr.fhir.spec import SOURCE

CONFIG = FhirConfig(kind="fhir", subject="urn:oid:1.2")


def _file(name: str, *patients: Any, cut: int = 0) -> RecordFile:
    data = "\n".join(json.dumps({"resourceType": "Patient", **patient}) for patient in patients).encode()
    if cut:
        data = gzip.compress(data)[:-cut]
    return RecordFile(name, len(data), lambda: pa.BufferReader(data))


def _identifier(value: Any, system: Any = "urn:oid:1.2", **more: Any) -> dict[str, Any]:
    return {"system": system, "value": value, **more}


def test_the_identifier_in_use_comes_before_an_old_one() -> None:
    file = _file(
        "Patient.ndjson",
        {"id": "1", "identifier": [_identifier("A", use="old"), _identifier("B")]},
        {"id": "2", "identifier": [_identifier("C", use="old")]},
        {"id": "3", "identifier": [_identifier("D", "urn:oid:9")]},
        {"id": "4", "identifier": [_identifier(5), _identifier("E")]},
        {"id": "5", "identifier": _identifier("F")},
        {"id": 6, "identifier": [_identifier("G")]},
    )
    assert SOURCE.subjects([file], CONFIG) == {"1": "B", "2": "C", "4": "E"}


def test_the_later_file_counts_in_any_order_of_listing() -> None:
    early = _file("Patient.1.ndjson", {"id": "1", "identifier": [_identifier("A")]})
    late = _file("Patient.2.ndjson", {"id": "1", "identifier": [_identifier("B")]})
    assert SOURCE.subjects([early, late], CONFIG) == SOURCE.subjects([late, early], CONFIG) == {"1": "B"}


def test_a_file_that_cannot_be_trusted_names_nobody() -> None:
    whole = _file("Patient.1.ndjson", {"id": "1", "identifier": [_identifier("A")]})
    cut = _file("Patient.2.ndjson", *({"id": str(i), "identifier": [_identifier("B")]} for i in range(500)), cut=5)
    other = _file("Observation.ndjson", {"id": "9", "identifier": [_identifier("Z")]})
    assert SOURCE.subjects([cut, whole, other], CONFIG) == {"1": "A"}
