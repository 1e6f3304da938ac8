"""Patient.id -> the identifier that images and records share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from medray.contracts import RecordFile
from medray.ehr.fhir.config import FhirConfig
from medray.ehr.fhir.files import table_of
from medray.ehr.fhir.lines import lines
from medray.ehr.fhir.read import resource_of
from medray.ehr.fhir.shapes import Json, members, word
from medray.errors import Unusable


def _identifier(patient: Json, system: str) -> str | None:
    """The identifier of that system that is in use; an old one where there is no other."""
    found = [item for item in members(patient, "identifier") if item.get("system") == system]
    found.sort(key=lambda item: item.get("use") == "old")
    return next((value for item in found if (value := word(item.get("value")))), None)


def _of_file(file: RecordFile, config: FhirConfig) -> dict[str, str]:
    shared = {}
    for _, line in lines(file, config.line_bytes):
        patient = resource_of(line)
        if patient is None or patient.get("resourceType") != "Patient":
            continue
        own, identifier = word(patient.get("id")), _identifier(patient, config.subject)
        if own and identifier:
            shared[own] = identifier
    return shared


def subjects(files: Sequence[RecordFile], config: FhirConfig) -> Mapping[str, str] | None:
    """None with subject = "id". Else the identifiers in all Patient files; the file with the later
    name counts where two tell one patient, and a file that cannot be used (reading it tells why) not at all."""
    if config.subject == "id":
        return None
    shared: dict[str, str] = {}
    for file in sorted(files, key=lambda file: file.name):
        if table_of(file.name, config) == "Patient":
            try:
                shared |= _of_file(file, config)
            except Unusable:
                continue
    return shared
