"""Keyed pseudonyms: the same key gives the same bytes on every worker and every night.

Everything is HMAC-SHA256 with a domain word (for the ids of records SipHash under such an HMAC), so
that a study's and a patient's pseudonym never coincide and none can be reversed or recomputed without
the key.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from medray.privacy.sip_hash import sip_hashes

_FIELD = b"\x1f"


def normalise(value: str) -> str:
    """How identifiers are compared: without blanks and NULs around them, in upper case."""
    return value.strip().strip("\0").upper()


@lru_cache(maxsize=1024)  # the files of a series share all identifiers but two
def _mac(key: bytes, *values: str) -> bytes:
    # surrogateescape: a file's name may be Latin-1, and its bytes are its name
    message = _FIELD.join(text.encode("utf-8", "surrogateescape") for text in values)
    return hmac.digest(key, message, "sha256")


@dataclass(frozen=True, repr=False)
class Pseudonyms:
    """Pseudonyms of one site.

    Attributes:
        key: 32 or more secret bytes.
        identified: the lake keeps UIDs and dates as they are (`profile = "none"`).
    """

    key: bytes
    identified: bool = False

    def _mac(self, domain: str, *values: str) -> bytes:
        return _mac(self.key, domain, *values)

    @property
    def fingerprint(self) -> str:
        """16 hex digits that tell two keys apart and reveal neither."""
        return self._mac("fingerprint").hex()[:16]

    def subject_id(self, issuer: str, identifier: str) -> int:
        """63 bits of the normalised (issuer, identifier), as a non-negative int64."""
        digest = self._mac("subject", normalise(issuer), normalise(identifier))
        return int.from_bytes(digest[:8], "big") >> 1

    def encounter_key(self, issuer: str, encounter: str) -> int:
        """63 bits of the encounter's id."""
        digest = self._mac("encounter", normalise(issuer), encounter)
        return int.from_bytes(digest[:8], "big") >> 1

    def record_keys(self, issuer: str, table: str, records: pa.StringArray) -> npt.NDArray[np.int64]:
        """int64 (N,): 63 bits of each record's own id in a table of the issuer's archives; any number
        where the id is null. SipHash under a key of the table's own: there is an id in every row."""
        key = self._mac("record", normalise(issuer), table)[:16]
        return (sip_hashes(key, records) >> np.uint64(1)).view(np.int64)

    def version_masks(self, issuer: str, table: str, records: pa.StringArray) -> npt.NDArray[np.uint64]:
        """uint64 (N,): a secret number of each record's own id. A version plus its record's mask, modulo
        2**64, tells nothing but by how much it is newer than another version of that record."""
        return sip_hashes(self._mac("version", normalise(issuer), table)[:16], records)

    def uid(self, original: str) -> str:
        """A valid UID: `2.25.` and 128 HMAC bits as a decimal (PS3.5 B.2)."""
        if self.identified:
            return original.strip().strip("\0")
        digest = self._mac("uid", original.strip().strip("\0"))
        return f"2.25.{int.from_bytes(digest[:16], 'big')}"

    def source_key(self, uri: str) -> str:
        """32 hex digits for the object at `uri`."""
        return self._mac("source", uri).hex()[:32]

    def etag(self, etag: str) -> str:
        """32 hex digits for a store's tag (a folder's tag is a date, so it is hashed too)."""
        return self._mac("etag", etag).hex()[:32]

    def source_digests(self, uris: Iterable[bytes]) -> npt.NDArray[np.uint8]:
        """uint8 (N, 16): `source_key` of each URI, as bytes."""
        return self._digests(b"source", uris)

    def etag_digests(self, etags: Iterable[str]) -> npt.NDArray[np.uint8]:
        """uint8 (N, 16): `etag` of each tag, as bytes."""
        return self._digests(b"etag", (tag.encode() for tag in etags))

    def _digests(self, domain: bytes, values: Iterable[bytes]) -> npt.NDArray[np.uint8]:
        start = domain + _FIELD
        found = b"".join([hmac.digest(self.key, start + value, "sha256")[:16] for value in values])
        return np.frombuffer(found, np.uint8).reshape(-1, 16)

    def site_key(self, institution: str) -> str:
        """16 hex digits for an institution."""
        return self._mac("site", normalise(institution)).hex()[:16]

    def scanner_key(self, *device: str) -> str:
        """16 hex digits for a device (manufacturer, model, station, serial number)."""
        return self._mac("scanner", *(normalise(d) for d in device)).hex()[:16]

    def shift(self, subject: int | str, time: datetime) -> datetime:
        """The time moved back by 1 to 364 whole days, constant for a subject (or, where the subject
        is not known, for another pseudonym): its intervals stay exact."""
        return time - timedelta(days=self.shift_days(subject))

    def shift_days(self, subject: int | str) -> int:
        """By how many days `shift` moves back: 1 to 364, or 0 where the lake is identified."""
        if self.identified:
            return 0
        return 1 + int.from_bytes(self._mac("days", str(subject))[:8], "big") % 364
