"""Free text without identity: words from a closed list, and text that a machine has written.

Two rules. `cleaned` keeps only words of `words.txt` (anatomy, technique, contrast, sequences) and short
numbers, so that what nobody has foreseen is dropped. `machine_text` keeps what a scanner writes about itself
(makers, kernels, codes) as it is, unless it looks like something about a person. Both drop what this
very header says about its patient.
"""

from __future__ import annotations

import re

from medray.dicom.deidentify.identifiers import Identifiers, words_of
from medray.dicom.deidentify.remembered import remembered
from medray.dicom.deidentify.words import vocabulary

LONGEST_TEXT = 10240  # characters of LT (PS3.5 6.2); a longer text is a document, and goes
_TOKEN = re.compile(r"[A-Za-z]+[0-9]*|[0-9]+(?:[.,][0-9]+)?[A-Za-z]*|[^A-Za-z0-9]+")
_WORD = re.compile(r"([A-Z]+)([0-9]{0,3})")
_NUMBER = re.compile(r"[0-9]{1,3}(?:[.,][0-9]{1,3})?")
_MEASURE = re.compile(r"[0-9]{1,4}(?:[.,][0-9]{1,3})?([A-Z]+)")
_UNITS = frozenset(
    (
        "MM", "CM", "M", "D", "DX", "X", "MS", "MSEC", "S", "SEC", "SECS", "MIN", "KV", "KVP", "MA", "MAS", "HU", "HZ",
        "KHZ", "MHZ", "T", "DEG", "ML", "MG", "KG", "MBQ", "ST", "ND", "RD", "TH", "CH", "W",
    )
)  # fmt: skip
_B_VALUE = re.compile(r"B[0-9]{1,4}")
_EDGES = " _-/.,;:+*&=\\"
_SEPARATORS = frozenset(" _-/.,;:()[]{}+*&%<>=#'\"!?|~\t\r\n\f\\")
# Dates, and numbers in three groups or more, which are dates, telephone or insurance numbers.
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}"
_GAP = r"[-. /,]{0,3}"
_GROUPS = re.compile(
    r"(?<![0-9])[0-9]+(?:[-./ ][0-9]+){2,}|[0-9]{1,2}[-./][0-9]{4}|[0-9]{4}[-./][0-9]{1,2}"
    rf"|[0-9]{{1,4}}{_GAP}{_MONTH}{_GAP}[0-9]{{1,4}}|{_MONTH}{_GAP}[0-9]{{1,2}}[-. /,]{{1,3}}[0-9]{{2,4}}",
    re.IGNORECASE,
)
_PERSONAL = re.compile(
    rb"\^[A-Za-z]|@|(?<![0-9])(?:19|20)[0-9]{2}([-./]?)(?:0[1-9]|1[0-2])\1(?:0[1-9]|[12][0-9]|3[01])(?![0-9])"
    rb"|(?<![0-9])[0-9]{3}-[0-9]{2}-[0-9]{4}(?![0-9])|[0-9]{1,2}/[0-9]{1,2}/[0-9]{2,4}|\+?[0-9][0-9 ()/-]{8,}[0-9]"
)


def cleaned(value: bytes, known: Identifiers) -> bytes:
    """The words of a text that name no one, in order; the text itself when that is all of it."""
    if len(value) > LONGEST_TEXT:
        return b""
    clean = _cleaned(value, frozenset())
    found = known.words & words_of(clean)
    return _cleaned(value, found) if found else clean


def machine_text(value: bytes, known: Identifiers) -> bytes:
    """The value, or nothing when it looks personal or holds an identifier of this header."""
    return b"" if len(value) > LONGEST_TEXT or _personal(value) or known.occur_in(value) else value


def other_text(value: bytes, known: Identifiers) -> bytes:
    """The value, or nothing when it holds an identifier of this header."""
    return b"" if len(value) > LONGEST_TEXT or known.occur_in(value) else value


@remembered
def _personal(value: bytes) -> bool:
    return _PERSONAL.search(value) is not None


@remembered
def _cleaned(value: bytes, banned: frozenset[bytes]) -> bytes:
    stripped = value.rstrip(b" \0")
    parts = [_words(part.decode("latin-1"), banned) for part in stripped.split(b"\\")]
    together = b"\\".join(parts)
    return value if together == stripped else together.strip(b"\\")


def _words(text: str, banned: frozenset[bytes]) -> bytes:
    """The text without what must not stay; one space stands in each gap."""
    tokens = _TOKEN.findall(_GROUPS.sub("?", text))
    verdicts = [_verdict(token, banned) for token in tokens]
    weak = [verdict == "weak" and _beside_removed(verdicts, index) for index, verdict in enumerate(verdicts)]
    gone = [verdict == "no" or lonely for verdict, lonely in zip(verdicts, weak, strict=True)]
    if not any(gone):
        return text.encode("latin-1")
    kept = [" " if out else token for token, out in zip(tokens, gone, strict=True)]
    return re.sub(r"[^A-Za-z0-9]* [^A-Za-z0-9]*", " ", "".join(kept)).strip(_EDGES).encode("latin-1")


def _verdict(token: str, banned: frozenset[bytes]) -> str:
    """yes, no, or weak: a number or a letter, which stays where nothing beside it goes."""
    upper = token.upper()
    if not token[0].isalnum() or not token.isascii():
        return "gap" if set(token) <= _SEPARATORS and "?" not in token else "no"
    if upper in vocabulary() or upper.encode() in banned:
        return "no" if upper.encode() in banned else "yes"
    word, measure = _WORD.fullmatch(upper), _MEASURE.fullmatch(upper)
    if word is not None and len(word[1]) > 1:
        return "yes" if word[1] in vocabulary() and word[1].encode() not in banned else "no"
    if measure is not None:
        return "yes" if measure[1] in _UNITS else "no"
    return "weak" if word or _NUMBER.fullmatch(upper) or _B_VALUE.fullmatch(upper) else "no"


def _beside_removed(verdicts: list[str], index: int) -> bool:
    """Is the next token to either side, gaps aside, one that goes?"""
    for step in (-1, 1):
        at = index + step
        while 0 <= at < len(verdicts) and verdicts[at] == "gap":
            at += step
        if 0 <= at < len(verdicts) and verdicts[at] == "no":
            return True
    return False
