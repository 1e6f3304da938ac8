"""The resource types that become events at one time: where each keeps code, time and values.

Element names: HL7 FHIR R4 (4.0.1), the page of each resource.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from medray.ehr.fhir.concepts import code_of
from medray.ehr.fhir.config import FhirConfig
from medray.ehr.fhir.encounter import encounter_code, encounter_events
from medray.ehr.fhir.event import Event, Head
from medray.ehr.fhir.measured import bare_event, concluded, dosed, observed
from medray.ehr.fhir.references import contained_resource
from medray.ehr.fhir.shapes import Json, member

Code = Callable[[Json, FhirConfig], str | None]
Read = Callable[[Json, Head, str | None, datetime | None, FhirConfig], list[Event | None]]


@dataclass(frozen=True)
class Kind:
    """Where a resource keeps what an event needs.

    Attributes:
        code: its code, or None.
        times: elements that tell when it became known; the first that is there counts.
        read: (resource, head, code, time, config) -> its events.
        subject, encounter: elements with the references.
    """

    code: Code
    times: tuple[str, ...]
    read: Read = bare_event
    subject: str = "subject"
    encounter: str = "encounter"


def _code(resource: Json, config: FhirConfig) -> str | None:
    return code_of(member(resource, "code"), config.systems)


def _vaccine(resource: Json, config: FhirConfig) -> str | None:
    return code_of(member(resource, "vaccineCode"), config.systems)


def _allergy(resource: Json, config: FhirConfig) -> str | None:
    code = _code(resource, config)
    return code and f"ALLERGY//{code}"


def _medication(resource: Json, config: FhirConfig) -> str | None:
    """Of the concept, or of the contained Medication; one in another file is not looked up."""
    concept = member(resource, "medicationCodeableConcept")
    if not concept:
        concept = member(contained_resource(resource, member(resource, "medicationReference")), "code")
    return code_of(concept, config.systems)


def _order(resource: Json, config: FhirConfig) -> str | None:
    code = _medication(resource, config)
    return code and f"ORDER//{code}"


# Allergies and orders carry a prefix because the bare code says that the substance was given.
# A diagnosis counts from when it was recorded: its onset, told later, was not known before.
KINDS = {
    "AllergyIntolerance": Kind(_allergy, ("recordedDate", "onsetDateTime", "onsetPeriod"), subject="patient"),
    "Condition": Kind(_code, ("recordedDate", "onsetDateTime", "onsetPeriod")),
    "DiagnosticReport": Kind(_code, ("effectiveDateTime", "effectivePeriod", "issued"), concluded),
    "Encounter": Kind(encounter_code, ("period",), encounter_events),
    "Immunization": Kind(_vaccine, ("occurrenceDateTime",), subject="patient"),
    "MedicationAdministration": Kind(
        _medication, ("effectiveDateTime", "effectivePeriod"), dosed, encounter="context"
    ),
    "MedicationRequest": Kind(_order, ("authoredOn",)),
    "Observation": Kind(_code, ("effectiveDateTime", "effectivePeriod", "effectiveInstant", "issued"), observed),
    "Procedure": Kind(_code, ("performedDateTime", "performedPeriod")),
}  # fmt: skip
TYPES = ("Patient", *KINDS)
