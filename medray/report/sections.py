"""What a report is: frozen records, from which `render` makes a page.

Every text is plain text: it is escaped where it is shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Interval:
    """A value and the ends of its interval; None where not defined."""

    value: float | None
    lower: float | None
    upper: float | None


@dataclass(frozen=True)
class Quantity:
    """A number as it is to be shown, with its unit ("3 min 12 s", "4.2%")."""

    text: str


@dataclass(frozen=True)
class Link:
    """Words that lead to another report.

    Attributes:
        page: where it lies from this one ("../<run>/report.html").
    """

    text: str
    page: str


Cell = str | int | float | Interval | Quantity | Link | None
Tone = Literal["plain", "caution", "alarm"]


@dataclass(frozen=True)
class Number:
    """One headline number: its name, the value, and a line that says what it means."""

    name: str
    value: Cell
    meaning: str


@dataclass(frozen=True)
class Highlights:
    """The few numbers to see first."""

    title: str
    numbers: tuple[Number, ...]
    note: str = ""


@dataclass(frozen=True)
class Table:
    """Rows of cells; columns that hold only numbers are set to the right."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""


@dataclass(frozen=True)
class Figure:
    """One image.

    Attributes:
        image: SVG or PNG bytes.
        alt: what the figure shows, for those who cannot see it.
        wide: takes the whole width in a gallery.
    """

    title: str
    image: bytes
    alt: str
    note: str = ""
    wide: bool = False


@dataclass(frozen=True)
class Gallery:
    """Figures side by side where the page is wide enough."""

    title: str
    figures: tuple[Figure, ...]
    note: str = ""


@dataclass(frozen=True)
class Text:
    """Paragraphs; `caution` and `alarm` set them apart."""

    title: str
    paragraphs: tuple[str, ...]
    tone: Tone = "plain"


@dataclass(frozen=True)
class Sum:
    """An accounting identity: `total` is to equal the sum of `parts`.

    Attributes:
        total_name: what was to be accounted for ("listed").
        parts: (name, count), in the order they are shown.
    """

    title: str
    total_name: str
    total: int
    parts: tuple[tuple[str, int], ...]
    note: str = ""

    @property
    def missing(self) -> int:
        """Total minus parts: 0 when it adds up, above 0 when inputs are lost, below 0 when doubled."""
        return self.total - sum(count for _, count in self.parts)

    @property
    def holds(self) -> bool:
        return self.missing == 0


@dataclass(frozen=True)
class Group:
    """Sections under one heading."""

    title: str
    sections: tuple[Highlights | Table | Figure | Gallery | Text | Sum, ...]
    note: str = ""


Section = Highlights | Table | Figure | Gallery | Text | Sum | Group


@dataclass(frozen=True)
class Report:
    """One page.

    Attributes:
        facts: (name, value) shown under the title: what, when, with what.
        sections: in the order they are shown.
    """

    title: str
    subtitle: str
    facts: Sequence[tuple[str, str]]
    sections: tuple[Section, ...]
