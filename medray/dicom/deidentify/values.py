"""What stays of a single value, by its VR."""

from __future__ import annotations

import re
from collections.abc import Callable

from medray.dicom import vocabulary
from medray.dicom.deidentify.patient import Patient
from medray.dicom.deidentify.remembered import remembered
from medray.dicom.deidentify.text import LONGEST_TEXT, cleaned

_PADDING = b" \0"
_NUMBERS = re.compile(rb"[0-9+\-.eE \\]*\0?")
_AGE = re.compile(rb"([0-9]{3})([DWMY])")
_CODES = re.compile(rb"[A-Z0-9_ \\]*\0?")
_CHARACTER_SETS = re.compile(rb"(?:ISO_IR [0-9]{1,3}|ISO 2022 IR [0-9]{1,3}|GB18030|GBK|\\| )*\0?")
_UID = re.compile(rb"[0-9.]{1,64}")
OLDEST = 90
# Defined terms of the standard are no one's name, whatever a patient is called.
_TERMS = frozenset(
    word.encode()
    for words in (
        vocabulary.MODALITIES, vocabulary.BODY_PARTS, vocabulary.VIEW_POSITIONS, vocabulary.LATERALITIES,
        vocabulary.PATIENT_POSITIONS, vocabulary.YES_NO, vocabulary.VOI_FUNCTIONS, vocabulary.LUT_SHAPES,
        vocabulary.RESCALE_TYPES, vocabulary.IMAGE_TYPES,
    )
    for word in words
)  # fmt: skip


def constant(standing: bytes) -> Callable[[bytes, Patient], bytes]:
    """The same value for everybody."""
    return lambda value, patient: standing


def uid(value: bytes, patient: Patient) -> bytes:
    """UIDs that the standard registers as they are, all others mapped."""
    return patient.uids(value)


def known_uid(value: bytes, patient: Patient) -> bytes:
    """UIDs as they are, when they are UIDs."""
    return value if all(_UID.fullmatch(part.strip(_PADDING)) for part in value.split(b"\\")) else b""


def clean(value: bytes, patient: Patient) -> bytes:
    """The words of a text that name no one."""
    return cleaned(value, patient.known)


def number(value: bytes, patient: Patient) -> bytes:
    """Decimal numbers as they are, nothing of anything else."""
    return value if _NUMBERS.fullmatch(value) else b""


def character_set(value: bytes, patient: Patient) -> bytes:
    """Character sets of PS3.3 C.12.1.1.2 as they are, nothing of anything else."""
    return value if _CHARACTER_SETS.fullmatch(value) else b""


def age(value: bytes, patient: Patient) -> bytes:
    """An age, 090Y for all beyond 89 years (PS3.15 E.3.7 leaves it to the user; HIPAA does not)."""
    found = _AGE.fullmatch(value.strip(_PADDING))
    if found is None:
        return b""
    days = int(found[1]) * {b"D": 1, b"W": 7, b"M": 30, b"Y": 365}[found[2]]
    return b"%03dY" % OLDEST if days >= OLDEST * 365 else value


def code(value: bytes, patient: Patient) -> bytes:
    """Code strings: each that is a defined term, or holds no identifier of this header; of one that
    is no code string (PS3.5 6.2) the known words."""
    if len(value) > LONGEST_TEXT:
        return b""
    words, well_formed = _codes(value)
    if well_formed and all(word in _TERMS or not patient.known.occur_in(word) for word in words):
        return value
    kept = (
        word
        if _is_code(word) and (word in _TERMS or not patient.known.occur_in(word))
        else cleaned(word, patient.known)
        for word in words
    )
    return b"\\".join(kept).rstrip(b"\\")


def _is_code(word: bytes) -> bool:
    return len(word) <= 16 and _CODES.fullmatch(word) is not None


@remembered
def _codes(value: bytes) -> tuple[tuple[bytes, ...], bool]:
    words = tuple(word.strip(_PADDING) for word in value.split(b"\\"))
    return words, all(map(_is_code, words))
