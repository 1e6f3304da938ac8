"""Data sets rewritten by the treatments of their attributes, down to the last item."""

from __future__ import annotations

from medray.dicom.deidentify.encode import element, item, little_endian
from medray.dicom.deidentify.items import Broken, Head, Reader
from medray.dicom.deidentify.method import PATIENT_ID
from medray.dicom.deidentify.patient import Patient
from medray.dicom.deidentify.safe_private import Blocks
from medray.dicom.deidentify.treatments import (
    GONE,
    KEPT,
    WALKED,
    Fate,
    Options,
    Treatment,
    private_treatment,
    treatment,
)
from medray.dicom.structure import ITEM, ITEM_END, PIXEL_DATA, SEQUENCE_END, UNDEFINED


class Rewriter:
    """Rewrites one body.

    Attributes:
        patient: whose it is.
        options: of the recipe.
    """

    def __init__(self, reader: Reader, patient: Patient, options: Options) -> None:
        self.reader, self.body = reader, reader.body
        self.patient, self.options = patient, options

    def element(self, head: Head, blocks: Blocks | None) -> tuple[bytes, int]:
        """One element as it stays, empty where it goes, and where the next begins. The value of a
        sequence that goes is not read when its length is known.

        Args:
            blocks: the private creators of its data set; None where nothing private is kept.
        """
        end = head.start + head.length
        if head.tag & 0x10000:
            vr, found = self._private(head, blocks)
        else:
            vr, found = treatment(head.tag, head.vr, self.options)
        if head.length == UNDEFINED:
            return self._undefined(head, found)
        if found is GONE:
            return b"", end
        value: bytes | None
        if vr == b"SQ":
            value = self._sequence(head, end) if found is WALKED else b""
        else:
            value = self.body[head.start : end]
            value = value if self.reader.encoding.little else little_endian(value, vr)
            value = self._value(head.tag, found, value)
        if value is None:
            return b"", end
        creator = blocks.creator_to_write(head.tag) if blocks and head.tag & 0x10000 else None
        written = element(head.tag, vr, value)
        return (element(creator[0], b"LO", creator[1]) + written if creator else written), end

    def _value(self, tag: int, found: Treatment, value: bytes) -> bytes:
        if tag == PATIENT_ID:
            return self.patient.pseudonym if value.strip(b" \0") == self.patient.original else b""
        return value if isinstance(found, Fate) else found(value, self.patient)

    def _private(self, head: Head, blocks: Blocks | None) -> tuple[bytes, Treatment]:
        """Safe private attributes stay; their text may hold nothing personal."""
        if blocks is None:
            return head.vr, GONE
        if 0x10 <= head.tag & 0xFFFF <= 0xFF:
            blocks.reserve(head.tag, self.body[head.start : head.start + head.length])
            return head.vr, GONE
        declared = blocks.vr_of(head.tag)
        if declared is None or head.length == UNDEFINED:
            return head.vr, GONE
        return private_treatment(head.vr, declared)

    def _undefined(self, head: Head, found: Treatment) -> tuple[bytes, int]:
        if head.tag == PIXEL_DATA:
            return b"", self.reader.after_fragments(head.start, len(self.body))
        content, end = self._within(head).items(head.start, len(self.body), True)
        if found is GONE or found is KEPT:
            return b"", end
        return element(head.tag, b"SQ", content if found is WALKED else b""), end

    def _sequence(self, head: Head, end: int) -> bytes | None:
        """The items of a sequence of known length; None where an opaque value holds none."""
        try:
            return self._within(head).items(head.start, end, False)[0]
        except Broken:
            return None

    def _within(self, head: Head) -> Rewriter:
        return Rewriter(self.reader.within(head), self.patient, self.options)

    def items(self, at: int, end: int, delimited: bool) -> tuple[bytes, int]:
        """The items from `at` as they stay, and where the next element begins.

        Raises:
            Broken: they hold something else, or do not end before `end`.
        """
        pieces: list[bytes] = []
        while delimited or at < end:
            head = self.reader.head(at, end)
            if head.tag == SEQUENCE_END and delimited:
                return b"".join(pieces), head.start
            if head.tag != ITEM:
                raise Broken
            open_ended = head.length == UNDEFINED
            content, at = self.data_set(head.start, end if open_ended else head.start + head.length, open_ended)
            pieces.append(item(content))
        return b"".join(pieces), at

    def data_set(self, at: int, end: int, delimited: bool) -> tuple[bytes, int]:
        """The elements from `at` as they stay, and where the item ends. Raises as `items`."""
        pieces: list[bytes] = []
        blocks = Blocks() if "retain_safe_private" in self.options else None
        while delimited or at < end:
            head = self.reader.head(at, end)
            if head.tag == ITEM_END and delimited:
                return b"".join(pieces), head.start
            if head.tag >> 16 == 0xFFFE:
                raise Broken
            written, at = self.element(head, blocks)
            pieces.append(written)
        return b"".join(pieces), at
