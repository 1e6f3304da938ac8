"""JSON of any shape, looked at without trust: a wrong type is the same as nothing."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

Json = Mapping[str, Any]

NOTHING: Json = MappingProxyType({})
ID_CHARACTERS = 256  # FHIR R4 allows an id 64; servers are more generous


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
