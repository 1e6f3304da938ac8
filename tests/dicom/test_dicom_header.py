"""Header values are pydicom's, on every file and for every kind of value."""

from __future__ import annotations

import logging
import math
import warnings
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from pydicom import config as pydicom_config
from pydicom import dcmread
from pydicom.datadict import keyword_for_tag, tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence

from medray.dicom.config import DicomConfig
from medray.dicom.container import open_container
from medray.dicom.examples import example_files
from medray.dicom.header import Header, declared_vr
from medray.dicom.plain_values import plain_values
from medray.dicom.structure import walk
from medray.errors import Unusable

CONFIG = DicomConfig(subject="image")
TEXTS = ("ST", "LT", "UT", "UC", "UR")  # one value, whose blanks medray does not ask for


def _headers(data: bytes) -> tuple[Header, Dataset] | None:
    try:
        container = open_container(data, CONFIG.inflated_bytes)
        found = walk(container.body, container.start, container.encoding, CONFIG.sequence_depth)
    except Unusable:
        return None
    return Header(container.body, found.elements, container.encoding), dcmread(BytesIO(data), force=True)


def _plain(value: object) -> object:
    """A value in a form in which both readers can be compared: numbers as they are, texts without
    padding, items as their elements."""
    if isinstance(value, Dataset):
        return {element.keyword: _values(element.value) for element in value if element.keyword}
    if isinstance(value, (int, float, bytes)):
        return float(value) if isinstance(value, (int, float)) and math.isfinite(value) else value
    return str(value).strip("\0 ")


def _values(value: object) -> list[object]:
    if value is None or value in ("", b""):
        return []
    if isinstance(value, (MultiValue, Sequence, list)):
        return [_plain(one) for one in value]
    return [_plain(value)]


def _ours(header: Header, reference: Dataset, keyword: str) -> list[object]:
    found = header.values(keyword)
    if found and isinstance(found[0], Header):
        items = reference[keyword].value
        return [
            {e.keyword: _ours(one, item, e.keyword) for e in item if e.keyword}  # type: ignore[arg-type]
            for one, item in zip(found, items, strict=True)
        ]
    return [_plain(value) for value in found]


@pytest.mark.parametrize("path", example_files(), ids=lambda path: path.name)
def test_values_are_those_of_pydicom(path: Path) -> None:
    logging.getLogger("pydicom").disabled = True
    with warnings.catch_warnings(), pydicom_config.disable_value_validation():
        warnings.simplefilter("ignore")
        both = _headers(path.read_bytes())
        if both is None:
            return  # no image: its reason is a test of the examples
        header, reference = both
        for raw in reference.keys():  # noqa: SIM118 - the tags, without converting a value
            keyword = keyword_for_tag(raw)
            if not keyword or raw >= 0x7FE00000 or tag_for_keyword(keyword) != raw:
                continue
            try:
                expected = reference[raw]
            except Exception:
                continue
            if expected.VR not in TEXTS:
                assert _ours(header, reference, keyword) == _values(expected.value), keyword


@pytest.mark.parametrize(
    ("vr", "value", "expected"),
    [
        (b"CS", b"ORIGINAL\\PRIMARY \\AXIAL ", ("ORIGINAL", "PRIMARY", "AXIAL")),
        (b"UI", b"1.2.840\0", ("1.2.840",)),
        (b"LO", b"   ", ()),
        (b"LO", "Müller".encode("latin-1"), None),
        (b"LO", b"\x1b$B1", None),
        (b"DS", b"1.5\\-2e3 ", (1.5, -2000.0)),
        (b"DS", b"1.5 mm", None),
        (b"IS", b"12 ", (12,)),
        (b"IS", b"12.0", None),
        (b"US", b"\x01\x02\xff\xff", (513, 65535)),
        (b"SS", b"\xff\xff", (-1,)),
        (b"US", b"\x01", None),
        (b"FD", b"\0\0\0\0\0\0\xf0\x3f", (1.0,)),
        (b"OB", b"\1\2", (b"\1\2",)),
        (b"PN", b"Doe^Jane", None),
    ],
)
def test_plain_values_by_hand(vr: bytes, value: bytes, expected: Any) -> None:
    assert plain_values(vr, value) == expected


def test_the_vr_of_an_implicit_data_set_is_the_dictionarys() -> None:
    assert declared_vr(0x00280010) == b"US"
    assert declared_vr(0x00280120) == b"US"  # US or SS: the columns know the sign
    assert declared_vr(0x00283006) == b"OW"  # US or OW
    assert declared_vr(0x00091001) == b"UN"


def test_an_element_that_cannot_be_read_is_named(instance: Dataset, written: Any) -> None:
    instance.add_new("PixelSpacing", "LO", "wide")
    data = written(instance).replace(b"\x30\0LO\x04\0wide", b"\x30\0ZZ\x04\0wide")
    container = open_container(data, 1 << 20)
    header = Header(data, walk(data, container.start, container.encoding, 32).elements, container.encoding)
    assert header.values("PatientID") == ("P1",)
    assert header.values("InstitutionName") == ()
    assert "PixelSpacing" in header
    assert "InstitutionName" not in header
    with pytest.raises(Unusable, match="PixelSpacing unreadable") as raised:
        header.values("PixelSpacing")
    assert raised.value.reason == "bad_pixel_header"
