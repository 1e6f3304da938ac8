"""What every de-identified header says about itself (PS3.3 C.7.1.1 and C.12.1, PS3.16 CID 7050)."""

from __future__ import annotations

from functools import cache

from medray.dicom.deidentify.encode import element, item
from medray.dicom.deidentify.patient import Patient
from medray.dicom.deidentify.policy import Option

_PROFILE = ("113100", "Basic Application Confidentiality Profile")
_OPTIONS: dict[Option, tuple[str, str]] = {
    "clean_descriptors": ("113105", "Clean Descriptors Option"),
    "retain_longitudinal_modified_dates": (
        "113107",
        "Retain Longitudinal Temporal Information Modified Dates Option",
    ),
    "retain_patient_characteristics": ("113108", "Retain Patient Characteristics Option"),
    "retain_device": ("113109", "Retain Device Identity Option"),
    "retain_safe_private": ("113111", "Retain Safe Private Option"),
}
PATIENT_NAME, PATIENT_ID = 0x00100010, 0x00100020
IDENTITY_REMOVED, METHOD, METHOD_CODES = 0x00120062, 0x00120063, 0x00120064
TEMPORAL_INFORMATION = 0x00280303
OWN = frozenset((PATIENT_NAME, PATIENT_ID, IDENTITY_REMOVED, METHOD, METHOD_CODES, TEMPORAL_INFORMATION))
METHOD_TEXT = b"medray: DICOM PS3.15 2026c annex E"


def own_elements(patient: Patient, options: frozenset[Option]) -> list[tuple[int, bytes]]:
    """The attributes that are the same for all headers of a subject, with their tags, in order."""
    return [
        (PATIENT_NAME, element(PATIENT_NAME, b"PN", b"Subject^" + patient.pseudonym)),
        (PATIENT_ID, element(PATIENT_ID, b"LO", patient.pseudonym)),
        *_constant(options),
    ]


@cache
def _constant(options: frozenset[Option]) -> tuple[tuple[int, bytes], ...]:
    codes = [_PROFILE, *sorted(code for option, code in _OPTIONS.items() if option in options)]
    moved = b"MODIFIED" if "retain_longitudinal_modified_dates" in options else b"REMOVED"
    return (
        (IDENTITY_REMOVED, element(IDENTITY_REMOVED, b"CS", b"YES")),
        (METHOD, element(METHOD, b"LO", METHOD_TEXT)),
        (METHOD_CODES, element(METHOD_CODES, b"SQ", b"".join(item(_code(*code)) for code in codes))),
        (TEMPORAL_INFORMATION, element(TEMPORAL_INFORMATION, b"CS", moved)),
    )


def _code(value: str, meaning: str) -> bytes:
    return (
        element(0x00080100, b"SH", value.encode())
        + element(0x00080102, b"SH", b"DCM")
        + element(0x00080104, b"LO", meaning.encode())
    )
