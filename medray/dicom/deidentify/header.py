"""A header -> the same header without identity: explicit VR little-endian, its top level in the order of
tags, without pixels, preamble and meta group.

The common case, explicit little-endian, is a walk over the top level with one look-up an attribute;
what stays as it is stays in runs of the bytes received. Everything else is `rewrite`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from medray.dicom.deidentify.encode import element
from medray.dicom.deidentify.identifiers import NOBODY, identifiers
from medray.dicom.deidentify.items import Reader, signed_pixels
from medray.dicom.deidentify.method import OWN, PATIENT_ID, own_elements
from medray.dicom.deidentify.patient import Patient
from medray.dicom.deidentify.policy import Policy
from medray.dicom.deidentify.rewrite import Rewriter
from medray.dicom.deidentify.safe_private import Blocks
from medray.dicom.deidentify.table import by_tag
from medray.dicom.deidentify.text import LONGEST_TEXT
from medray.dicom.deidentify.treatments import GONE, WALKED, Fate, Options, treatment
from medray.dicom.structure import Element, Encoding
from medray.privacy.pseudonyms import Pseudonyms

_NO_LIMIT = 1 << 32


def deidentified(
    elements: Sequence[Element],
    body: bytes,
    encoding: Encoding,
    subject: int,
    pseudonyms: Pseudonyms,
    policy: Policy,
) -> bytes:
    """The header that may leave the ingest.

    Args:
        elements: the top level before Pixel Data, places in `body`.
        subject: the pseudonym that all of the patient's rows have.

    Raises:
        Broken, RecursionError: a sequence cannot be followed. Nothing is then to be kept.
    """
    options = frozenset(policy.options)
    if "retain_safe_private" not in options:
        elements = [item for item in elements if not item.tag & 0x10000]
    ordered = _ordered(elements)
    patient = _patient(ordered, body, options, subject, pseudonyms)
    rewriter = Rewriter(Reader(body, encoding, signed_pixels(ordered, body)), patient, options)
    own = own_elements(patient, options)
    if encoding.implicit or not encoding.little:
        return _rewritten(ordered, rewriter, own)
    return _in_runs(ordered, rewriter, own)


def _ordered(elements: Sequence[Element]) -> Sequence[Element]:
    """In the order of tags; of several with one tag the last, as readers take it."""
    tags = [item.tag for item in elements]
    if tags == sorted(set(tags)):
        return elements
    last = dict(zip(tags, elements, strict=True))
    return [last[tag] for tag in sorted(last)]


def _patient(
    elements: Sequence[Element], body: bytes, options: Options, subject: int, pseudonyms: Pseudonyms
) -> Patient:
    """The header's subject, and what the header says about it and is not to say any more."""
    names, others = _telling(options)
    found = [item for item in elements if item.tag in others or item.tag in names]
    known = identifiers(
        [body[item.start : item.end][:LONGEST_TEXT] for item in found if item.tag in names],
        [body[item.start : item.end][:LONGEST_TEXT] for item in found if item.tag in others],
    )
    original = next((body[item.start : item.end] for item in found if item.tag == PATIENT_ID), b"")
    return Patient(subject, original.strip(b" \0"), pseudonyms, known if found else NOBODY)


@cache
def _telling(options: Options) -> tuple[frozenset[int], frozenset[int]]:
    """Attributes that name persons, and those that hold other identifiers: what the table takes away,
    but for the descriptors, which only may name someone."""
    names: set[int] = set()
    others: set[int] = set()
    for tag, row in by_tag().items():
        vr = row.vr.encode()
        if vr in (b"PN", b"DA"):
            (names if vr == b"PN" else others).add(tag)
        elif row.descriptors != "C" and vr in (b"LO", b"SH", b"ST", b"UC"):
            kept = row.device == "K" and "retain_device" in options
            (set() if kept else others).add(tag)
    return frozenset(names), frozenset(others)


def _rewritten(elements: Sequence[Element], rewriter: Rewriter, own: list[tuple[int, bytes]]) -> bytes:
    """Every element on its own: for implicit and big-endian data sets."""
    pieces = list(own)
    blocks = Blocks() if "retain_safe_private" in rewriter.options else None
    for found in elements:
        if found.tag not in OWN:
            written, _ = rewriter.element(rewriter.reader.top(found), blocks)
            pieces.append((found.tag, written))
    return b"".join(written for _, written in sorted(pieces, key=lambda piece: piece[0]))


class _Runs:
    """Pieces of the new header: neighbours that stay are one slice of the body."""

    def __init__(self, body: bytes) -> None:
        self._body, self._first, self._last = body, 0, 0
        self.pieces: list[bytes] = []

    def keep(self, found: Element) -> None:
        if found.at != self._last:
            self.pieces.append(self._body[self._first : self._last])
            self._first = found.at
        self._last = found.end

    def put(self, *written: bytes) -> None:
        self.pieces.append(self._body[self._first : self._last])
        self.pieces.extend(written)
        self._first = self._last = 0


def _in_runs(elements: Sequence[Element], rewriter: Rewriter, own: list[tuple[int, bytes]]) -> bytes:
    """For explicit little-endian data sets."""
    body, patient, options = rewriter.body, rewriter.patient, rewriter.options
    blocks = Blocks() if "retain_safe_private" in options else None
    waiting = iter([*own, (_NO_LIMIT, b"")])
    limit, standing = next(waiting)
    runs = _Runs(body)
    for found in elements:
        tag = found.tag
        while tag >= limit:
            runs.put(standing)
            limit, standing = next(waiting)
        if blocks and tag & 0x10000:
            if blocks.safe(found, body):
                runs.put(rewriter.element(rewriter.reader.top(found), blocks)[0])
            continue
        if tag in OWN:
            continue
        vr, what = treatment(tag, found.vr, options)
        if what is GONE:
            continue
        if what is WALKED or vr != found.vr:
            runs.put(rewriter.element(rewriter.reader.top(found), blocks)[0])
            continue
        value = body[found.start : found.end]
        stays = value if isinstance(what, Fate) else what(value, patient)
        if stays is value:
            runs.keep(found)
        else:
            runs.put(element(tag, vr, stays))
    runs.put(standing, *(rest for _, rest in waiting))
    return b"".join(runs.pieces)
