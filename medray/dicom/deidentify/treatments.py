"""Table E.1-1 and the recipe's options -> what happens to the value of each attribute.

What the table leaves open is decided here, once:
- Of a conditional action the part is taken that is right for an attribute of every type: Z of X/Z, D of
  X/D, Z/D and X/Z/D, U of X/Z/U*. Sequences with D go (see `dummies`).
- Attributes that the table does not list stay when PS3.6 knows them and their values can be checked: numbers,
  codes, registered UIDs (others are mapped). Dates are moved, or emptied without the option; text that
  machines write stays as it is, other text keeps only known words; names, addresses and bulk bytes go.
- Dates of devices follow the option of dates, not that of devices.
- A value whose VR is not the one of PS3.6 cannot be judged, and goes.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from functools import lru_cache

from pydicom._dicom_dict import DicomDictionary
from pydicom.datadict import tag_for_keyword

from medray.dicom.deidentify import dates, text, values
from medray.dicom.deidentify.dummies import dummy
from medray.dicom.deidentify.machine import BULK_KEYWORDS, MACHINE_KEYWORDS, OTHER_KEYWORDS
from medray.dicom.deidentify.patient import Patient
from medray.dicom.deidentify.policy import Option
from medray.dicom.deidentify.table import Row, by_tag

Value = Callable[[bytes, Patient], bytes]  # a value and whose it is -> the value that stays


class Fate(Enum):
    """What happens to an attribute where its value does not matter."""

    KEPT = "stays as it is"
    GONE = "is removed"
    WALKED = "a sequence that stays, its items by the same rules"


KEPT, GONE, WALKED = Fate.KEPT, Fate.GONE, Fate.WALKED
Treatment = Fate | Value
Options = frozenset[Option]

NUMBERS = frozenset((b"US", b"SS", b"UL", b"SL", b"FL", b"FD", b"AT", b"SV", b"UV", b"OF", b"OD", b"OL"))
FREE_TEXT = frozenset((b"LO", b"SH", b"ST", b"LT", b"UC", b"UT"))
DATES: dict[bytes, Value] = {
    b"DA": lambda value, patient: dates.moved_date(value, patient.days),
    b"DT": lambda value, patient: dates.moved_date_time(value, patient.days),
    b"TM": lambda value, patient: dates.time_of_day(value),
    b"SH": lambda value, patient: dates.utc_offset(value),
}
CLEANABLE = FREE_TEXT | {b"SQ", b"CS", b"AE"}
# Of a conditional action, the part that is right for attributes of type 1, 2 and 3.
ANY_TYPE = {"X/Z": "Z", "X/D": "D", "Z/D": "D", "X/Z/D": "D", "X/Z/U*": "K"}
BY_VR: dict[bytes, Value] = {
    b"DS": values.number,
    b"IS": values.number,
    b"CS": values.code,
    b"UI": values.uid,
    b"AS": values.age,
}
_FAMILIES = (FREE_TEXT, frozenset((b"DS", b"IS")), frozenset((b"OB", b"OW")))
_TAGS_OF = {
    name: frozenset(filter(None, map(tag_for_keyword, keywords)))
    for name, keywords in (("bulk", BULK_KEYWORDS), ("machine", MACHINE_KEYWORDS), ("other", OTHER_KEYWORDS))
}
KNOWN = 1 << 16  # tags and VRs that are remembered; a hostile file invents more
CHARACTER_SET = 0x00080005


@lru_cache(maxsize=KNOWN)
def treatment(tag: int, vr: bytes, options: Options) -> tuple[bytes, Treatment]:
    """The VR with which an attribute of a public group is written, and what happens to its value.

    Args:
        vr: as the data set has it.
    """
    row = by_tag().get(tag)
    expected = vrs_of(tag)
    if not expected or not _belongs(tag):
        return vr, GONE
    if vr == b"UN":
        vr = expected[0]
    fits = vr in expected or any(vr in family and expected[0] in family for family in _FAMILIES)
    action = _action(row, expected[0], options) if row else "listed nowhere"
    if action in ("X", "Z", "D", "U"):
        return (vr if fits else expected[0]), _basic(action, vr if fits else expected[0])
    if not fits:
        return vr, GONE
    return vr, _retained(tag, vr, action, options)


def private_treatment(vr: bytes, declared: bytes) -> tuple[bytes, Treatment]:
    """VR and treatment of a safe private attribute, when its VR is the one that its maker declares."""
    vr = declared if vr == b"UN" else vr
    if vr == b"UN" or declared not in (b"UN", vr):
        return vr, GONE
    if vr == b"SQ":
        return vr, WALKED
    if vr in NUMBERS or vr in (b"OB", b"OW"):
        return vr, KEPT
    if vr in FREE_TEXT:
        return vr, lambda value, patient: text.machine_text(value, patient.known)
    return vr, BY_VR.get(vr, values.constant(b""))


@lru_cache(maxsize=KNOWN)
def vrs_of(tag: int) -> tuple[bytes, ...]:
    """The VRs that PS3.6 allows, the one to write first; () for an attribute that it does not know."""
    entry = DicomDictionary.get(tag)
    row = by_tag().get(tag)
    found = entry[0] if entry else row.vr if row else ""
    names = [name.encode() for name in found.split(" or ")]
    return tuple(sorted(names, key=lambda name: name != b"OW")) if found and found != "NONE" else ()


def _belongs(tag: int) -> bool:
    """Commands, meta group, directories and group lengths are no part of an instance, and the pixels are
    kept elsewhere."""
    return tag >> 16 not in (0, 2, 4) and tag & 0xFFFF != 0 and not 0x7FE00000 <= tag <= 0x7FE0FFFF


def _action(row: Row, vr: bytes, options: Options) -> str:
    """One letter: X, Z, D, U, K, C (of a text or a sequence), or `date`."""
    if row.modified_dates == "C" and "retain_longitudinal_modified_dates" in options and vr in DATES:
        return "date"
    dated = vr in (b"DA", b"DT", b"TM")
    retained = [
        action
        for action, option in ((row.device, "retain_device"), (row.patient, "retain_patient_characteristics"))
        if option in options and not dated
    ]
    if "K" in retained:
        return "K"
    cleaned = "C" in retained or ("clean_descriptors" in options and row.descriptors == "C")
    if cleaned and vr in CLEANABLE:
        return "C"
    return ANY_TYPE.get(row.basic, row.basic)


def _basic(action: str, vr: bytes) -> Treatment:
    if action == "X":
        return GONE
    if action == "U" or (action == "D" and vr == b"UI"):
        return values.uid
    standing = dummy(vr) if action == "D" else b""
    return GONE if standing is None else values.constant(standing)


def _retained(tag: int, vr: bytes, action: str, options: Options) -> Treatment:
    """What stays of a value that is kept, cleaned, or not listed."""
    if vr in DATES and (action == "date" or vr != b"SH"):
        return DATES[vr] if "retain_longitudinal_modified_dates" in options else values.constant(b"")
    if vr == b"SQ":
        return WALKED
    if vr in FREE_TEXT or action == "C":
        return _text(tag, action)
    if vr in NUMBERS:
        return KEPT
    if vr in (b"OB", b"OW"):
        return KEPT if tag in _TAGS_OF["bulk"] else GONE
    return _checked(tag, vr, action)


def _checked(tag: int, vr: bytes, action: str) -> Value:
    """What the form of a value must be, for it to stay."""
    if tag == CHARACTER_SET:
        return values.character_set
    if vr == b"UI" and action == "K":
        return values.known_uid
    return BY_VR.get(vr, values.constant(b""))


def _text(tag: int, action: str) -> Value:
    if action == "K" or (tag in _TAGS_OF["other"] and action != "C"):
        return lambda value, patient: text.other_text(value, patient.known)
    if tag in _TAGS_OF["machine"] and action != "C":
        return lambda value, patient: text.machine_text(value, patient.known)
    return values.clean
