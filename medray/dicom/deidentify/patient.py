"""Whose header it is: what stands for the patient's identifiers, and what must not stay in a text."""

from __future__ import annotations

from medray.dicom.deidentify.identifiers import Identifiers
from medray.dicom.deidentify.remembered import remembered
from medray.dicom.syntaxes import registered
from medray.privacy.pseudonyms import Pseudonyms

_PADDING = b" \0"


class Patient:
    """One header's subject.

    Attributes:
        original: its PatientID, as the header has it.
        pseudonym: the subject's number, as text.
        days: by how many days its dates move back.
        known: what its header says about it.
    """

    __slots__ = ("_pseudonyms", "days", "known", "original", "pseudonym")

    def __init__(self, subject: int, original: bytes, pseudonyms: Pseudonyms, known: Identifiers) -> None:
        self._pseudonyms, self.original, self.known = pseudonyms, original, known
        self.pseudonym = str(subject).encode()
        self.days = pseudonyms.shift_days(subject)

    def uids(self, value: bytes) -> bytes:
        """The UIDs of a value: registered ones as they are, all others as the lake's pseudonyms."""
        return _uids(value, self._pseudonyms)


@remembered
def _uids(value: bytes, pseudonyms: Pseudonyms) -> bytes:
    parts = [part.strip(_PADDING).decode("latin-1") for part in value.split(b"\\")]
    mapped = [part if not part or registered(part) else pseudonyms.uid(part) for part in parts]
    together = "\\".join(mapped).encode()
    return together + b"\0" * (len(together) % 2)
