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
from medray.ehr.fhir.times import Moment, first_of, latest_of, start_of_period

Code = Callable[[Json, FhirConfig], str | None]
Read = Callable[[Json, Head, str | None, datetime | None, FhirConfig], list[Event | None]]


@dataclass(frozen=True)
class Kind:
    """Where a resource keeps what an event needs.

    Attributes:
        code: its code, or None.
        time: when it became known.
        read: (resource, head, code, time, config) -> its events.
        subject, encounter: elements with the references.
    """

    code: Code
    time: Moment
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


_EFFECTIVE = ("effectiveDateTime", "effectivePeriod")
_RECORDED = first_of("recordedDate", "onsetDateTime", "onsetPeriod")

# Allergies and orders carry a prefix because the bare code says that the substance was given.
# A diagnosis counts from when it was recorded: its onset, told later, was not known before. A report is
# known when it is issued, which may be days after the specimen that it speaks of.
KINDS = {
    "AllergyIntolerance": Kind(_allergy, _RECORDED, subject="patient"),
    "Condition": Kind(_code, _RECORDED),
    "DiagnosticReport": Kind(_code, latest_of(_EFFECTIVE, ("issued",)), concluded),
    "Encounter": Kind(encounter_code, start_of_period, encounter_events),
    "Immunization": Kind(_vaccine, first_of("occurrenceDateTime"), subject="patient"),
    "MedicationAdministration": Kind(_medication, first_of(*_EFFECTIVE), dosed, encounter="context"),
    "MedicationRequest": Kind(_order, first_of("authoredOn")),
    "Observation": Kind(_code, first_of(*_EFFECTIVE, "effectiveInstant", "issued"), observed),
    "Procedure": Kind(_code, first_of("performedDateTime", "performedPeriod")),
}
TYPES = ("Patient", *KINDS)
