"""Patient: birth, death and static facts."""

from __future__ import annotations

from medray.ehr.fhir.concepts import plain_code
from medray.ehr.fhir.event import Event, Head, fact, timed
from medray.ehr.fhir.shapes import Json, member, members
from medray.ehr.fhir.times import first_instant, last_second

_GENDERS = frozenset({"male", "female", "other", "unknown"})  # FHIR R4 AdministrativeGender
_US_CORE = "http://hl7.org/fhir/us/core/StructureDefinition/"
_EXTENSIONS = {_US_CORE + "us-core-race": "RACE", _US_CORE + "us-core-ethnicity": "ETHNICITY"}
_CATEGORY = "ombCategory"


def _life(resource: Json, head: Head) -> list[Event]:
    """Birth and death. A death without a time is refused: as a static fact, every window would know it."""
    events = []
    if resource.get("birthDate") is not None:
        events.append(timed(head, "MEDS_BIRTH", first_instant(resource["birthDate"])))
    if resource.get("deceasedDateTime") is not None:
        events.append(timed(head, "MEDS_DEATH", last_second(resource["deceasedDateTime"])))
    elif resource.get("deceasedBoolean") is True:
        events.append(timed(head, "MEDS_DEATH", None))
    return events


def _gender(resource: Json, head: Head) -> list[Event]:
    gender = resource.get("gender")
    if gender is None:
        return []
    known = type(gender) is str and gender in _GENDERS
    return [fact(head, f"GENDER//{gender}") if known else timed(head, None, None)]


def _race_and_ethnicity(resource: Json, head: Head) -> list[Event]:
    """The categories of the US Core extensions; their texts are not read."""
    return [
        fact(head, f"{_EXTENSIONS[outer['url']]}//{code}")
        for outer in members(resource, "extension")
        if type(outer.get("url")) is str and outer["url"] in _EXTENSIONS
        for inner in members(outer, "extension")
        if inner.get("url") == _CATEGORY and (code := plain_code(member(inner, "valueCoding"), ()))
    ]


def patient_events(resource: Json, head: Head) -> list[Event]:
    """MEDS_BIRTH, MEDS_DEATH, and GENDER//, RACE//, ETHNICITY// without a time."""
    return [*_life(resource, head), *_gender(resource, head), *_race_and_ethnicity(resource, head)]
