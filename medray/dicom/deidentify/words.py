"""The closed list of words that cleaned text may hold: `words.txt`."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def vocabulary() -> frozenset[str]:
    """Words of anatomy, technique, contrast, sequences and findings, upper case. Words that are common
    family names are left out; a patient's own name is no word at all, see `identifiers`."""
    lines = (files(__package__) / "words.txt").read_text("ascii").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())
