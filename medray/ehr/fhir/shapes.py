"""JSON of any shape, looked at without trust: a wrong type is the same as nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

Json = Mapping[str, Any]

NOTHING: Json = MappingProxyType({})
ID_CHARACTERS = 256  # FHIR R4 allows an id 64; servers are more generous
TOKEN_CHARACTERS = 32
_DATE = re.compile(
    r"(?<![0-9])(18|19|20|21)[0-9]{2}-(0[1-9]|1[0-2])-([0-2][0-9]|3[01])(?![0-9])"
    r"|(?<![0-9.])[0-3]?[0-9][./][0-3]?[0-9][./](18|19|20|21)[0-9]{2}(?![0-9.])"
)


def member(parent: Json, name: str) -> Json:
    """The object of that name; an empty one where there is none."""
    child = parent.get(name)
    return child if type(child) is dict else NOTHING


def members(parent: Json, name: str) -> list[Json]:
    """The objects in the list of that name."""
    children = parent.get(name)
    return [child for child in children if type(child) is dict] if type(children) is list else []


def word(value: object, longest: int = ID_CHARACTERS) -> str | None:
    """A text of one line that Arrow can hold; None for anything else, empty and overlong included."""
    # isprintable() is false for control characters and for lone surrogates, which UTF-8 has not.
    return value if type(value) is str and 0 < len(value) <= longest and value.isprintable() else None


def undated(value: object, longest: int = ID_CHARACTERS) -> str | None:
    """A word as above that holds no date."""
    text = word(value, longest)
    return None if text is None or _DATE.search(text) else text


def token(value: object, longest: int = TOKEN_CHARACTERS) -> str | None:
    """The same without blanks: what has several words, or is long, may be text about a patient."""
    text = undated(value, longest)
    return None if text is None or any(map(str.isspace, text)) else text
