"""Encounter: its start, its end, and where the patient went then."""

from __future__ import annotations

from datetime import datetime

from medray.ehr.fhir.config import FhirConfig
from medray.ehr.fhir.event import Event, Head, timed
from medray.ehr.fhir.shapes import Json, member, members, word
from medray.ehr.fhir.times import last_second


def _classed(stage: str, resource: Json) -> str:
    """`ENCOUNTER_START//IMP`; without a class the encounter still stands."""
    kind = word(member(resource, "class").get("code"))
    return f"{stage}//{kind}" if kind else stage


def encounter_code(resource: Json, config: FhirConfig) -> str:
    """The code of its start."""
    return _classed("ENCOUNTER_START", resource)


def _disposition(resource: Json) -> str | None:
    concept = member(member(resource, "hospitalization"), "dischargeDisposition")
    return next((code for coding in members(concept, "coding") if (code := word(coding.get("code")))), None)


def encounter_events(
    resource: Json, head: Head, code: str | None, time: datetime | None, config: FhirConfig
) -> list[Event | None]:
    """ENCOUNTER_START//, ENCOUNTER_END// with its class, and DISCHARGE// at the end, never before."""
    events: list[Event | None] = [timed(head, code, time, defines_encounter=True)]
    end = member(resource, "period").get("end")
    if end is not None:
        events.append(timed(head, _classed("ENCOUNTER_END", resource), last_second(end)))
    disposition = _disposition(resource)
    if disposition is not None:
        events.append(timed(head, f"DISCHARGE//{disposition}", last_second(end)))
    return events
