"""The answer key: what PS3.15 table E.1-1 asks of an attribute, told from the table's lines alone.

It reads the file of the table and nothing of the code that applies it.
"""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

from pydicom.datadict import dictionary_VR

TABLE = Path(__file__).parents[2] / "medray" / "dicom" / "deidentify" / "table.csv"
ALL = (
    "clean_descriptors",
    "retain_device",
    "retain_longitudinal_modified_dates",
    "retain_patient_characteristics",
    "retain_safe_private",
)
Row = dict[str, str]


@cache
def table() -> dict[int, Row]:
    """Lines of single attributes, by tag."""
    with TABLE.open() as lines:
        return {int(row["tag"], 16): row for row in csv.DictReader(lines) if set(row["tag"]) <= set("0123456789abcdef")}


def vr(tag: int) -> str:
    """The VR of an attribute; OW and US where PS3.6 leaves a choice."""
    row = table().get(tag)
    found = row["vr"] if row else dictionary_VR(tag)
    return "OW" if "OW" in found else found[:2]


def asked(tag: int, options: tuple[str, ...]) -> str:
    """What the profile with its options asks for a listed attribute in an image: removed, empty, dummy, uid,
    walked, moved (a date), clean or kept."""
    row = table()[tag]
    dated = vr(tag) in ("DA", "TM", "DT")
    if row["modified_dates"] == "C" and ALL[2] in options and (dated or vr(tag) == "SH"):
        return "moved"
    for column, option in (("device", ALL[1]), ("patient", ALL[3])):
        if option in options and row[column] == "K" and not dated:
            return "kept"
    for column, option in (("device", ALL[1]), ("patient", ALL[3]), ("descriptors", ALL[0])):
        if option in options and row[column] == "C" and vr(tag) not in ("OB", "DS", "IS"):
            return "clean"
    if vr(tag) == "SQ":
        empty = row["basic"] in ("Z", "X/Z")
        return "walked" if "U*" in row["basic"] else "empty" if empty else "removed"
    if vr(tag) == "UI" and row["basic"] in ("D", "U"):
        return "uid"
    return {"X": "removed", "Z": "empty", "X/Z": "empty", "U": "uid"}.get(row["basic"], "dummy")
