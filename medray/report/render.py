"""Report -> one HTML page that needs nothing else.

No script, and a content security policy that forbids any: the page can neither run code nor ask
for an address. Text from data is escaped by the template; only our own style sheet is not.
"""

from __future__ import annotations

import base64
import re
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from medray.report import digits
from medray.report.sections import Cell, Interval, Quantity, Report, Section, Table

HERE = Path(__file__).parent
CONTENTS_FROM = 4  # sections; a shorter page needs no table of contents


def render(report: Report) -> str:
    """The whole page as HTML5 text (UTF-8 when written)."""
    environment = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        cell=digits.cell, count=digits.count, data_uri=data_uri, kind=_kind, numeric=numeric_columns
    )
    return environment.get_template("page.html.j2").render(
        report=report,
        anchors=anchors(report.sections),
        contents=len(report.sections) >= CONTENTS_FROM,
        style=Markup((HERE / "page.css").read_text(encoding="utf-8")),
    )


def data_uri(image: bytes) -> str:
    """The image as a `data:` address.

    Raises:
        ValueError: the bytes are neither PNG nor SVG.
    """
    if image.startswith(b"\x89PNG\r\n"):
        kind = "png"
    elif image.lstrip().startswith((b"<?xml", b"<svg")):
        kind = "svg+xml"
    else:
        raise ValueError("report figure: found bytes that are neither PNG nor SVG; pass one of the two")
    return f"data:image/{kind};base64,{base64.b64encode(image).decode('ascii')}"


def numeric_columns(table: Table) -> list[bool]:
    """For each column whether all its cells are numbers or absent."""
    cells = [[row[index] for row in table.rows] for index in range(len(table.columns))]
    return [bool(column) and all(map(_is_number, column)) for column in cells]


def anchors(sections: tuple[Section, ...]) -> list[str]:
    """One distinct id for each section, made of its title."""
    return [
        f"s{place}-{re.sub('[^a-z0-9]+', '-', section.title.lower()).strip('-')}"
        for place, section in enumerate(sections, start=1)
    ]


def _is_number(value: Cell) -> bool:
    return value is None or isinstance(value, (int, float, Interval, Quantity))


def _kind(section: Section) -> str:
    return type(section).__name__
