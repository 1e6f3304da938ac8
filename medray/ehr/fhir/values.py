"""value[x] and Quantity as a number, a coded text and a unit."""

from __future__ import annotations

import math
import re

from medray.ehr.fhir.concepts import code_of
from medray.ehr.fhir.config import FhirConfig
from medray.ehr.fhir.event import BARE, Value
from medray.ehr.fhir.shapes import Json, member, token

_DECIMAL = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_LARGEST = 3.4028234e38  # of float32
_COMPARATORS = frozenset({"<", "<=", ">=", ">"})
_UNIT_CHARACTERS = 64
_NOT_NUMERIC = Value(reason="not_numeric")


def _number(value: object) -> float | None:
    """A JSON number, or a text that holds one; None for anything else and for what float32 has not."""
    if type(value) is str:
        value = value if len(value) < _UNIT_CHARACTERS and _DECIMAL.fullmatch(value) else None
    if type(value) not in (int, float, str):
        return None
    try:
        number = float(value)  # type: ignore[arg-type]
    except OverflowError:
        return None
    return number if math.isfinite(number) and abs(number) <= _LARGEST else None


def quantity(value: object) -> Value | None:
    """A Quantity: its value, its unit (UCUM code, else the printed unit if that is
    one short word), its comparator as text.

    None where it holds no value; reason `not_numeric` where that is no number.
    """
    if type(value) is not dict:
        return _NOT_NUMERIC
    if value.get("value") is None:
        return None
    number = _number(value["value"])
    if number is None:
        return _NOT_NUMERIC
    unit = token(value.get("code"), _UNIT_CHARACTERS) or token(value.get("unit"))
    comparator = value.get("comparator")
    return Value(number, comparator if type(comparator) is str and comparator in _COMPARATORS else None, unit)


def _text(value: object, config: FhirConfig) -> Value:
    if not config.keep_text or type(value) is not str or not value:
        return BARE
    return Value(text=value.encode("utf-8", "replace").decode())


def _concept(holder: Json, config: FhirConfig) -> Value:
    concept = member(holder, "valueCodeableConcept")
    code = code_of(concept, config.systems)
    return Value(text=code) if code else _text(concept.get("text"), config)


def _plain_number(value: object) -> Value:
    number = float(value) if type(value) is bool else _number(value)
    return _NOT_NUMERIC if number is None else Value(number)


def value_of(holder: Json, config: FhirConfig) -> Value | None:
    """value[x] of an Observation or of one of its components; None where it says that there is none.

    Values that are neither numbers nor codes (times, ranges, ratios, signals) leave the bare fact:
    a time in a text would escape the shift of dates.
    """
    if "valueQuantity" in holder:
        return quantity(holder["valueQuantity"])
    if "valueCodeableConcept" in holder:
        return _concept(holder, config)
    for name in ("valueInteger", "valueBoolean"):
        if name in holder:
            return _plain_number(holder[name])
    if "valueString" in holder:
        return _text(holder["valueString"], config)
    return None if "dataAbsentReason" in holder else BARE
