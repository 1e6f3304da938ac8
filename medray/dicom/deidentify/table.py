"""PS3.15 table E.1-1 (2026c) as data: `table.csv`, one line an attribute, columns as in the standard.

`vr` is the value representation of PS3.6. A tag with `xx` stands for a repeating group, `private` for
all private attributes. An empty cell of an option means that the option changes nothing.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True)
class Row:
    """One line of the table: the action of the Basic Profile, then those of its options."""

    tag: str
    vr: str
    name: str
    basic: str
    safe_private: str
    uids: str
    device: str
    institution: str
    patient: str
    full_dates: str
    modified_dates: str
    descriptors: str
    structured: str
    graphics: str


@cache
def rows() -> tuple[Row, ...]:
    """All lines, in the order of their tags."""
    lines = (files(__package__) / "table.csv").read_text("ascii").splitlines()
    return tuple(Row(**line) for line in csv.DictReader(lines))


@cache
def by_tag() -> dict[int, Row]:
    """The lines of single attributes by tag. Repeating groups and private attributes have no line
    here: what is not in a dictionary is not kept."""
    return {int(row.tag, 16): row for row in rows() if row.tag != "private" and "x" not in row.tag}
