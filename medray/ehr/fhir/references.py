"""References: to whom and to which encounter a resource belongs."""

from __future__ import annotations

from medray.ehr.fhir.shapes import NOTHING, Json, members, word

_UUID = "urn:uuid:"


def target_id(reference: Json, kind: str) -> str | None:
    """The id in `Patient/123`, `https://.../Patient/123/_history/2` or `urn:uuid:123`.

    None for a reference to another kind of resource, to a contained one, or by a search.
    """
    text = word(reference.get("reference"), 2048)
    if text is None or reference.get("type", kind) != kind:
        return None
    if text.startswith(_UUID):
        return word(text[len(_UUID) :])
    front, found, rest = text.rpartition(kind + "/")
    return word(rest.partition("/")[0]) if found and (not front or front.endswith("/")) else None


def contained_resource(resource: Json, reference: Json) -> Json:
    """The contained resource that `#id` names; an empty object where there is none."""
    text = reference.get("reference")
    if type(text) is not str or not text.startswith("#"):
        return NOTHING
    return next((inner for inner in members(resource, "contained") if inner.get("id") == text[1:]), NOTHING)
