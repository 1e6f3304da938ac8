"""What this header says about its own patient, staff and site: nothing of it may stay in a text."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from medray.dicom.deidentify.remembered import remembered
from medray.dicom.deidentify.words import vocabulary

_WORDS = re.compile(rb"[0-9A-Z\x80-\xff]+")
# Words of names that name no one, and would take too much with them.
_TITLES = frozenset(b"DR MR MRS MS MD PROF JR SR PHD THE AND OF FOR ANONYMOUS ANONYMIZED UNKNOWN NONE".split())
LONGEST_TOLD = 4096  # bytes of all values: what is longer is not kept in memory
SHORTEST_WORD, SHORTEST_PART, SHORTEST_NUMBER = 2, 4, 4


@remembered
def words_of(value: bytes) -> frozenset[bytes]:
    """The words of a text, upper case."""
    return frozenset(_WORDS.findall(value.upper()))


@dataclass(frozen=True, repr=False)
class Identifiers:
    """Upper-case bytes as the header has them.

    Attributes:
        words: no text may hold one of them as a word.
        parts: no text may hold one of them at all.
    """

    words: frozenset[bytes]
    parts: tuple[bytes, ...]

    def occur_in(self, value: bytes) -> bool:
        """Does a text hold one of them?"""
        if not self.words.isdisjoint(words_of(value)):
            return True
        upper = value.upper()
        return any(part in upper for part in self.parts)


NOBODY = Identifiers(frozenset(), ())


def identifiers(names: Iterable[bytes], others: Iterable[bytes]) -> Identifiers:
    """What the values of a header identify.

    Args:
        names: of persons: each of their words counts.
        others: identifiers, places, dates: they count as a whole, and in their words of five letters or
            more but those of the vocabulary ("Chest Clinic").
    """
    told = tuple(names), tuple(others)
    short = sum(len(value) for values in told for value in values) <= LONGEST_TOLD
    return (_known if short else _told)(*told)


def _told(names: tuple[bytes, ...], others: tuple[bytes, ...]) -> Identifiers:
    words: set[bytes] = set()
    parts: set[bytes] = set()
    for value in names:
        found = [word for word in words_of(value) if _tells(word)]
        words.update(found)
        parts.update(word for word in found if len(word) >= SHORTEST_PART)
    for value in others:
        whole = value.strip(b" \0").upper()
        if len(whole) >= SHORTEST_PART:
            parts.add(whole)
        words.update(word for word in words_of(whole) if len(word) > SHORTEST_PART and _names_a_place(word))
    return Identifiers(frozenset(words), tuple(sorted(parts)))


_known = lru_cache(maxsize=256)(_told)  # the headers of a series tell the same


def _tells(word: bytes) -> bool:
    shortest = SHORTEST_NUMBER if word.isdigit() else SHORTEST_WORD
    return len(word) >= shortest and word not in _TITLES


def _names_a_place(word: bytes) -> bool:
    return _tells(word) and word.decode("latin-1") not in vocabulary()
