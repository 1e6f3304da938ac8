"""A canary in every attribute that table E.1-1 takes away, at every place of a file: none comes out."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from dicom.e11 import ALL, asked, table, vr
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from medray.dicom.deidentify.policy import Clearance, Policy

EVERYTHING = (Clearance(reason="a test", modality="OT"),)
NESTS = ("AnatomicRegionSequence", "AnatomicRegionModifierSequence", "PrimaryAnatomicStructureSequence")
TEXTS = ("AE", "LO", "LT", "PN", "SH", "ST", "UC", "UT", "UR", "CS")
DAY = "19620314"


def canary(tag: int, place: str) -> Any:
    """A value of the attribute's VR that occurs nowhere else."""
    kind, number = vr(tag), list(table()).index(tag)
    if kind in TEXTS:
        return f"QZ{place}{number:03d}JOHNSON"
    found: dict[str, Any] = {
        "DA": DAY,
        "DT": DAY,
        "TM": "112233.445566",
        "UI": f"1.9.87654.{number}.{ord(place)}",
        "DS": f"{number}987654.5",
        "IS": f"{number}98765",
        "AS": "077Y",
        "US": 0x5A51,
        "OB": b"QZJOHNSON!",
        "OW": b"QZJOHNSON!",
        "UN": b"QZJOHNSON!",
    }
    if kind == "SQ":
        item = Dataset()
        item.PatientComments, item.ReferringPhysicianName = f"QZ{place}JOHNSON", "QZ^JOHNSON"
        item.DerivationDescription, item.Manufacturer = "QZJOHNSON", f"QZ{place}{number:03d}^JOHNSON"
        return Sequence([item])
    return found[kind]


CANARIES = (b"QZ", b"JOHNSON", b"19620314", b"112233", b"1.9.87654", b"987654", b"98765", b"077Y", b"QZJ")


def taken_away(options: tuple[str, ...]) -> list[int]:
    """Attributes of an instance's own data set that do not keep their value."""
    return [
        tag
        for tag in table()
        if asked(tag, options) not in ("kept", "walked")
        and not (asked(tag, options) == "moved" and vr(tag) in ("TM", "SH"))
        and tag >> 16 not in (0, 2, 4)
        and tag < 0x7FE00000
    ]


def planted(instance: Dataset, tags: list[int]) -> Dataset:
    """The instance with a canary of each attribute at the top, one and three levels down, and in private
    blocks, overlays and curves."""
    levels = [instance, Dataset(), Dataset(), Dataset()]
    for level, place in zip(levels, "ABCD", strict=True):
        for tag in tags:
            level.add_new(tag, vr(tag), canary(tag, place))
        block = level.private_block(0x0019, "GEMS_ACQU_01", create=True)
        block.add_new(0x01, "LO", "QZJOHNSON")
        block.add_new(0x23, "DS", "1.5")  # safe
        block.add_new(0x24, "LO", "QZJOHNSON")  # safe, but no DS
        level.private_block(0x0011, "QZJOHNSON 1.0", create=True).add_new(0x23, "LO", "QZJOHNSON")
        for repeated, kind in ((0x60003000, "OW"), (0x60004000, "LT"), (0x60020022, "LO"), (0x50003000, "OW")):
            level.add_new(repeated, kind, b"QZJOHNSON!" if kind == "OW" else "QZJOHNSON")
        level.add_new(0x0018100F, "LO", "QZJOHNSON")  # no attribute of PS3.6
    for outer, inner, name in zip(levels, levels[1:], NESTS, strict=False):
        setattr(outer, name, Sequence([inner]))
    return instance


def everything(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return bytes(sink.getvalue())


SYNTAXES = ("1.2.840.10008.1.2.1", "1.2.840.10008.1.2", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99")
CASES = [
    *((options, syntax) for options in ((), ALL) for syntax in SYNTAXES),
    *((ALL[index : index + 1], SYNTAXES[0]) for index in range(4)),
]


@pytest.mark.parametrize(("options", "syntax"), CASES)
def test_no_canary_of_any_attribute_comes_out(
    options: tuple[str, ...], syntax: str, instance: Dataset, written: Any, ingest: Any
) -> None:
    tags = taken_away(options)
    assert len(tags) > 500
    made = planted(instance, tags)
    made.SOPInstanceUID, made.StudyInstanceUID, made.SeriesInstanceUID = "1.9.87654.1", "1.9.87654.2", "1.9.87654.3"
    data = written(made, syntax)
    data = b"QZJOHNSON preamble".ljust(128) + data[128:]
    outcomes = ingest(data, policy=Policy(options=options, cleared=EVERYTHING))
    (table,) = outcomes.tables
    content = everything(table)
    found = {word for word in CANARIES if word in content}
    assert not found, [content[max(content.index(word) - 40, 0) : content.index(word) + 40] for word in found]
