"""What stands beside the code of a resource: measurements, doses, findings."""

from __future__ import annotations

from datetime import datetime

from medray.ehr.fhir.concepts import code_of
from medray.ehr.fhir.config import FhirConfig
from medray.ehr.fhir.event import BARE, Event, Head, Value, timed
from medray.ehr.fhir.shapes import Json, member, members
from medray.ehr.fhir.values import quantity, value_of

Events = list[Event | None]  # None: a candidate that holds nothing


def bare_event(resource: Json, head: Head, code: str | None, time: datetime | None, config: FhirConfig) -> Events:
    """The fact itself."""
    return [timed(head, code, time)]


def _of(head: Head, code: str | None, time: datetime | None, value: Value | None) -> Event | None:
    return None if value is None else timed(head, code, time, value)


def observed(resource: Json, head: Head, code: str | None, time: datetime | None, config: FhirConfig) -> Events:
    """The Observation's own value and each component under its own code.

    One that has components and no value of its own is a panel: the components are all there is.
    """
    parts = members(resource, "component")
    own = value_of(resource, config)
    events = [] if parts and (own is None or own == BARE) else [_of(head, code, time, own)]
    events += [_of(head, code_of(member(part, "code"), config.systems), time, value_of(part, config)) for part in parts]
    return events


def dosed(resource: Json, head: Head, code: str | None, time: datetime | None, config: FhirConfig) -> Events:
    """The administration with its dose, where that is given."""
    dose = member(resource, "dosage").get("dose")
    return [timed(head, code, time, (None if dose is None else quantity(dose)) or BARE)]


def concluded(resource: Json, head: Head, code: str | None, time: datetime | None, config: FhirConfig) -> Events:
    """The report once for each coded conclusion; once without, where it has none."""
    found = [code_of(concept, config.systems) for concept in members(resource, "conclusionCode")]
    values = [Value(text=text) for text in found if text is not None]
    return [timed(head, code, time, value) for value in values or [BARE]]
