"""One resource becomes its candidate events."""

from __future__ import annotations

from medray.ehr.fhir.config import FhirConfig
from medray.ehr.fhir.event import Event, Head, emptied, refused, taken_back, timed
from medray.ehr.fhir.kinds import KINDS, Kind
from medray.ehr.fhir.patient import patient_events
from medray.ehr.fhir.references import target_id
from medray.ehr.fhir.shapes import Json, member, word
from medray.ehr.fhir.standing import standing
from medray.ehr.fhir.times import updated


def _stated(resource: Json, name: str, kind: Kind, config: FhirConfig) -> list[Event | None]:
    own = word(resource.get("id"))
    encounter = own if name == "Encounter" else target_id(member(resource, kind.encounter), "Encounter")
    subject = target_id(member(resource, kind.subject), "Patient")
    head = Head(name, subject, own and f"{name}/{own}", updated(resource), encounter)
    stands = standing(resource, name)
    if stands == "pending":  # nothing is known yet, and nothing taken back
        return [None]
    code, time = kind.code(resource, config), kind.time(resource)
    if stands == "withdrawn":
        return [taken_back(head, code, time)]
    if stands == "holds":
        return emptied(head, kind.read(resource, head, code, time, config) or [None])
    event = timed(head, code and f"{stands}//{code}", time, defines_encounter=name == "Encounter")
    return emptied(head, [event])


def events_of(resource: Json, config: FhirConfig) -> list[Event | None]:
    """The events of a resource in the order of its elements; None for a candidate that holds nothing.

    At least one: a resource that says nothing is one candidate that holds nothing, or that takes back
    what it said before. A type that is not read here is one event with reason `malformed`.
    """
    name = resource.get("resourceType")
    if name == "Patient":
        own = word(resource.get("id"))
        head = Head(name, own, own and f"Patient/{own}", updated(resource), None)
        return emptied(head, patient_events(resource, head) or [None])
    kind = KINDS.get(name) if type(name) is str else None
    if type(name) is not str or kind is None:
        return [refused("malformed")]
    return _stated(resource, name, kind, config)
