"""One resource becomes its candidate events."""

from __future__ import annotations

from medray.ehr.fhir.config import FhirConfig
from medray.ehr.fhir.event import Event, Head, refused, taken_back, timed
from medray.ehr.fhir.kinds import KINDS, Kind
from medray.ehr.fhir.patient import patient_events
from medray.ehr.fhir.references import target_id
from medray.ehr.fhir.shapes import Json, member, word
from medray.ehr.fhir.standing import standing


def _stated(resource: Json, name: str, kind: Kind, config: FhirConfig) -> list[Event | None]:
    own = word(resource.get("id"))
    encounter = own if name == "Encounter" else target_id(member(resource, kind.encounter), "Encounter")
    subject = target_id(member(resource, kind.subject), "Patient")
    head = Head(name, subject, own and f"{name}/{own}", encounter)
    stands = standing(resource, name)
    if stands == "pending":
        return []
    code, time = kind.code(resource, config), kind.time(resource)
    if stands == "withdrawn":
        return [taken_back(head, code, time)]
    if stands == "holds":
        return kind.read(resource, head, code, time, config)
    return [timed(head, code and f"{stands}//{code}", time, defines_encounter=name == "Encounter")]


def events_of(resource: Json, config: FhirConfig) -> list[Event | None]:
    """The events of a resource in the order of its elements; None for a candidate that holds nothing.

    At least one: a resource that says nothing is one candidate that holds nothing. A type that is
    not read here is one event with reason `malformed`.
    """
    name = resource.get("resourceType")
    if name == "Patient":
        own = word(resource.get("id"))
        return list(patient_events(resource, Head(name, own, own and f"Patient/{own}", None))) or [None]
    kind = KINDS.get(name) if type(name) is str else None
    if type(name) is not str or kind is None:
        return [refused("malformed")]
    return _stated(resource, name, kind, config) or [None]
