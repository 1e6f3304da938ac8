"""Whether what a resource says happened: its status, by the value sets of FHIR R4."""

from __future__ import annotations

from typing import Literal

from medray.ehr.fhir.shapes import Json, member, members

Standing = Literal["holds", "pending", "withdrawn", "NOT_DONE", "REFUTED"]

_VERIFIED = frozenset({"Condition", "AllergyIntolerance"})  # their status is `verificationStatus`
_STANDINGS: dict[tuple[str, str], Standing] = {
    ("Encounter", "planned"): "pending",
    ("MedicationRequest", "draft"): "pending",
    ("Procedure", "preparation"): "pending",
    ("Observation", "registered"): "pending",
    ("DiagnosticReport", "registered"): "pending",
    ("Encounter", "cancelled"): "NOT_DONE",
    ("Observation", "cancelled"): "NOT_DONE",
    ("DiagnosticReport", "cancelled"): "NOT_DONE",
    ("MedicationAdministration", "not-done"): "NOT_DONE",
    ("Procedure", "not-done"): "NOT_DONE",
    ("Immunization", "not-done"): "NOT_DONE",
    ("Condition", "refuted"): "REFUTED",
    ("AllergyIntolerance", "refuted"): "REFUTED",
}


def _status(resource: Json, kind: str) -> object:
    if kind not in _VERIFIED:
        return resource.get("status")
    codes = [coding.get("code") for coding in members(member(resource, "verificationStatus"), "coding")]
    return codes[0] if codes else None


def standing(resource: Json, kind: str) -> Standing:
    """`pending`: nothing is known yet. `NOT_DONE`, `REFUTED`: known, and not so; the word goes before
    the code, so that it also replaces what an earlier version said."""
    status = _status(resource, kind)
    if status == "entered-in-error":
        return "withdrawn"
    if kind == "MedicationRequest" and resource.get("doNotPerform") is True:
        return "NOT_DONE"
    return _STANDINGS.get((kind, status), "holds") if type(status) is str else "holds"
