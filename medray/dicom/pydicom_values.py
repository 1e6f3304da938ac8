"""Values of one element as pydicom reads them: for every VR, byte order and character set."""

from __future__ import annotations

from collections.abc import Sequence

from pydicom.charset import convert_encodings
from pydicom.dataelem import RawDataElement, convert_raw_data_element
from pydicom.multival import MultiValue
from pydicom.tag import BaseTag

from medray.dicom.quiet import quiet
from medray.dicom.structure import Encoding


def pydicom_values(
    tag: int, vr: bytes, value: bytes, encoding: Encoding, characters: Sequence[str]
) -> tuple[object, ...]:
    """The values of an element, () when it is empty.

    Args:
        vr: the element's, or the dictionary's where it has none.
        characters: names of `encodings`.

    Raises:
        Whatever pydicom raises for what it cannot convert.
    """
    raw = RawDataElement(
        BaseTag(tag), vr.decode("ascii"), len(value), value, 0, encoding.implicit, encoding.little, True
    )
    with quiet():
        found = convert_raw_data_element(raw, encoding=list(characters) or None).value
    if found is None or found == "":
        return ()
    return tuple(found) if isinstance(found, (MultiValue, list)) else (found,)


def encodings(value: bytes) -> tuple[str, ...]:
    """Python's names of the character sets in a value of Specific Character Set."""
    words = [word.strip() for word in value.decode("ascii", "replace").strip("\0 ").split("\\")]
    with quiet():
        return tuple(convert_encodings(words))
