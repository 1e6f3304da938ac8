"""Encounter: its start, its end, and where the patient went then."""

from __future__ import annotations

from datetime import datetime

from medray.ehr.fhir.concepts import plain_code
from medray.ehr.fhir.config import FhirConfig
from medray.ehr.fhir.event import Event, Head, timed
from medray.ehr.fhir.shapes import Json, member, members, word
from medray.ehr.fhir.times import last_second


def _classed(stage: str, resource: Json, config: FhirConfig) -> str:
    """`ENCOUNTER_START//IMP`; without a class the encounter still stands."""
    kind = plain_code(member(resource, "class"), config.systems)
    return f"{stage}//{kind}" if kind else stage


def encounter_code(resource: Json, config: FhirConfig) -> str:
    """The code of its start."""
    return _classed("ENCOUNTER_START", resource, config)


def _dispositions(resource: Json) -> list[Json]:
    concept = member(member(resource, "hospitalization"), "dischargeDisposition")
    return [coding for coding in members(concept, "coding") if word(coding.get("code"))]


def encounter_events(
    resource: Json, head: Head, code: str | None, time: datetime | None, config: FhirConfig
) -> list[Event | None]:
    """ENCOUNTER_START//, ENCOUNTER_END// with its class, and DISCHARGE// at the end, never before."""
    events: list[Event | None] = [timed(head, code, time, defines_encounter=True)]
    end = member(resource, "period").get("end")
    if end is not None:
        events.append(timed(head, _classed("ENCOUNTER_END", resource, config), last_second(end)))
    told = _dispositions(resource)
    if told:
        codes = (plain_code(coding, config.systems) for coding in told)
        left = next((f"DISCHARGE//{code}" for code in codes if code), None)
        events.append(timed(head, left, last_second(end)))
    return events
