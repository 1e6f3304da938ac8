"""CodeableConcepts as codes: `LOINC//8867-4`, or `<system uri>//<code>`; no text comes through as a code."""

from __future__ import annotations

import re
from functools import lru_cache

from medray.ehr.fhir.shapes import ID_CHARACTERS, Json, members, token, undated, word
from medray.ehr.fhir.systems import short_name

_CODE = re.compile(r"\S+( \S+)*")  # FHIR R4 datatype `code`
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S+")
_DISTINCT = 100_000  # codes of an archive that are put together only once


@lru_cache(_DISTINCT)
def _named(system: str, code: str, systems: tuple[str, ...]) -> tuple[str, bool] | None:
    """(code with its system, whether the system has a short name); None where either is none. Several
    words are a code where the recipe names their system, and may be text about a patient elsewhere."""
    name, listed = _name(system), _name(system) in map(_name, systems)
    is_code = _CODE.fullmatch(code) and undated(code) if listed else token(code, ID_CHARACTERS)
    return (f"{name}//{code}", name != system) if is_code and _URI.fullmatch(system) else None


def _name(system: str) -> str:
    return short_name(system) or system


def plain_code(coding: Json, systems: tuple[str, ...]) -> str | None:
    """The code alone; without a system it is one short word."""
    system, code = word(coding.get("system")), word(coding.get("code"))
    return code if system and code and _named(system, code, systems) else token(code)


def _codes(concept: Json, systems: tuple[str, ...]) -> list[tuple[str, bool]]:
    codes = []
    for coding in members(concept, "coding"):
        system, code = word(coding.get("system")), word(coding.get("code"))
        if system and code and (named := _named(system, code, systems)):
            codes.append(named)
    return codes


def code_of(concept: Json, systems: tuple[str, ...]) -> str | None:
    """The code that stands for a concept; None where it has no coding with a system and a code.

    The first of the systems that the concept has, else the first with a short name, else the first.
    """
    codes = _codes(concept, systems)
    for system in systems:
        wanted = _name(system) + "//"
        for code, _ in codes:
            if code.startswith(wanted):
                return code
    known = next((code for code, is_known in codes if is_known), None)
    return known or (codes[0][0] if codes else None)
